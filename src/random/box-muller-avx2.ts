/**
 * Box and Muller's method for float32, to the last bit as PyTorch's AVX2 build computes it: log, sin and cos are the
 * polynomials of S. L. Moshier's Cephes library in the form of J. Pommier's avx_mathfun, with multiplication and
 * addition fused where the compiler does so. Where float64 holds a fused sum exactly, one `fround` is enough. Figures
 * from aten/src/ATen/native/cpu/avx_mathfun.h.
 */
import { fma32 } from "./fma.ts";

const { fround } = Math;
const value = new Float32Array(1);
const bits = new Int32Array(value.buffer);

/** Turns every full block of 16 uniforms into 16 normal numbers: 8 radii, then 8 angles. */
export function transformAvx2(out: Float32Array, mean: number, std: number): void {
  radii(out);
  rotate(out, mean, std);
}

/** For the first 8 of each block: u becomes sqrt(-2 log(1 - u)). */
function radii(out: Float32Array): void {
  for (let at = 0; at + 16 <= out.length; at += 16) {
    for (let j = at; j < at + 8; j++) out[j] = Math.sqrt(fround(-2 * log(fround(1 - out[j]!))));
  }
}

const LOG_SERIES = Float32Array.of(
  7.0376836292e-2,
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
const SQRT_HALF = fround(Math.SQRT1_2);
const LN2_LOW = fround(-2.1219444e-4);
const LN2_HIGH = 0.693359375;

/** The natural logarithm of a positive, normal float32. */
function log(x: number): number {
  value[0] = x;
  let exponent = (bits[0]! >>> 23) - 126;
  bits[0] = (bits[0]! & 0x7fffff) | 0x3f000000;
  const half = value[0]!;
  let f = fround(half - 1);
  if (half < SQRT_HALF) {
    exponent--;
    f = fround(f + half);
  }
  const square = fround(f * f);
  let y = LOG_SERIES[0]!;
  for (let i = 1; i < 9; i++) y = fma32(y, f, LOG_SERIES[i]!);
  y = fma32(fround(y * f), square, fround(exponent * LN2_LOW));
  return fround(exponent * LN2_HIGH + fround(f + fround(y - 0.5 * square)));
}

const TWO_PI = fround(2 * Math.PI);
const FOUR_OVER_PI = fround(1.27323954473516);
/** -pi/4 in three parts. */
const MINUS_QUARTER_PI = Float32Array.of(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8);
const SIN_SERIES = Float32Array.of(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1);
const COS_SERIES = Float32Array.of(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2);

/** For each block of radii r and uniforms u: r becomes r cos(2 pi u) std + mean, u becomes r sin(2 pi u) std + mean. */
function rotate(out: Float32Array, mean: number, std: number): void {
  for (let at = 0; at + 16 <= out.length; at += 16) {
    for (let j = at; j < at + 8; j++) {
      const theta = fround(TWO_PI * out[j + 8]!);
      // theta lies within pi/4 of an even number of octants: t is what it has over them.
      const octants = (fround(theta * FOUR_OVER_PI) + 1) & ~1;
      let t = theta;
      for (let i = 0; i < 3; i++) t = fround(octants * MINUS_QUARTER_PI[i]! + t);
      const square = fround(t * t);
      let cosine = COS_SERIES[0]!;
      let sine = SIN_SERIES[0]!;
      for (let i = 1; i < 3; i++) {
        cosine = fma32(cosine, square, COS_SERIES[i]!);
        sine = fma32(sine, square, SIN_SERIES[i]!);
      }
      cosine = fround(fma32(fround(cosine * square), square, -0.5 * square) + 1);
      sine = fma32(fround(sine * square), t, t);
      const swapped = (octants & 2) !== 0;
      const radius = out[j]!;
      const c = (octants + 2) & 4 ? -radius : radius;
      const s = octants & 4 ? -radius : radius;
      out[j] = fma32(fround(c * (swapped ? sine : cosine)), std, mean);
      out[j + 8] = fma32(fround(s * (swapped ? cosine : sine)), std, mean);
    }
  }
}
