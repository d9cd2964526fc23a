/** Powers and lengths. */
import { pow as exactPow } from "../../reference/math.ts";
import type { Vector } from "../vector.ts";
import { exp2Within } from "./exponential.ts";
import { byMath, formatOf, notPositiveNormal, polynomial, throughDouble } from "./float.ts";
import { split } from "./logarithm.ts";

/** With s = f / (2 + f), log2(1 + f) = s · L(s²) for 1 + f from √½ to √2; minimax, 2^-37 of the logarithm. */
const logarithm = [2.8853900817900864, 0.9617966733416295, 0.5770835849839451, 0.4116727183286152, 0.34073011362123756];
/** Single precision: 2^(y · log2 |x|) in double precision. Double precision would need more digits: by JavaScript. */
export function pow(x: Vector, y: Vector): Vector {
  if (x.type === "f64") return x.eachLane(byMath("pow", exactPow), y);
  const special = notPositiveNormal(x).or(y.abs().lt(Infinity).not());
  return powOfNormal(x, 0, y).unless(special, powOfAny(x, y));
}

/** (2^lift · x)^y for positive normal x. */
function powOfNormal(x: Vector, lift: number, y: Vector): Vector {
  const { power, f } = split(x, lift);
  return throughDouble(f, (_, f, power, y) => {
    const s = f.div(f.add(2));
    const log = s.madd(polynomial(s.mul(s), logarithm), power);
    return exp2Within(log.mul(y).atMost(200).atLeast(-200));
  }, power, y);
}

/** The power of any number. */
function powOfAny(x: Vector, y: Vector): Vector {
  const size = x.abs();
  const { leastNormal, fraction } = formatOf(x);
  const magnitude = size.lt(leastNormal).select(powOfNormal(size.mul(2 ** fraction), -fraction, y), powOfNormal(size, 0, y));
  const extreme = size.eq(0).or(size.eq(Infinity));
  const unsigned = extreme.select(y.gt(0).select(size, x.constant(1).div(size)), magnitude);
  const whole = y.trunc().eq(y);
  const half = y.mul(0.5);
  const odd = whole.and(half.trunc().ne(half));
  const signed = unsigned.xor(odd.as("f32").and(x).and(-0));
  const unreal = x.lt(0).and(size.lt(Infinity)).andNot(whole).or(x.isNaN()).or(y.isNaN());
  const isOne = y.eq(0).or(x.eq(1)).or(size.eq(1).and(y.abs().eq(Infinity)));
  return isOne.select(1, unreal.select(NaN, signed));
}

/** √(x² + y²), without overflow on the way: doubles that are far from 1 are scaled. */
export function hypot(x: Vector, y: Vector): Vector {
  const length = throughDouble(x, (accuracy, a, b) => {
    if (accuracy === "mixed") return a.madd(a, b.mul(b)).sqrt();
    const longer = a.abs().max(b.abs());
    const unit = longer.gt(2 ** 500).select(2 ** 600, longer.lt(2 ** -500).select(a.constant(2 ** -600), 1));
    const [u, v] = [a.div(unit), b.div(unit)];
    return u.madd(u, v.mul(v)).sqrt().mul(unit);
  }, y);
  return x.abs().eq(Infinity).or(y.abs().eq(Infinity)).select(Infinity, length);
}
