/** Householder reflections, whose signs are those of LAPACK. A matrix is the list of its columns. */
export type Columns = Float64Array[];

/** I - tau · v · vᵀ, where v is zero before `from` and one there. */
export interface Reflection {
  readonly v: Float64Array;
  readonly from: number;
  readonly tau: number;
}

/** What leaves of x, from `from` on, the first element alone. */
export function reflection(x: Float64Array, from: number): Reflection {
  const v = x.slice().fill(0, 0, from);
  const alpha = v[from];
  v[from] = 0;
  const rest = dot(v, v);
  v[from] = 1;
  if (rest === 0) return { v, from, tau: 0 };
  const norm = Math.sqrt(alpha * alpha + rest);
  const beta = alpha < 0 ? norm : -norm;
  for (let i = from + 1; i < v.length; i++) v[i] /= alpha - beta;
  return { v, from, tau: (beta - alpha) / beta };
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Reflects columns where they lie. */
export function reflect(columns: Columns, { v, from, tau }: Reflection): void {
  if (tau === 0) return;
  for (const x of columns) {
    const along = tau * dot(v, x);
    for (let i = from; i < x.length; i++) x[i] -= along * v[i];
  }
}

export const identity = (rows: number, columns: number): Columns => Array.from({ length: columns }, (_, j) => new Float64Array(rows).fill(1, j, j + 1));

/** The product of reflections by `columns`, as the first of `count`, of `rows` elements; the rest are those of the identity. */
export function product(reflections: readonly Reflection[], rows: number, count: number, columns: Columns = []): Columns {
  const out = identity(rows, count);
  columns.forEach((column, j) => (out[j].fill(0), out[j].set(column)));
  for (const one of reflections.toReversed()) reflect(out, one);
  return out;
}

/** Makes R out of a matrix where it lies, and gives the reflections whose product is Q. */
export function triangularize(a: Columns): Reflection[] {
  const steps = Math.min(a.length, a[0]?.length ?? 0);
  return Array.from({ length: steps }, (_, k) => {
    const one = reflection(a[k], k);
    reflect(a.slice(k), one);
    a[k].fill(0, k + 1);
    return one;
  });
}
