/** Floats taken apart. */
import { kernel } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { FLOAT, int32 } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyStrided, type Tensor } from "../../tensor/tensor.ts";
import { preservingCopy } from "../creation/copy.ts";

/** The e with 0.5 ≤ |x| / 2^e < 1; 0 for what is zero or not finite. */
function exponentOf(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return 0;
  let e = Math.floor(Math.log2(Math.abs(x))) + 1;
  // The logarithm may round up to a whole number.
  while (Math.abs(scaled(x, -e)) >= 1) e++;
  while (Math.abs(scaled(x, -e)) < 0.5) e--;
  return e;
}

/** x · 2^e in two steps, neither of which leaves the range of doubles. */
function scaled(x: number, e: number): number {
  const half = Math.trunc(e / 2);
  return x * 2 ** half * 2 ** (e - half);
}

/**
 * The mantissa m, with 0.5 ≤ |m| < 1, and the exponent e, an int32, of each element m · 2^e.
 *
 * @throws RuntimeError where `self` holds no floats.
 * @example
 * torch.frexp(torch.tensor([3])).mantissa.item(); // 0.75
 */
export const frexp: Op<[self: Tensor], unknown, readonly [Tensor, Tensor] & { mantissa: Tensor; exponent: Tensor }> = kernel(
  "frexp(Tensor self) -> (Tensor mantissa, Tensor exponent)",
  {
    forward: (self: Tensor) => {
      if (self.dtype.kind !== FLOAT) throw new RuntimeError("torch.frexp() only supports floating-point dtypes");
      const mantissa = preservingCopy(self);
      const exponent = emptyStrided(mantissa._sizes, mantissa._strides, int32);
      const [m, e] = [viewTyped(mantissa), viewTyped(exponent)] as [Float64Array, Int32Array];
      for (let i = 0; i < m.length; i++) {
        e[i] = exponentOf(m[i]);
        m[i] = scaled(m[i], -e[i]);
      }
      return [mantissa, exponent];
    },
    backward: { self: ({ grad, exponent }) => grad.div(exponent.exp2()) },
  },
);
