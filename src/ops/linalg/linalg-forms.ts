/** What torch.linalg has of other ops under its own signatures. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { BOOL } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { cat } from "../shape/joining.ts";
import { matrix_norm } from "../reductions/matrix-norm.ts";
import { _linalg_svd } from "../reductions/singular-values.ts";
import { checkFloating, checkMatrix, checkSquare } from "./matrices.ts";
import { inv_ex } from "./solving.ts";

interface Plane {
  offset?: number;
  dim1?: number;
  dim2?: number;
}

/** A view of the diagonal of each matrix: torch.diagonal of the last two dimensions. */
export const diagonal: FunctionOp<[A: Tensor], Plane> = composite(
  "linalg_diagonal(Tensor A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor",
  (A: Tensor, offset: number, dim1: number, dim2: number) => A.diagonal(offset, dim1, dim2),
  { method: false, takesOut: false },
);

/** The product of matrices: torch.matmul. */
export const matmul: FunctionOp<[self: Tensor, other: Tensor]> = composite("linalg_matmul(Tensor self, Tensor other) -> Tensor", (self: Tensor, other: Tensor) => self.matmul(other), {
  method: false,
});

/**
 * The singular values of each matrix, the largest first.
 *
 * @throws RuntimeError where the tensor has fewer than two dimensions, or holds no floats.
 * @example
 * torch.linalg.svdvals(torch.tensor([[3, 0], [0, 4]])).tolist(); // [4, 3]
 */
export const svdvals: FunctionOp<[A: Tensor]> = composite(
  "linalg_svdvals(Tensor A) -> Tensor",
  (A: Tensor) => {
    checkMatrix(A, "linalg.svd");
    checkFloating(A, "linalg.svd");
    return _linalg_svd(A)[1];
  },
  { method: false, outRule: exactDtype },
);

/**
 * For each element x of a vector the row 1, x, x², …, of N powers, or of as many as there are elements.
 *
 * @throws RuntimeError where N is less than 2, or the elements are bools.
 * @example
 * torch.linalg.vander(torch.tensor([2, 3])).tolist(); // [[1, 2], [1, 3]]
 */
export const vander: FunctionOp<[x: Tensor], { N?: number | null }> = composite(
  "linalg_vander(Tensor x, *, int? N=None) -> Tensor",
  (x: Tensor, N: number | null) => {
    if (x.dtype.kind === BOOL) throw new RuntimeError("linalg.vander supports floating point, complex, and integer tensors, but got Bool");
    const column = (x._sizes.length === 0 ? x.unsqueeze(-1) : x).unsqueeze(-1);
    const count = N ?? column._sizes.at(-2)!;
    if (count <= 1) throw new RuntimeError("N must be greater than 1.");
    const powers = column.expand([...column._sizes.slice(0, -1), count - 1]).cumprod(-1);
    return cat([powers.new_ones(column._sizes), powers], -1);
  },
  { method: false, takesOut: false },
);

/**
 * The condition number of each matrix: the ratio of its largest to its smallest singular value, or the product of the norms `p` of the matrix and of its inverse.
 *
 * @throws RuntimeError where the tensor has fewer than two dimensions, or holds no floats.
 * @example
 * torch.linalg.cond(torch.tensor([[2, 0], [0, 4]])).item(); // 2
 */
export const cond: FunctionOp<[A: Tensor, p?: number | "fro" | "nuc" | null], { p?: number | "fro" | "nuc" | null }> = composite(
  "linalg_cond(Tensor A, Any p=None) -> Tensor",
  (A: Tensor, p: number | "fro" | "nuc" | null) => {
    if (A._sizes.length < 2) throw new RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.");
    if (p === null || Math.abs(Number(p)) === 2) {
      const values = svdvals(A);
      const [most, least] = [values.narrow(-1, 0, 1), values.narrow(-1, -1, 1)];
      return (p === -2 ? least.div(most) : most.div(least)).squeeze(-1);
    }
    checkSquare(A, `linalg.cond(ord=${p})`);
    const { inverse, info } = inv_ex(A);
    return matrix_norm(A, p).mul(matrix_norm(inverse.masked_fill(info.ne(0).unsqueeze(-1).unsqueeze(-1), Infinity), p));
  },
  { method: false, takesOut: false },
);
