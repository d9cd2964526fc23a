/** Softmax and its logarithm along lanes, with their gradients. Each lane is computed in double precision. */
import { forEachLane, type FloatArray, type Lanes } from "./lanes.ts";

/** exp(x) / Σ exp(x), or its logarithm, with the largest element taken out so that nothing overflows. */
export function softmaxLanes(input: FloatArray, output: FloatArray, lanes: Lanes, logarithm: boolean): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first) => {
    const end = first + n * inner;
    let largest = -Infinity;
    for (let p = first; p < end; p += inner) if (input[p] > largest) largest = input[p];
    let sum = 0;
    if (logarithm) {
      for (let p = first; p < end; p += inner) sum += Math.exp(input[p] - largest);
      const log = Math.log(sum);
      for (let p = first; p < end; p += inner) output[p] = input[p] - largest - log;
      return;
    }
    for (let p = first; p < end; p += inner) {
      const e = Math.exp(input[p] - largest);
      output[p] = e;
      sum += e;
    }
    for (let p = first; p < end; p += inner) output[p] /= sum;
  });
}

/** (grad - Σ grad · y) · y for y = softmax(x). */
export function softmaxBackwardLanes(grad: FloatArray, y: FloatArray, out: FloatArray, lanes: Lanes): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first) => {
    const end = first + n * inner;
    let sum = 0;
    for (let p = first; p < end; p += inner) sum += grad[p] * y[p];
    for (let p = first; p < end; p += inner) out[p] = (grad[p] - sum) * y[p];
  });
}

/** grad - exp(y) · Σ grad for y = log_softmax(x). */
export function logSoftmaxBackwardLanes(grad: FloatArray, y: FloatArray, out: FloatArray, lanes: Lanes): void {
  const { n, inner } = lanes;
  forEachLane(lanes, (first) => {
    const end = first + n * inner;
    let sum = 0;
    for (let p = first; p < end; p += inner) sum += grad[p];
    for (let p = first; p < end; p += inner) out[p] = grad[p] - Math.exp(y[p]) * sum;
  });
}
