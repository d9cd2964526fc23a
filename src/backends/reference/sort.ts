/** Stable sorting and selection by unsigned 32-bit keys, of which an element has one or two; a NaN is the largest, and -0 equals 0. */
import type { ElementArray } from "../../tensor/read.ts";
import type { Lanes } from "./lanes.ts";
import { forEachLane } from "./lanes.ts";

/** Keys that order as the elements do: one array of words, or two of which the second counts more. */
type Keys = readonly Uint32Array[];

const SIGN = 0x80000000;
const largestKey = 0xffffffff;

const keyOfFloat = (bits: number): number => (bits === SIGN ? SIGN : bits & SIGN ? ~bits : bits | SIGN);

/** Writes the keys of `n` elements that lie `step` apart; `flip` turns the order round. */
type KeyWriter = (n: number, first: number, step: number, keys: Keys, flip: number) => void;

function keyWriterOf(input: ElementArray): KeyWriter {
  const words = new Uint32Array(input.buffer, input.byteOffset - (input.byteOffset % 4), Math.floor(input.byteLength / 4));
  if (input instanceof Float32Array) {
    return (n, first, step, [key], flip) => {
      for (let i = 0, at = first; i < n; i++, at += step) {
        const bits = words[at];
        key[i] = ((bits & ~SIGN) > 0x7f800000 ? largestKey : keyOfFloat(bits)) ^ flip;
      }
    };
  }
  if (input instanceof Float64Array) {
    return (n, first, step, [low, high], flip) => {
      for (let i = 0, at = first; i < n; i++, at += step) {
        const [l, h] = [words[2 * at], words[2 * at + 1]];
        const isNaN = input[at] !== input[at];
        const isZero = input[at] === 0;
        low[i] = (isNaN ? largestKey : isZero ? 0 : h & SIGN ? ~l : l) ^ flip;
        high[i] = (isNaN ? largestKey : isZero ? SIGN : keyOfFloat(h)) ^ flip;
      }
    };
  }
  if (input instanceof BigInt64Array) {
    return (n, first, step, [low, high], flip) => {
      for (let i = 0, at = first; i < n; i++, at += step) {
        low[i] = words[2 * at] ^ flip;
        high[i] = words[2 * at + 1] ^ SIGN ^ flip;
      }
    };
  }
  const least = input instanceof Uint8Array ? 0 : 2 ** (8 * input.BYTES_PER_ELEMENT - 1);
  return (n, first, step, [key], flip) => {
    for (let i = 0, at = first; i < n; i++, at += step) key[i] = ((input[at] as number) + least) ^ flip;
  };
}

const wordsPerElement = (input: ElementArray): number => (input.BYTES_PER_ELEMENT === 8 ? 2 : 1);
const makeKeys = (n: number, words: number): Uint32Array[] => Array.from({ length: words }, () => new Uint32Array(n));

const DIGIT = 11;
const BUCKETS = 1 << DIGIT;
const digits = 3;
const counts = new Uint32Array(digits * BUCKETS);

/** Sorts keys, and the order that goes with them, digit by digit. */
function radixSort(n: number, keys: Uint32Array, order: Uint32Array, spareKeys: Uint32Array, spareOrder: Uint32Array): void {
  counts.fill(0);
  for (let i = 0; i < n; i++) {
    const key = keys[i];
    counts[key & (BUCKETS - 1)]++;
    counts[BUCKETS + ((key >>> DIGIT) & (BUCKETS - 1))]++;
    counts[2 * BUCKETS + (key >>> (2 * DIGIT))]++;
  }
  let [fromKeys, fromOrder, toKeys, toOrder] = [keys, order, spareKeys, spareOrder];
  for (let digit = 0; digit < digits; digit++) {
    const [base, shift] = [digit * BUCKETS, digit * DIGIT];
    if (counts[base + ((fromKeys[0] >>> shift) & (BUCKETS - 1))] === n) continue;
    for (let b = base, sum = 0; b < base + BUCKETS; b++) {
      const count = counts[b];
      counts[b] = sum;
      sum += count;
    }
    for (let i = 0; i < n; i++) {
      const key = fromKeys[i];
      const place = counts[base + ((key >>> shift) & (BUCKETS - 1))]++;
      toKeys[place] = key;
      toOrder[place] = fromOrder[i];
    }
    [fromKeys, fromOrder, toKeys, toOrder] = [toKeys, toOrder, fromKeys, fromOrder];
  }
  if (fromKeys !== keys) {
    keys.set(fromKeys.subarray(0, n));
    order.set(fromOrder.subarray(0, n));
  }
}

/** Merges runs of growing length; for few elements it is faster than counting. */
function mergeSort(n: number, keys: Uint32Array, order: Uint32Array, spareKeys: Uint32Array, spareOrder: Uint32Array): void {
  let [fromKeys, fromOrder, toKeys, toOrder] = [keys, order, spareKeys, spareOrder];
  for (let run = 1; run < n; run *= 2) {
    for (let start = 0; start < n; start += 2 * run) {
      const [middle, end] = [Math.min(start + run, n), Math.min(start + 2 * run, n)];
      for (let i = start, j = middle, to = start; to < end; to++) {
        const at = j >= end || (i < middle && fromKeys[i] <= fromKeys[j]) ? i++ : j++;
        toKeys[to] = fromKeys[at];
        toOrder[to] = fromOrder[at];
      }
    }
    [fromKeys, fromOrder, toKeys, toOrder] = [toKeys, toOrder, fromKeys, fromOrder];
  }
  if (fromKeys !== keys) {
    keys.set(fromKeys.subarray(0, n));
    order.set(fromOrder.subarray(0, n));
  }
}

const fewElements = 512;

/** A stable sort of up to `capacity` elements at a time, with the memory that it needs. */
class Sorter {
  readonly capacity: number;
  private readonly sorted: Uint32Array;
  private readonly spareKeys: Uint32Array;
  private readonly spareOrder: Uint32Array;
  constructor(capacity: number) {
    this.capacity = capacity;
    [this.sorted, this.spareKeys, this.spareOrder] = makeKeys(capacity, 3) as [Uint32Array, Uint32Array, Uint32Array];
  }

  /** Brings `order`, a list of positions of `keys`, into the order of the keys. */
  sort(n: number, keys: Keys, order: Uint32Array): void {
    const sort = n < fewElements ? mergeSort : radixSort;
    for (const word of keys) {
      for (let i = 0; i < n; i++) this.sorted[i] = word[order[i]];
      sort(n, this.sorted, order, this.spareKeys, this.spareOrder);
    }
  }
}

function countUp(order: Uint32Array): Uint32Array {
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order;
}

/** Calls `body` with the sorted positions of each lane. */
function forEachSorted(input: ElementArray, lanes: Lanes, descending: boolean, body: (first: number, order: Uint32Array) => void): void {
  const { n, inner } = lanes;
  const [keys, order, sorter, write] = [makeKeys(n, wordsPerElement(input)), new Uint32Array(n), new Sorter(n), keyWriterOf(input)];
  forEachLane(lanes, (first) => {
    write(n, first, inner, keys, descending ? -1 : 0);
    sorter.sort(n, keys, countUp(order));
    body(first, order);
  });
}

/** Sorts each lane into `values`, with the positions from which they came as int64s, two words each. */
export function sortLanes(input: ElementArray, lanes: Lanes, descending: boolean, values: ElementArray, positions: Int32Array): void {
  const { n, inner } = lanes;
  forEachSorted(input, lanes, descending, (first, order) => {
    for (let i = 0, to = first; i < n; i++, to += inner) {
      values[to] = input[first + order[i] * inner];
      positions[2 * to] = order[i];
      positions[2 * to + 1] = 0;
    }
  });
}

/** The positions of the elements from the smallest to the largest, equals in their order. */
export function sortedOrder(input: ElementArray): Uint32Array {
  let found = new Uint32Array(0);
  forEachSorted(input, { outer: 1, n: input.length, inner: 1 }, false, (_, order) => (found = order.slice()));
  return found;
}

/** The positions of at least the `k` least keys, told by the highest digits alone. */
function gatherLeast(n: number, k: number, word: Uint32Array): Uint32Array {
  counts.fill(0, 0, BUCKETS);
  for (let i = 0; i < n; i++) counts[word[i] >>> (32 - DIGIT)]++;
  let [bucket, seen] = [-1, 0];
  while (seen < k) seen += counts[++bucket];
  const found = new Uint32Array(seen);
  for (let i = 0, to = 0; i < n; i++) if (word[i] >>> (32 - DIGIT) <= bucket) found[to++] = i;
  return found;
}

/** The `k` largest or smallest elements of each lane, sorted, and their positions as int64s. */
export function selectLanes(input: ElementArray, lanes: Lanes, k: number, largest: boolean, values: ElementArray, positions: Int32Array): void {
  const { n, inner } = lanes;
  const [keys, write] = [makeKeys(n, wordsPerElement(input)), keyWriterOf(input)];
  let sorter = new Sorter(0);
  forEachLane(lanes, (first, lane) => {
    write(n, first, inner, keys, largest ? -1 : 0);
    const order = gatherLeast(n, k, keys.at(-1)!);
    if (order.length > sorter.capacity) sorter = new Sorter(order.length);
    sorter.sort(order.length, keys, order);
    const start = Math.floor(lane / inner) * k * inner + (lane % inner);
    for (let i = 0, to = start; i < k; i++, to += inner) {
      values[to] = input[first + order[i] * inner];
      positions[2 * to] = order[i];
      positions[2 * to + 1] = 0;
    }
  });
}

/** The most frequent element of each lane, the smallest of several, and the last position that holds it, as an int64. */
export function commonest(input: ElementArray, lanes: Lanes, values: ElementArray, positions: Int32Array): void {
  const { n, inner } = lanes;
  let lane = 0;
  forEachSorted(input, lanes, false, (first, order) => {
    const at = (i: number): number | bigint => input[first + order[i] * inner];
    let [best, longest, start] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      if (i > 0 && at(i) !== at(i - 1)) start = i;
      if (i - start < longest) continue;
      longest = i - start + 1;
      best = i;
    }
    values[lane] = at(best);
    positions[2 * lane] = order[best];
    positions[2 * lane + 1] = 0;
    lane++;
  });
}
