/** The singular value decomposition and what is made of it: pseudo-inverses, ranks, least squares. */
import { composite, CompositeOverload, kernel } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp, type Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { FLOAT, int64 } from "../../tensor/dtype.ts";
import { listText, sameSizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { finfo } from "../creation/type-info.ts";
import { where } from "../pointwise/selection.ts";
import { _linalg_svd } from "../reductions/singular-values.ts";
import { eigh } from "./eigen.ts";
import { checkFloating, checkMatrix } from "./matrices.ts";

type Parts<V extends string> = readonly [Tensor, Tensor, Tensor] & Record<"U" | "S" | V, Tensor>;

function decomposed(A: Tensor, full: boolean): Parts<"Vh"> {
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
    const zeros = (size: number): Tensor => S.new_zeros([...self._sizes.slice(0, -2), size, size]);
    const [U, V] = vectors ? [u, Vh.mT] : [zeros(m), zeros(n)];
    return Object.assign([U, S, V], { U, S, V });
  },
);

/** What counts as zero beside the largest singular value. */
function tolerance(A: Tensor, largest: Tensor, atol: Tensor | number | null, rtol: Tensor | number | null): Tensor {
  const eps = finfo(A.dtype).eps * Math.max(...A._sizes.slice(-2));
  const relative = rtol ?? (atol !== null && (typeof atol === "number" ? atol : atol.max().item() as number) > 0 ? 0 : eps);
  const least = largest.mul(relative);
  return (atol === null ? least : least.clamp_min(0).maximum(filled([], 0, A.dtype).add(atol))).unsqueeze(-1);
}

type Tolerance = Tensor | number | null;
interface Tolerances {
  atol?: Tolerance;
  rtol?: Tolerance;
  hermitian?: boolean;
}

function pseudoInverse(A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean): Tensor {
  if (A.dtype.kind !== FLOAT || A._sizes.length < 2) {
    throw new RuntimeError(`linalg.pinv(${A.dtype.title}{${listText(A._sizes)}}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types`);
  }
  if (A._numel === 0) return A.new_zeros([...A._sizes.slice(0, -2), A._sizes.at(-1)!, A._sizes.at(-2)!]);
  const [U, S, V] = hermitian ? symmetricParts(A) : svd(A);
  const small = S.abs().le(tolerance(A, S.abs().amax(-1), atol, rtol));
  return V.mul(where(small, 0, S.reciprocal()).to(A.dtype).unsqueeze(-2)).matmul(U.mT);
}

function symmetricParts(A: Tensor): [Tensor, Tensor, Tensor] {
  const [L, Q] = eigh(A);
  return [Q, L, Q];
}

/** As in pinv_backward (torch/csrc/autograd/FunctionsManual.cpp). */
function pseudoInverseGradient(grad: Tensor, P: Tensor, A: Tensor): Tensor {
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

function rank(A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean): Tensor {
  checkMatrix(A, "torch.linalg.matrix_rank");
  if (A._numel === 0) return filled(A._sizes.slice(0, -2), 0, int64);
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

type Solved = readonly [Tensor, Tensor, Tensor, Tensor] & { solution: Tensor; residuals: Tensor; rank: Tensor; singular_values: Tensor };

const isVector = (A: Tensor, B: Tensor): boolean => B._sizes.length === 1 || (A._sizes.length - 1 === B._sizes.length && sameSizes(B._sizes, A._sizes.slice(0, -1)));
const asMatrix = (A: Tensor, B: Tensor): Tensor => (isVector(A, B) ? B.unsqueeze(-1) : B);

function leastSquares(A: Tensor, B: Tensor, rcond: number | null, driver: string | null): [Tensor, Tensor, Tensor, Tensor] {
  const name = "torch.linalg.lstsq";
  if (A._sizes.length < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
  if (B._sizes.length < 1) throw new RuntimeError(`${name}: other must have at least 1 dimension.`);
  const right = asMatrix(A, B);
  if (A._sizes.at(-2) !== right._sizes.at(-2)) {
    throw new RuntimeError(isVector(A, B) ? `${name}: input.size(-2) should match other.size(-1)` : `${name}: input.size(-2) should match other.size(-2)`);
  }
  if (A.dtype !== B.dtype) throw new RuntimeError(`${name}: Expected input and other to have the same dtype, but got input's dtype ${A.dtype.title} and other's dtype ${B.dtype.title}`);
  if (driver !== null && !["gels", "gelsy", "gelsd", "gelss"].includes(driver)) {
    throw new RuntimeError(`${name}: parameter \`driver\` should be one of (gels, gelsy, gelsd, gelss)`);
  }
  const [m, n] = A._sizes.slice(-2);
  const { U, S, Vh } = decomposed(A, false);
  const small = S.le(S.amax(-1, true).mul(rcond ?? finfo(A.dtype).eps * Math.max(m, n)));
  const X = Vh.mT.mul(where(small, 0, S.reciprocal()).to(A.dtype).unsqueeze(-2)).matmul(U.mT.matmul(right));
  const none = (): Tensor => emptyTensor([0], A.dtype);
  const ranks = small.logical_not().sum(-1);
  const exact = m > n && driver !== null && driver !== "gelsy" && ranks.eq(n).all().item() === true;
  const rest = A.matmul(X).sub(right);
  return [isVector(A, B) ? X.squeeze(-1) : X, exact ? rest.mul(rest).sum(-2) : none(), driver === "gels" ? emptyTensor([0], int64) : ranks, driver === "gelsd" || driver === "gelss" ? S : none()];
}

/**
 * The X for which the sum of squares of A·X - B is least, the smallest if there are several; B holds vectors or matrices.
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.linalg.lstsq(torch.tensor([[1], [1]]), torch.tensor([[1], [3]])).solution.allclose(torch.tensor([[2]])); // true
 */
export const lstsq: FunctionOp<[A: Tensor, B: Tensor, rcond?: number | null], { rcond?: number | null; driver?: string | null }, Solved> = kernel(
  "linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor residuals, Tensor rank, Tensor singular_values)",
  {
    forward: leastSquares,
    backward: {
      "self, b": ({ grads, self, b, solution, needed }) => {
        const [gX, gRest] = grads as (Tensor | null)[];
        const P = pinv(self);
        const [g, X, B] = [gX && asMatrix(self, gX), asMatrix(self, solution), asMatrix(self, b)];
        const rest = gRest === null || gRest._numel === 0 ? null : self.matmul(X).sub(B).mul(gRest.unsqueeze(-2).mul(2));
        const plus = (a: Tensor | null, c: Tensor | null): Tensor | null => (a === null ? c : c === null ? a : a.add(c));
        const gB = plus(g && P.mT.matmul(g), rest && rest.neg());
        const gA = needed[0] === true ? plus(g && pseudoInverseGradient(g.matmul(B.mT), P, self), rest && rest.matmul(X.mT)) : null;
        return [gA, gB !== null && isVector(self, b) ? gB.squeeze(-1) : gB];
      },
    },
    constants: ["rank", "singular_values"],
    method: false,
  },
);
