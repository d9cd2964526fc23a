/** Pooling: one element out of each window. */
import type { ElementArray } from "../../tensor/read.ts";
import type { Volume } from "../windows.ts";
import type { FloatArray } from "./lanes.ts";

/** Calls `body` for each row of windows: its first window, and where its planes and rows of the input begin and end. */
function forEachRow(
  planes: number,
  [depth, height, width]: Volume,
  body: (base: number, window: number, d0: number, d1: number, h0: number, h1: number, count: number) => void,
): void {
  const [row, plane, volume] = [width.size, height.size * width.size, depth.size * height.size * width.size];
  const windows = width.starts.length;
  for (let p = 0, window = 0; p < planes; p++) {
    for (let od = 0; od < depth.starts.length; od++) {
      for (let oh = 0; oh < height.starts.length; oh++, window += windows) {
        body(p * volume, window, depth.starts[od] * plane, depth.ends[od] * plane, height.starts[oh] * row, height.ends[oh] * row, depth.counts[od] * height.counts[oh]);
      }
    }
  }
}

/** The largest element of each window, and its position in the volume as an int64, two words each; a NaN is the largest. */
export function maxPool(input: ElementArray, planes: number, volume: Volume, values: ElementArray, positions: Int32Array): void {
  const [depth, height, { size, starts, ends, step }] = volume;
  const [planeStep, rowStep] = [depth.step * height.size * size, height.step * size];
  forEachRow(planes, volume, (base, window, d0, d1, h0, h1) => {
    for (let o = 0; o < starts.length; o++) {
      const [first, last] = [starts[o], ends[o]];
      let at = d0 + h0 + first;
      let best: number | bigint = -Infinity;
      for (let d = d0; d < d1; d += planeStep) {
        for (let h = d + h0; h < d + h1; h += rowStep) {
          for (let i = h + first; i < h + last; i += step) {
            const value = input[base + i];
            if (value > best || value !== value) {
              best = value;
              at = i;
            }
          }
        }
      }
      values[window + o] = best;
      positions[2 * (window + o)] = at;
      positions[2 * (window + o) + 1] = 0;
    }
  });
}

/** Adds each gradient to the element of its plane that was the largest; the rest are zeros. */
export function maxPoolGradient(grad: FloatArray, positions: Int32Array, planes: number, windows: number, inside: number, out: FloatArray): void {
  out.fill(0);
  for (let plane = 0, i = 0; plane < planes; plane++) {
    for (const end = i + windows; i < end; i++) out[plane * inside + positions[2 * i]] += grad[i];
  }
}

/** The mean of each window: its sum over `divisor`, or over how many positions it counts. */
export function averagePool(input: FloatArray, planes: number, volume: Volume, divisor: number | null, out: FloatArray): void {
  const [, height, { size, starts, ends, counts }] = volume;
  const plane = height.size * size;
  forEachRow(planes, volume, (base, window, d0, d1, h0, h1, count) => {
    for (let o = 0; o < starts.length; o++) {
      const [first, last] = [starts[o], ends[o]];
      let sum = 0;
      for (let d = base + d0; d < base + d1; d += plane) {
        for (let h = d + h0; h < d + h1; h += size) for (let i = h + first; i < h + last; i++) sum += input[i];
      }
      out[window + o] = sum / (divisor ?? count * counts[o]);
    }
  });
}

/** The gradient of the means. */
export function averagePoolGradient(grad: FloatArray, planes: number, volume: Volume, divisor: number | null, out: FloatArray): void {
  out.fill(0);
  const [, height, { size, starts, ends, counts }] = volume;
  const plane = height.size * size;
  forEachRow(planes, volume, (base, window, d0, d1, h0, h1, count) => {
    for (let o = 0; o < starts.length; o++) {
      const [first, last] = [starts[o], ends[o]];
      const share = grad[window + o] / (divisor ?? count * counts[o]);
      for (let d = base + d0; d < base + d1; d += plane) {
        for (let h = d + h0; h < d + h1; h += size) for (let i = h + first; i < h + last; i++) out[i] += share;
      }
    }
  });
}
