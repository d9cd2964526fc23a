/** What a product of matrices is, for every backend. */
import type { Sizes } from "../tensor/layout.ts";
import type { Storage } from "../tensor/heap.ts";

/** A direction through an operand: nested sizes, the last varying fastest, and the step to the next element along each. */
export interface Axis {
  readonly sizes: Sizes;
  readonly steps: Sizes;
}

/**
 * A batch of matrices in a storage, in elements. An axis of several sizes makes a matrix of what is none in memory: the
 * patches of an image, say, of which each row and each column lie at a distance of their own.
 */
export interface Factor {
  readonly storage: Storage;
  readonly offset: number;
  readonly batch: Axis;
  readonly rows: Axis;
  readonly columns: Axis;
}

/** Where products go: matrices of a batch whose rows lie in one piece each, `row` elements apart. Without these two all lie in one piece. */
export interface Target {
  readonly storage: Storage;
  readonly offset: number;
  readonly batch?: Axis;
  readonly row?: number;
}

/** out = alpha · a · b + beta · out, for each matrix of the batch. */
export interface Product {
  readonly a: Factor;
  readonly b: Factor;
  readonly out: Target;
  readonly alpha: number;
  /** Where it is 0, what `out` held does not matter, not even a NaN. */
  readonly beta: number;
}

/** An axis of evenly spaced elements. */
export const axis = (size: number, step: number): Axis => ({ sizes: [size], steps: [step] });

/** Of a batch of one. */
export const single: Axis = { sizes: [], steps: [] };

/** The batch and the distance of the rows of where a product goes. */
export function targetOf({ a, b, out }: Product): { batch: Axis; row: number } {
  const n = lengthOf(b.columns);
  return { batch: out.batch ?? axis(lengthOf(a.batch), lengthOf(a.rows) * n), row: out.row ?? n };
}

export function lengthOf({ sizes }: Axis): number {
  let length = 1;
  for (let d = 0; d < sizes.length; d++) length *= sizes[d];
  return length;
}

/** Writes the distance of each element from the first, times `unit`, to `table` from `at` on; returns where they end. */
export function writeOffsets({ sizes, steps }: Axis, unit: number, table: Int32Array | number[], at: number): number {
  let length = 1;
  table[at] = 0;
  // Each outer dimension repeats what is written so far.
  for (let d = sizes.length - 1; d >= 0; d--) {
    const step = steps[d] * unit;
    const whole = length * sizes[d];
    for (let i = length; i < whole; i++) table[at + i] = table[at + i - length] + step;
    length = whole;
  }
  return at + length;
}

/** The distances as a list of their own. */
export function offsetsOf(axis: Axis): number[] {
  const table: number[] = [];
  table.length = writeOffsets(axis, 1, table, 0);
  return table;
}
