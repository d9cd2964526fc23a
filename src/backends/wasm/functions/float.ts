/** What the functions of floats are written with: formats, polynomials, signs, exponents. */
import { mathFunction, type ScalarFunction } from "../scalar-function.ts";
import { maskType, type Vector } from "../vector.ts";

/** A binary format of IEEE 754. */
export interface Format {
  /** Bits of the fraction. */
  readonly fraction: number;
  /** What the stored exponent exceeds the true one by. */
  readonly bias: number;
  /** 1.5 · 2^fraction: what is added to a number to leave it rounded in the low bits. */
  readonly magic: number;
  readonly leastNormal: number;
}

const single: Format = { fraction: 23, bias: 127, magic: 1.5 * 2 ** 23, leastNormal: 2 ** -126 };
const double: Format = { fraction: 52, bias: 1023, magic: 1.5 * 2 ** 52, leastNormal: 2 ** -1022 };

export const formatOf = (x: Vector): Format => (x.type === "f32" ? single : double);

/** What belongs to the format of `x`. */
export function forFormat<T>(x: Vector, forSingle: T, forDouble: T): T {
  return x.type === "f32" ? forSingle : forDouble;
}

/** How exact a result is to be. "mixed" is computed in double precision, for a result in single precision. */
export type Accuracy = "single" | "mixed" | "double";
export const accuracyOf = (x: Vector): Accuracy => (x.type === "f32" ? "single" : "double");

/** c[0] + c[1]·x + c[2]·x² + …, by Horner's rule. */
export function polynomial(x: Vector, c: readonly number[]): Vector {
  let sum = x.constant(c[c.length - 1]);
  for (let i = c.length - 2; i >= 0; i--) sum = sum.madd(x, c[i]);
  return sum;
}

/** A magnitude with the sign of `x`. */
export function withSignOf(x: Vector, magnitude: Vector): Vector {
  return magnitude.or(x.and(-0));
}

/** `x` with its sign turned where the lowest bit of an integer is set. */
export function negatedWhereOdd(x: Vector, integer: Vector): Vector {
  return x.xor(integer.shiftLeft(x.type === "f32" ? 31 : 63).as(x.type));
}

/** Its bits as integer lanes. */
export const bitsOf = (x: Vector): Vector => x.as(maskType(x.type));

/** 2^n for whole numbers n that normal numbers can have as exponents. */
export function powerOfTwo(n: Vector): Vector {
  const { magic, bias, fraction } = formatOf(n);
  return bitsOf(n.add(magic + bias)).shiftLeft(fraction).as(n.type);
}

/** A function of doubles in JavaScript, for the lanes that no fast way serves. */
export function byMath(name: string, run: (...x: number[]) => number): ScalarFunction {
  return mathFunction(name, run, run.length, "f64");
}

/** A sum of two numbers, the greater first: rounded, and what the rounding lost. */
export function sumWithLoss(greater: Vector, less: Vector): readonly [Vector, Vector] {
  const sum = greater.add(less);
  return [sum, less.sub(sum.sub(greater))];
}

/** A double in two parts, whose products with such parts are exact. */
export function halves(x: Vector): readonly [Vector, Vector] {
  const high = bitsOf(x).and(-(2 ** 27)).as(x.type);
  return [high, x.sub(high)];
}

/** A product of doubles: rounded, and what the rounding lost. */
export function productWithLoss(x: Vector, y: Vector): readonly [Vector, Vector] {
  const product = x.mul(y);
  const [[x1, x2], [y1, y2]] = [halves(x), halves(y)];
  return [product, x1.mul(y1).sub(product).add(x1.mul(y2)).add(x2.mul(y1)).add(x2.mul(y2))];
}

/** (x + xLost) / (y + yLost), for parts lost to rounding. */
export function quotient([x, xLost]: readonly [Vector, Vector], [y, yLost]: readonly [Vector, Vector]): Vector {
  const rough = x.div(y);
  return rough.add(xLost.sub(rough.mul(yLost)).div(y));
}

/** The same of doubles in two parts. */
export function quotientWithLoss([x, xLost]: readonly [Vector, Vector], [y, yLost]: readonly [Vector, Vector]): readonly [Vector, Vector] {
  const rough = x.div(y);
  const [back, backLost] = productWithLoss(rough, y);
  return [rough, x.sub(back).sub(backLost).add(xLost.sub(rough.mul(yLost))).div(y)];
}

const highHalf = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
const bothLow = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/**
 * Computes single-precision values as doubles, two at a time: what is exact to half a unit there needs no more care.
 * `run` is told how exact it has to be.
 */
export function throughDouble(x: Vector, run: (accuracy: Accuracy, ...x: Vector[]) => Vector, ...others: Vector[]): Vector {
  const inputs = [x, ...others];
  if (x.type === "f64") return run("double", ...inputs);
  const low = run("mixed", ...inputs.map(lowDoubles)).op("f32x4.demote_f64x2_zero", "f32");
  if (x.graph.lanes === 2) return low;
  return joined(low, run("mixed", ...inputs.map(highDoubles)).op("f32x4.demote_f64x2_zero", "f32"));
}

export const lowDoubles = (x: Vector): Vector => x.op("f64x2.promote_low_f32x4", "f64");
export const highDoubles = (x: Vector): Vector => lowDoubles(x.shuffle(highHalf));
/** The low halves of two vectors. */
export const joined = (low: Vector, high: Vector): Vector => low.shuffle(bothLow, low.type, high);

/**
 * Where `x` is no positive normal number: zero, subnormal, negative, infinite or NaN. Positive normal numbers have
 * consecutive bits; turned by a constant, they are the least integers.
 */
export function notPositiveNormal(x: Vector): Vector {
  const [turn, limit] = forFormat(x, [0x7f800000, -(2 ** 24)], [0x7ff00000 * 2 ** 32, -(2 ** 53)]);
  return bitsOf(x).add(turn).ge(limit);
}
