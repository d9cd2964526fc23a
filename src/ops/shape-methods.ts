/** Views that PyTorch has as methods only. */
import { composite, view as defineView } from "../dispatch/define.ts";
import type { Op } from "../dispatch/op.ts";
import { RuntimeError } from "../errors.ts";
import { expandedStrides, inferSize, isExpandable, listText, viewStrides, type Sizes } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expandError } from "./copy.ts";

type Size = readonly number[];
/** Sizes may also be given one by one. */
interface Variadic {
  (self: Tensor, ...sizes: number[]): Tensor;
}

/** A view with other sizes over the same elements in the same order. */
export const view: Op<[self: Tensor, size: Size]> & Variadic = defineView("view(Tensor self, int[] size) -> Tensor", {
    view: (self: Tensor, size: Sizes) => {
      const sizes = inferSize(size, self._numel);
      const strides = viewStrides(self._sizes, self._strides, sizes);
      if (strides === null) {
        throw new RuntimeError(
          "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
        );
      }
      return { sizes, strides, offset: self._offset };
    },
    backward: ({ grad, self_sizes }) => grad.reshape(self_sizes),
});

/** A view in which dimensions of size 1 are repeated without copying; -1 keeps a size. */
export const expand: Op<[self: Tensor, size: Size], { implicit?: boolean }> & Variadic = defineView("expand(Tensor self, int[] size, *, bool implicit=False) -> Tensor", {
    view: (self: Tensor, size: Sizes) => {
      const lead = size.length - self._sizes.length;
      const sizes = size.map((s, i) => (s === -1 && i >= lead ? self._sizes[i - lead] : s));
      if (lead < 0 || !isExpandable(self._sizes, sizes)) throw expandError(self._sizes, sizes);
      if (sizes.some((s) => s < 0)) {
        throw new RuntimeError(`The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ${sizes.findIndex((s) => s < 0)}`);
      }
      return { sizes, strides: expandedStrides(self._sizes, self._strides, sizes), offset: self._offset };
    },
    backward: ({ grad, self_sizes }) => grad.sum_to_size(self_sizes),
});

/** Sums over the dimensions in which `self` is larger, so that the result has the sizes given: the adjoint of `expand`. */
export const sum_to_size: Op<[self: Tensor, size: Size]> & Variadic = composite("sum_to_size(Tensor self, int[] size) -> Tensor", (self: Tensor, size: Sizes) => {
  if (!isExpandable(size, self._sizes)) throw new RuntimeError(`size {${listText(size)}} is not expandable to size {${listText(self._sizes)}}.`);
  const lead = self._sizes.length - size.length;
  const dims = self._sizes.flatMap((s, d) => (d < lead || (size[d - lead] === 1 && s !== 1) ? [d] : []));
  const summed = dims.length === 0 ? self : self.sum(dims, true);
  return lead > 0 ? summed.view(size) : summed;
});
