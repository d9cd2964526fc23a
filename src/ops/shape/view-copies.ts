/** The views' copying forms: the same elements, in row-major memory of their own. */
import { kernel, viewCopy } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { inferSize, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy } from "../creation/copy.ts";
import { asserted } from "../../schema/cpp-text.ts";
import { select } from "./selecting.ts";
import { as_strided, permute, squeeze, t, transpose, unsqueeze } from "./shape.ts";
import { expand, unfold } from "./shape-methods.ts";
import { alias, slice, slice_backward } from "./slicing.ts";
import { split, split_with_sizes, unbind } from "./splitting.ts";
import { narrowStart, part, sliceGeometry } from "./view-geometry.ts";

/** A copy of all of `self`. */
export const alias_copy = viewCopy(alias);
/** A copy of what `as_strided` views. */
export const as_strided_copy = viewCopy(as_strided);
/** A copy of what `expand` views. */
export const expand_copy = viewCopy(expand);
/** A copy of what `permute` views. */
export const permute_copy = viewCopy(permute);
/** A copy of what `select` views. */
export const select_copy = viewCopy(select);
/** A copy of a slice along one dimension. */
export const slice_copy = viewCopy(slice);
/** Copies of what `split` views. */
export const split_copy = viewCopy(split);
/** Copies of what `split_with_sizes` views. */
export const split_with_sizes_copy = viewCopy(split_with_sizes);
/** A copy of what `squeeze` views. */
export const squeeze_copy = viewCopy(squeeze);
/** A copy of what `t` views. */
export const t_copy = viewCopy(t);
/** A copy of what `transpose` views. */
export const transpose_copy = viewCopy(transpose);
/** Copies of what `unbind` views. */
export const unbind_copy = viewCopy(unbind);
/** A copy of what `unfold` views. */
export const unfold_copy = viewCopy(unfold);
/** A copy of what `unsqueeze` views. */
export const unsqueeze_copy = viewCopy(unsqueeze);
/**
 * A copy with other sizes; unlike `view` it takes any strides.
 *
 * @throws RuntimeError where the sizes do not multiply up to the number of elements.
 * @example
 * torch.view_copy(torch.arange(4), [2, 2]).tolist(); // [[0, 1], [2, 3]]
 */
export const view_copy: FunctionOp<[self: Tensor, size: readonly number[]], { size?: readonly number[] }> = kernel("view_copy(Tensor self, int[] size) -> Tensor", {
  forward: (self: Tensor, size: Sizes) => contiguousCopy(self)._reshaped(inferSize(size, self._numel)),
  backward: { self: ({ grad, self_sizes }) => grad.reshape(self_sizes) },
  node: "ViewBackward0_copy",
  method: false,
});

/**
 * A copy of what `narrow` views.
 *
 * @throws IndexError where `dim` or `start` is out of range; RuntimeError where the stretch ends beyond the dimension.
 * @example
 * torch.arange(4).narrow_copy(0, 1, 2).tolist(); // [1, 2]
 */
export const narrow_copy: Op<[self: Tensor, dim: number, start: number, length: number]> = kernel(
  "narrow_copy(Tensor self, int dim, int start, int length) -> Tensor",
  {
    forward: (self: Tensor, dim: number, start: number, length: number) => {
      const ndim = self._sizes.length;
      if (ndim > 0 && dim >= ndim) throw new RuntimeError(asserted("dim < static_cast<int64_t>(self_sizes.size())"));
      const first = narrowStart(self, dim, start, length);
      return contiguousCopy(part(self, sliceGeometry(self, dim, first, first + length, 1)));
    },
    backward: { self: narrowGrad },
    outRule: sameDtype(() => asserted("self.dtype() == output.dtype()")),
  },
);

function narrowGrad({ grad, self_sizes, dim, start, length }: { grad: Tensor; self_sizes: Sizes; dim: number; start: number; length: number }): Tensor {
  const first = start < 0 ? start + self_sizes.at(dim)! : start;
  return slice_backward(grad, self_sizes, dim, first, first + length, 1);
}
