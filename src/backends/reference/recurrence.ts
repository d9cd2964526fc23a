/** Running values along lanes that are no plain folds. */
import { forEachLane, type FloatArray, type Lanes } from "./lanes.ts";

/** y[k] = self[k] + factor[k] · y[k - 1]; backwards, its adjoint: y[k] = self[k] + factor[k + 1] · y[k + 1]. */
export function recurrenceLanes(self: FloatArray, factor: FloatArray, out: FloatArray, lanes: Lanes, backwards: boolean): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first) => {
    let y = 0;
    for (let k = 0; k < n; k++) {
      const p = first + (backwards ? n - 1 - k : k) * inner;
      y = k === 0 ? self[p] : self[p] + factor[backwards ? p + inner : p] * y;
      out[p] = y;
    }
  });
}

/** log Σ exp(x) over the elements up to each one. */
export function logCumulativeSumLanes(input: FloatArray, out: FloatArray, lanes: Lanes): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first) => {
    let total = -Infinity;
    for (let k = 0, p = first; k < n; k++, p += inner) {
      total = logAddExp(total, input[p]);
      out[p] = total;
    }
  });
}

function logAddExp(a: number, b: number): number {
  if (a === b && !Number.isFinite(a)) return a;
  const larger = a !== a || a > b ? a : b;
  return larger + Math.log1p(Math.exp((larger === a ? b : a) - larger));
}
