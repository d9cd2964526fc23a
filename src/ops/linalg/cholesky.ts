/** The Cholesky decomposition. Gradients as in cholesky_backward (torch/csrc/autograd/FunctionsManual.cpp). */
import { choleskyInPlace } from "../../backends/reference/cholesky.ts";
import { composite, kernel } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { int32 } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { checkInfo } from "./info.ts";
import { batchOf, byColumns, checkFloating, checkSquare, eachMatrix } from "./matrices.ts";
import { solveTriangle } from "./solving.ts";

const gradient = (grad: Tensor, upper: boolean, L: Tensor): Tensor => {
  const [l, g] = upper ? [L.mT, grad.mT] : [L, grad];
  const inner = l.mT.matmul(g).tril();
  const halves = inner.add(inner.tril(-1).mT).mul(0.5);
  return solveTriangle(l, solveTriangle(l.mT, halves, true), false, false);
};

function forward(self: Tensor, upper: boolean): [Tensor, Tensor] {
  checkSquare(self, "linalg.cholesky");
  checkFloating(self, "linalg.cholesky");
  const lower = upper ? self.triu().mT : self.tril();
  const factor = byColumns(lower._sizes, self, lower);
  const info = emptyTensor(batchOf(self), int32);
  const codes = (viewTyped(info) as Int32Array).fill(0);
  let at = 0;
  for (const matrix of eachMatrix(factor)) codes[at++] = choleskyInPlace(matrix, self._sizes.at(-1)!);
  return [upper ? byColumns(factor._sizes, factor, factor.mT) : factor, info];
}

const textOf = (order: number): string =>
  `The factorization could not be completed because the input is not positive-definite (the leading minor of order ${order} is not positive-definite).`;

type Factored = readonly [Tensor, Tensor] & { L: Tensor; info: Tensor };

const factored: FunctionOp<[self: Tensor, upper: boolean], unknown, Factored> = kernel("_linalg_cholesky_ex(Tensor self, bool upper) -> (Tensor L, Tensor info)", {
  forward,
  backward: {
    self: ({ grad, upper, L }) => gradient(grad, upper, L),
  },
  constants: ["info"],
  node: "LinalgCholeskyExBackward0",
  method: false,
});

/**
 * The lower triangle L with A = L·Lᵀ of each positive-definite matrix, or its transpose where `upper`. The other half of A is not read.
 *
 * @throws torch.linalg.LinAlgError where a matrix is not positive-definite; RuntimeError where it is not square, or holds no floats.
 * @example
 * torch.linalg.cholesky(torch.tensor([[4, 2], [2, 5]])).tolist(); // [[2, 0], [1, 2]]
 */
export const cholesky: FunctionOp<[self: Tensor], { upper?: boolean }> = composite(
  "linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor",
  (self: Tensor, upper: boolean) => {
    const { L, info } = factored(self, upper);
    checkInfo(info, "linalg.cholesky", textOf);
    return L;
  },
  { method: false, outRule: exactDtype },
);

/** The Cholesky decomposition, and `info`: 0, or the order of the first leading minor that is not positive. */
export const cholesky_ex: FunctionOp<[self: Tensor], { upper?: boolean; check_errors?: boolean }, Factored> = composite(
  "linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor info)",
  (self: Tensor, upper: boolean, check: boolean) => {
    const outputs = factored(self, upper);
    if (check) checkInfo(outputs.info, "linalg.cholesky_ex", textOf);
    return outputs;
  },
  { method: false, outRule: exactDtype },
);

/** Deprecated: torch.linalg.cholesky. */
export const torchCholesky: Op<[self: Tensor, upper?: boolean], { upper?: boolean }> = kernel("cholesky(Tensor self, bool upper=False) -> (Tensor result)", {
  forward: (self: Tensor, upper: boolean) => {
    const [L, info] = forward(self, upper);
    checkInfo(info, "cholesky", textOf);
    return L;
  },
  backward: { self: ({ grad, upper, result }) => gradient(grad, upper, result) },
});

function solved(B: Tensor, factor: Tensor, upper: boolean): Tensor {
  for (const [name, t] of Object.entries({ b: B, u: factor })) {
    if (t._sizes.length < 2) throw new RuntimeError(`${name} should have at least 2 dimensions, but has ${t._sizes.length} dimensions instead`);
  }
  checkSquare(factor, "cholesky_solve");
  const [[n], [rows, columns]] = [factor._sizes.slice(-2), B._sizes.slice(-2)];
  if (rows !== n) throw new RuntimeError(`Incompatible matrix sizes for cholesky_solve: each A matrix is ${n} by ${n} but each b matrix is ${rows} by ${columns}`);
  const [lower, other] = upper ? [factor.mT, factor] : [factor, factor.mT];
  return solveTriangle(other, solveTriangle(lower, B, false), true);
}

/** The solution X of A·X = self by the Cholesky factor of A, lower unless `upper`. */
export const cholesky_solve: Op<[self: Tensor, input2: Tensor, upper?: boolean], { upper?: boolean }> = kernel("cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> (Tensor result)", {
  forward: solved,
  backward: {
    "self, input2": ({ grad, input2, upper, result }) => {
      const gB = cholesky_solve(grad, input2, upper);
      const half = gB.matmul(result.mT);
      const both = half.add(half.mT).neg();
      return [gB, upper ? input2.matmul(both) : both.matmul(input2)];
    },
  },
});
