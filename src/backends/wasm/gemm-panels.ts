/** Tables that tell the kernels of a product where the elements along an axis lie; those of axes met before are kept. */
import { lengthOf, writeOffsets, type Axis } from "../product.ts";

/** At most so many words are kept. */
const KEPT = 1 << 20;
let kept = 0;
const caches: { clear: () => void }[] = [];

/** `make`, but with its results kept by axis. */
function remembered<T>(make: (axis: Axis) => T, words: (result: T) => number): (axis: Axis) => T {
  const cache = new Map<string | number, T>();
  caches.push(cache);
  return (axis) => {
    const { sizes, steps } = axis;
    const key = sizes.length === 1 && steps[0] < 2 ** 26 ? sizes[0] + steps[0] * 2 ** 26 : `${sizes.join()};${steps.join()}`;
    let result = cache.get(key);
    if (result !== undefined) return result;
    result = make(axis);
    if ((kept += words(result)) > KEPT) {
      for (const full of caches) full.clear();
      kept = words(result);
    }
    cache.set(key, result);
    return result;
  };
}

/** Distances in bytes from the first element, for elements of `itemsize` bytes. */
function offsets(axis: Axis, itemsize: number): Int32Array {
  const table = new Int32Array(lengthOf(axis));
  writeOffsets(axis, itemsize, table, 0);
  return table;
}

/** Makes the function that gives the distances in bytes from the first element of an axis. */
export const offsetsWith = (itemsize: number): ((axis: Axis) => Int32Array) => remembered((axis) => offsets(axis, itemsize), (table) => table.length);

/** The lanes of a factor in panels of some vectors. */
export interface Panels {
  /** ENTRY words for each panel: is it packed, the number of packed ones before it, and where its vectors lie if it is not. */
  readonly entries: Int32Array;
  /** Distances in bytes of the lanes of the panels to be packed. */
  readonly lanes: Int32Array;
}
/** Words of an entry. */
export const ENTRY = 4;

/** Panels to be packed before the panel `at`. */
export const packedBefore = ({ entries, lanes }: Panels, at: number, width: number): number => (at * ENTRY < entries.length ? entries[at * ENTRY + 1] : lanes.length / width);

/**
 * Makes the function that cuts an axis into panels of `width` lanes. Where panels may be `inPlace`, those made of whole vectors
 * in memory are read as they lie; all others are to be packed.
 */
export const panelsWith = (itemsize: number, width: number, inPlace: boolean): ((axis: Axis) => Panels) =>
  remembered((axis) => panelsOf(offsets(axis, itemsize), itemsize, width, inPlace), ({ entries, lanes }) => entries.length + lanes.length);

function panelsOf(offsets: Int32Array, itemsize: number, width: number, inPlace: boolean): Panels {
  const entries = new Int32Array(Math.ceil(offsets.length / width) * ENTRY);
  const vector = 16 / itemsize;
  const lanes: number[] = [];
  const isWhole = (first: number): boolean => {
    for (let i = 1; i < vector; i++) if (offsets[first + i] - offsets[first] !== i * itemsize) return false;
    return true;
  };
  for (let first = 0, at = 0; first < offsets.length; first += width, at += ENTRY) {
    const isRead = inPlace && first + width <= offsets.length && isWhole(first) && isWhole(first + vector);
    entries.set([isRead ? 0 : 1, lanes.length / width, offsets[first], offsets[first + vector]], at);
    // Lanes that fill up the last panel repeat the last one: nobody reads their sums.
    if (!isRead) for (let i = 0; i < width; i++) lanes.push(offsets[Math.min(first + i, offsets.length - 1)]);
  }
  return { entries, lanes: Int32Array.from(lanes) };
}
