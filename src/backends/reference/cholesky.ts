/** The Cholesky factor of a positive-definite matrix. Matrices lie by columns. */
import type { FloatArray } from "./lanes.ts";

/** Makes L with A = L·Lᵀ out of the lower half of A, where it lies. Returns the order of the first leading minor that is not positive, or 0. */
export function choleskyInPlace(a: FloatArray, n: number): number {
  for (let k = 0; k < n; k++) {
    let diagonal = a[k * n + k];
    for (let j = 0; j < k; j++) diagonal -= a[j * n + k] * a[j * n + k];
    if (!(diagonal > 0)) return k + 1;
    const root = (a[k * n + k] = Math.sqrt(diagonal));
    for (let i = k + 1; i < n; i++) {
      let element = a[k * n + i];
      for (let j = 0; j < k; j++) element -= a[j * n + i] * a[j * n + k];
      a[k * n + i] = element / root;
    }
  }
  return 0;
}
