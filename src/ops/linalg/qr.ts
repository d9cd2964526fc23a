/** The QR decomposition. Gradients as in linalg_qr_backward (torch/csrc/autograd/FunctionsManual.cpp). */
import { product, triangularize } from "../../backends/reference/householder.ts";
import { composite, kernel } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { eye } from "../creation/creation.ts";
import { ColumnWriter, columnsOf } from "../reductions/singular-values.ts";
import { cat } from "../shape/joining.ts";
import { checkFloating, checkMatrix } from "./matrices.ts";
import { solveTriangle } from "./solving.ts";

function forward(A: Tensor, mode: string): [Tensor, Tensor] {
  const name = "linalg.qr";
  checkMatrix(A, name);
  checkFloating(A, name);
  if (!["reduced", "r", "complete"].includes(mode)) throw new RuntimeError(`qr received unrecognized mode '${mode}' but expected one of 'reduced' (default), 'r', or 'complete'`);
  const [m, n] = A._sizes.slice(-2);
  const k = mode === "complete" ? m : Math.min(m, n);
  const [Q, R] = [new ColumnWriter(A, m, k), new ColumnWriter(A, k, n)];
  for (const columns of columnsOf(A)) {
    const reflections = triangularize(columns);
    R.write(columns.map((column) => column.subarray(0, k)));
    if (mode !== "r") Q.write(product(reflections, m, k));
  }
  if (A._numel === 0) Q.tensor.copy_(eye(m, k, { dtype: A.dtype }));
  return [mode === "r" ? emptyTensor([0], A.dtype) : Q.tensor, R.tensor];
}

/** X with its transpose added, the diagonal once. */
const symmetric = (X: Tensor): Tensor => X.add(X.mT).sub(X.diagonal(0, -2, -1).diag_embed());

function gradient(gQ: Tensor | null, gR: Tensor | null, Q: Tensor, R: Tensor, mode: string): Tensor {
  if (mode === "r") {
    throw new RuntimeError("The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to require gradients of the arguments of linalg.qr.");
  }
  const [[m], [n]] = [Q._sizes.slice(-2), R._sizes.slice(-1)];
  if (mode === "complete" && m > n) throw new RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols");
  const [byR, byQ] = [gR?.matmul(R.mT), gQ === null ? undefined : Q.mT.matmul(gQ)];
  const inner = byR === undefined ? byQ!.neg() : byQ === undefined ? byR : byR.sub(byQ);
  if (m >= n) {
    const sum = Q.matmul(symmetric(inner.triu()));
    return solveTriangle(R.mT, gQ === null ? sum : sum.add(gQ), false, false);
  }
  const skew = inner.mT.sub(inner).tril(-1);
  const left = solveTriangle(R.narrow(-1, 0, m).mT, Q.matmul(skew), false, false);
  const whole = cat([left, left.new_zeros([...left._sizes.slice(0, -1), n - m])], -1);
  return gR === null ? whole : whole.add(Q.matmul(gR));
}

type Factors = readonly [Tensor, Tensor] & { Q: Tensor; R: Tensor };

/**
 * Q with orthonormal columns and the upper triangle R with A = Q·R, for each m × n matrix: k = min(m, n) columns and rows where `mode` is "reduced",
 * m where it is "complete"; "r" leaves Q out.
 *
 * @throws RuntimeError where A has fewer than two dimensions, or holds no floats.
 * @example
 * const { Q, R } = torch.linalg.qr(torch.tensor([[3, 1], [4, 2]]));
 * Q.matmul(R).allclose(torch.tensor([[3, 1], [4, 2]])); // true
 */
export const qr: FunctionOp<[A: Tensor, mode?: "reduced" | "complete" | "r"], { mode?: "reduced" | "complete" | "r" }, Factors> = kernel(
  "linalg_qr(Tensor A, str mode='reduced') -> (Tensor Q, Tensor R)",
  { forward, backward: { A: ({ grads, Q, R, mode }) => gradient(grads[0], grads[1], Q, R, mode) }, method: false, outRule: exactDtype },
);

/** The QR decomposition: torch.linalg.qr, "reduced" where `some`, else "complete". */
export const torchQr: Op<[self: Tensor, some?: boolean], { some?: boolean }, Factors> = composite("qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)", (self: Tensor, some: boolean) =>
  qr(self, some ? "reduced" : "complete"),
);
