/** Patterns of indices, written into typed arrays: triangles, rising tuples, repetitions. */

/** A whole number as an element of its array. */
type Whole = (value: number) => number | bigint;
type Writable = { [index: number]: number | bigint };
export type WholeArray = Int32Array | BigInt64Array;

const wholeOf = (data: WholeArray): Whole => (data instanceof BigInt64Array ? BigInt : Number);

/** Does the element at (row, column) belong to the triangle up to (`lower`) or from `diagonal` on? */
const isWithin = (row: number, column: number, diagonal: number, lower: boolean): boolean => (lower ? column - row <= diagonal : column - row >= diagonal);

/** Marks with 1 what lies outside the lower or the upper triangle of a matrix. */
export function markOutsideTriangle(mask: Uint8Array, rows: number, columns: number, diagonal: number, lower: boolean): void {
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, i++) mask[i] = isWithin(r, c, diagonal, lower) ? 0 : 1;
  }
}

/** The (row, column) pairs of a triangle, row by row. */
export function triangleIndices(rows: number, columns: number, diagonal: number, lower: boolean): [number, number][] {
  const found: [number, number][] = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) if (isWithin(r, c, diagonal, lower)) found.push([r, c]);
  }
  return found;
}

/** Writes the rows of all pairs, then their columns. */
export function writePairs(data: WholeArray, pairs: readonly (readonly [number, number])[]): void {
  const whole = wholeOf(data);
  pairs.forEach(([row, column], i) => {
    (data as Writable)[i] = whole(row);
    (data as Writable)[pairs.length + i] = whole(column);
  });
}

/** Marks with 1 the indices of a cube of `dims` dimensions that rise from dimension to dimension; `orStay`: that do not fall. */
export function markRising(marks: Uint8Array, size: number, dims: number, orStay: boolean): void {
  for (let i = 0; i < marks.length; i++) {
    marks[i] = 1;
    for (let rest = Math.floor(i / size), last = i % size, d = 1; d < dims; d++, rest = Math.floor(rest / size)) {
      const before = rest % size;
      if (before > last || (before === last && !orStay)) marks[i] = 0;
      last = before;
    }
  }
}

/** Writes 0 counts[0] times, then 1 counts[1] times, and so on. */
export function writeRepeated(data: WholeArray, counts: readonly number[]): void {
  const whole = wholeOf(data);
  let at = 0;
  counts.forEach((count, i) => {
    for (const end = at + count; at < end; at++) (data as Writable)[at] = whole(i);
  });
}
