/** Divisors and multiples of whole numbers. */
import type { InplaceOp } from "../../dispatch/op.ts";
import { pointwise } from "../../dispatch/pointwise.ts";
import { valueOnly } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { noKernel } from "./refusals.ts";

/**
 * The greatest common divisor of integers; gcd(x, 0) is |x|.
 *
 * @throws NotImplementedError for floats and bools.
 */
export const gcd: InplaceOp<[self: Tensor, other: Tensor]> = pointwise("gcd(Tensor self, Tensor other) -> Tensor", {
  value: valueOnly(({ self, other }) => self.gcd(other)),
  check: noKernel("gcd_cpu", BOOL, FLOAT),
  numbers: false,
});

/**
 * The least common multiple of integers, without a sign; it wraps around where the dtype cannot hold it.
 *
 * @throws NotImplementedError for floats and bools.
 */
export const lcm: InplaceOp<[self: Tensor, other: Tensor]> = pointwise("lcm(Tensor self, Tensor other) -> Tensor", {
  value: valueOnly(({ self, other }) => {
    const divisor = self.gcd(other);
    return self.div(divisor.where(divisor.ne(0), 1), { rounding_mode: "trunc" }).mul(other).abs();
  }),
  check: noKernel("lcm_cpu", BOOL, FLOAT),
  numbers: false,
});
