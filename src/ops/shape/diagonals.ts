/** Diagonals: as views, as copies, and as matrices made of them. */
import { composite, kernel, view, viewCopy } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { contiguous, writeInto } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { diagonalGeometry, part, wrapPlane } from "./view-geometry.ts";

interface Plane {
  offset?: number;
  dim1?: number;
  dim2?: number;
}
type Diagonal = [self: Tensor, offset?: number, dim1?: number, dim2?: number];

/**
 * A view of the diagonal of the plane (dim1, dim2), `offset` above the main one; it becomes the last dimension.
 *
 * @throws RuntimeError where both dimensions are the same; IndexError where one is out of range.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).diagonal().tolist(); // [1, 4]
 */
export const diagonal: Op<Diagonal, Plane> = view("diagonal(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor", {
  view: diagonalGeometry,
  backward: ({ grad, self_sizes, offset, dim1, dim2 }) => diagonal_backward(grad, self_sizes, offset, dim1, dim2),
});

/** `grad` on a diagonal of zeros. */
const diagonal_backward: FunctionOp<[grad_output: Tensor, input_sizes: Sizes, offset: number, dim1: number, dim2: number]> = kernel(
  "diagonal_backward(Tensor grad_output, int[] input_sizes, int offset, int dim1, int dim2) -> Tensor",
  {
    forward: ontoDiagonal,
    backward: { grad_output: ({ grad, offset, dim1, dim2 }) => grad.diagonal(offset, dim1, dim2) },
  },
);

function ontoDiagonal(values: Tensor, sizes: Sizes, offset: number, dim1: number, dim2: number): Tensor {
  const out = filled(sizes, 0, values.dtype);
  writeInto(part(out, diagonalGeometry(out, offset, dim1, dim2)), values);
  return out;
}

/**
 * A copy of the diagonal that `diagonal` views.
 *
 * @example
 * torch.diagonal_copy(torch.tensor([[1, 2], [3, 4]]), 1).tolist(); // [2]
 */
export const diagonal_copy: FunctionOp<Diagonal, Plane> = viewCopy(diagonal);

/**
 * Matrices of zeros with the rows of `self` on the diagonal of their plane (dim1, dim2).
 *
 * @throws RuntimeError where both dimensions are the same; IndexError where one is out of range.
 * @example
 * torch.diag_embed(torch.tensor([1, 2])).tolist(); // [[1, 0], [0, 2]]
 */
export const diag_embed: Op<Diagonal, Plane> = kernel("diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", {
  forward: (self: Tensor, offset: number, dim1: number, dim2: number) => {
    const [a, b] = wrapPlane(self._sizes.length + 1, dim1, dim2);
    const side = Math.abs(offset) + self._sizes[self._sizes.length - 1];
    const sizes = self._sizes.slice(0, -1).toSpliced(Math.min(a, b), 0, side);
    return ontoDiagonal(self, sizes.toSpliced(Math.max(a, b), 0, side), offset, dim1, dim2);
  },
  backward: { self: ({ grad, offset, dim1, dim2 }) => grad.diagonal(offset, dim1, dim2) },
});

/**
 * The matrix with a vector on its diagonal, or a copy of the diagonal of a matrix.
 *
 * @throws RuntimeError for other than one or two dimensions.
 * @example
 * torch.diag(torch.tensor([1, 2])).tolist(); // [[1, 0], [0, 2]]
 */
export const diag: Op<[self: Tensor, diagonal?: number], { diagonal?: number }> = composite("diag(Tensor self, int diagonal=0) -> Tensor", (self: Tensor, offset: number) => {
  const ndim = self._sizes.length;
  if (ndim !== 1 && ndim !== 2) throw new RuntimeError(`diag(): Supports 1D or 2D tensors. Got ${ndim}D`);
  return ndim === 1 ? diag_embed(self, offset) : diagonal_copy(self, offset);
}, { outRule: exactDtype });

/**
 * The matrix with all elements of `self` on its diagonal.
 *
 * @example
 * torch.diagflat(torch.tensor([[1, 2]])).tolist(); // [[1, 0], [0, 2]]
 */
export const diagflat: Op<[self: Tensor, offset?: number], { offset?: number }> = composite("diagflat(Tensor self, int offset=0) -> Tensor", (self: Tensor, offset: number) =>
  diag(contiguous(self).view([-1]), offset),
);
