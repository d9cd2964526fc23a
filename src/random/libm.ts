/**
 * log, log1p, exp, sin, cos and tan to the last bit as glibc 2.36 computes them on an x86 processor with FMA, which is
 * what PyTorch calls. JavaScript's own differ from them by a unit in the last place in some percent of arguments, and
 * float64 normals would show it. The methods and figures are those of glibc's sysdeps/ieee754/dbl-64: S. Nagy's log and
 * exp, IBM's sin, cos and tan, Sun's log1p. A fused operation stands wherever glibc's compiled code has one whose
 * product is inexact.
 */
import { fma64 } from "./fma.ts";
import { expTable, logTable, sinCosTable, tanTable } from "./libm-tables.ts";

const box = new Float64Array(1);
const words = new Int32Array(box.buffer);

/** The natural logarithm of x. */
export function log(x: number): number {
  if (x >= 1 - 2 ** -4 && x < 1 + 265 * 2 ** -12) return logNearOne(x - 1);
  if (!(x > 0 && x < Infinity)) return Math.log(x);
  return x < 2 ** -1022 ? logBinary(x * 2 ** 52, -52) : logBinary(x, 0);
}

/** log(2^shift x) = k log 2 + log c + log(1 + r), where 2^shift x = 2^k c (1 + r) and c is the table's. */
function logBinary(x: number, shift: number): number {
  box[0] = x;
  const above = words[1]! - 0x3fe60000;
  words[1] = words[1]! - (above & 0xfff00000);
  const z = box[0]!;
  const k = (above >> 20) + shift;
  const table = logTable();
  const piece = (above >> 12) & 0xfe;
  const r = fma64(z, table[piece]!, -1);
  const w = k * 0.6931471805598903 + table[piece + 1]!;
  const high = w + r;
  const r2 = r * r;
  const low = fma64(r2, -0.5000000000000001, fma64(k, 5.497923018708371e-14, w - high + r));
  const even = fma64(r, -0.2499999999622955, 0.33333333331825593);
  const odd = fma64(r, -0.16667054827627667, 0.20000304511814496);
  return fma64(r2 * r, fma64(odd, r2, even), low) + high;
}

/** log(1 + r) for r between -2^-4 and 265 / 4096. */
function logNearOne(r: number): number {
  if (r === 0) return 0;
  const r2 = r * r;
  const r3 = r * r2;
  const a = fma64(r2, 0.19999999999320328, fma64(-0.24999999999998432, r, 0.3333333333333352));
  const b = fma64(r2, -0.12499997863982555, fma64(0.14285715076560868, r, -0.16666666669929706));
  const c = fma64(r2, 0.09181994006195467, fma64(-0.10000486757818193, r, 0.11110712032936046));
  const y = fma64(fma64(fma64(r3, -0.08328363062289341, c), r3, b), r3, a);
  const split = r * 134217729;
  const head = split - r * 134217728;
  const square = head * head * -0.5;
  const high = r + square;
  const low = fma64(-0.5 * (r - head), r + head, r - high + square);
  return high + fma64(y, r3, low);
}

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** log(1 + x) for x > -1. */
export function log1p(x: number): number {
  if (!(x > -1 && x < 2 ** 53)) return Math.log1p(x);
  if (Math.abs(x) < 2 ** -29) return Math.abs(x) < 2 ** -54 ? x : x - x * x * 0.5;
  box[0] = x;
  const top = words[1]!;
  // Between sqrt(1/2) - 1 and sqrt(2) - 1, as far as the upper word tells.
  if (top < 0x3fda827a && (top >= 0 || top <= (0xbfd2bec3 | 0))) return log1pSmall(x, 0.5 * x * x, 0, 0);
  // 1 + x = 2^k (1 + f), but for c = what rounding took from 1 + x, divided by it.
  const u = 1 + x;
  box[0] = u;
  let k = (words[1]! >> 20) - 1023;
  const c = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
  const fraction = words[1]! & 0xfffff;
  const halved = fraction >= 0x6a09e;
  words[1] = fraction | (halved ? 0x3fe00000 : 0x3ff00000);
  if (halved) k++;
  const f = box[0]! - 1;
  const nearPowerOf2 = (halved ? (0x100000 - fraction) >> 2 : fraction) === 0;
  return nearPowerOf2 ? log1pTiny(f, k, c) : log1pSmall(f, 0.5 * f * f, k, c);
}

/** k log 2 + c + log(1 + f) for |f| < 2^-20. */
function log1pTiny(f: number, k: number, c: number): number {
  const low = k === 0 ? 0 : fma64(k, LN2_LOW, c);
  if (f === 0) return k * LN2_HIGH + low;
  const r = 0.5 * f * f * fma64(-0.6666666666666666, f, 1);
  return k === 0 ? f - r : k * LN2_HIGH - (r - low - f);
}

/** k log 2 + c + log(1 + f) by s = f / (2 + f), where log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)). */
function log1pSmall(f: number, halfSquare: number, k: number, c: number): number {
  const s = f / (2 + f);
  const z = s * s;
  const z2 = z * z;
  const z4 = z2 * z2;
  const r2 = fma64(0.2857142874366239, z, 0.3999999999940942);
  const r3 = fma64(0.1818357216161805, z, 0.22222198432149784);
  const r4 = fma64(0.14798198605116586, z, 0.15313837699209373);
  const r = fma64(z2 * z4, r4, fma64(z4, r3, fma64(z, 0.6666666666666735, z2 * r2)));
  const tail = (r + halfSquare) * s;
  if (k === 0) return f - (halfSquare - tail);
  return k * LN2_HIGH - (halfSquare - (fma64(k, LN2_LOW, c) + tail) - f);
}

/** e^x. Beyond |x| >= 512 it is JavaScript's, which may differ in the last bit. */
export function exp(x: number): number {
  const size = Math.abs(x);
  if (!(size < 512)) return Math.exp(x);
  if (size < 2 ** -54) return 1 + x;
  // x = k log(2) / 128 + r
  const k = fma64(x, 184.6649652337873, 6755399441055744) - 6755399441055744;
  const r = fma64(k, -1.2864023111638346e-14, x + k * -0.005415212348111709);
  const table = expTable();
  const piece = (k & 127) << 1;
  const r2 = r * r;
  const low = fma64(r, 0.16666666666665886, 0.49999999999996786);
  const high = fma64(r, 0.008333335853059549, 0.0416666808410674);
  const rest = fma64(r2 * r2, high, fma64(low, r2, r + table[piece]!));
  const scale = table[piece + 1]! * 2 ** (k >> 7);
  return fma64(scale, rest, scale);
}

const HALF_PI = Math.PI / 2;
const HALF_PI_REST = 6.123233995736766e-17;
/** 3 * 2^51: adding and subtracting it rounds to whole numbers. */
const TO_WHOLE = 6755399441055744;
/** 3 * 2^44: adding it rounds to multiples of 1/128. */
const TO_128THS = 52776558133248;
/** Up to here sin and cos need no reduction, and up to there only one step. */
const REDUCE_FROM = 0.85546875;
const REDUCE_FULLY_FROM = 0x1368fd * 2 ** -19;

/** The sine of x; beyond |x| >= 2^25 it is JavaScript's. */
export function sin(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 25)) return Math.sin(x);
  if (size < 2 ** -26) return x;
  if (size < REDUCE_FROM) return sinOf(x, 0);
  if (size < REDUCE_FULLY_FROM) {
    const cosine = cosOf(HALF_PI - size, HALF_PI_REST);
    return x < 0 ? -cosine : cosine;
  }
  return quadrant(x, 0);
}

/** The cosine of x; beyond |x| >= 2^25 it is JavaScript's. */
export function cos(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 25)) return Math.cos(x);
  if (size < 2 ** -27) return 1;
  if (size < REDUCE_FROM) return cosOf(x, 0);
  if (size < REDUCE_FULLY_FROM) {
    const y = HALF_PI - size;
    const head = y + HALF_PI_REST;
    return sinOf(head, y - head + HALF_PI_REST);
  }
  return quadrant(x, 1);
}

/** sin(x + turns pi/2), by what x leaves over whole multiples of pi/2. */
function quadrant(x: number, turns: number): number {
  const n = fma64(x, 0.6366197723675814, TO_WHOLE) - TO_WHOLE;
  const y = x - n * 1.5707963407039642 - n * -1.3909067564377153e-8;
  const y1 = y - n * -4.97899623147991e-17;
  const y1Rest = y - y1 - n * -4.97899623147991e-17;
  const y2 = fma64(-n, -1.9034889620193266e-25, y1);
  const y2Rest = y1Rest + fma64(-n, -1.9034889620193266e-25, y1 - y2);
  const quarter = n + turns;
  const value = (quarter & 1) === 0 ? sinOf(y2, y2Rest) : cosOf(y2, y2Rest);
  return (quarter & 2) === 0 ? value : -value;
}

/** sin(x + dx) from the table's sine of the nearest 128th; by Taylor's series near 0. */
function sinOf(x: number, dx: number): number {
  const size = Math.abs(x);
  if (size < 0.126) return taylorSin(x, dx);
  const rest = x > 0 ? dx : -dx;
  const rounded = size + TO_128THS - TO_128THS;
  const at = rounded * 512;
  const t = size - rounded;
  const t2 = t * t;
  const s = t + fma64(t * t2, fma64(0.008333332142857223, t2, -0.16666666666666488), rest);
  const c = fma64(t, rest, t2 * versine(t2));
  const table = sinCosTable();
  const head = table[at]!;
  const correction = fma64(s, table[at + 2]!, fma64(-c, head, fma64(table[at + 3]!, s, table[at + 1]!)));
  return x < 0 ? -(head + correction) : head + correction;
}

/** cos(x + dx) from the table's cosine of the nearest 128th. */
function cosOf(x: number, dx: number): number {
  const size = Math.abs(x);
  const rounded = size + TO_128THS - TO_128THS;
  const at = rounded * 512;
  const t = size - rounded + (x < 0 ? -dx : dx);
  const t2 = t * t;
  const s = fma64(t * t2, fma64(0.008333332142857223, t2, -0.16666666666666488), t);
  const c = t2 * versine(t2);
  const table = sinCosTable();
  const head = table[at + 2]!;
  return head + fma64(-s, table[at]!, fma64(-c, head, fma64(-s, table[at + 1]!, table[at + 3]!)));
}

/** (1 - cos t) / t^2 for a small t, of which t2 is the square. */
function versine(t2: number): number {
  return fma64(fma64(0.001388888740079376, t2, -0.04166666666666644), t2, 0.5);
}

function taylorSin(x: number, dx: number): number {
  const x2 = x * x;
  let sum = fma64(-2.5022014848318398e-8, x2, 2.755729806860771e-6);
  sum = fma64(sum, x2, -0.00019841269834414642);
  sum = fma64(sum, x2, 0.008333333333332329);
  sum = fma64(sum, x2, -0.16666666666666666);
  return x + fma64(x2, fma64(sum, x, -0.5 * dx), dx);
}

/** The tangent of x; beyond |x| > 25 it is JavaScript's. */
export function tan(x: number): number {
  const size = Math.abs(x);
  if (!(size <= 25)) return Math.tan(x);
  if (size <= 1.2589993048095494e-8) return x;
  if (size <= TAN_SERIES) return fma64(x * (x * x), tanSeries(x * x), x);
  const sign = x < 0 ? -1 : 1;
  if (size <= 0.7869997024536133) return sign * tanNear(size, 0, false);
  const n = fma64(x, 0.6366197723675814, TO_WHOLE) - TO_WHOLE;
  const y = x - n * 1.5707963407039642 - n * -1.3909067564377153e-8;
  const a = fma64(-n, -4.9789962505147994e-17, y);
  const rest = fma64(-n, -4.9789962505147994e-17, y - a);
  const cotangent = (n & 1) !== 0;
  if (Math.abs(a) <= TAN_SERIES) {
    const tail = fma64(a * (a * a), tanSeries(a * a), rest);
    return cotangent ? -reciprocal(a, tail) : a + tail;
  }
  const value = a < 0 ? -tanNear(-a, -rest, cotangent) : tanNear(a, rest, cotangent);
  return cotangent ? -value : value;
}

const TAN_SERIES = 0.060799986124038696;

/** (tan x - x) / x^3 for a small x, of which x2 is the square. */
function tanSeries(x2: number): number {
  let sum = fma64(0.008896546349534924, x2, 0.021869380598167253);
  sum = fma64(sum, x2, 0.05396825411095433);
  sum = fma64(sum, x2, 0.1333333333332673);
  return fma64(sum, x2, 0.3333333333333333);
}

/** tan(x + dx) or cot(x + dx), 0.06 < x < 0.787, from the table's tangent f and cotangent g of a nearby number. */
function tanNear(x: number, dx: number, cotangent: boolean): number {
  const table = tanTable();
  const at = Math.trunc(256 * x - 15.5) * 3;
  const z = x - table[at]! + dx;
  const z2 = z * z;
  const tangent = fma64(z * z2, fma64(z2, 0.13333354920669913, 0.3333333333332254), z);
  const f = table[at + 1]!;
  const g = table[at + 2]!;
  const numerator = (f + g) * tangent;
  return cotangent ? g - numerator / (f + tangent) : f + numerator / (g - tangent);
}

/** 1 / (a + tail), rounded once or nearly. */
function reciprocal(a: number, tail: number): number {
  const sum = a + tail;
  const rest = Math.abs(a) > Math.abs(tail) ? a - sum + tail : tail - sum + a;
  const quotient = 1 / sum;
  const product = quotient * sum;
  const error = fma64(-rest, quotient, 1 - product - fma64(quotient, sum, -product)) / sum;
  const value = quotient + error;
  return quotient - value + error + value;
}
