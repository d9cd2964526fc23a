/** Gaussian elimination with partial pivoting. Matrices lie by columns, as in LAPACK, and are square unless `columns` says otherwise. */
import type { FloatArray } from "./lanes.ts";

/**
 * Makes L below the diagonal and U on and above it out of a matrix of n rows, where it lies; `pivots[k]` is the row, counted from 1, with which
 * row k changed places. Returns which diagonal element of U is the first that is zero, counted from 1, or 0 where none is.
 */
export function factorize(a: FloatArray, n: number, pivots: Int32Array, columns = n): number {
  let firstZero = 0;
  for (let k = 0; k < Math.min(n, columns); k++) {
    const pivot = largestBelow(a, n, k);
    pivots[k] = pivot + 1;
    if (a[k * n + pivot] === 0) {
      firstZero ||= k + 1;
      continue;
    }
    if (pivot !== k) for (let j = 0; j < columns; j++) swap(a, j * n + k, j * n + pivot);
    eliminate(a, n, k, columns);
  }
  return firstZero;
}

/** The row from the diagonal on whose element of column k is the largest. */
function largestBelow(a: FloatArray, n: number, k: number): number {
  let row = k;
  for (let i = k + 1; i < n; i++) if (Math.abs(a[k * n + i]) > Math.abs(a[k * n + row])) row = i;
  return row;
}

function swap(a: FloatArray, p: number, q: number): void {
  [a[p], a[q]] = [a[q], a[p]];
}

function eliminate(a: FloatArray, n: number, k: number, columns: number): void {
  const column = k * n;
  for (let i = k + 1; i < n; i++) a[column + i] /= a[column + k];
  for (let j = k + 1; j < columns; j++) {
    const factor = a[j * n + k];
    for (let i = k + 1; i < n; i++) a[j * n + i] -= a[column + i] * factor;
  }
}

/** Solves A·X = B, or Aᵀ·X = B, for the columns of `b` where they lie, by the factors of A. */
export function solveFactored(lu: FloatArray, n: number, pivots: Int32Array, b: FloatArray, transposed: boolean): void {
  const [lower, upper]: [Triangle, Triangle] = [{ upper: false, unit: true }, { upper: true, unit: false }];
  for (let at = 0; at < b.length; at += n) {
    const x = b.subarray(at, at + n);
    if (!transposed) for (let k = 0; k < n; k++) swap(x, k, pivots[k] - 1);
    for (const triangle of transposed ? [upper, lower] : [lower, upper]) substitute(lu, n, x, triangle, transposed);
    if (transposed) for (let k = n - 1; k >= 0; k--) swap(x, k, pivots[k] - 1);
  }
}

/** Which half of a matrix is meant, and whether its diagonal stands for ones. */
export interface Triangle {
  upper: boolean;
  unit: boolean;
}

/** Solves T·x = b, or Tᵀ·x = b, for the triangle T of a matrix; x lies where b lay. */
export function substitute(a: FloatArray, n: number, x: FloatArray, { upper, unit }: Triangle, transposed = false): void {
  const fromEnd = upper !== transposed;
  for (let step = 0; step < n; step++) {
    const k = fromEnd ? n - 1 - step : step;
    if (!unit) x[k] /= a[k * n + k];
    const [from, to] = fromEnd ? [0, k] : [k + 1, n];
    for (let i = from; i < to; i++) x[i] -= a[transposed ? i * n + k : k * n + i] * x[k];
  }
}
