/** Determinants. Gradients as in linalg_det_backward and slogdet_backward (torch/csrc/autograd/FunctionsManual.cpp). */
import { gradMode } from "../../autograd/grad-mode.ts";
import { factorize, solveFactored } from "../../backends/reference/lu.ts";
import { composite, kernel } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { int32 } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { finfo } from "../creation/type-info.ts";
import { where } from "../pointwise/selection.ts";
import { _linalg_svd } from "../reductions/singular-values.ts";
import { batchOf, byColumns, checkFloating, checkSquare, eachMatrix } from "./matrices.ts";
import { solveSystem } from "./solving.ts";

/** The factors of Aᵀ where A lies by rows, which lies by columns then, else of A; and the sign that the changes of rows make. */
function factors(A: Tensor): { LU: Tensor; pivots: Tensor; parity: Tensor } {
  const n = A._sizes.at(-1)!;
  const source = A.is_contiguous() ? A.mT : A;
  const LU = byColumns(source._sizes, A, source);
  const pivots = emptyTensor(A._sizes.slice(0, -1), int32);
  const parity = emptyTensor(batchOf(A), A.dtype);
  const [rows, signs] = [viewTyped(pivots) as Int32Array, (viewTyped(parity) as Float32Array).fill(1)];
  let at = 0;
  for (const matrix of eachMatrix(LU)) {
    const own = rows.subarray(at * n, (at + 1) * n);
    factorize(matrix, n, own);
    signs[at++] = own.filter((row, k) => row !== k + 1).length % 2 === 0 ? 1 : -1;
  }
  return { LU, pivots, parity };
}

/** d in the diagonal of matrices of the size of A. */
const scaledIdentity = (A: Tensor, d: Tensor): Tensor => d.unsqueeze(-1).expand(A._sizes.slice(0, -1)).diag_embed();

/** The solution of Aᵀ·X = d·I, by what `factors` gave. */
function solveByFactors(A: Tensor, LU: Tensor, pivots: Tensor, d: Tensor): Tensor {
  const n = A._sizes.at(-1)!;
  const result = byColumns(A._sizes, A, scaledIdentity(A, d));
  const rows = viewTyped(pivots) as Int32Array;
  const columns = [...eachMatrix(result)];
  let at = 0;
  for (const matrix of eachMatrix(LU)) {
    solveFactored(matrix, n, rows.subarray(at * n, (at + 1) * n), columns[at], !A.is_contiguous());
    at++;
  }
  return result;
}

/** The gradient of the determinant of singular matrices: that of the product of the singular values. */
function singularGradient(A: Tensor, grad: Tensor): Tensor {
  const [U, S, Vh] = _linalg_svd(A);
  const alpha = det(U).mul(det(Vh)).mul(grad);
  const others = productOfOthers(S).mul(alpha.unsqueeze(-1));
  return U.mul(others.unsqueeze(-2)).matmul(Vh);
}

/** For each element the product of the others along the last dimension. */
function productOfOthers(S: Tensor): Tensor {
  const n = S._sizes.at(-1)!;
  return S.unsqueeze(-2).expand([...S._sizes.slice(0, -1), n, n]).diagonal_scatter(S.mul(0).add(1), 0, -2, -1).prod(-1);
}

function detGradient(grad: Tensor, result: Tensor, A: Tensor, LU: Tensor, pivots: Tensor): Tensor {
  if (A._numel === 0 || A.size(-1) === 1) return grad.unsqueeze(-1).unsqueeze(-1).expand(A._sizes);
  const d = grad.mul(result);
  if (!gradMode.enabled) {
    const diagonal = LU.diagonal(0, -2, -1);
    const regular = byColumns(LU._sizes, LU, LU.add(where(diagonal.eq(0), finfo(A.dtype).eps, 0).to(A.dtype).diag_embed()));
    return solveByFactors(A, regular, pivots, d);
  }
  const singular = result.abs().lt(100 * finfo(A.dtype).eps);
  if (singular.any().item() === false) return solveSystem(A.mT, scaledIdentity(A, d));
  if (singular.all().item() === true) return singularGradient(A, grad);
  const out = A.mul(0);
  const regular = singular.logical_not();
  const [chosen, rest] = [A.index(singular), A.index(regular)];
  return out
    .index_put([singular], singularGradient(chosen, grad.index(singular)))
    .index_put([regular], solveSystem(rest.mT, scaledIdentity(rest, d.index(regular))));
}

const determinant: FunctionOp<[A: Tensor], unknown, readonly [Tensor, Tensor, Tensor]> = kernel("_linalg_det(Tensor A) -> (Tensor result, Tensor LU, Tensor pivots)", {
  forward: (A: Tensor) => {
    checkSquare(A, "linalg.det");
    checkFloating(A, "linalg.det");
    const { LU, pivots, parity } = factors(A);
    return [LU.diagonal(0, -2, -1).prod(-1).mul(parity), LU, pivots];
  },
  backward: { A: ({ grad, result, A, LU, pivots }) => detGradient(grad, result, A, LU, pivots) },
  constants: ["LU", "pivots"],
  node: "LinalgDetBackward0",
  method: false,
});

/**
 * The determinant of each n × n matrix.
 *
 * @throws RuntimeError where a matrix is not square, or holds no floats.
 * @example
 * torch.linalg.det(torch.tensor([[1, 2], [3, 4]])).item(); // -2
 */
export const linalgDet: FunctionOp<[A: Tensor]> = composite("linalg_det(Tensor A) -> Tensor", (A: Tensor) => determinant(A)[0], { method: false, outRule: exactDtype });

/** The determinant of each n × n matrix: torch.linalg.det. */
export const det: Op<[self: Tensor]> = composite("det(Tensor self) -> Tensor", (self: Tensor) => determinant(self)[0], { takesOut: false });

type SignAndLogarithm = readonly [Tensor, Tensor] & { sign: Tensor; logabsdet: Tensor };

const signAndLogarithm: FunctionOp<[A: Tensor], unknown, SignAndLogarithm> = kernel(
  "_linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet, Tensor LU, Tensor pivots)",
  {
    forward: (A: Tensor) => {
      checkSquare(A, "linalg.slogdet");
      checkFloating(A, "linalg.slogdet");
      const { LU, pivots, parity } = factors(A);
      const diagonal = LU.diagonal(0, -2, -1);
      return [diagonal.sgn().prod(-1).mul(parity), diagonal.abs().log().sum(-1), LU, pivots];
    },
    backward: {
      A: ({ grads, A, LU, pivots }) => {
        if (grads[1] === null) return null;
        return gradMode.enabled ? solveSystem(A.mT, scaledIdentity(A, grads[1])) : solveByFactors(A, LU, pivots, grads[1]);
      },
    },
    constants: ["LU", "pivots"],
    node: "LinalgSlogdetBackward0",
    method: false,
  },
);

function slogdetOf(A: Tensor): SignAndLogarithm {
  const { sign, logabsdet } = signAndLogarithm(A);
  return Object.assign([sign, logabsdet] as const, { sign, logabsdet });
}

/** The sign of the determinant of each n × n matrix, and the logarithm of its absolute value; 0 and -∞ for a singular matrix. */
export const linalgSlogdet: FunctionOp<[A: Tensor], unknown, SignAndLogarithm> = composite("linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)", slogdetOf, { method: false, outRule: exactDtype });

/** The sign and the logarithm of the determinant: torch.linalg.slogdet. */
export const slogdet: Op<[self: Tensor], unknown, SignAndLogarithm> = composite("slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)", slogdetOf, { outRule: exactDtype });

/** The logarithm of the determinant of each n × n matrix; NaN where that is negative. */
export const logdet: Op<[self: Tensor]> = composite(
  "logdet(Tensor self) -> Tensor",
  (self: Tensor) => {
    checkSquare(self, "logdet");
    checkFloating(self, "logdet");
    const { sign, logabsdet } = slogdetOf(self);
    return where(sign.eq(-1), NaN, logabsdet);
  },
  { takesOut: false },
);
