/** Remainders and quotients rounded down. All are exact, as C's fmod is. */
import type { Vector } from "../vector.ts";
import { byMath, throughDouble, withSignOf } from "./float.ts";

/** The remainder with the sign of x. */
export const fmod = (x: Vector, y: Vector): Vector => throughDouble(x, (_, a, b) => fmodDouble(a, b), y);

/** Quotients from here on leave remainders that are not exact. */
const most = 2 ** 26;

function fmodDouble(x: Vector, y: Vector): Vector {
  const [size, by] = [x.abs(), y.abs()];
  const quotient = size.div(by).trunc();
  // The divisor in two parts, whose products with the quotient are exact.
  const high = by.as("i64").and(-(2 ** 27)).as("f64");
  const rest = size.sub(quotient.mul(high)).sub(quotient.mul(by.sub(high)));
  // The quotient was rounded: it may be one too large.
  const right = rest.lt(0).select(rest.add(by), rest);
  const exact = quotient.lt(most).and(by.lt(Infinity));
  return withSignOf(x, right.patch(exact.not(), byMath("fmod", (a, b) => a % b), size, by));
}

/** Python's modulo: the remainder has the sign of y. */
export const remainder = (x: Vector, y: Vector): Vector => throughDouble(x, (_, a, b) => {
  const rest = fmodDouble(a, b);
  return differInSign(rest, b).select(rest.add(b), rest);
}, y);

/** A remainder that is not 0 and has another sign than the divisor. */
function differInSign(rest: Vector, y: Vector): Vector {
  return rest.ne(0).and(rest.lt(0).xor(y.lt(0)));
}

/** Python's floor division of floats (c10::div_floor_floating). */
export const floorDivide = (x: Vector, y: Vector): Vector => throughDouble(x, (_, a, b) => {
  const rest = fmodDouble(a, b);
  const exact = a.sub(rest).div(b);
  const quotient = exact.sub(differInSign(rest, b).as("f64").and(1));
  const floor = quotient.floor();
  const nearest = floor.add(quotient.sub(floor).gt(0.5).as("f64").and(1));
  const ratio = a.div(b);
  return b.eq(0).select(ratio, quotient.eq(0).select(withSignOf(ratio, a.constant(0)), nearest));
}, y);
