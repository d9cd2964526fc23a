/** The largest and smallest elements of lanes. */
import { FLOAT, int32, type DType } from "../tensor/dtype.ts";
import { elementsAt, type ElementArray } from "../tensor/read.ts";
import type { FloatArray, Lanes } from "./reference/lanes.ts";
import { selectLanes as selectByDefinition } from "./reference/sort.ts";
import { features } from "./wasm/engine.ts";
import { positionsBeyond } from "./wasm/selection.ts";

/** Lanes shorter than this are sorted sooner than sampled. */
const SHORT = 1 << 11;
/** Lanes from this length on give a sample of 1024 elements, shorter ones of 128. */
const LONG = 1 << 16;

/** One of the elements than which, by a sample of them, hardly fewer than `k` are larger (or smaller). */
function thresholdOf(input: FloatArray, k: number, largest: boolean): number {
  const size = input.length < LONG ? 128 : 1024;
  const step = Math.floor(input.length / size);
  const expected = (k * size) / input.length;
  const rank = Math.ceil(expected + 3 * Math.sqrt(expected) + 4);
  // The best of the sample, the worst of them first; smallest elements are the largest of their opposites.
  const best = new Float64Array(rank).fill(-Infinity);
  for (let i = 0; i < size; i++) {
    const value = input[i * step];
    const key = value !== value ? Infinity : value;
    const rated = largest ? key : -key;
    let at = 0;
    for (; at < rank && rated > best[at]; at++) if (at > 0) best[at - 1] = best[at];
    if (at > 0) best[at - 1] = rated;
  }
  return largest ? best[0] : -best[0];
}

/**
 * The `k` largest or smallest elements of each lane of the elements at `address`, sorted, and their positions as int64s: those of
 * few that a threshold lets through, which a sample has told.
 */
export function selectLanes(dtype: DType, address: number, lanes: Lanes, k: number, largest: boolean, values: number, positions: number): void {
  const { outer, n, inner } = lanes;
  const found = (lane: number, count: number): [ElementArray, Int32Array] => [
    elementsAt(dtype, values + lane * k * dtype.itemsize, count),
    elementsAt(int32, positions + 8 * lane * k, 2 * count) as Int32Array,
  ];
  if (!features.simd || dtype.kind !== FLOAT || inner > 1 || n < SHORT || k > n / 16) {
    return selectByDefinition(elementsAt(dtype, address, outer * n * inner), lanes, k, largest, ...found(0, outer * inner * k));
  }
  for (let lane = 0; lane < outer; lane++) {
    const start = address + lane * n * dtype.itemsize;
    const threshold = thresholdOf(elementsAt(dtype, start, n) as FloatArray, k, largest);
    const candidates = positionsBeyond(dtype, start, n, threshold, largest, n >> 2);
    const elements = elementsAt(dtype, start, n) as FloatArray;
    const [to, places] = found(lane, k);
    if (candidates === null || candidates.length < k) {
      selectByDefinition(elements, { outer: 1, n, inner: 1 }, k, largest, to, places);
      continue;
    }
    const taken = elements.slice(0, candidates.length);
    for (let i = 0; i < taken.length; i++) taken[i] = elements[candidates[i]];
    selectByDefinition(taken, { outer: 1, n: taken.length, inner: 1 }, k, largest, to, places);
    for (let i = 0; i < k; i++) places[2 * i] = candidates[places[2 * i]];
  }
}
