/** The negative log likelihood: of each lane, which holds a number for each class, the number of the lane's own class. */
import { wordsAt } from "./gather.ts";
import { forEachLane, type FloatArray, type Lanes } from "./lanes.ts";

/** The class of no lane: it is ignored. */
const ignored = -1;

/** Reads int64 classes, two words each. `outside` is the first that no lane has, null where there is none. */
export function readClasses(words: Int32Array, { outer, n, inner }: Lanes, ignoreIndex: number): { classes: Int32Array; outside: number | null } {
  const classes = new Int32Array(outer * inner);
  for (let lane = 0; lane < classes.length; lane++) {
    const target = wordsAt(words, lane);
    if (target !== ignoreIndex && (target < 0 || target >= n)) return { classes, outside: target };
    classes[lane] = target === ignoreIndex ? ignored : target;
  }
  return { classes, outside: null };
}

/** The loss of each lane; 0 where it is ignored. */
export function classLosses(input: FloatArray, classes: Int32Array, weight: FloatArray | null, lanes: Lanes, losses: FloatArray): void {
  forEachLane(lanes, (first, lane) => {
    const k = classes[lane];
    losses[lane] = k === ignored ? 0 : -input[first + k * lanes.inner] * (weight === null ? 1 : weight[k]);
  });
}

/** The sum of the losses, and of the weights that they have. */
export function totalLoss(input: FloatArray, classes: Int32Array, weight: FloatArray | null, lanes: Lanes): { loss: number; weight: number } {
  const total = { loss: 0, weight: 0 };
  forEachLane(lanes, (first, lane) => {
    const k = classes[lane];
    if (k === ignored) return;
    const w = weight === null ? 1 : weight[k];
    total.loss -= input[first + k * lanes.inner] * w;
    total.weight += w;
  });
  return total;
}

/** The gradient of the losses, written over zeros. `grad` has an element for each lane, or one for all. */
export function classLossGradient(grad: FloatArray, classes: Int32Array, weight: FloatArray | null, lanes: Lanes, divisor: number, out: FloatArray): void {
  const step = grad.length === 1 ? 0 : 1;
  forEachLane(lanes, (first, lane) => {
    const k = classes[lane];
    if (k !== ignored) out[first + k * lanes.inner] = (-(weight === null ? 1 : weight[k]) * grad[lane * step]) / divisor;
  });
}
