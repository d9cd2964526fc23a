/** Systems of linear equations, and inverses. Gradients as in linalg_solve_backward (torch/csrc/autograd/FunctionsManual.cpp). */
import { factorize, solveFactored, substitute } from "../../backends/reference/lu.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype, sameDtype } from "../../dispatch/out.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { FLOAT, int32 } from "../../tensor/dtype.ts";
import { broadcastSizes, sameSizes, type Sizes } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { eye } from "../creation/creation.ts";
import { checkInfo } from "./info.ts";
import { batchOf, byColumns, checkFloating, checkMatrix, checkSquare, eachMatrix } from "./matrices.ts";

/** Is B a vector, or a batch of them, for this A? */
function isVector(A: Tensor, B: Tensor): boolean {
  return B._sizes.length === 1 || (A._sizes.length - 1 === B._sizes.length && sameSizes(B._sizes, A._sizes.slice(0, -1)));
}

function checkShapes(A: Tensor, B: Tensor, left: boolean, name: string): void {
  checkSquare(A, name);
  checkMatrix(B, name, "B");
  const [[n], [rows, columns]] = [A._sizes.slice(-2), B._sizes.slice(-2)];
  if ((left ? rows : columns) === n) return;
  throw new RuntimeError(`${name}: Incompatible shapes of A and B for the equation ${left ? "AX = B" : "XA = B"} (${n}x${n} and ${rows}x${columns})`);
}

/** A and B in the batch to which both broadcast, B by columns. */
function broadcastBatches(A: Tensor, B: Tensor): [Tensor, Sizes] {
  const batch = broadcastSizes(batchOf(B), batchOf(A));
  return [A.expand([...batch, ...A._sizes.slice(-2)]), [...batch, ...B._sizes.slice(-2)]];
}

/** The solution of A·X = B and, for each matrix, which pivot was zero; from then on there is no solution, and what is there means nothing. */
function solution(A: Tensor, B: Tensor): [Tensor, Tensor] {
  const [expanded, sizes] = broadcastBatches(A, B);
  const n = A._sizes.at(-1)!;
  const factors = byColumns(expanded._sizes, A, expanded);
  const result = byColumns(sizes, B, B.expand(sizes));
  const info = emptyTensor(batchOf(factors), int32);
  const codes = (viewTyped(info) as Int32Array).fill(0);
  const columns = [...eachMatrix(result)];
  const pivots = new Int32Array(n);
  let at = 0;
  for (const lu of eachMatrix(factors)) {
    codes[at] = factorize(lu, n, pivots);
    if (columns.length > 0) solveFactored(lu, n, pivots, columns[at], false);
    at++;
  }
  return [result, info];
}

/** Matrices of one column as vectors, which lie as matrices of their own would. */
function vectors(columns: Tensor): Tensor {
  const result = columns.squeeze(-1);
  return result._sizes.length < 2 ? columns._aliased(result._sizes, result._strides, 0) : byColumns(result._sizes, result, result);
}

const solveOverload: KernelOverload = new KernelOverload("_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True) -> (Tensor result, Tensor info)", {
  forward: (A: Tensor, B: Tensor, left: boolean) => {
    const name = "linalg.solve";
    checkFloating(A, name);
    if (A.dtype !== B.dtype) throw new RuntimeError(`${name}: Expected A and B to have the same dtype, but found A of type ${A.dtype.title} and B of type ${B.dtype.title} instead`);
    const vector = isVector(A, B);
    const matrix = vector ? B.unsqueeze(-1) : B;
    checkShapes(A, matrix, left, name);
    if (vector && !left) {
      throw new RuntimeError(`${name}: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)`);
    }
    const [result, info] = left ? solution(A, matrix) : solution(A.mT, matrix.mT);
    if (!left) return [result._aliased(result.mT._sizes, result.mT._strides, 0), info];
    return vector ? [vectors(result), info] : [result, info];
  },
  backward: {
    "A, B": ({ grad, A, B, left, result, needed }) => {
      const gB = solveOrNot(A.mT, grad, left);
      if (!needed[0]) return [null, gB];
      const [g, X] = isVector(A, B) ? [gB.unsqueeze(-1), result.unsqueeze(-1)] : [gB, result];
      return [left ? g.matmul(X.mT).neg() : X.mT.matmul(g).neg(), gB];
    },
  },
  constants: ["info"],
  node: "LinalgSolveExBackward0",
});

const callSolve = (A: Tensor, B: Tensor, left: boolean): [Tensor, Tensor] => solveOverload.call([A, B, left]) as [Tensor, Tensor];

/** The solution, without a word where there is none. */
export function solveOrNot(A: Tensor, B: Tensor, left = true): Tensor {
  return callSolve(A, B, left)[0];
}

const isSingular = (): string => "The solver failed because the input matrix is singular.";

/** The solution of A·X = B, or of X·A = B where not `left`, past the matching of arguments. */
export function solveSystem(A: Tensor, B: Tensor, left = true): Tensor {
  const [result, info] = callSolve(A, B, left);
  checkInfo(info, "torch.linalg.solve", isSingular);
  return result;
}

interface SolveOptions {
  left?: boolean;
}

/**
 * The solution X of A·X = B, or of X·A = B where not `left`, for each n × n matrix of A; B holds vectors or matrices, and batches broadcast.
 *
 * @throws torch.linalg.LinAlgError where a matrix is singular; RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.linalg.solve(torch.tensor([[2, 0], [0, 4]]), torch.tensor([2, 2])).tolist(); // [1, 0.5]
 */
export const solve: FunctionOp<[A: Tensor, B: Tensor], SolveOptions> = composite("linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", solveSystem, { method: false, outRule: exactDtype });

/** The solution as `solve` has it, and `info`: 0, or the number of the first zero pivot of a singular matrix. */
export const solve_ex: FunctionOp<[A: Tensor, B: Tensor], SolveOptions & { check_errors?: boolean }, readonly [Tensor, Tensor] & { result: Tensor; info: Tensor }> = composite(
  "linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, Tensor info)",
  (A: Tensor, B: Tensor, left: boolean, check: boolean) => {
    const outputs = callSolve(A, B, left);
    if (check) checkInfo(outputs[1], "linalg.solve_ex", isSingular);
    return outputs;
  },
  { method: false, outRule: exactDtype },
);

const inverseOverload = new KernelOverload("_linalg_inv_ex(Tensor A) -> (Tensor inverse, Tensor info)", {
  forward: (A: Tensor) => {
    checkSquare(A, "linalg.inv");
    checkFloating(A, "linalg.inv");
    return solution(A, eye(A._sizes.at(-1)!, { dtype: A.dtype }));
  },
  backward: { A: ({ grad, inverse }) => inverse.mT.matmul(grad.matmul(inverse.mT)).neg() },
  constants: ["info"],
  node: "LinalgInvExBackward0",
});

const noInverse = (info: number): string =>
  `The diagonal element ${info} is zero, the inversion could not be completed because the input matrix is singular.`;

function inverted(A: Tensor): Tensor {
  const [inverse, info] = inverseOverload.call([A]) as [Tensor, Tensor];
  checkInfo(info, "linalg.inv", noInverse);
  return inverse;
}

/**
 * The inverse of each n × n matrix.
 *
 * @throws torch.linalg.LinAlgError where a matrix is singular; RuntimeError where it is not square, or holds no floats.
 * @example
 * torch.linalg.inv(torch.tensor([[2, 0], [0, 4]])).tolist(); // [[0.5, 0], [0, 0.25]]
 */
export const inv: FunctionOp<[A: Tensor]> = composite("linalg_inv(Tensor A) -> Tensor", inverted, { method: false, outRule: exactDtype });

/** The inverse of each n × n matrix: torch.linalg.inv. */
export const inverse: Op<[self: Tensor]> = composite("inverse(Tensor self) -> Tensor", inverted, { outRule: exactDtype });

/** The inverse, and `info`: 0, or the number of the first zero pivot of a singular matrix. */
export const inv_ex: FunctionOp<[A: Tensor], { check_errors?: boolean }, readonly [Tensor, Tensor] & { inverse: Tensor; info: Tensor }> = composite(
  "linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)",
  (A: Tensor, check: boolean) => {
    const outputs = inverseOverload.call([A]) as [Tensor, Tensor];
    if (check) checkInfo(outputs[1], "linalg.inv_ex", noInverse);
    return outputs;
  },
  { method: false, outRule: exactDtype },
);

const triangularOverload: KernelOverload = new KernelOverload(
  "linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) -> Tensor",
  {
    outRule: sameDtype((out, result) => `expected scalar type ${result.title} but found ${out.title}`),
    forward: (self: Tensor, B: Tensor, upper: boolean, left: boolean, unit: boolean) => {
      checkShapes(self, B, left, "linalg.solve_triangular");
      return left ? triangularSolution(self, B, upper, unit) : byColumnsAgain(triangularSolution(self.mT, B.mT, !upper, unit).mT);
    },
    backward: {
      "self, B": ({ grad, self, upper, left, unitriangular, result, needed }) => {
        const gB = solveTriangle(self.mT, grad, !upper, left, unitriangular);
        if (!needed[0]) return [null, gB];
        const gA = left ? gB.matmul(result.mT).neg() : result.mT.matmul(gB).neg();
        const edge = Number(unitriangular);
        return [upper ? gA.triu(edge) : gA.tril(-edge), gB];
      },
    },
  },
);

const byColumnsAgain = (t: Tensor): Tensor => byColumns(t._sizes, t, t);

function triangularSolution(A: Tensor, B: Tensor, upper: boolean, unit: boolean): Tensor {
  const [expanded, sizes] = broadcastBatches(A, B);
  if (A.dtype.kind !== FLOAT) throw new NotImplementedError(`"triangular_solve_cpu" not implemented for '${A.dtype.title}'`);
  const n = A._sizes.at(-1)!;
  const triangles = byColumns(expanded._sizes, A, expanded);
  const result = byColumns(sizes, A, B.expand(sizes));
  const matrices = [...eachMatrix(triangles)];
  let at = 0;
  for (const x of eachMatrix(result)) {
    for (let c = 0; c < x.length; c += n) substitute(matrices[at], n, x.subarray(c, c + n), { upper, unit });
    at++;
  }
  return result;
}

/** The solution of A·X = B, or of X·A = B where not `left`, for the triangle of A, past the matching of arguments. */
export function solveTriangle(A: Tensor, B: Tensor, upper: boolean, left = true, unit = false): Tensor {
  return triangularOverload.call([A, B, upper, left, unit]) as Tensor;
}

/** The solution X of A·X = B, or of X·A = B where not `left`, where A is the upper or lower triangle of a matrix, whose other elements are not read. */
export const solve_triangular: FunctionOp<[A: Tensor, B: Tensor], { upper: boolean; left?: boolean; unitriangular?: boolean }> = overloaded({ method: false }, triangularOverload);
