/** Pooling of floats in WASM. */
import { float32, type DType } from "../../tensor/dtype.ts";
import { heap, Storage } from "../../tensor/heap.ts";
import { volumeSize, type Volume, type Windows } from "../windows.ts";
import type { Kernel } from "./engine.ts";
import { f32, f64, type FloatType } from "./gemm-code.ts";
import { compileAverages, compileAveragesGradient, compileMaxima, compileMaximaGradient, ENTRY, POOLING_BYTES, poolingFields } from "./pooling-code.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor } from "./threads.ts";

/** Elements of windows whose work is worth handing to another thread. */
const GRAIN = 1 << 14;

const block = new Storage(POOLING_BYTES);
const scratch = new Scratch();

const kernels = new Map<string, Kernel>();

function kernelFor(key: string, compile: () => Kernel): Kernel {
  let kernel = kernels.get(key);
  if (kernel === undefined) kernels.set(key, (kernel = compile()));
  return kernel;
}

type Fields = Partial<Record<keyof typeof poolingFields, number>>;

function writeBlock(fields: Fields): void {
  for (const name of Object.keys(fields) as (keyof Fields)[]) heap.i32[(block.address + poolingFields[name]) >>> 2] = fields[name]!;
}

/** The windows around the middle one that hold as many elements as it does and lie as far apart; none where they fill no vector. */
function evenWindows({ starts, ends, counts }: Windows, lanes: number): { from: number; to: number; stride: number } {
  const middle = starts.length >> 1;
  const stride = starts.length > 1 ? starts[middle] - starts[middle - 1] : 1;
  const isEven = (o: number): boolean =>
    starts[o] - starts[middle] === (o - middle) * stride && ends[o] - ends[middle] === (o - middle) * stride && counts[o] === counts[middle];
  let [from, to] = [middle, middle];
  while (from > 0 && isEven(from - 1)) from--;
  while (to < starts.length && isEven(to)) to++;
  return to - from < lanes ? { from: 0, to: 0, stride } : { from, to, stride };
}

/** Writes where windows begin and end, in units of `bytes`, from the word `at` on; returns where that ends. */
function writeTable({ starts, ends, counts }: Windows, bytes: number, at: number): number {
  const table = heap.i32;
  for (let o = 0, to = at; o < starts.length; o++, to += ENTRY) {
    table[to] = starts[o] * bytes;
    table[to + 1] = ends[o] * bytes;
    table[to + 2] = counts[o];
  }
  return at + ENTRY * starts.length;
}

/** Tells the kernels where windows lie; returns how those along the width do. */
function writeWindows(type: FloatType, volume: Volume): { sideBySide: boolean } {
  const [depth, height, width] = volume;
  const [row, plane] = [width.size * type.bytes, height.size * width.size * type.bytes];
  const at = scratch.take(4 * ENTRY * (depth.starts.length + height.starts.length + width.starts.length)).address >>> 2;
  const heightAt = writeTable(depth, plane, at);
  const widthAt = writeTable(height, row, heightAt);
  writeTable(width, type.bytes, widthAt);
  const even = evenWindows(width, type.lanes);
  writeBlock({
    depth: 4 * at, height: 4 * heightAt, width: 4 * widthAt, depths: depth.starts.length, heights: height.starts.length, widths: width.starts.length,
    volume: volumeSize(volume) * type.bytes, depthStep: depth.step * plane, heightStep: height.step * row, widthStep: width.step * type.bytes,
    evenFrom: even.from, evenTo: even.to, stride: even.stride * type.bytes,
  });
  return { sideBySide: even.stride === 1 };
}

const typeOf = (dtype: DType): FloatType => (dtype === float32 ? f32 : f64);

/** Elements that a window along the dimension holds at most. */
const longest = ({ starts, ends, step }: Windows): number => starts.reduce((most, start, o) => Math.max(most, Math.ceil((ends[o] - start) / step)), 1);
const windowSize = (volume: Volume): number => volume.reduce((product, windows) => product * longest(windows), 1);

/** Runs a fold for each row of windows. */
function fold(kind: string, compile: (type: FloatType, sideBySide: boolean) => Kernel, dtype: DType, planes: number, volume: Volume, fields: Fields): void {
  const type = typeOf(dtype);
  const { sideBySide } = writeWindows(type, volume);
  writeBlock(fields);
  const [depth, height, width] = volume;
  const kernel = kernelFor(`${kind} ${type.name} ${sideBySide}`, () => compile(type, sideBySide));
  parallelFor(kernel, block.address, planes * depth.starts.length * height.starts.length, Math.ceil(GRAIN / (width.starts.length * windowSize(volume))));
}

/** Runs a gradient for each plane of so many bytes. */
function spread(kind: string, compile: (type: FloatType) => Kernel, dtype: DType, planes: number, inside: number, fields: Fields): void {
  const type = typeOf(dtype);
  writeBlock({ ...fields, volume: inside * type.bytes });
  parallelFor(kernelFor(`${kind} gradient ${type.name}`, () => compile(type)), block.address, planes, Math.ceil(GRAIN / inside));
}

function writeDivisor(divisor: number | null): void {
  heap.f64[(block.address + poolingFields.divisor) >>> 3] = divisor ?? 0;
}

export function maxPool(dtype: DType, planes: number, volume: Volume, input: number, values: number, positions: number): void {
  fold("maxima", compileMaxima, dtype, planes, volume, { input, out: values, positions });
}

export function maxPoolGradient(dtype: DType, planes: number, windows: number, inside: number, grad: number, positions: number, out: number): void {
  spread("maxima", compileMaximaGradient, dtype, planes, inside, { input: grad, positions, out, depths: 1, heights: 1, widths: windows });
}

export function averagePool(dtype: DType, planes: number, volume: Volume, divisor: number | null, input: number, out: number): void {
  writeDivisor(divisor);
  fold("averages", compileAverages, dtype, planes, volume, { input, out });
}

export function averagePoolGradient(dtype: DType, planes: number, volume: Volume, divisor: number | null, grad: number, out: number): void {
  writeDivisor(divisor);
  writeWindows(typeOf(dtype), volume);
  spread("averages", compileAveragesGradient, dtype, planes, volumeSize(volume), { input: grad, out });
}
