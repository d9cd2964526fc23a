/** Eigenvalues and eigenvectors of symmetric matrices. Gradients as in linalg_eig_backward (torch/csrc/autograd/FunctionsManual.cpp). */
import { symmetricEigen } from "../../backends/reference/symmetric-eigen.ts";
import { composite, kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { eye } from "../creation/creation.ts";
import { ColumnWriter, columnsOf, roundoff } from "../reductions/singular-values.ts";
import { checkSquare } from "./matrices.ts";

function forward(A: Tensor, uplo: string): [Tensor, Tensor] {
  checkSquare(A, "linalg.eigh");
  if (!["L", "U"].includes(uplo.toUpperCase())) throw new RuntimeError(`Expected UPLO argument to be 'L' or 'U', but got ${uplo}`);
  if (A.dtype.kind !== FLOAT) throw new NotImplementedError(`"linalg_eigh_cpu" not implemented for '${A.dtype.title}'`);
  const n = A._sizes.at(-1)!;
  const L = emptyTensor(A._sizes.slice(0, -1), A.dtype);
  const V = new ColumnWriter(A, n, n);
  let at = 0;
  for (const columns of columnsOf(A)) {
    const { values, vectors } = symmetricEigen(columns, uplo.toUpperCase() === "U", roundoff(A));
    (viewTyped(L) as Float64Array).set(values, at);
    at += n;
    V.write(vectors);
  }
  return [L, V.tensor];
}

function gradient(gL: Tensor | null, gV: Tensor | null, L: Tensor, V: Tensor): Tensor {
  if (gV === null) return V.matmul(gL!.unsqueeze(-1).mul(V.mT));
  const gaps = L.unsqueeze(-2).sub(L.unsqueeze(-1)).add(eye(L._sizes.at(-1)!, { dtype: L.dtype }));
  const inner = V.mT.matmul(gV);
  const turned = inner.sub(inner.mT).div(gaps.mul(2));
  return V.matmul(gL === null ? turned : turned.add(gL.diag_embed())).matmul(V.mT);
}

type Eigen = readonly [Tensor, Tensor] & { eigenvalues: Tensor; eigenvectors: Tensor };
type Half = "L" | "U";

/**
 * The eigenvalues, in ascending order, and the eigenvectors, as columns, of each symmetric matrix, of which only the lower half is read, or the upper where `UPLO` is "U".
 *
 * @throws RuntimeError where a matrix is not square; NotImplementedError where it holds no floats.
 * @example
 * torch.linalg.eigh(torch.tensor([[2, 0], [0, 1]])).eigenvalues.tolist(); // [1, 2]
 */
export const eigh: FunctionOp<[A: Tensor, UPLO?: Half], { UPLO?: Half }, Eigen> = kernel(
  "linalg_eigh(Tensor A, str UPLO='L') -> (Tensor eigenvalues, Tensor eigenvectors)",
  {
    forward,
    backward: { A: ({ grads, eigenvalues, eigenvectors }) => gradient(grads[0], grads[1], eigenvalues, eigenvectors) },
    method: false,
    outRule: exactDtype,
  },
);

/** The eigenvalues of `eigh` alone. */
export const eigvalsh: FunctionOp<[A: Tensor, UPLO?: Half], { UPLO?: Half }> = composite("linalg_eigvalsh(Tensor A, str UPLO='L') -> Tensor", (A: Tensor, uplo: Half) => eigh(A, uplo)[0], {
  method: false,
  outRule: exactDtype,
});
