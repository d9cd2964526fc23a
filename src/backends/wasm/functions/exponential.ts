/** The exponential function and what is made of it. */
import type { Vector } from "../vector.ts";
import { bitsOf, formatOf, forFormat, polynomial, powerOfTwo, productWithLoss, quotient, sumWithLoss, withSignOf } from "./float.ts";

/**
 * (e^r - 1 - r) / r² for |r| up to ln(2)/2, and a little more. Minimax polynomials of e^r (single: error 2^-28) and of
 * e^r - 1 (single: 2^-29, double: 2^-60), found by Remez exchange.
 */
const expSingle = [0.49999994, 0.166665137, 0.0416680612, 0.00836954918, 0.00138437806];
const expm1Single = [0.5, 0.166666657, 0.0416663587, 0.00833338965, 0.00139409269, 0.00019845902];
const expm1Double = [
  0.5, 0.16666666666666677, 0.041666666666666505, 0.00833333333332142, 0.001388888888896409, 0.00019841269886748826,
  2.4801587170281484e-05, 2.755724350239808e-06, 2.75574036109134e-07, 2.5109309266807467e-08, 2.087532277400099e-09,
];

/** ln 2 in two parts, the first with so few bits that its products with powers are exact. */
const ln2 = (x: Vector): readonly [number, number] =>
  forFormat(x, [0.693359375, -0.000212194442], [0.6931471805601177, -1.7239444525614835e-13]);

/** x = power · ln(2) + rest. */
interface Reduced {
  /** The power plus the offset that it was asked for with, in the low bits of integer lanes. */
  readonly code: Vector;
  readonly power: Vector;
  readonly rest: Vector;
  /** The rest before it was rounded: exact - lost. */
  readonly exact: Vector;
  readonly lost: Vector;
}

/** Splits off the nearest power of two. */
function reduced(x: Vector, offset: number): Reduced {
  const magic = formatOf(x).magic + offset;
  const sum = x.madd(Math.LOG2E, magic);
  const power = sum.sub(magic);
  const [high, low] = ln2(x);
  const exact = power.nmadd(high, x);
  return { code: bitsOf(sum), power, rest: power.nmadd(low, exact), exact, lost: power.mul(low) };
}

/** `x` times a power of two, given with twice the bias. Half of it at a time: a result may be subnormal, or overflow. */
function scaled(x: Vector, code: Vector): Vector {
  const { fraction } = formatOf(x);
  const half = code.shiftRightUnsigned(1);
  return x.mul(half.shiftLeft(fraction).as(x.type)).mul(code.sub(half).shiftLeft(fraction).as(x.type));
}

/** 1 + r + r²·P(r). */
const expOfRest = (r: Vector): Vector => polynomial(r, [1, 1, ...forFormat(r, expSingle, expm1Double)]);

/** No power of two beyond these changes the result any more. */
const clamped = (x: Vector): Vector => x.atMost(forFormat(x, 90, 711)).atLeast(forFormat(x, -104, -746));

/** e^x, but for a power of two, whose code with this offset is given too. */
function mantissa(x: Vector, offset: number): { value: Vector; code: Vector } {
  const { code, rest: r, exact, lost } = reduced(x, offset);
  return { code, value: x.type === "f32" ? expOfRest(r) : exact.add(r.mul(r).mul(polynomial(r, expm1Double)).sub(lost)).add(1) };
}

/** e^x · 2^extra; its power of two goes in halves: a result may be subnormal, or overflow. */
function expOfAny(x: Vector, extra: number): Vector {
  const { value, code } = mantissa(clamped(x), 2 * formatOf(x).bias + extra);
  return scaled(value, code);
}

/** e^x · 2^extra, for `extra` from -1 to 1. */
export function exp(x: Vector, extra = 0): Vector {
  const { value, code } = mantissa(x, extra);
  const usual = bitsOf(value).add(code.shiftLeft(formatOf(x).fraction)).as(x.type);
  // As integers NaNs too are beyond the limit.
  const unusual = bitsOf(x.abs()).gt(bitsOf(x.constant(forFormat(x, 86, 707))));
  return usual.unless(unusual, expOfAny(x, extra));
}

/** e^x for what is mostly negative, often by far. */
export function expBelow(x: Vector): Vector {
  const { fraction, bias } = formatOf(x);
  const { value, code } = mantissa(x.atLeast(forFormat(x, -104, -746)), bias + fraction + 1);
  // Small results may be subnormal: the last factor brings them there.
  const usual = value.mul(code.shiftLeft(fraction).as(x.type)).mul(2 ** -(fraction + 1));
  return usual.unless(x.gt(forFormat(x, 70, 670)), expOfAny(x, 0));
}

/** factor · e^power for doubles that have a second part below their digits. */
export function timesExp([factor, factorLost]: readonly [Vector, Vector], [power, powerLost]: readonly [Vector, Vector]): Vector {
  const { code, exact, lost } = reduced(clamped(power), 2 * formatOf(power).bias);
  const growth = expm1OfSum(exact, powerLost.sub(lost));
  return scaled(factor.add(factor.madd(growth, factorLost.madd(growth, factorLost))), code);
}

/** e^(high + low) - 1 for doubles whose sum is at most about ln(2)/2. */
function expm1OfSum(high: Vector, low: Vector): Vector {
  const r = high.add(low);
  return high.add(r.mul(r).madd(polynomial(r, expm1Double), low));
}

/** e^x where that is a normal number. */
export function expWithin(x: Vector): Vector {
  const { fraction, bias } = formatOf(x);
  const { code, rest } = reduced(x, bias);
  return expOfRest(rest).mul(code.shiftLeft(fraction).as(x.type));
}

/** 2^r for r from -½ to ½; minimax, 2^-28. */
const exp2Single = [1, 0.6931472032389641, 0.2402264786321312, 0.05550331554551982, 0.009618441113861172, 0.0013399258742937531, 0.00015353041786930212];

/** 2^x where that is a normal number, to single precision. */
export function exp2Within(x: Vector): Vector {
  const { magic, bias, fraction } = formatOf(x);
  const sum = x.add(magic + bias);
  const rest = x.sub(sum.sub(magic + bias));
  return polynomial(rest, exp2Single).mul(bitsOf(sum).shiftLeft(fraction).as(x.type));
}

/** 2^x. */
export function exp2(x: Vector): Vector {
  const { magic, bias } = formatOf(x);
  const within = x.atMost(forFormat(x, 129, 1025)).atLeast(forFormat(x, -151, -1076));
  const sum = within.add(magic + 2 * bias);
  const rest = within.sub(sum.sub(magic + 2 * bias)).mul(Math.LN2);
  return scaled(expOfRest(rest), bitsOf(sum));
}

/** ln 2 as exactly as two doubles have it. */
const [ln2High, ln2Low] = [Math.LN2, 2.3190468138462996e-17];

/** 2^(high + low) for doubles of which the second is below the digits of the first. */
export function exp2OfSum(high: Vector, low: Vector): Vector {
  const { magic, bias } = formatOf(high);
  const within = high.atMost(1100).atLeast(-1100);
  const sum = within.add(magic + 2 * bias);
  const rest = within.sub(sum.sub(magic + 2 * bias));
  const [r, lost] = productWithLoss(rest, rest.constant(ln2High));
  // Where the power is out of all bounds, `low` may be anything.
  const less = within.eq(high).select(low.madd(ln2High, rest.madd(ln2Low, lost)), 0);
  return scaled(expm1OfSum(r, less).add(1), bitsOf(sum));
}

/** e^x - 1. */
export function expm1(x: Vector): Vector {
  const { code, power, rest: r } = reduced(x.atMost(forFormat(x, 90, 711)).atLeast(forFormat(x, -20, -40)), 2 * formatOf(x).bias);
  // 2^n · (e^r - 1) + 2^n - 1, with 2^n taken out; 2^-n is too small to matter before it is too small for its format.
  const complement = x.constant(1).sub(powerOfTwo(power.neg().atLeast(-64)));
  const value = r.mul(r).madd(polynomial(r, forFormat(r, expm1Single, expm1Double)), r.add(complement));
  return withSignOf(x, scaled(value, code));
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: Vector): Vector {
  if (x.type === "f64") return sigmoidDouble(x);
  const small = exp(x.abs().neg());
  const [sum, less] = sumWithLoss(x.constant(1), small);
  const value = x.lt(0).select(small, 1).div(sum);
  return less.nmadd(value, value);
}

/** For negative x, e^x / (1 + e^x), which does not overflow; what rounding loses on the way is carried along. */
function sigmoidDouble(x: Vector): Vector {
  const { code, rest: r, exact, lost } = reduced(clamped(x.abs().neg()), 2 * formatOf(x).bias);
  const [value, less] = sumWithLoss(x.constant(1), exact.add(r.mul(r).mul(polynomial(r, expm1Double)).sub(lost)));
  const [e, eLess] = [scaled(value, code), scaled(less, code)];
  const [sum, sumLess] = sumWithLoss(x.constant(1), e);
  const negative = x.lt(0);
  return quotient([negative.select(e, 1), negative.select(eLess, 0)], [sum, sumLess.add(eLess)]);
}

/** (tanh x - x) / x³ as a polynomial in x² for |x| up to 0.625; minimax (single: 2^-28, double: 2^-61). */
const tanhSingle = [-0.333332807, 0.133314058, -0.0537365079, 0.020628117, -0.00569221424];
const tanhDouble = [
  -0.33333333333333315, 0.1333333333332996, -0.053968253966149446, 0.021869488470699014, -0.008863234338748294, 0.0035921142223557818,
  -0.0014557272091709757, 0.0005894566158639146, -0.00023702398047990148, 9.157829770092729e-05, -3.020586355963077e-05, 6.050148834199428e-06,
];

/** A polynomial near 0, 1 - 2 / (e^2|x| + 1) farther off. */
export function tanh(x: Vector): Vector {
  const { magic, bias, fraction } = formatOf(x);
  const size = x.abs();
  const square = x.mul(x);
  const near = size.mul(square).madd(polynomial(square, forFormat(x, tanhSingle, tanhDouble)), size);
  // e^2|x| = (1 + p) / u with u = 2^-n, so that 2 / (e^2|x| + 1) = 2u / (1 + p + u).
  const within = size.atMost(forFormat(x, 10, 20));
  const sum = within.madd(-2 * Math.LOG2E, magic + bias);
  const power = sum.sub(magic + bias);
  const [high, low] = ln2(x);
  const r = power.madd(low, power.madd(high, within.add(within)));
  const p = r.mul(r).madd(polynomial(r, forFormat(x, expSingle, expm1Double)), r);
  const u = bitsOf(sum).shiftLeft(fraction).as(x.type);
  const far = x.constant(1).sub(u.add(u).div(p.add(u.add(1))));
  return withSignOf(x, size.lt(0.625).select(near, far));
}

/** (sinh x - x) / x³ as a polynomial in x² for |x| up to 1; minimax (single: 2^-31, double: 2^-61). */
const sinhSingle = [0.166666672, 0.00833331048, 0.000198428956, 2.78221319e-06];
const sinhDouble = [
  0.16666666666666669, 0.008333333333332912, 0.0001984126984159341, 2.755731910675631e-06, 2.505213099884653e-08, 1.6056659154076917e-10,
  7.776600623527649e-13,
];

/** A polynomial near 0, (e^|x| - e^-|x|) / 2 farther off. */
export function sinh(x: Vector): Vector {
  const size = x.abs();
  const square = x.mul(x);
  const near = size.mul(square).madd(polynomial(square, forFormat(x, sinhSingle, sinhDouble)), size);
  const half = exp(size, -1);
  return withSignOf(x, size.lt(1).select(near, half.sub(x.constant(0.25).div(half))));
}

/** (e^|x| + e^-|x|) / 2. */
export function cosh(x: Vector): Vector {
  const half = exp(x.abs(), -1);
  return half.add(x.constant(0.25).div(half));
}
