const { fround } = Math;

/**
 * a * b + c rounded once, for float32 values. The product is exact in float64 and the sum is rounded there, so that
 * rounding again differs from rounding once only where the first result lies half-way between two float32 values.
 *
 * ```ts
 * fma32(1 + 2 ** -12, 1 + 2 ** -12, -1); // 0.0004883408546447754, where two roundings give 0.00048828125
 * ```
 */
export function fma32(a: number, b: number, c: number): number {
  const sum = a * b + c;
  const result = fround(sum);
  const rest = sum - result;
  return rest === 0 || fround(sum + rest) !== sum + rest ? result : breakTie(result, rest, a * b, c, sum);
}

/**
 * a * b + c rounded once, for float64 values (T. J. Dekker's product, S. Boldo and G. Melquiond's sum). Exact where the
 * error of the product, about 2^-53 of it, is a normal number.
 *
 * ```ts
 * fma64(0.1, 10, -1); // 5.551115123125783e-17, the error of 0.1
 * ```
 */
export function fma64(a: number, b: number, c: number): number {
  const product = a * b;
  const aSplit = 134217729 * a;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = 134217729 * b;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  const productError = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  const sum = product + c;
  const back = sum - product;
  const sumError = product - (sum - back) + (c - back);
  const error = sumError + productError;
  const result = sum + error;
  // What `error` itself lost can matter only where `result` was a tie: there its sign decides.
  const rest = error - (result - sum);
  if (rest !== 0 && result + 2 * rest - result === 2 * rest) {
    return breakTie(result, rest, sumError, productError, error);
  }
  return result === result ? result : large(a, b, c);
}

/** `result` or its neighbour on the other side of the tie result + rest, by what rounding took from a + b. */
function breakTie(result: number, rest: number, a: number, b: number, ab: number): number {
  const lost = sumError(a, b, ab);
  return lost !== 0 && lost > 0 === rest > 0 && Number.isFinite(result) ? result + 2 * rest : result;
}

/** Where splitting overflowed: the same on a smaller scale. */
function large(a: number, b: number, c: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b) || !Number.isFinite(c)) return a * b + c;
  return fma64(a * 2 ** -64, b * 2 ** -64, c * 2 ** -128) * 2 ** 128;
}

/** What rounding took from a + b, of which `sum` is the nearest float64 (D. E. Knuth's TwoSum). */
function sumError(a: number, b: number, sum: number): number {
  const back = sum - a;
  return a - (sum - back) + (b - back);
}
