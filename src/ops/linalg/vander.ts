/** Matrices of the powers of a vector's elements. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { int64, promote_types } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { empty } from "../creation/creation.ts";

/**
 * For each element x the row of its N powers, or of as many as there are elements, the highest first, or 1 first where `increasing`.
 *
 * @throws RuntimeError where x is no vector, or N negative.
 * @example
 * torch.vander(torch.tensor([2, 3], { dtype: torch.int64 })).tolist(); // [[2, 1], [3, 1]]
 */
export const vander: FunctionOp<[x: Tensor, N?: number | null, increasing?: boolean], { N?: number | null; increasing?: boolean }> = composite(
  "vander(Tensor x, int? N=None, bool increasing=False) -> Tensor",
  (x: Tensor, N: number | null, increasing: boolean) => {
    if (x._sizes.length !== 1) throw new RuntimeError("x must be a one-dimensional tensor.");
    const count = N ?? x._sizes[0];
    if (count < 0) throw new RuntimeError("N must be non-negative.");
    const result = empty([x._sizes[0], count], { dtype: promote_types(x.dtype, int64) });
    if (count > 0) result.select(1, 0).fill_(1);
    if (count > 1) {
      const powers = result.narrow(1, 1, count - 1);
      powers.copy_(x.unsqueeze(1));
      powers.copy_(powers.cumprod(1));
    }
    return increasing ? result : result.flip(1);
  },
  { method: false, takesOut: false },
);
