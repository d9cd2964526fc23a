/**
 * logf, sinf and cosf to the last bit as glibc 2.36 computes them on an x86 processor with FMA: S. Nagy's and
 * W. Dijkstra's methods in float64, rounded to float32 at the end (sysdeps/ieee754/flt-32).
 */
import { fma64 } from "./fma.ts";
import { logfTable } from "./libm-tables.ts";

const value = new Float32Array(1);
const bits = new Int32Array(value.buffer);

/** The natural logarithm of a positive, normal float32. */
export function logf(x: number): number {
  if (x === 1) return 0;
  value[0] = x;
  const above = bits[0]! - 0x3f330000;
  bits[0] = bits[0]! - (above & 0xff800000);
  const table = logfTable();
  const piece = (above >> 18) & 30;
  const r = fma64(value[0]!, table[piece]!, -1);
  const y = r + fma64(above >> 23, Math.LN2, table[piece + 1]!);
  const r2 = r * r;
  const series = fma64(r2, -0.25089342214237154, fma64(0.333456765744066, r, -0.4999997485802103));
  return Math.fround(fma64(r2, series, y));
}

/** The sine of a float32 in [0, 120). */
export function sinf(x: number): number {
  if (x < 2 ** -12) return x;
  return x < 0.75 ? Math.fround(sine(x)) : quadrant(x, 0);
}

/** The cosine of a float32 in [0, 120). */
export function cosf(x: number): number {
  if (x < 2 ** -12) return 1;
  return x < 0.75 ? Math.fround(cosine(x)) : quadrant(x, 1);
}

/** sin(x + turns pi/2), by what x leaves over whole multiples of pi/2. */
function quadrant(x: number, turns: number): number {
  const n = (Math.trunc(x * 10680707.430881744) + 0x800000) >> 24;
  const t = fma64(-n, Math.PI / 2, x);
  const quarter = n + turns;
  const result = Math.fround((quarter & 1) === 0 ? sine(t) : cosine(t));
  return (quarter & 2) === 0 ? result : -result;
}

function sine(x: number): number {
  const x2 = x * x;
  const x3 = x * x2;
  const high = fma64(-0.00019517298981385725, x2, 0.008332178146138854);
  return fma64(high, x2 * x3, fma64(x3, -0.16666654943701084, x));
}

function cosine(x: number): number {
  const x2 = x * x;
  const x4 = x2 * x2;
  const low = fma64(x4, 0.041666623324344516, fma64(-0.49999999725108224, x2, 1));
  const high = fma64(2.4390450703564542e-5, x2, -0.001388676379437604);
  return fma64(high, x2 * x4, low);
}
