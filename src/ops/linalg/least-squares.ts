/** Least squares, by the singular value decomposition. */
import { kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { int64 } from "../../tensor/dtype.ts";
import { sameSizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { finfo } from "../creation/type-info.ts";
import { decomposed, overSingular, pinv, pseudoInverseGradient } from "./svd.ts";

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
  const X = overSingular(Vh.mT, S, small, U.mT.matmul(right));
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
