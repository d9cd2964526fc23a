/** Special functions of doubles that JavaScript lacks. */
import { erf, erfc } from "./math.ts";

/** The Bernoulli numbers B₂, B₄, … of the asymptotic series. */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330];

/** From here on the asymptotic series give all digits of a double. */
const FAR = 12;

/** ζ(k) / k from k = 2 on, computed when they are first needed. */
let taylor: readonly number[] = [];

/** lgamma(1 + z) for |z| ≤ ½: its Taylor series, -γz + Σ ζ(k) (-z)ᵏ / k. */
function lgammaNearOne(z: number): number {
  if (taylor.length === 0) taylor = Array.from({ length: 52 }, (_, i) => zeta(i + 2, 1) / (i + 2));
  let sum = 0;
  for (let i = taylor.length - 1; i >= 0; i--) sum = (taylor[i] - sum) * z;
  return sum * z - 0.5772156649015329 * z;
}

/** The logarithm of |Γ(x)|: near its zeros a Taylor series, else Stirling's; Γ(x) Γ(1 - x) = π / sin(πx), Γ(x + 1) = x Γ(x). */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x) || (x <= 0 && Number.isInteger(x))) return Infinity;
  // The next term is too small for a double.
  if (Math.abs(x) < 2 ** -27) return -Math.log(Math.abs(x)) - 0.5772156649015329 * x;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x - Math.round(x))))) - lgamma(1 - x);
  if (x <= 1.5) return lgammaNearOne(x - 1);
  if (x <= 2.5) return lgammaNearOne(x - 2) + Math.log1p(x - 2);
  let [z, product] = [x, 1];
  for (; z < FAR; z++) product *= z;
  let sum = 0;
  for (let k = bernoulli.length - 1; k >= 0; k--) sum = sum / (z * z) + bernoulli[k] / ((2 * k + 2) * (2 * k + 1));
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + sum / z - Math.log(product);
}

/** The slope of lgamma: its series differentiated, ψ(x) = ψ(x + 1) - 1/x, and ψ(1 - x) - ψ(x) = π / tan(πx). */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
  if (x === Infinity) return x;
  if (x < 0) return Number.isInteger(x) ? NaN : digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)));
  let [z, shift] = [x, 0];
  for (; z < FAR; z++) shift += 1 / z;
  let sum = 0;
  for (let k = bernoulli.length - 1; k >= 0; k--) sum = (sum + bernoulli[k] / (2 * k + 2)) / (z * z);
  return Math.log(z) - 0.5 / z - sum - shift;
}

/** Hurwitz's zeta function, the sum of (q + k)^-s over k ≥ 0, by the formula of Euler and Maclaurin. */
export function zeta(s: number, q: number): number {
  if (s === 1) return Infinity;
  if (!(s > 1)) return NaN;
  if (q <= 0) {
    if (Number.isInteger(q)) return Infinity;
    if (!Number.isInteger(s)) return NaN;
  }
  let [z, sum] = [q, 0];
  for (; z < FAR; z++) sum += Math.pow(z, -s);
  const power = Math.pow(z, -s);
  sum += (power * z) / (s - 1) + power / 2;
  // B₂ₖ / (2k)! · s (s + 1) … (s + 2k - 2) · z^(-s - 2k + 1)
  let factor = (s * power) / z;
  for (let k = 0; k < bernoulli.length; k++) {
    factor /= (2 * k + 2) * (k === 0 ? 1 : 2 * k + 1);
    sum += bernoulli[k] * factor;
    factor *= ((s + 2 * k + 1) * (s + 2 * k + 2)) / (z * z);
  }
  return sum;
}

/** The n-th derivative of digamma at x. */
export function polygamma(x: number, n: number): number {
  if (n === 0) return digamma(x);
  return (n % 2 === 1 ? 1 : -1) * Math.exp(lgamma(n + 1)) * zeta(n + 1, x);
}

/** The number whose erf is x: S. Winitzki's approximation, then Halley's steps. */
export function erfinv(x: number): number {
  const y = Math.abs(x);
  if (!(y < 1)) return y === 1 ? x * Infinity : NaN;
  if (x === 0) return x;
  const log = Math.log((1 - y) * (1 + y));
  const half = 2 / (Math.PI * 0.147) + log / 2;
  let root = Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
  for (let step = 0; step < 3; step++) {
    const off = y < 0.5 ? erf(root) - y : 1 - y - erfc(root);
    const newton = off * (Math.sqrt(Math.PI) / 2) * Math.exp(root * root);
    root -= newton / (1 + root * newton);
  }
  return x < 0 ? -root : root;
}

/** The modified Bessel function of the first kind and of order 0 or 1: its power series, far from 0 the asymptotic one. */
function bessel(x: number, order: 0 | 1): number {
  const y = Math.abs(x);
  const sign = order === 1 && x < 0 ? -1 : 1;
  let [term, sum] = [1, 1];
  if (y <= 30) {
    for (let k = 1; term > sum * 1e-18; k++) sum += term *= (y * y) / (4 * k * (k + order));
    return order === 0 ? sum : (y / 2) * sum * sign;
  }
  for (let k = 1; k <= 25; k++) sum += term *= ((2 * k - 1) ** 2 - 4 * order) / (8 * k * y);
  const grown = Math.exp(y / 2);
  return (grown / Math.sqrt(2 * Math.PI) / Math.sqrt(y)) * sum * grown * sign;
}

export const i0 = (x: number): number => bessel(x, 0);
export const i1 = (x: number): number => bessel(x, 1);

const bitsOf = new DataView(new ArrayBuffer(8));

/** The next double after x towards y. */
export function nextafter(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  if (x === 0) return y > 0 ? Number.MIN_VALUE : -Number.MIN_VALUE;
  bitsOf.setFloat64(0, x);
  bitsOf.setBigInt64(0, bitsOf.getBigInt64(0) + (x < y === x > 0 ? 1n : -1n));
  return bitsOf.getFloat64(0);
}

/** The next float32 after x towards y. */
export function nextafterf(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (x === y) return y;
  if (x === 0) return y > 0 ? 2 ** -149 : -(2 ** -149);
  bitsOf.setFloat32(0, x);
  bitsOf.setInt32(0, bitsOf.getInt32(0) + (x < y === x > 0 ? 1 : -1));
  return bitsOf.getFloat32(0);
}
