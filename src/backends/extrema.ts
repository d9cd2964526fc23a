/** Running extrema: chooses who computes them. */
import { FLOAT, int32, type DType } from "../tensor/dtype.ts";
import { elementsAt } from "../tensor/read.ts";
import { runningExtremum as runByDefinition } from "./reference/extrema.ts";
import type { Lanes } from "./reference/lanes.ts";
import { features } from "./wasm/engine.ts";
import { runningExtrema } from "./wasm/extrema.ts";

/** The running extremum along each lane with its position, an int64: the last of equals; NaN wins. Operands are row-major, at byte addresses. */
export function runningExtremum(dtype: DType, lanes: Lanes, largest: boolean, input: number, values: number, positions: number): void {
  const { outer, n, inner } = lanes;
  const count = outer * n * inner;
  if (count === 0) return;
  if (!features.simd || dtype.kind !== FLOAT) {
    return runByDefinition(elementsAt(dtype, input, count), lanes, largest, elementsAt(dtype, values, count), elementsAt(int32, positions, 2 * count) as Int32Array);
  }
  const { itemsize } = dtype;
  if (inner === 1) return runningExtrema(dtype, largest, n, outer, 1, n, input, values, positions);
  for (let o = 0, at = 0; o < outer; o++, at += n * inner) {
    runningExtrema(dtype, largest, n, inner, inner, 1, input + at * itemsize, values + at * itemsize, positions + 8 * at);
  }
}
