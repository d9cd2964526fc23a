/** Powers of matrices. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { eye } from "../creation/creation.ts";
import { checkSquare } from "./matrices.ts";
import { inv } from "./solving.ts";

/** By repeated squaring, from the lowest bit of n up. */
function power(self: Tensor, n: number): Tensor {
  checkSquare(self, "linalg.matrix_power");
  if (n === 0) return self.clone().copy_(eye(self._sizes.at(-1)!, { dtype: self.dtype }));
  const base = n < 0 ? inv(self) : self;
  const times = Math.abs(n);
  if (times === 1) return n < 0 ? base : base.clone();
  if (times === 3) return base.matmul(base).matmul(base);
  let square = base;
  let result: Tensor | null = null;
  for (let rest = times; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest !== times) square = square.matmul(square);
    if (rest % 2 === 1) result = result === null ? square : result.matmul(square);
  }
  return result!;
}

/**
 * The n-th power of each square matrix; a negative n gives that of the inverse.
 *
 * @throws torch.linalg.LinAlgError where n is negative and a matrix singular; RuntimeError where it is not square.
 * @example
 * torch.matrix_power(torch.tensor([[1, 1], [0, 1]]), 3).tolist(); // [[1, 3], [0, 1]]
 */
export const matrix_power: Op<[self: Tensor, n: number]> = composite("matrix_power(Tensor self, int n) -> Tensor", power, { outRule: exactDtype });
/** The same as torch.matrix_power. */
export const linalgMatrixPower: FunctionOp<[self: Tensor, n: number]> = composite("linalg_matrix_power(Tensor self, int n) -> Tensor", power, { method: false, outRule: exactDtype });
