/** Searching sorted lanes, counting into bins, and finding runs of equals. */
import type { ElementArray } from "../../tensor/read.ts";

/** How many of the `n` elements from `start` come before `value`; with `right`, those equal to it do too. `order` says how they are sorted. */
export function countBefore(sorted: ElementArray, start: number, n: number, value: number | bigint, right: boolean, order: BigInt64Array | null): number {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = sorted[start + (order === null ? middle : Number(order[start + middle]))];
    if (right ? !(element > value) : !(element >= value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The runs of equals in a list of positions: the first position of each, the run of each position, and how long each run is. */
export interface Runs {
  firsts: number[];
  runOf: Int32Array;
  lengths: number[];
}

/** The runs among positions in `order`; `same` tells whether two are equal. */
export function runsOf(order: Uint32Array, same: (i: number, j: number) => boolean): Runs {
  const runs: Runs = { firsts: [], runOf: new Int32Array(order.length), lengths: [] };
  for (let i = 0; i < order.length; i++) {
    if (i === 0 || !same(order[i - 1], order[i])) {
      runs.firsts.push(order[i]);
      runs.lengths.push(0);
    }
    const run = runs.firsts.length - 1;
    runs.runOf[order[i]] = run;
    runs.lengths[run]++;
  }
  return runs;
}

/** The order of rows of `width` elements, the first column counting most; equals keep their order. */
export function rowOrder(rows: ElementArray, n: number, width: number): Uint32Array {
  const compare = (i: number, j: number): number => {
    for (let k = 0; k < width; k++) {
      const [a, b] = [rows[i * width + k], rows[j * width + k]];
      if (a < b) return -1;
      if (a > b) return 1;
    }
    return i - j;
  };
  return Uint32Array.from({ length: n }, (_, i) => i).sort(compare);
}

export function sameRows(rows: ElementArray, width: number): (i: number, j: number) => boolean {
  return (i, j) => {
    for (let k = 0; k < width; k++) if (rows[i * width + k] !== rows[j * width + k]) return false;
    return true;
  };
}
