/** Scalar functions that JavaScript lacks or defines otherwise than C. */
import { RuntimeError } from "../../errors.ts";

/** Rounds to the nearest whole number, halves to even, as C's nearbyint does. */
export function roundHalfEven(x: number): number {
  const r = Math.round(x);
  if (Math.abs(x) % 1 !== 0.5) return r === 0 && x < 0 ? -0 : r;
  return r % 2 === 0 ? r : r - 1;
}

/** C's pow: 1 to any power is 1, and -1 to an infinite one. */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  return Math.pow(x, y);
}

/** 2 to the power of x. */
export function exp2(x: number): number {
  return Math.pow(2, x);
}

/** The magnitude of `x` with the sign of `sign`. */
export function copysign(x: number, sign: number): number {
  const magnitude = Math.abs(x);
  return sign < 0 || Object.is(sign, -0) ? -magnitude : magnitude;
}

/** The larger number; a NaN counts as missing. */
export function fmax(a: number, b: number): number {
  return a !== a ? b : b !== b ? a : Math.max(a, b);
}

/** The smaller number; a NaN counts as missing. */
export function fmin(a: number, b: number): number {
  return a !== a ? b : b !== b ? a : Math.min(a, b);
}

/** Integer power with wrap-around left to the caller; negative powers are 0 but for bases 1 and -1. */
export function integerPow(x: bigint, y: bigint): bigint {
  if (y >= 0n) {
    let result = 1n;
    for (let base = x, e = y; e > 0n; e >>= 1n) {
      if (e & 1n) result = BigInt.asIntN(64, result * base);
      base = BigInt.asIntN(64, base * base);
    }
    return result;
  }
  if (x === 1n) return 1n;
  if (x === -1n) return y % 2n === 0n ? 1n : -1n;
  return 0n;
}

/** The greatest common divisor; gcd(x, 0) is |x|. */
export function gcd(x: number, y: number): number {
  let [a, b] = [Math.abs(x), Math.abs(y)];
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

export function bigGcd(x: bigint, y: bigint): bigint {
  let [a, b] = [x < 0n ? -x : x, y < 0n ? -y : y];
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** Python's modulo: the result has the sign of the divisor. */
export function remainder(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

/** Python's floor division of floats (c10::div_floor_floating). */
export function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const mod = a % b;
  let quotient = (a - mod) / b;
  if (mod !== 0 && b < 0 !== mod < 0) quotient -= 1;
  if (quotient === 0) return copysign(0, a / b);
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

/** Refuses a zero divisor among integers, as PyTorch does. */
export function divisor<T extends number | bigint>(b: T): T {
  if (b == 0) throw new RuntimeError("ZeroDivisionError");
  return b;
}

export function bigRemainder(a: bigint, b: bigint): bigint {
  const r = a % divisor(b);
  return r !== 0n && r < 0n !== b < 0n ? r + b : r;
}

export function bigFloorDivide(a: bigint, b: bigint): bigint {
  const q = a / divisor(b);
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q;
}

/** A float as int32: truncated; what does not fit becomes the least int32, as on x86. */
export function toInt32(x: number): number {
  return x > -2147483649 && x < 2147483648 ? x | 0 : -2147483648;
}

/** A float as int64: truncated; what does not fit becomes the least int64, as on x86. */
export function toInt64(x: number): bigint {
  const t = Math.trunc(x);
  return t >= -9223372036854775808 && t < 9223372036854775808 ? BigInt(t) : -9223372036854775808n;
}

// Coefficients of W. J. Cody's rational approximations, "Rational Chebyshev approximations for the error function" (1969).
const P2 = [5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3, 2.15311535474403846e-8];
const Q2 = [1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3];
const P3 = [3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4, 1.63153871373020978e-2];
const Q3 = [2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3];

/** Coefficients of the Maclaurin series: erf(x) = 2x/√π · Σ (-x²)ⁿ / (n! (2n + 1)). */
const series = Array.from({ length: 18 }, (_, n) => {
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return (n % 2 === 0 ? 1 : -1) / (factorial * (2 * n + 1));
});

/** The error function, to within two units in the last place of a double. */
export function erf(x: number): number {
  const y = Math.abs(x);
  if (y > 0.85) return copysign(1 - erfcTail(y), x);
  const z = x * x;
  let sum = 0;
  for (let n = series.length - 1; n >= 0; n--) sum = sum * z + series[n];
  return x * (2 / Math.sqrt(Math.PI)) * sum;
}

/** 1 - erf(x), without loss of digits where erf(x) is near 1. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) <= 0.46875) return 1 - erf(x);
  return x < 0 ? 2 - erfcTail(-x) : erfcTail(x);
}

/** erfc(y) for y > 0.46875. */
function erfcTail(y: number): number {
  if (y > 27.3) return 0;
  let ratio: number;
  if (y <= 4) {
    let num = P2[8] * y;
    let den = y;
    for (let i = 0; i < 7; i++) {
      num = (num + P2[i]) * y;
      den = (den + Q2[i]) * y;
    }
    ratio = (num + P2[7]) / (den + Q2[7]);
  } else {
    const z = 1 / (y * y);
    let num = P3[5] * z;
    let den = z;
    for (let i = 0; i < 4; i++) {
      num = (num + P3[i]) * z;
      den = (den + Q3[i]) * z;
    }
    ratio = (0.56418958354775628695 - (z * (num + P3[4])) / (den + Q3[4])) / y;
  }
  // The square of so few digits is exact.
  const head = Math.trunc(y * 256) / 256;
  const power = Math.exp(-head * head);
  return (power + power * Math.expm1(-(y - head) * (y + head))) * ratio;
}
