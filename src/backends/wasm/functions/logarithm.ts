/** Logarithms and the inverses of hyperbolic functions, which are made of them. */
import type { Vector } from "../vector.ts";
import { accuracyOf, bitsOf, byMath, formatOf, forFormat, notPositiveNormal, polynomial, productWithLoss, sumWithLoss, throughDouble, withSignOf, type Accuracy } from "./float.ts";

/** (log(1 + f) - f + f²/2) / f³ for 1 + f from √½ to √2; minimax, 2^-28 of the logarithm. */
const logSingle = [0.333333135, -0.250001669, 0.200022236, -0.166593671, 0.142095506, -0.125496507, 0.121096596, -0.109212197, 0.0534564629];
/** With s = f / (2 + f), log(1 + f) = 2 atanh(s) = 2s + s·z·R(z) for z = s²; R is minimax (mixed: 2^-37 of the logarithm, double: 2^-59). */
const logMixed = [0.666666656450408, 0.4000033529359316, 0.28537301523412606, 0.2358229310566684];
const logDouble = [
  0.6666666666666734, 0.39999999999416525, 0.2857142874207134, 0.22222198599269688, 0.1818356321028469, 0.15314074361611982, 0.14795749791588184,
];

/** x = 2^power · (1 + f), with 1 + f from √½ to √2. */
interface Split {
  readonly power: Vector;
  readonly f: Vector;
}

/** Splits a positive normal number, and adds `lift` to the power. */
export function split(x: Vector, lift: number): Split {
  const { fraction, bias } = formatOf(x);
  const rootHalf = forFormat(x, 0x3f3504f3, 0x3fe6a09e * 2 ** 32);
  const shifted = bitsOf(x).add(bias * 2 ** fraction - rootHalf);
  // The exponent becomes the low bits of 2^fraction.
  const exponent = shifted.shiftRightUnsigned(fraction).or((fraction + bias) * 2 ** fraction).as(x.type);
  return {
    power: exponent.sub(2 ** fraction + bias - lift),
    f: shifted.and(2 ** fraction - 1).add(rootHalf).as(x.type).sub(1),
  };
}

/** log(1 + f) - f. */
function tail(f: Vector, accuracy: Accuracy): Vector {
  const square = f.mul(f);
  if (accuracy === "single") return square.mul(f.madd(polynomial(f, logSingle), -0.5));
  const s = f.div(f.add(2));
  const z = s.mul(s);
  const half = square.mul(0.5);
  return s.mul(z.madd(polynomial(z, accuracy === "mixed" ? logMixed : logDouble), half)).sub(half);
}

/** A logarithm of any number out of one of positive normal numbers, which adds `lift` to their powers of two. */
function logarithm(x: Vector, ofNormal: (x: Vector, lift: number) => Vector): Vector {
  const { fraction } = formatOf(x);
  const ofSubnormal = ofNormal(x.mul(2 ** fraction), -fraction);
  const other = x.gt(0).select(x.eq(Infinity).select(Infinity, ofSubnormal), x.eq(0).select(-Infinity, x.constant(NaN)));
  return ofNormal(x, 0).unless(notPositiveNormal(x), other);
}

/** In two parts, the first with so few bits that its products with powers are exact. */
const ln2 = (x: Vector): readonly [number, number] =>
  forFormat(x, [0.693359375, -0.000212194442], [0.6931471805601177, -1.7239444525614835e-13]);
const log10Of2 = (x: Vector): readonly [number, number] =>
  forFormat(x, [0.301025390625, 4.60503907e-06], [0.3010299956640665, -8.532344317057107e-14]);

/** The natural logarithm. */
export function log(x: Vector): Vector {
  const [high, low] = ln2(x);
  return logarithm(x, (normal, lift) => {
    const { power, f } = split(normal, lift);
    return power.madd(high, f.add(power.madd(low, tail(f, accuracyOf(x)))));
  });
}

export function log2(x: Vector): Vector {
  return logarithm(x, (normal, lift) => {
    const { power, f } = split(normal, lift);
    return f.add(tail(f, accuracyOf(x))).mul(Math.LOG2E).add(power);
  });
}

export function log10(x: Vector): Vector {
  const [high, low] = log10Of2(x);
  return logarithm(x, (normal, lift) => {
    const { power, f } = split(normal, lift);
    return power.madd(high, f.add(tail(f, accuracyOf(x))).mul(Math.LOG10E).add(power.mul(low)));
  });
}

/** log(1 + x); `less` is what x has below its last digit. */
export function log1p(x: Vector, accuracy = accuracyOf(x), less: Vector | null = null): Vector {
  const sum = x.add(1);
  const edge = x.eq(-1).select(-Infinity, x.eq(Infinity).select(x, NaN));
  return withSignOf(x, log1pOfFinite(x, less, sum, accuracy).unless(sum.gt(0).and(sum.lt(Infinity)).not(), edge));
}

/** log(1 + x) for finite x above -1, of which 1 + x is `sum`: what was lost in it is added to the logarithm. */
function log1pOfFinite(x: Vector, less: Vector | null, sum: Vector, accuracy: Accuracy): Vector {
  const rounded = sum.sub(1);
  const lost = x.constant(1).sub(sum.sub(rounded)).add(x.sub(rounded));
  const { power, f } = split(sum, 0);
  const [high, low] = ln2(x);
  const correction = power.madd(low, (less === null ? lost : lost.add(less)).div(sum));
  return power.madd(high, f.add(tail(f, accuracy).add(correction)));
}

/** The inverse of sinh: log(a + √(a² + 1)) for a = |x|, written as log(1 + u) so that small a keep their digits. */
export function asinh(x: Vector): Vector {
  return throughDouble(x, (accuracy, v) => {
    const a = v.abs();
    const inverse = v.constant(1).div(a);
    const u = a.add(a.div(inverse.add(inverse.madd(inverse, 1).sqrt())));
    return withSignOf(v, log1p(u, accuracy).patch(a.gt(2 ** 500), byMath("asinh", Math.asinh), a));
  });
}

/** The inverse of cosh: log(x + √(x² - 1)), written as log(1 + u) with t = x - 1. */
export function acosh(x: Vector): Vector {
  return throughDouble(x, (accuracy, v) => {
    const t = v.sub(1);
    const [u, less] = accuracy === "double" ? withRoot(t, v) : [t.add(t.mul(t.add(2)).sqrt()), null];
    return v.lt(1).select(NaN, log1p(u, accuracy, less).patch(v.gt(2 ** 500), byMath("acosh", Math.acosh), v));
  });
}

/** t + √(t · (x + 1)) for t = x - 1, and what rounding lost on the way. */
function withRoot(t: Vector, x: Vector): readonly [Vector, Vector] {
  const [sum, sumLost] = sumWithLoss(x, x.constant(1));
  const [product, productLost] = productWithLoss(t, sum);
  const root = product.sqrt();
  const [square, squareLost] = productWithLoss(root, root);
  const rootLost = product.sub(square).sub(squareLost).add(t.madd(sumLost, productLost)).div(root.add(root).atLeast(2 ** -100));
  const [u, lost] = sumWithLoss(root, t);
  return [u, lost.add(rootLost)];
}

/** The inverse of tanh: log((1 + a) / (1 - a)) / 2 for a = |x|; near 0 its series, which needs no quotient. */
export function atanh(x: Vector): Vector {
  return throughDouble(x, (accuracy, v) => {
    const a = v.abs();
    const far = log1p(a.add(a).div(v.constant(1).sub(a)), accuracy).mul(0.5);
    if (accuracy === "mixed") return withSignOf(v, far);
    const z = a.mul(a);
    const near = a.mul(z).mul(0.5).madd(polynomial(z, logDouble), a);
    return withSignOf(v, a.lt(0.17).select(near, far));
  });
}
