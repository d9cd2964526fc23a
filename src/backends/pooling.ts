/** Pooling: chooses who computes it. Operands lie in row-major order at byte addresses of the heap; none has size 0. */
import { FLOAT, int32, type DType } from "../tensor/dtype.ts";
import { elementsAt } from "../tensor/read.ts";
import type { FloatArray } from "./reference/lanes.ts";
import * as reference from "./reference/pooling.ts";
import { features } from "./wasm/engine.ts";
import * as wasm from "./wasm/pooling.ts";
import { volumeSize, windowCount, type Volume } from "./windows.ts";

const floats = (dtype: DType, address: number, count: number): FloatArray => elementsAt(dtype, address, count) as FloatArray;
/** Int64s as words, two each. */
const words = (address: number, count: number): Int32Array => elementsAt(int32, address, 2 * count) as Int32Array;

/** The largest element of each window of each plane, and its position in the plane; a NaN is the largest. */
export function maxPool(dtype: DType, planes: number, volume: Volume, input: number, values: number, positions: number): void {
  if (features.simd && dtype.kind === FLOAT) return wasm.maxPool(dtype, planes, volume, input, values, positions);
  const count = planes * windowCount(volume);
  reference.maxPool(elementsAt(dtype, input, planes * volumeSize(volume)), planes, volume, elementsAt(dtype, values, count), words(positions, count));
}

/** The gradient of maxima: planes of `inside` elements, to which those of `windows` windows each are added at their positions. */
export function maxPoolGradient(dtype: DType, planes: number, windows: number, inside: number, grad: number, positions: number, out: number): void {
  if (features.simd) return wasm.maxPoolGradient(dtype, planes, windows, inside, grad, positions, out);
  const count = planes * windows;
  reference.maxPoolGradient(floats(dtype, grad, count), words(positions, count), planes, windows, inside, floats(dtype, out, planes * inside));
}

/** The mean of each window: its sum over `divisor`, or over how many positions it counts. */
export function averagePool(dtype: DType, planes: number, volume: Volume, divisor: number | null, input: number, out: number): void {
  if (features.simd) return wasm.averagePool(dtype, planes, volume, divisor, input, out);
  reference.averagePool(floats(dtype, input, planes * volumeSize(volume)), planes, volume, divisor, floats(dtype, out, planes * windowCount(volume)));
}

/** The gradient of the means. */
export function averagePoolGradient(dtype: DType, planes: number, volume: Volume, divisor: number | null, grad: number, out: number): void {
  if (features.simd) return wasm.averagePoolGradient(dtype, planes, volume, divisor, grad, out);
  reference.averagePoolGradient(floats(dtype, grad, planes * windowCount(volume)), planes, volume, divisor, floats(dtype, out, planes * volumeSize(volume)));
}
