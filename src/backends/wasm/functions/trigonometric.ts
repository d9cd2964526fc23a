/** Sine, cosine and tangent. */
import { narrow } from "../elements.ts";
import { mathFunction, type ScalarFunction } from "../scalar-function.ts";
import type { Vector } from "../vector.ts";
import { forFormat, highDoubles, joined, lowDoubles, polynomial, quotient, sumWithLoss, throughDouble } from "./float.ts";

/** For r up to π/4 and z = r²: (sin r - r) / r³ (single: error 2^-32, double: 2^-63). Minimax polynomials in z, as below. */
const sinSingle = [-0.166666672, 0.0083333794, -0.000198530644, 2.83250097e-06];
const sinDouble = [
  -0.16666666666666666, 0.008333333333333042, -0.00019841269840962473, 2.7557319073985226e-06, -2.505207092365864e-08, 1.6054311695067688e-10,
  -7.389471310733066e-13,
];
/** (cos r - 1 + z/2) / z² (single: 2^-33, double: 2^-69). */
const cosSingle = [0.0416666456, -0.00138873013, 2.44306702e-05];
const cosDouble = [
  0.041666666666666664, -0.0013888888888888378, 2.4801587301164886e-05, -2.7557319051981676e-07, 2.087671976528264e-09, -1.1466585502641433e-11,
  4.579577644656614e-14,
];
/** (tan r - r) / r³ (single: 2^-29). */
const tanSingle = [0.333333492, 0.133326739, 0.0540591776, 0.0212845113, 0.0108324783, 9.12230098e-05, 0.00437642494];

/** π/2 in parts of 33 bits, whose products with up to 2^20 are exact, and what is left. */
const [half1, half2, half3, half4] = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32];
/** Where the reduction by multiples of π/2 no longer holds. */
const most = 2 ** 20;

/** x = quadrant · π/2 + high + low. */
interface Reduced {
  /** In the low bits of integer lanes. */
  readonly quadrant: Vector;
  readonly high: Vector;
  readonly low: Vector | null;
  /** The lanes for which this does not hold. */
  readonly failed: Vector;
}

const magic = 1.5 * 2 ** 52;

function reduced(x: Vector): Reduced {
  if (x.type === "f32") return reducedSingle(x);
  const sum = x.madd(2 / Math.PI, magic);
  const n = sum.sub(magic);
  const first = x.sub(n.mul(half1));
  const second = n.mul(half2);
  const difference = first.sub(second);
  const lost = first.sub(difference).sub(second).sub(n.mul(half3)).sub(n.mul(half4));
  const high = difference.add(lost);
  // So near to a multiple of π/2 even this loses digits.
  const near = high.abs().lt(2 ** -40).and(n.ne(0));
  return { quadrant: sum.as("i64"), high, low: difference.sub(high).add(lost), failed: x.abs().lt(most).not().or(near) };
}

/** Single precision is reduced in double precision. */
function reducedSingle(x: Vector): Reduced {
  const failed = x.abs().lt(most).not();
  const low = reducedMixed(lowDoubles(x));
  const rest = low.rest.op("f32x4.demote_f64x2_zero", "f32");
  if (x.graph.lanes === 2) return { quadrant: narrow(low.sum), high: rest, low: null, failed };
  const high = reducedMixed(highDoubles(x));
  const quadrant = low.sum.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27], "i32", high.sum);
  return { quadrant, high: joined(rest, high.rest.op("f32x4.demote_f64x2_zero", "f32")), low: null, failed };
}

/** A single-precision number, as a double: its quadrant in the low bits of `sum`, and what is left. */
function reducedMixed(x: Vector): { sum: Vector; rest: Vector } {
  const sum = x.madd(2 / Math.PI, magic);
  const n = sum.sub(magic);
  return { sum, rest: n.nmadd(half2, n.nmadd(half1, x)) };
}

/** The sine of high + low, in two parts to be added. */
function sinParts({ high: r, low }: Reduced): readonly [Vector, Vector] {
  const z = r.mul(r);
  const correction = r.mul(z).mul(polynomial(z, forFormat(r, sinSingle, sinDouble)));
  return [r, low === null ? correction : correction.add(z.nmadd(0.5, 1).mul(low))];
}

/** The cosine of high + low, in two parts to be added. */
function cosParts({ high: r, low }: Reduced): readonly [Vector, Vector] {
  const z = r.mul(r);
  const half = z.mul(0.5);
  const whole = r.constant(1).sub(half);
  const correction = z.mul(z).mul(polynomial(z, forFormat(r, cosSingle, cosDouble)));
  if (low === null) return [whole, correction];
  return [whole, r.constant(1).sub(whole).sub(half).add(r.nmadd(low, correction))];
}

const sum = ([x, y]: readonly [Vector, Vector]): Vector => x.add(y);

/** All bits set where the bit of the integer is. */
function where(integer: Vector, bit: number): Vector {
  return integer.and(bit).ne(0);
}

/** `x` negated where bit 1 of the integer is set. */
function negatedBySecondBit(x: Vector, integer: Vector): Vector {
  return x.xor(integer.and(2).shiftLeft(x.type === "f32" ? 30 : 62).as(x.type));
}

const inMath = (x: Vector, name: "sin" | "cos" | "tan"): ScalarFunction => mathFunction(name, Math[name], 1, x.type as "f32" | "f64");

export function sin(x: Vector): Vector {
  const r = reduced(x);
  const value = negatedBySecondBit(where(r.quadrant, 1).select(sum(cosParts(r)), sum(sinParts(r))), r.quadrant);
  return x.eq(0).select(x, value).patch(r.failed, inMath(x, "sin"), x);
}

export function cos(x: Vector): Vector {
  const r = reduced(x);
  const value = negatedBySecondBit(where(r.quadrant, 1).select(sum(sinParts(r)), sum(cosParts(r))), r.quadrant.add(1));
  return value.patch(r.failed, inMath(x, "cos"), x);
}

export function tan(x: Vector): Vector {
  const failed = x.abs().lt(most).not();
  return throughDouble(x, (accuracy, v) => (accuracy === "double" ? tanDouble(v) : tanMixed(v))).patch(failed, inMath(x, "tan"), x);
}

function tanDouble(x: Vector): Vector {
  const r = reduced(x);
  const [rise, riseLost] = sumWithLoss(...sinParts(r));
  const [run, runLost] = sumWithLoss(...cosParts(r));
  const odd = where(r.quadrant, 1);
  const value = quotient([odd.select(run.neg(), rise), odd.select(runLost.neg(), riseLost)], [odd.select(rise, run), odd.select(riseLost, runLost)]);
  return x.eq(0).select(x, value).patch(r.failed, inMath(x, "tan"), x);
}

function tanMixed(x: Vector): Vector {
  const { sum, rest: r } = reducedMixed(x);
  const z = r.mul(r);
  const tangent = r.mul(z).madd(polynomial(z, tanSingle), r);
  const odd = where(sum.as("i64"), 1);
  return odd.select(-1, tangent).div(odd.select(tangent, 1));
}
