/** Copies of a tensor in which the part that a view would show is replaced. */
import { kernel, type Backward, type View } from "../../dispatch/define.ts";
import { isExpanded } from "../../dispatch/iterate.ts";
import type { Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { listText, sameSizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { clone, writeInto } from "../creation/copy.ts";
import { zeros } from "../creation/creation.ts";
import { slice } from "./slicing.ts";
import { diagonalGeometry, part, selectGeometry, sliceGeometry, stridedGeometry } from "./view-geometry.ts";

/** `self` in a copy of its whole storage, where it lies as it did. */
function wholeCopy(self: Tensor): Tensor {
  const whole = [Math.floor(self._storage.nbytes / self.dtype.itemsize)];
  return clone(self._aliased(whole, [1], 0))._aliased(self._sizes, self._strides, self._offset);
}

function scatter<O, A extends unknown[]>(schema: string, geometry: (self: Tensor, ...args: A) => View, backward: Backward): O {
  return kernel(schema, {
    forward: (self: Tensor, src: Tensor, ...args: unknown[]) => {
      const out = isExpanded(self) ? clone(self) : wholeCopy(self);
      const place = part(out, geometry(out, ...(args as A)));
      if (!sameSizes(place._sizes, src._sizes)) {
        throw new RuntimeError(`expected src to have a size equal to the slice of self. src size = ${listText(src._sizes)}, slice size = ${listText(place._sizes)}`);
      }
      writeInto(place, src);
      return out;
    },
    backward,
  });
}

const none = (grad: Tensor, sizes: readonly number[]): Tensor => zeros(sizes, { dtype: grad.dtype });

/**
 * A copy of `self` with `src` at `index` along `dim`.
 *
 * @throws RuntimeError where `src` has not the sizes of that part; IndexError where `dim` or `index` is out of range.
 * @example
 * torch.zeros(2, 2).select_scatter(torch.ones(2), 0, 1).tolist(); // [[0, 0], [1, 1]]
 */
export const select_scatter: Op<[self: Tensor, src: Tensor, dim: number, index: number]> = scatter(
  "select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor",
  selectGeometry,
  {
    self: ({ grad, src_sizes, dim, index }) => grad.select_scatter(none(grad, src_sizes), dim, index),
    src: ({ grad, dim, index }) => grad.select(dim, index),
  },
);

type SliceOptions = { dim?: number; start?: number | null; end?: number | null; step?: number };

/**
 * A copy of `self` with `src` in the place of a slice along `dim`.
 *
 * @throws RuntimeError where `src` has not the sizes of that part; IndexError where `dim` is out of range.
 * @example
 * torch.zeros(3).slice_scatter(torch.ones(2), 0, 1).tolist(); // [0, 1, 1]
 */
export const slice_scatter: Op<[self: Tensor, src: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number], SliceOptions> = scatter(
  "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor",
  sliceGeometry,
  {
    self: ({ grad, src_sizes, dim, start, end, step }) => grad.slice_scatter(none(grad, src_sizes), dim, start, end, step),
    src: ({ grad, dim, start, end, step }) => slice(grad, dim, start, end, step),
  },
);

/**
 * A copy of `self` with `src` on a diagonal.
 *
 * @throws RuntimeError where `src` has not the sizes of the diagonal.
 * @example
 * torch.zeros(2, 2).diagonal_scatter(torch.ones(2)).tolist(); // [[1, 0], [0, 1]]
 */
export const diagonal_scatter: Op<[self: Tensor, src: Tensor, offset?: number, dim1?: number, dim2?: number], { offset?: number; dim1?: number; dim2?: number }> = scatter(
  "diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor",
  diagonalGeometry,
  {
    self: ({ grad, src_sizes, offset, dim1, dim2 }) => grad.diagonal_scatter(none(grad, src_sizes), offset, dim1, dim2),
    src: ({ grad, offset, dim1, dim2 }) => grad.diagonal(offset, dim1, dim2),
  },
);

type Size = readonly number[];

/**
 * A copy of `self` with `src` where a strided view would lie.
 *
 * @throws RuntimeError where `src` has not the sizes of that part.
 * @example
 * torch.zeros(4).as_strided_scatter(torch.ones(2), [2], [2]).tolist(); // [1, 0, 1, 0]
 */
export const as_strided_scatter: Op<[self: Tensor, src: Tensor, size: Size, stride: Size, storage_offset?: number | null], { storage_offset?: number | null }> = scatter(
  "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
  stridedGeometry,
  {
    self: ({ grad, src_sizes, size, stride, storage_offset }) => grad.contiguous().as_strided_scatter(none(grad, src_sizes), size, stride, storage_offset),
    src: ({ grad, size, stride, storage_offset }) => grad.contiguous().as_strided(size, stride, storage_offset),
  },
);
