/** Exponentials of matrices, by their series. The gradient is a block of a larger exponential (Mathias, 1996), as in PyTorch. */
import { composite, kernel } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { float64 } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { eye } from "../creation/creation.ts";
import { cat } from "../shape/joining.ts";
import { checkFloating, checkSquare } from "./matrices.ts";

function exponential(A: Tensor): Tensor {
  checkSquare(A, "linalg.matrix_exp");
  checkFloating(A, "linalg.matrix_exp");
  if (A._numel === 0) return A.clone();
  return series(A.double()).to(A.dtype);
}

function series(A: Tensor): Tensor {
  const norm = A.abs().sum(-1).amax().item() as number;
  const halvings = norm > 0.5 && Number.isFinite(norm) ? Math.ceil(Math.log2(norm)) + 1 : 0;
  const X = A.div(2 ** halvings);
  let term: Tensor = eye(A._sizes.at(-1)!, { dtype: float64 }).expand(A._sizes);
  let sum = term;
  // Each term is at most half of the one before, over its number.
  for (let [k, size] = [1, 0.5]; size > 2 ** -56; k++, size /= 2 * k) {
    term = term.matmul(X).div(k);
    sum = sum.add(term);
  }
  for (let i = 0; i < halvings; i++) sum = sum.matmul(sum);
  return sum.contiguous();
}

/** The exponential of each n × n matrix: the sum of A^k / k!. */
export const linalgMatrixExp: FunctionOp<[self: Tensor]> = kernel("linalg_matrix_exp(Tensor self) -> Tensor", {
  forward: exponential,
  backward: {
    self: ({ self, grad }) => {
      const n = self._sizes.at(-1);
      const A = self.mT;
      const blocks = cat([cat([A, grad], -1), cat([A.mul(0), A], -1)], -2);
      return linalgMatrixExp(blocks).narrow(-2, 0, n).narrow(-1, n, n);
    },
  },
  method: false,
  takesOut: false,
});

/** The exponential of each n × n matrix: torch.linalg.matrix_exp. */
export const matrix_exp: Op<[self: Tensor]> = composite("matrix_exp(Tensor self) -> Tensor", (self: Tensor) => linalgMatrixExp(self), { takesOut: false });
