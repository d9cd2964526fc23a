/** Singular values by one-sided Jacobi rotations (Hestenes 1958; Golub and Van Loan, Matrix Computations, section 8.6.3). */

/** A matrix by its columns. */
export type Columns = Float64Array[];

const sweeps = 60;

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function rotate(a: Float64Array, b: Float64Array, cos: number, sin: number): void {
  for (let i = 0; i < a.length; i++) [a[i], b[i]] = [cos * a[i] - sin * b[i], sin * a[i] + cos * b[i]];
}

/**
 * U, S and V with A = U · diag(S) · Vᵀ for a matrix of no more columns than rows, whose columns become those of U.
 * Singular values come in descending order.
 */
export function singularValues(u: Columns): { s: Float64Array; u: Columns; v: Columns } {
  const n = u.length;
  const v = u.map((_, j) => Float64Array.from({ length: n }, (_, i) => Number(i === j)));
  let rotated = true;
  for (let sweep = 0; rotated && sweep < sweeps; sweep++) {
    rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) rotated = orthogonalize(u, v, p, q) || rotated;
    }
  }
  const norms = u.map((column) => Math.sqrt(dot(column, column)));
  const order = norms.map((_, j) => j).sort((i, j) => norms[j] - norms[i]);
  const directions = order.filter((j) => norms[j] > 0).map((j) => u[j].map((x) => x / norms[j]));
  return { s: Float64Array.from(order, (j) => norms[j]), u: completed(directions, n, u[0]?.length ?? 0), v: order.map((j) => v[j]) };
}

/** Orthonormal columns of `length`, and as many more as make `count`. */
function completed(columns: Columns, count: number, length: number): Columns {
  for (let axis = 0; columns.length < count; axis++) {
    const rest = Float64Array.from({ length }, (_, i) => Number(i === axis));
    // Twice, since the first round leaves rounding along the columns.
    for (const column of [...columns, ...columns]) {
      const along = dot(rest, column);
      rest.forEach((_, i) => (rest[i] -= along * column[i]));
    }
    const norm = Math.sqrt(dot(rest, rest));
    if (norm > 0.5 / Math.sqrt(length)) columns.push(rest.map((x) => x / norm));
  }
  return columns;
}

/** Makes two columns orthogonal; false where they were. */
function orthogonalize(u: Columns, v: Columns, p: number, q: number): boolean {
  const [alpha, beta, gamma] = [dot(u[p], u[p]), dot(u[q], u[q]), dot(u[p], u[q])];
  if (!(Math.abs(gamma) > 1e-15 * Math.sqrt(alpha * beta))) return false;
  const zeta = (beta - alpha) / (2 * gamma);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cos = 1 / Math.hypot(1, tangent);
  rotate(u[p], u[q], cos, cos * tangent);
  rotate(v[p], v[q], cos, cos * tangent);
  return true;
}
