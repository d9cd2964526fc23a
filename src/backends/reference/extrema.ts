/** Extreme elements with their positions, and elements by rank. Lanes of no element are the caller's to refuse. */
import type { ElementArray } from "../../tensor/read.ts";
import { forEachLane, type Lanes } from "./lanes.ts";

type Element = number | bigint;

const isNaN = (x: Element): boolean => x !== x;

/** The position of the largest or smallest element of each lane, and the element: the first of equals; NaN wins. */
export function argExtremum(input: ElementArray, lanes: Lanes, largest: boolean, indices: BigInt64Array, values: ElementArray | null): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first, lane) => {
    let best: Element = input[first];
    let at = 0;
    for (let k = 1, p = first + inner; k < n && !isNaN(best); k++, p += inner) {
      const x: Element = input[p];
      if ((largest ? x > best : x < best) || isNaN(x)) {
        best = x;
        at = k;
      }
    }
    indices[lane] = BigInt(at);
    if (values !== null) values[lane] = best;
  });
}

/** The running extremum along each lane with its position: the last of equals; NaN wins. */
export function runningExtremum(input: ElementArray, lanes: Lanes, largest: boolean, values: ElementArray, indices: BigInt64Array): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first) => {
    let best: Element = input[first];
    let at = 0;
    for (let k = 0, p = first; k < n; k++, p += inner) {
      const x: Element = input[p];
      if (isNaN(x) || (!isNaN(best) && (largest ? x >= best : x <= best))) {
        best = x;
        at = k;
      }
      values[p] = best;
      indices[p] = BigInt(at);
    }
  });
}

/** How elements are counted: NaN as the largest; equals in the order of their positions. */
function ascending(input: ElementArray): (p: number, q: number) => number {
  return (p, q) => {
    const [a, b]: Element[] = [input[p], input[q]];
    if (a < b || (isNaN(b) && !isNaN(a))) return -1;
    if (a > b || (isNaN(a) && !isNaN(b))) return 1;
    return p - q;
  };
}

/** The element of rank `rankOf(sorted positions)` in each lane, with its position. */
function select(input: ElementArray, lanes: Lanes, rankOf: (sorted: readonly number[]) => number, values: ElementArray, indices: BigInt64Array): void {
  const { n, inner } = lanes;
  const compare = ascending(input);
  forEachLane(lanes, (first, lane) => {
    const sorted = Array.from({ length: n }, (_, k) => first + k * inner).sort(compare);
    const p = sorted[rankOf(sorted)];
    values[lane] = input[p];
    indices[lane] = BigInt((p - first) / inner);
  });
}

/** The k-th smallest element of each lane (from 1), with its position. */
export function kthSmallest(input: ElementArray, lanes: Lanes, k: number, values: ElementArray, indices: BigInt64Array): void {
  select(input, lanes, () => k - 1, values, indices);
}

/** The lower median of each lane, with its position. A NaN is the median where there is one, unless NaNs are ignored. */
export function medianOf(input: ElementArray, lanes: Lanes, ignoreNaN: boolean, values: ElementArray, indices: BigInt64Array): void {
  const rankOf = (sorted: readonly number[]): number => {
    const numbers = sorted.findIndex((p) => isNaN(input[p]));
    if (numbers < 0) return (sorted.length - 1) >> 1;
    return ignoreNaN ? Math.max(numbers - 1, 0) >> 1 : numbers;
  };
  select(input, lanes, rankOf, values, indices);
}
