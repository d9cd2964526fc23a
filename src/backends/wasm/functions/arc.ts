/** The inverses of sine, cosine and tangent. */
import type { Vector } from "../vector.ts";
import { bitsOf, forFormat, polynomial, withSignOf } from "./float.ts";

/** (asin s - s) / s³ as a polynomial in s² for s up to ½; minimax (single: error 2^-31, double: 2^-60). */
const asinSingle = [0.166666597, 0.0750052184, 0.0445133895, 0.0318385623, 0.014320042, 0.0376829207];
const asinDouble = [
  0.1666666666666676, 0.07499999999970865, 0.04464285717456295, 0.030381942709750656, 0.022372214939454602, 0.017351612785511564,
  0.013980812149587856, 0.011398975389478623, 0.01077992419203886, 0.003707569625065945, 0.021704788206672796, -0.020995500994482247,
  0.032626505676082725,
];
/** (atan t - t) / t³ as a polynomial in t² for t up to 1; minimax (single: 2^-28, double: 2^-57). */
const atanSingle = [-0.333332986, 0.199985296, -0.142640159, 0.109508812, -0.0839930698, 0.0578810424, -0.0310957935, 0.010867307, -0.00178228726];
const atanDouble = [
  -0.3333333333333307, 0.19999999999951748, -0.14285714282587975, 0.11111111007338303, -0.09090907007729448, 0.07692279888081636,
  -0.06666404416477369, 0.05880529767775086, -0.052535266081190725, 0.047223478090335655, -0.042192422446623926, 0.03664313553398355,
  -0.029905713091648415, 0.021987040611551496, -0.013902546127247777, 0.007197863750048964, -0.0028855982321738484, 0.0008315554822109002,
  -0.00015221022962006898, 1.3229907633387178e-05,
];

/** π in two parts. */
const pi = (x: Vector): readonly [number, number] => forFormat(x, [Math.fround(Math.PI), -8.74227766e-08], [Math.PI, 1.2246467991473532e-16]);

/** `whole` of π's halves less `x`. */
function fromPi(halves: 1 | 2, x: Vector): Vector {
  const [high, low] = pi(x);
  const scale = halves / 2;
  return x.constant(high * scale).sub(x.sub(low * scale));
}

/** For |x| up to ½, s = |x|; beyond, s = √z with z = (1 - |x|) / 2, for which asin |x| = π/2 - 2 asin s. */
function folded(x: Vector): { far: Vector; z: Vector; s: Vector; correction: Vector } {
  const size = x.abs();
  const far = size.gt(0.5);
  const z = far.select(x.constant(0.5).sub(size.mul(0.5)), size.mul(size));
  const s = far.select(z.sqrt(), size);
  return { far, z, s, correction: s.mul(z).mul(polynomial(z, forFormat(x, asinSingle, asinDouble))) };
}

export function asin(x: Vector): Vector {
  const { far, z, s, correction } = folded(x);
  // The root in two parts, the first with so few bits that its square is exact.
  const high = bitsOf(s).and(forFormat(x, -(2 ** 12), -(2 ** 27))).as(x.type);
  const low = z.sub(high.mul(high)).div(s.add(high).atLeast(2 ** -100));
  const [, lost] = pi(x);
  const quarter = x.constant(pi(x)[0] / 4);
  const beyond = quarter.sub(correction.add(correction).sub(x.constant(lost / 2).sub(low.add(low))).sub(quarter.sub(high.add(high))));
  return withSignOf(x, far.select(beyond, s.add(correction)));
}

export function acos(x: Vector): Vector {
  const { far, s, correction } = folded(x);
  const arc = s.add(correction);
  const twice = arc.add(arc);
  return far.select(x.lt(0).select(fromPi(2, twice), twice), fromPi(1, withSignOf(x, arc)));
}

/** atan t for t from 0 to 1. */
function atanWithin(t: Vector): Vector {
  const z = t.mul(t);
  return t.mul(z).madd(polynomial(z, forFormat(t, atanSingle, atanDouble)), t);
}

/** Beyond 1, π/2 less the arc of the reciprocal. */
export function atan(x: Vector): Vector {
  const size = x.abs();
  const far = size.gt(1);
  const arc = atanWithin(far.select(x.constant(1).div(size), size));
  return withSignOf(x, far.select(fromPi(1, arc), arc));
}

/** The angle of the point (x, y), from -π to π. */
export function atan2(y: Vector, x: Vector): Vector {
  const [width, height] = [x.abs(), y.abs()];
  const steep = height.gt(width);
  const quotient = steep.select(width, height).div(steep.select(height, width));
  // Two zeros count as flat, two infinities as a diagonal.
  const flat = height.eq(0).select(0, width.eq(height).select(1, quotient));
  const arc = atanWithin(flat);
  const right = steep.select(fromPi(1, arc), arc);
  // The sign bit of x: -0 is on the left.
  const left = x.as(x.type === "f32" ? "i32" : "i64").lt(0);
  const angle = left.select(fromPi(2, right), right);
  return x.eq(x).and(y.eq(y)).select(withSignOf(y, angle), NaN);
}
