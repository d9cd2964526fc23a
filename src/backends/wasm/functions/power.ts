/** Powers and lengths. */
import type { Vector } from "../vector.ts";
import { exp2OfSum, exp2Within } from "./exponential.ts";
import { formatOf, notPositiveNormal, polynomial, productWithLoss, quotientWithLoss, sumWithLoss, throughDouble } from "./float.ts";
import { split } from "./logarithm.ts";

/** With s = f / (2 + f), log2(1 + f) = s · L(s²) for 1 + f from √½ to √2; minimax, 2^-37 of the logarithm. */
const logSingle = [2.8853900817900864, 0.9617966733416295, 0.5770835849839451, 0.4116727183286152, 0.34073011362123756];
/** The same, 2^-66 of the logarithm: the first two in two parts each. */
const logDouble = [0.5770780163556178, 0.412198583091986, 0.3205989022659835, 0.2623077017416257, 0.2219839711248315, 0.19125574889132302, 0.19038020701276662];
const [linear, linearLost] = [2.8853900817779268, 4.0710547481862066e-17];
const [cubic, cubicLost] = [0.9617966939259756, 5.0577616648125907e-17];

/** x^y. */
export function pow(x: Vector, y: Vector): Vector {
  const special = notPositiveNormal(x).or(y.abs().lt(Infinity).not());
  return powOfNormal(x, 0, y).unless(special, powOfAny(x, y));
}

/** (2^lift · x)^y for positive normal x: 2^(y · log2 x), of which single precision needs no more digits than a double has. */
function powOfNormal(x: Vector, lift: number, y: Vector): Vector {
  const { power, f } = split(x, lift);
  if (x.type === "f64") return exp2OfSum(...timesLog(power, f, y));
  return throughDouble(f, (_, f, power, y) => {
    const s = f.div(f.add(2));
    const log = s.madd(polynomial(s.mul(s), logSingle), power);
    return exp2Within(log.mul(y).atMost(200).atLeast(-200));
  }, power, y);
}

/** y · (power + log2(1 + f)) in two parts: an error in their sum is as many times larger in the power as that is long. */
function timesLog(power: Vector, f: Vector, y: Vector): readonly [Vector, Vector] {
  const [s, sLost] = quotientWithLoss([f, f.constant(0)], sumWithLoss(f.constant(2), f));
  const [z, zLost] = productWithLoss(s, s);
  const [inner, innerLost] = sumWithLoss(s.constant(cubic), z.mul(polynomial(z, logDouble)));
  const [rest, restLost] = productWithLoss(z, inner);
  const [slope, slopeLost] = sumWithLoss(s.constant(linear), rest);
  const slopeRest = slopeLost.add(linearLost).add(restLost).add(z.mul(innerLost.add(cubicLost))).add(zLost.add(s.mul(sLost).mul(2)).mul(inner));
  const [fraction, fractionLost] = productWithLoss(s, slope);
  const [log, logLost] = sumWithLoss(power, fraction);
  // Beyond that all powers are 0, 1 or infinite.
  const within = y.atMost(2 ** 75).atLeast(-(2 ** 75));
  const [product, productLost] = productWithLoss(log, within);
  return [product, productLost.add(within.mul(logLost.add(fractionLost).add(s.mul(slopeRest)).add(sLost.mul(slope))))];
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
  const signed = unsigned.xor(odd.as(x.type).and(x).and(-0));
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
