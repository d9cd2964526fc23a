/** Eigenvalues and eigenvectors of symmetric matrices: LAPACK's way by a tridiagonal matrix (dsytd2, dsteqr), so that signs are its own too. */
import { product, reflect, reflection, type Columns } from "./householder.ts";
import { rotation, turn } from "./rotation.ts";

/** Reads the lower half of a matrix, or the upper; eigenvalues ascend. `epsilon`, that of the dtype, says what is as good as zero: signs depend on it. */
export function symmetricEigen(a: Columns, upper: boolean, epsilon: number): { values: Float64Array; vectors: Columns } {
  const n = a.length;
  // The upper half is reduced from the end: it is the lower half of the matrix read backwards.
  const at = (i: number): number => (upper ? n - 1 - i : i);
  const s = a.map((_, j) => Float64Array.from(a, (_, i) => (i < j ? a[at(i)][at(j)] : a[at(j)][at(i)])));
  const reflections = [];
  for (let k = 0; k + 1 < n; k++) {
    const one = reflection(s[k], k + 1);
    reflections.push(one);
    for (let side = 0; side < 2; side++) {
      reflect(s, one);
      transpose(s);
    }
  }
  const vectors = product(reflections, n, n);
  const values = Float64Array.from(s, (column, i) => column[i]);
  const off = Float64Array.from(s.slice(1), (column, i) => column[i]);
  if (upper) for (const list of [values, off, vectors, ...vectors]) list.reverse();
  diagonalize(values, off, vectors, epsilon);
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  return { values: values.sort(), vectors: order.map((i) => vectors[i]) };
}

function transpose(s: Columns): void {
  for (let i = 0; i < s.length; i++) for (let j = 0; j < i; j++) [s[i][j], s[j][i]] = [s[j][i], s[i][j]];
}

/** Makes the diagonal `d` of a tridiagonal matrix its eigenvalues, and turns the columns of `z` with it. `e` lies beside the diagonal. */
function diagonalize(d: Float64Array, e: Float64Array, z: Columns, epsilon: number): void {
  const n = d.length;
  for (let start = 0; start < n; ) {
    let end = start;
    while (end < n - 1 && Math.abs(e[end]) > Math.sqrt(Math.abs(d[end])) * Math.sqrt(Math.abs(d[end + 1])) * epsilon) end++;
    if (end < n - 1) e[end] = 0;
    // Towards the end with the larger element (QL), or from it (QR).
    if (Math.abs(d[end]) < Math.abs(d[start])) iterate(d, e, z, end, start, -1, epsilon);
    else iterate(d, e, z, start, end, 1, epsilon);
    start = end + 1;
  }
}

/** Where in `e` the element between i and the next one lies. */
const beside = (i: number, step: 1 | -1): number => (step > 0 ? i : i - 1);

/** Finds the eigenvalues from `l` to `last`, one after another; `step` leads there. */
function iterate(d: Float64Array, e: Float64Array, z: Columns, l: number, last: number, step: 1 | -1, epsilon: number): void {
  for (let sweeps = 0; (last - l) * step >= 0 && sweeps < 30 * d.length; ) {
    let m = l;
    while (m !== last && e[beside(m, step)] ** 2 > epsilon ** 2 * Math.abs(d[m]) * Math.abs(d[m + step])) m += step;
    if (m !== last) e[beside(m, step)] = 0;
    if (m === l) l += step;
    else if (m === l + step) {
      solvePair(d, e, z, Math.min(l, m));
      l += 2 * step;
    } else {
      chase(d, e, z, l, m, step);
      sweeps++;
    }
  }
}

/** One implicit step with Wilkinson's shift, from m back to l. */
function chase(d: Float64Array, e: Float64Array, z: Columns, l: number, m: number, step: 1 | -1): void {
  const first = (d[l + step] - d[l]) / (2 * e[beside(l, step)]);
  let g = d[m] - d[l] + e[beside(l, step)] / (first + (first < 0 ? -1 : 1) * Math.hypot(first, 1));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - step; ; i -= step) {
    const f = s * e[beside(i, step)];
    const b = c * e[beside(i, step)];
    const [cos, sin, r] = rotation(g, f, true);
    [c, s] = [cos, sin];
    if (i !== m - step) e[beside(i + step, step)] = r;
    g = d[i + step] - p;
    const t = (d[i] - g) * s + 2 * c * b;
    p = s * t;
    d[i + step] = g + p;
    g = c * t - b;
    if (step > 0) turn(z[i], z[i + 1], c, -s);
    else turn(z[i - 1], z[i], c, s);
    if (i === l) break;
  }
  d[l] -= p;
  e[beside(l, step)] = g;
}

/** The eigenvalues of the 2 × 2 matrix at i (dlaev2). */
function solvePair(d: Float64Array, e: Float64Array, z: Columns, i: number): void {
  const [a, b, c] = [d[i], e[i], d[i + 1]];
  const [sum, difference, twice] = [a + c, a - c, 2 * b];
  const root = Math.hypot(difference, twice);
  const [larger, smaller] = Math.abs(a) > Math.abs(c) ? [a, c] : [c, a];
  const first = sum === 0 ? root / 2 : (sum + (sum < 0 ? -root : root)) / 2;
  const second = sum === 0 ? -root / 2 : (larger / first) * smaller - (b / first) * b;
  const cs = difference + (difference >= 0 ? root : -root);
  let [cos, sin] = [1, 0];
  if (Math.abs(cs) > Math.abs(twice)) {
    const cotangent = -twice / cs;
    sin = 1 / Math.hypot(1, cotangent);
    cos = cotangent * sin;
  } else if (twice !== 0) {
    const tangent = -cs / twice;
    cos = 1 / Math.hypot(1, tangent);
    sin = tangent * cos;
  }
  if (sum < 0 === difference < 0) [cos, sin] = [-sin, cos];
  turn(z[i], z[i + 1], cos, sin);
  [d[i], d[i + 1], e[i]] = [first, second, 0];
}
