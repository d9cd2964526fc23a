/** Extreme elements with their positions, and elements by rank. Lanes of no element are the caller's to refuse. */
import type { ElementArray } from "../../tensor/read.ts";
import { forEachLane, type Lanes } from "./lanes.ts";

type Element = number | bigint;

const isNaN = (x: Element): boolean => x !== x;

/** The running extremum along each lane with its position (an int64 as two words): the last of equals; NaN wins. */
export function runningExtremum(input: ElementArray, lanes: Lanes, largest: boolean, values: ElementArray, words: Int32Array): void {
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
      words[2 * p] = at;
      words[2 * p + 1] = 0;
    }
  });
}

/** Is `a` counted after `b`? NaN is the largest. */
const after = (a: Element, b: Element): boolean => a > b || (isNaN(a) && !isNaN(b));

/**
 * Rearranges `values` with `positions` so that the k-th (from 0) is where sorting would put it: quickselect with the
 * median of three (Press et al., Numerical Recipes, section 8.5). Which of several equal elements that is follows from
 * the order of the swaps.
 */
function quickselect(values: Element[], positions: number[], k: number): void {
  const swap = (i: number, j: number): void => {
    [values[i], values[j]] = [values[j], values[i]];
    [positions[i], positions[j]] = [positions[j], positions[i]];
  };
  const order = (i: number, j: number): void => {
    if (after(values[i], values[j])) swap(i, j);
  };
  let left = 0;
  let right = values.length - 1;
  while (right > left + 1) {
    swap(left + ((right - left) >> 1), left + 1);
    order(left + 1, right);
    order(left, right);
    order(left + 1, left);
    const pivot = values[left];
    let i = left + 1;
    let j = right;
    for (;;) {
      do i++; while (after(pivot, values[i]));
      do j--; while (after(values[j], pivot));
      if (j < i) break;
      swap(i, j);
    }
    swap(left, j);
    if (j <= k) left = i;
    if (j >= k) right = j - 1;
  }
  if (right === left + 1) order(left, right);
}

/** The k-th smallest element of each lane (from 1), with its position. */
export function kthSmallest(input: ElementArray, lanes: Lanes, k: number, values: ElementArray, indices: BigInt64Array): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first, lane) => {
    const elements = Array.from({ length: n }, (_, i): Element => input[first + i * inner]);
    const positions = elements.map((_, i) => i);
    quickselect(elements, positions, k - 1);
    values[lane] = elements[k - 1];
    indices[lane] = BigInt(positions[k - 1]);
  });
}

/** The lower median of each lane, with its position: the first of equals. A NaN is the median where there is one, unless NaNs are ignored. */
export function medianOf(input: ElementArray, lanes: Lanes, ignoreNaN: boolean, values: ElementArray, indices: BigInt64Array): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first, lane) => {
    const sorted = Array.from({ length: n }, (_, k) => first + k * inner).sort((p, q) => (after(input[p], input[q]) ? 1 : after(input[q], input[p]) ? -1 : p - q));
    const firstNaN = sorted.findIndex((p) => isNaN(input[p]));
    const numbers = firstNaN < 0 ? n : firstNaN;
    const p = sorted[firstNaN < 0 || ignoreNaN ? Math.max(numbers - 1, 0) >> 1 : firstNaN];
    values[lane] = input[p];
    indices[lane] = BigInt((p - first) / inner);
  });
}
