/** Singular values and vectors: LAPACK's way by a bidiagonal matrix (dgesdd, dgebrd, dbdsqr), so that signs are its own too. */
import { identity, product, reflect, reflection, triangularize, type Columns, type Reflection } from "./householder.ts";
import { bidiagonalSvd } from "./bidiagonal.ts";
import { rotation } from "./rotation.ts";

interface Bidiagonal {
  d: Float64Array;
  e: Float64Array;
  left: Reflection[];
  right: Reflection[];
}

const transposed = (a: Columns, rows: number): Columns => Array.from({ length: rows }, (_, i) => Float64Array.from(a, (column) => column[i]));

/** Of a matrix of no more columns than rows. */
function bidiagonalize(columns: Columns): Bidiagonal {
  const n = columns.length;
  const [left, right]: [Reflection[], Reflection[]] = [[], []];
  let a = columns;
  for (let k = 0; k < n; k++) {
    left.push(reflection(a[k], k));
    reflect(a, left[k]);
    if (k + 1 === n) break;
    const rows = transposed(a, a[0].length);
    right.push(reflection(rows[k], k + 1));
    reflect(rows, right[k]);
    a = transposed(rows, n);
  }
  return { d: Float64Array.from(a, (column, i) => column[i]), e: Float64Array.from(a.slice(1), (column, i) => column[i]), left, right };
}

/** Makes an upper bidiagonal matrix of a lower one; returns what undoes it for the rows of U. */
function toUpper(d: Float64Array, e: Float64Array): (u: Columns) => void {
  const turns = Array.from(e, (_, i) => {
    const [cos, sin, r] = rotation(d[i], e[i]);
    [d[i], e[i], d[i + 1]] = [r, sin * d[i + 1], cos * d[i + 1]];
    return [cos, sin];
  });
  return (u) => {
    for (let j = turns.length - 1; j >= 0; j--) {
      const [cos, sin] = turns[j];
      for (const x of u) [x[j], x[j + 1]] = [cos * x[j] - sin * x[j + 1], cos * x[j + 1] + sin * x[j]];
    }
  };
}

/**
 * U, S and V with A = U · diag(S) · Vᵀ for the columns of an m × n matrix; k = min(m, n) columns of U and V, or all where `full`.
 * Singular values descend. `epsilon`, that of the dtype, says what is as good as zero: signs depend on it.
 */
export function singularValues(a: Columns, m: number, n: number, full: boolean, epsilon: number): { s: Float64Array; u: Columns; v: Columns } {
  if (m < n) {
    const { d, e, left, right } = bidiagonalize(transposed(a, m));
    const back = toUpper(d, e);
    const [u, v] = [identity(m, m), identity(m, m)];
    bidiagonalSvd(d, e, u, v, epsilon);
    back(u);
    return { s: d, u: product(right, m, m, u), v: product(left, n, full ? n : m, v) };
  }
  let core = a.map((column) => column.slice());
  // A long matrix is made square first.
  const outer = m >= Math.floor(1.5 * n) ? triangularize(core) : [];
  if (outer.length > 0) core = core.map((column) => column.slice(0, n));
  const { d, e, left, right } = bidiagonalize(core);
  const [u, v] = [identity(n, n), identity(n, n)];
  bidiagonalSvd(d, e, u, v, epsilon);
  const count = full ? m : n;
  const own = outer.length > 0 ? product(outer, m, count, product(left, n, n, u)) : product(left, m, count, u);
  return { s: d, u: own, v: product(right, n, n, v) };
}
