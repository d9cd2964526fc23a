/** Moves elements between a strided walk and places found through a table: all that indexing, gather and scatter do. */
import type { DType } from "../../tensor/dtype.ts";
import type { Sizes } from "../../tensor/layout.ts";
import { heapAs, type ElementArray } from "../../tensor/read.ts";
import { coalesce, forEachIndex } from "../loop.ts";

/** Elements in the order of `sizes` (outermost first), each dimension a step of `strides`; all counted in elements. */
export interface Walk {
  start: number;
  strides: Sizes;
}

/** A walk in which each element lies `offsets[p]` further on; p steps through the table by `positions`. */
export interface TableWalk extends Walk {
  offsets: Uint32Array;
  positions: Sizes;
}

/** One innermost stretch: n elements from `place`, with table position `p`, beside those from `plain`. */
type Stretch = (n: number, place: number, p: number, plain: number, placeStep: number, pStep: number, plainStep: number) => void;

function forEachStretch(sizes: Sizes, table: TableWalk, plain: Walk, stretch: Stretch): void {
  if (sizes.includes(0)) return;
  const merged = coalesce(sizes, [table.strides, table.positions, plain.strides]);
  const n = merged.sizes.pop() ?? 1;
  const [placeStep, pStep, plainStep] = merged.strides.map((s) => s.pop() ?? 0);
  const at = [table.start, 0, plain.start];
  forEachIndex(merged.sizes, merged.strides, at, () => stretch(n, at[0], at[1], at[2], placeStep, pStep, plainStep));
}

/** Reads through the table: `to` takes what lies at `from`. */
export function gather(dtype: DType, sizes: Sizes, from: TableWalk, to: Walk): void {
  const array = heapAs(dtype);
  const { offsets } = from;
  forEachStretch(sizes, from, to, (n, place, p, plain, placeStep, pStep, plainStep) => {
    if (pStep === 0 && placeStep === 1 && plainStep === 1) {
      const first = place + offsets[p];
      array.copyWithin(plain, first, first + n);
      return;
    }
    for (let i = 0; i < n; i++) {
      array[plain] = array[place + offsets[p]];
      place += placeStep;
      p += pStep;
      plain += plainStep;
    }
  });
}

/** How an element that is written joins the one that is there. On bools, `add` is or and `multiply` is and. */
export type Combine = "assign" | "add" | "multiply" | "amax" | "amin" | "or" | "and";

const combines: Record<Exclude<Combine, "assign">, (there: number, written: number) => number> = {
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  amax: (a, b) => (a !== a || a > b ? a : b),
  amin: (a, b) => (a !== a || a < b ? a : b),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
};

/**
 * Writes through the table, one element after another in the order of `sizes`: of several that meet at one place
 * the last is kept, or all are joined. `alpha` scales what is added (a bigint for int64).
 */
export function scatter(dtype: DType, sizes: Sizes, into: TableWalk, from: Walk, combine: Combine, alpha: number | bigint = 1): void {
  const { offsets } = into;
  // A BigInt64Array holds bigints, on which the same operators work.
  const elements = heapAs(dtype) as Float64Array;
  if (combine === "assign") {
    forEachStretch(sizes, into, from, (n, place, p, plain, placeStep, pStep, plainStep) => {
      for (let i = 0; i < n; i++) {
        elements[place + offsets[p]] = elements[plain];
        place += placeStep;
        p += pStep;
        plain += plainStep;
      }
    });
    return;
  }
  const scale = alpha as number;
  const join = Number(alpha) === 1 ? combines[combine] : (a: number, b: number) => a + scale * b;
  forEachStretch(sizes, into, from, (n, place, p, plain, placeStep, pStep, plainStep) => {
    for (let i = 0; i < n; i++) {
      const target = place + offsets[p];
      elements[target] = join(elements[target], elements[plain]);
      place += placeStep;
      p += pStep;
      plain += plainStep;
    }
  });
}

/**
 * Adds entry · stride to each offset. `words` holds int64 entries, two words each; where `wrap`, a negative one counts
 * from the end. Returns the position of the first entry that is out of range, or -1.
 */
export function addOffsets(words: Int32Array, size: number, stride: number, wrap: boolean, offsets: Uint32Array): number {
  const least = wrap ? -size : 0;
  for (let i = 0; i < offsets.length; i++) {
    let entry = wordsAt(words, i);
    if (entry < least || entry >= size) return i;
    if (entry < 0) entry += size;
    offsets[i] += entry * stride;
  }
  return -1;
}

/** Entry i of int64 data read as 32-bit words. */
export function wordsAt(words: Int32Array, i: number): number {
  return words[2 * i + 1] * 0x100000000 + (words[2 * i] >>> 0);
}

/** Positions of the elements that are not zero, in order. */
export function nonzeroPositions(array: ElementArray): Uint32Array {
  if (array instanceof BigInt64Array) return nonzeroPositions(eitherWord(array));
  let count = 0;
  for (let i = 0; i < array.length; i++) if (array[i] !== 0) count++;
  const positions = new Uint32Array(count);
  for (let i = 0, k = 0; k < count; i++) if (array[i] !== 0) positions[k++] = i;
  return positions;
}

/** Not zero where either half of an int64 is: reading 64-bit numbers one by one would make a bigint of each. */
function eitherWord(array: BigInt64Array): Int32Array {
  const words = new Int32Array(array.buffer, array.byteOffset, 2 * array.length);
  const either = new Int32Array(array.length);
  for (let i = 0; i < either.length; i++) either[i] = words[2 * i] | words[2 * i + 1];
  return either;
}

/** Writes row-major positions as coordinates: for each dimension a column of int64 numbers, two words each. */
export function coordinates(positions: Uint32Array, sizes: Sizes, words: Int32Array): void {
  const n = positions.length;
  for (let k = 0; k < n; k++) {
    let rest = positions[k];
    for (let d = sizes.length - 1; d >= 0; d--) {
      const at = 2 * (d * n + k);
      const quotient = (rest / sizes[d]) >>> 0;
      words[at] = rest - quotient * sizes[d];
      words[at + 1] = 0;
      rest = quotient;
    }
  }
}

/** Where row-major positions lie in memory with other strides. */
export function stridedOffsets(positions: Uint32Array, sizes: Sizes, strides: Sizes): Uint32Array {
  return positions.map((position) => {
    let rest = position;
    let offset = 0;
    for (let d = sizes.length - 1; d >= 0; d--) {
      const quotient = (rest / sizes[d]) >>> 0;
      offset += (rest - quotient * sizes[d]) * strides[d];
      rest = quotient;
    }
    return offset;
  });
}
