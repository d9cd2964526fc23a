/** Ranks of matrices. */
import { CompositeOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { int64 } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { eigh } from "./eigen.ts";
import { batchOf, checkMatrix } from "./matrices.ts";
import { decomposed, tolerance, type Tolerance, type Tolerances } from "./svd.ts";

function rank(A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean): Tensor {
  checkMatrix(A, "torch.linalg.matrix_rank");
  if (A._numel === 0) return filled(batchOf(A), 0, int64);
  const S = hermitian ? eigh(A)[0].abs() : decomposed(A, false).S;
  return S.gt(tolerance(A, S.amax(-1), atol, rtol)).sum(-1);
}

/** How many singular values of each matrix count as more than zero, as in `pinv`; `tol` is an `atol`. */
export const matrix_rank: FunctionOp<[A: Tensor, tol?: number | Tensor, hermitian?: boolean], Tolerances & { tol?: number | Tensor }> = makeOp(
  "linalg_matrix_rank",
  [
    new CompositeOverload("linalg_matrix_rank(Tensor A, *, Any atol=None, Any rtol=None, bool hermitian=False) -> Tensor", rank),
    new CompositeOverload("linalg_matrix_rank(Tensor A, Any tol, bool hermitian=False) -> Tensor", (A: Tensor, tol: Tolerance, hermitian: boolean) => rank(A, tol, 0, hermitian)),
  ],
  false,
) as unknown as typeof matrix_rank;
