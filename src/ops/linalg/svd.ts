/** The singular value decomposition, and pseudo-inverses by it. */
import { composite, CompositeOverload, kernel } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp, type Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { listText } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { finfo } from "../creation/type-info.ts";
import { where } from "../pointwise/selection.ts";
import { _linalg_svd } from "../reductions/singular-values.ts";
import { eigh } from "./eigen.ts";
import { batchOf, checkFloating, checkMatrix } from "./matrices.ts";

type Parts<V extends string> = readonly [Tensor, Tensor, Tensor] & Record<"U" | "S" | V, Tensor>;

export function decomposed(A: Tensor, full: boolean): Parts<"Vh"> {
  checkMatrix(A, "linalg.svd");
  checkFloating(A, "linalg.svd");
  return _linalg_svd(A, full);
}

/**
 * U, S and Vh with A = U · diag(S) · Vh for each m × n matrix; S descends. U and Vh are square where `full_matrices`, else they have min(m, n) columns and rows.
 *
 * @throws RuntimeError where A has fewer than two dimensions, or holds no floats.
 * @example
 * torch.linalg.svd(torch.tensor([[3, 0], [0, 4]])).S.tolist(); // [4, 3]
 */
export const linalgSvd: FunctionOp<[A: Tensor, full_matrices?: boolean], { full_matrices?: boolean; driver?: string | null }, Parts<"Vh">> = composite(
  "linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)",
  decomposed,
  { method: false, outRule: exactDtype },
);

/** The singular value decomposition with V instead of its transpose, reduced where `some`; without U and V, which are zeros then, unless `compute_uv`. */
export const svd: Op<[self: Tensor, some?: boolean, compute_uv?: boolean], { some?: boolean; compute_uv?: boolean }, Parts<"V">> = composite(
  "svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)",
  (self: Tensor, some: boolean, vectors: boolean) => {
    const [m, n] = self._sizes.slice(-2);
    const [u, S, Vh] = decomposed(self, !some && vectors);
    const zeros = (size: number): Tensor => S.new_zeros([...batchOf(self), size, size]);
    const [U, V] = vectors ? [u, Vh.mT] : [zeros(m), zeros(n)];
    return Object.assign([U, S, V], { U, S, V });
  },
);

/** What counts as zero beside the largest singular value. */
export function tolerance(A: Tensor, largest: Tensor, atol: Tensor | number | null, rtol: Tensor | number | null): Tensor {
  const eps = finfo(A.dtype).eps * Math.max(...A._sizes.slice(-2));
  const relative = rtol ?? (atol !== null && (typeof atol === "number" ? atol : atol.max().item() as number) > 0 ? 0 : eps);
  const least = largest.mul(relative);
  return (atol === null ? least : least.clamp_min(0).maximum(filled([], 0, A.dtype).add(atol))).unsqueeze(-1);
}

export type Tolerance = Tensor | number | null;
export interface Tolerances {
  atol?: Tolerance;
  rtol?: Tolerance;
  hermitian?: boolean;
}

/** V · diag(1 / S) · right, where what is small counts as infinite. */
export const overSingular = (V: Tensor, S: Tensor, small: Tensor, right: Tensor): Tensor => V.mul(where(small, 0, S.reciprocal()).to(V.dtype).unsqueeze(-2)).matmul(right);

function pseudoInverse(A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean): Tensor {
  if (A.dtype.kind !== FLOAT || A._sizes.length < 2) {
    throw new RuntimeError(`linalg.pinv(${A.dtype.title}{${listText(A._sizes)}}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types`);
  }
  if (A._numel === 0) return A.new_zeros([...batchOf(A), A._sizes.at(-1)!, A._sizes.at(-2)!]);
  const [U, S, V] = hermitian ? symmetricParts(A) : svd(A);
  const small = S.abs().le(tolerance(A, S.abs().amax(-1), atol, rtol));
  return overSingular(V, S, small, U.mT);
}

function symmetricParts(A: Tensor): [Tensor, Tensor, Tensor] {
  const [L, Q] = eigh(A);
  return [Q, L, Q];
}

/** As in pinv_backward (torch/csrc/autograd/FunctionsManual.cpp). */
export function pseudoInverseGradient(grad: Tensor, P: Tensor, A: Tensor): Tensor {
  const [m, n] = A._sizes.slice(-2);
  if (m <= n) {
    const K = grad.mT.matmul(P);
    const KP = K.matmul(P.mT);
    return P.matmul(K).mT.neg().add(KP).sub(A.matmul(P).matmul(KP)).add(P.mT.matmul(P).matmul(grad.mT.sub(K.matmul(A))));
  }
  const K = P.matmul(grad.mT);
  const PK = P.mT.matmul(K);
  return K.matmul(P).mT.neg().add(grad.mT.sub(A.matmul(K)).matmul(P).matmul(P.mT)).add(PK).sub(PK.matmul(P).matmul(A));
}

const pinvKernel: FunctionOp<[A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean]> = kernel(
  "linalg_pinv(Tensor A, Any atol, Any rtol, bool hermitian) -> (Tensor result)",
  { forward: pseudoInverse, backward: { A: ({ grad, result, A }) => pseudoInverseGradient(grad, result, A) }, method: false },
);

/**
 * The pseudo-inverse of each matrix. Singular values up to max(atol, rtol · the largest) count as zero; `rtol` is that of rounding unless it or `atol` is given.
 *
 * @throws RuntimeError where A has fewer than two dimensions, or holds no floats.
 * @example
 * torch.linalg.pinv(torch.tensor([[2, 0], [0, 0]])).tolist(); // [[0.5, 0], [0, 0]]
 */
export const pinv: FunctionOp<[A: Tensor, rcond?: number | Tensor, hermitian?: boolean], Tolerances> = makeOp(
  "linalg_pinv",
  [
    new CompositeOverload("linalg_pinv(Tensor A, *, Any atol=None, Any rtol=None, bool hermitian=False) -> Tensor", pinvKernel, { outRule: exactDtype }),
    new CompositeOverload("linalg_pinv(Tensor A, Any rcond, bool hermitian=False) -> Tensor", (A: Tensor, rcond: Tolerance, hermitian: boolean) => pinvKernel(A, 0, rcond, hermitian), { outRule: exactDtype }),
  ],
  false,
) as unknown as typeof pinv;

/** The pseudo-inverse: torch.linalg.pinv. */
export const pinverse: Op<[self: Tensor, rcond?: number], { rcond?: number }> = composite("pinverse(Tensor self, float rcond=1e-15) -> Tensor", (self: Tensor, rcond: number) => pinvKernel(self, 0, rcond, false), {
  takesOut: false,
});
