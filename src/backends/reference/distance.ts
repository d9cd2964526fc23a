/** Distances (p-norms of differences) between rows, and their gradients; ATen's formulas of cdist (aten/src/ATen/native/cpu/DistanceOpsKernel.cpp). */
import type { FloatArray } from "./lanes.ts";

/** Rows of `width` elements in an array. */
export interface Rows {
  array: FloatArray;
  width: number;
}

/** The p-norm of a difference, folded element by element: `add` joins |d|, `finish` takes the root. */
interface Fold {
  add(sum: number, d: number): number;
  finish(sum: number): number;
}

const same = (x: number): number => x;

function foldOf(p: number): Fold {
  if (p === 0) return { add: (sum, d) => sum + (d === 0 ? 0 : 1), finish: same };
  if (p === 1) return { add: (sum, d) => sum + d, finish: same };
  if (p === 2) return { add: (sum, d) => sum + d * d, finish: Math.sqrt };
  if (p === Infinity) return { add: Math.max, finish: same };
  return { add: (sum, d) => sum + d ** p, finish: (sum) => sum ** (1 / p) };
}

/** Differences are rounded as the elements are, so that the largest is known again in the gradient. */
const roundingOf = ({ array }: Rows): ((x: number) => number) => (array instanceof Float32Array ? Math.fround : same);

/** The distance between row `i` of `a` and row `j` of `b`, as a function of the two. */
export function distanceBetween(a: Rows, b: Rows, p: number): (i: number, j: number) => number {
  const { add, finish } = foldOf(p);
  const { width } = a;
  const round = roundingOf(a);
  return (i, j) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum = add(sum, Math.abs(round(a.array[i * width + k] - b.array[j * width + k])));
    return finish(sum);
  };
}

/** The slope of the distance by one difference `d`, where it is not flat. */
function slopeOf(p: number): (d: number, distance: number) => number {
  if (p === 1) return Math.sign;
  if (p === Infinity) return (d, distance) => (Math.abs(d) === distance ? Math.sign(d) : 0);
  if (p === 2) return (d, distance) => d / distance;
  return (d, distance) => (Math.sign(d) * Math.abs(d) ** (p - 1)) / distance ** (p - 1);
}

/** Where no gradient flows, whatever comes: a NaN ends there. */
function flatnessOf(p: number): (d: number, distance: number) => boolean {
  if (p === 0) return () => true;
  if (p === 1 || p === Infinity) return () => false;
  return (d, distance) => distance === 0 || (d === 0 && p < 1);
}

/** Adds to row `i` of `out` the gradient of a distance between row `i` of `a` and row `j` of `b`. */
export function gradientAdder(a: Rows, b: Rows, out: FloatArray, p: number): (i: number, j: number, grad: number, distance: number) => void {
  const [slope, isFlat] = [slopeOf(p), flatnessOf(p)];
  const { width } = a;
  const round = roundingOf(a);
  return (i, j, grad, distance) => {
    for (let k = 0; k < width; k++) {
      const d = round(a.array[i * width + k] - b.array[j * width + k]);
      if (!isFlat(d, distance)) out[i * width + k] += grad * slope(d, distance);
    }
  };
}
