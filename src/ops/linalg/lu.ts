/** The LU decomposition. Gradients as in plu_backward_base (torch/csrc/autograd/FunctionsManual.cpp). */
import { factorize } from "../../backends/reference/lu.ts";
import { kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { int32 } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { eye } from "../creation/creation.ts";
import { cat } from "../shape/joining.ts";
import { batchOf, byColumns, checkFloating, checkMatrix, eachMatrix } from "./matrices.ts";
import { solveTriangle } from "./solving.ts";

/** L below the diagonal and U from it on in one matrix, and the rows that changed places, counted from 1. */
function factors(A: Tensor, pivot: boolean, name: string): [Tensor, Tensor] {
  checkMatrix(A, name);
  checkFloating(A, name);
  if (!pivot) throw new RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU");
  const [m, n] = A._sizes.slice(-2);
  const k = Math.min(m, n);
  const LU = byColumns(A._sizes, A, A);
  const pivots = emptyTensor([...batchOf(A), k], int32);
  const rows = viewTyped(pivots) as Int32Array;
  let at = 0;
  for (const matrix of eachMatrix(LU)) factorize(matrix, m, rows.subarray(at, (at += k)), n);
  return [LU, pivots];
}

/** P with A = P·L·U. */
function permutation(pivots: Tensor, like: Tensor): Tensor {
  const m = like._sizes.at(-2)!;
  const k = pivots._sizes.at(-1)!;
  const P = emptyTensor([...batchOf(like), m, m], like.dtype).zero_();
  const [ones, swaps] = [viewTyped(P) as Float64Array, viewTyped(pivots) as Int32Array];
  for (let b = 0; b * m * m < P._numel; b++) {
    const order = Array.from({ length: m }, (_, i) => i);
    for (let i = 0; i < k; i++) {
      const j = swaps[b * k + i] - 1;
      [order[i], order[j]] = [order[j], order[i]];
    }
    order.forEach((row, column) => (ones[(b * m + row) * m + column] = 1));
  }
  return P;
}

const lower = (LU: Tensor, k: number): Tensor => LU.narrow(-1, 0, k).tril(-1).add(eye(LU._sizes.at(-2)!, k, { dtype: LU.dtype }));
const upper = (LU: Tensor, k: number): Tensor => LU.narrow(-2, 0, k).triu();
const smaller = (t: Tensor): number => Math.min(...t._sizes.slice(-2));

function gradient(gL: Tensor | null, gU: Tensor | null, P: Tensor, L: Tensor, U: Tensor): Tensor {
  const [[m], [n]] = [L._sizes.slice(-2), U._sizes.slice(-1)];
  const k = Math.min(m, n);
  const [l, u] = [L.narrow(-2, 0, k), U.narrow(-1, 0, k)];
  const [belowL, besideU] = [m > k && gL !== null ? gL.narrow(-2, k, m - k) : null, n > k && gU !== null ? gU.narrow(-1, k, n - k) : null];
  let [fromL, fromU] = [gL === null ? null : l.mT.matmul(gL.narrow(-2, 0, k)), gU === null ? null : gU.narrow(-1, 0, k).matmul(u.mT)];
  const less = (a: Tensor | null, b: Tensor): Tensor => (a === null ? b.neg() : a.sub(b));
  if (besideU !== null) fromL = less(fromL, besideU.matmul(U.narrow(-1, k, n - k).mT));
  if (belowL !== null) fromU = less(fromU, L.narrow(-2, k, m - k).mT.matmul(belowL));
  const parts = [fromL?.tril(-1), fromU?.triu()].filter((t) => t !== undefined);
  const inner = parts.length > 1 ? parts[0].add(parts[1]) : parts[0];
  let left = solveTriangle(u.mT, solveTriangle(l.mT, inner, true, true, true), false, false);
  if (m > k) {
    const below = belowL === null ? left.new_zeros([...batchOf(left), m - k, k]) : solveTriangle(u.mT, belowL, false, false);
    left = cat([left, below], -2);
  }
  if (n > k) left = cat([left, besideU === null ? left.new_zeros([...left._sizes.slice(0, -1), n - k]) : solveTriangle(l.mT, besideU, true, true, true)], -1);
  return P.matmul(left);
}

type Triple = readonly [Tensor, Tensor, Tensor] & { P: Tensor; L: Tensor; U: Tensor };

/**
 * P, L and U with A = P·L·U for each matrix: a permutation, a lower triangle of ones on the diagonal and an upper triangle.
 *
 * @throws RuntimeError where A has fewer than two dimensions, or holds no floats.
 * @example
 * torch.linalg.lu(torch.tensor([[1, 2], [4, 2]])).U.tolist(); // [[4, 2], [0, 1.5]]
 */
export const lu: FunctionOp<[A: Tensor], { pivot?: boolean }, Triple> = kernel("linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)", {
  forward: (A: Tensor, pivot: boolean) => {
    const [LU, pivots] = factors(A, pivot, "linalg.lu");
    return [permutation(pivots, A), lower(LU, smaller(A)), upper(LU, smaller(A))];
  },
  backward: { A: ({ grads, P, L, U }) => gradient(grads[0], grads[1], P, L, U) },
  constants: ["P"],
  method: false,
  outRule: exactDtype,
});

/** L and U in one matrix, and the rows that changed places, counted from 1. */
export const lu_factor: FunctionOp<[A: Tensor], { pivot?: boolean }, readonly [Tensor, Tensor] & { LU: Tensor; pivots: Tensor }> = kernel("linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)", {
  forward: (A: Tensor, pivot: boolean) => factors(A, pivot, "torch.linalg.lu_factor"),
  backward: {
    A: ({ grad, LU, pivots }) => {
      const k = smaller(LU);
      return gradient(grad.narrow(-1, 0, k).tril(-1), grad.narrow(-2, 0, k).triu(), permutation(pivots, LU), lower(LU, k), upper(LU, k));
    },
  },
  constants: ["pivots"],
  node: "LinalgLuFactorExBackward0",
  method: false,
  outRule: exactDtype,
});
