/** Powers and lengths. */
import { pow as exactPow } from "../../reference/math.ts";
import type { Vector } from "../vector.ts";
import { byMath, throughDouble } from "./float.ts";
import { exp2 } from "./exponential.ts";
import { log2 } from "./logarithm.ts";

/** Single precision: 2^(y · log2 |x|) in double precision. Double precision would need more digits: by JavaScript. */
export function pow(x: Vector, y: Vector): Vector {
  if (x.type === "f64") return x.eachLane(byMath("pow", exactPow), y);
  const size = x.abs();
  const magnitude = throughDouble(size, (a, b) => exp2(b.mul(log2(a))), y);
  const whole = y.trunc().eq(y);
  const half = y.mul(0.5);
  const odd = whole.and(half.trunc().ne(half));
  const signed = magnitude.xor(odd.as("f32").and(x).and(-0));
  const real = x.lt(0).and(size.lt(Infinity)).andNot(whole);
  const isOne = y.eq(0).or(x.eq(1)).or(size.eq(1).and(y.abs().eq(Infinity)));
  return isOne.select(1, real.select(NaN, signed));
}

/** √(x² + y²), without overflow on the way. */
export function hypot(x: Vector, y: Vector): Vector {
  const length = throughDouble(x, (a, b) => (x.type === "f32" ? a.madd(a, b.mul(b)).sqrt() : scaledLength(a, b)), y);
  return x.abs().eq(Infinity).or(y.abs().eq(Infinity)).select(Infinity, length);
}

/** The longer side times √(1 + (shorter / longer)²). */
function scaledLength(x: Vector, y: Vector): Vector {
  const longer = x.abs().max(y.abs());
  const ratio = x.abs().min(y.abs()).div(longer);
  return longer.eq(0).select(0, longer.mul(ratio.madd(ratio, 1).sqrt()));
}
