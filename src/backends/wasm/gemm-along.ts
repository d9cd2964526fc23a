/** Products whose factors both lie along the depth, as those of a convolution's weight gradient do: the factors are read as they lie. */
import { float32, type DType } from "../../tensor/dtype.ts";
import { heap, Storage } from "../../tensor/heap.ts";
import { lengthOf, offsetsOf, targetOf, writeOffsets, type Axis, type Product } from "../product.ts";
import type { Kernel } from "./engine.ts";
import { ALONG_BYTES, alongFields, compileAlong, LINE, MATRIX, sumsBytes, tiles, type Tile } from "./gemm-along-code.ts";
import { f32, f64, type FloatType } from "./gemm-code.ts";
import { roundUp } from "./gemm-tables.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor } from "./threads.ts";

/** Vectors of a line at most: longer ones are cut, so that what several columns read again stays in the first cache. */
const LINE_VECTORS = 128;
/** Shorter depths are packed: what little that costs is less than adding lanes up. */
const LONG = 1 << 10;
/** With more rows and columns than these, packing costs little beside the sums, and less than lines of fewer vectors than SHORT. */
const FEW = 16;
const SHORT = 6;
/** From so many rows and columns on, packing costs next to nothing. */
const MANY = 192;
/** Bytes of rows that are not read again and again from beyond the caches. */
const CACHED = 1 << 23;
/** Multiply-adds that are worth a thread's while. */
const GRAIN = 1 << 18;

const block = new Storage(ALONG_BYTES);
const scratch = new Scratch();
const compiled = new Map<string, Kernel>();

function kernelFor(type: FloatType, tile: Tile): Kernel {
  const key = `${type.name} ${tile.rows}`;
  let kernel = compiled.get(key);
  if (kernel === undefined) compiled.set(key, (kernel = compileAlong(type, tile)));
  return kernel;
}

/** Where the depth is cut into lines that lie side by side in both factors: the axes of the lines, and the length of each. */
interface Lines {
  readonly a: Axis;
  readonly b: Axis;
  readonly length: number;
}

/** The lines of a product; null where the factors do not lie along the depth, or where lines fill no vector. */
function linesOf(a: Axis, b: Axis, lanes: number): Lines | null {
  let d = a.sizes.length;
  if (d === 0 || b.sizes.length !== d || a.sizes.some((size, i) => size !== b.sizes[i])) return null;
  let length = 1;
  while (d > 0 && a.steps[d - 1] === length && b.steps[d - 1] === length) length *= a.sizes[--d];
  if (length < lanes) return null;
  return { a: { sizes: a.sizes.slice(0, d), steps: a.steps.slice(0, d) }, b: { sizes: b.sizes.slice(0, d), steps: b.steps.slice(0, d) }, length };
}

/** Runs a product of float32 or float64 if its factors lie so that nothing need be packed; else returns false. */
export function multiplyAlong(dtype: DType, product: Product): boolean {
  const type = dtype === float32 ? f32 : f64;
  const { a, b, out, alpha, beta } = product;
  const target = targetOf(product);
  const [m, n, batch] = [lengthOf(a.rows), lengthOf(b.columns), lengthOf(a.batch)];
  const k = lengthOf(a.columns);
  if ((m >= MANY && n >= MANY) || k < LONG || (Math.min(m, n) > FEW && m * k * type.bytes > CACHED)) return false;
  const lines = linesOf(a.columns, b.rows, type.lanes);
  if (lines === null || (lines.length < SHORT * type.lanes && Math.min(m, n) > FEW)) return false;

  const tile = tiles.find(({ rows }) => rows <= m)!;
  const [blocks, groups] = [Math.ceil(m / tile.rows), Math.ceil(n / tile.group)];
  const units = batch * blocks * groups;
  const cuts = Math.ceil(lines.length / (LINE_VECTORS * type.lanes));
  const count = lengthOf(lines.a) * cuts;
  const [rows, columns] = [roundUp(m, tile.rows), roundUp(n, tile.columns)];
  const tables = roundUp(4 * (rows + columns + MATRIX * batch + LINE * count), 16);
  const { address } = scratch.take(tables + units * sumsBytes(tile));
  const rowsAt = address >>> 2;
  const columnsAt = writePadded(a.rows, type.bytes, rowsAt, rows);
  const batchesAt = writePadded(b.columns, type.bytes, columnsAt, columns);
  const linesAt = writeMatrices([a.batch, b.batch, target.batch], type.bytes, batchesAt);
  const linesEnd = writeLines(lines, type, linesAt);
  const length = Math.min(Math.ceil(lines.length / type.lanes), LINE_VECTORS);
  writeBlock({
    a: a.storage.address + a.offset * type.bytes, b: b.storage.address + b.offset * type.bytes, out: out.storage.address + out.offset * type.bytes,
    rows: 4 * rowsAt, columns: 4 * columnsAt, batches: 4 * batchesAt, lines: 4 * linesAt, linesEnd: 4 * linesEnd,
    chunk: 4 * LINE * Math.max(1, Math.floor(LINE_VECTORS / length)), back: ((lines.length % type.lanes) - type.lanes) * type.bytes,
    m, n, blocks, groups, outRow: target.row * type.bytes, sums: address + tables, keep: beta === 0 ? 0 : 1,
  });
  writeScales(type, alpha, beta, lines.length % type.lanes);
  parallelFor(kernelFor(type, tile), block.address, units, Math.ceil(GRAIN / (tile.rows * Math.min(n, tile.group) * k)));
  return true;
}

/** Writes the distances along an axis, the last of them again until there are `count`; returns where that ends. */
function writePadded(axis: Axis, bytes: number, at: number, count: number): number {
  const end = writeOffsets(axis, bytes, heap.i32, at);
  heap.i32.fill(heap.i32[end - 1], end, at + count);
  return at + count;
}

/** Writes where each matrix lies in both factors and in the output; returns where that ends. */
function writeMatrices(batches: readonly Axis[], bytes: number, at: number): number {
  const offsets = batches.map(offsetsOf);
  for (let i = 0; i < offsets[0].length; i++) offsets.forEach((list, k) => (heap.i32[at + MATRIX * i + k] = list[i] * bytes));
  return at + MATRIX * offsets[0].length;
}

/** Writes the lines, cut where they are long; returns where that ends. */
function writeLines({ a, b, length }: Lines, type: FloatType, at: number): number {
  const [starts, others] = [offsetsOf(a), offsetsOf(b)];
  const table = heap.i32;
  const [most, rest] = [LINE_VECTORS * type.lanes, length % type.lanes];
  let to = at;
  for (let i = 0; i < starts.length; i++) {
    for (let from = 0; from < length; from += most, to += LINE) {
      const whole = Math.min(most, length - rest - from);
      table[to] = (starts[i] + from) * type.bytes;
      table[to + 1] = (others[i] + from) * type.bytes;
      table[to + 2] = whole * type.bytes;
      table[to + 3] = rest > 0 && from + most >= length ? 1 : 0;
    }
  }
  return to;
}

type Fields = Record<Exclude<keyof typeof alongFields, "alpha" | "beta" | "mask">, number>;

function writeBlock(fields: Fields): void {
  for (const name of Object.keys(fields) as (keyof Fields)[]) heap.i32[(block.address + alongFields[name]) >>> 2] = fields[name];
}

/** Writes the scales, and the mask of a line's last elements, so many that fill no vector: they come last in theirs. */
function writeScales(type: FloatType, alpha: number, beta: number, rest: number): void {
  const floats = type === f32 ? heap.f32 : heap.f64;
  floats[(block.address + alongFields.alpha) / type.bytes] = alpha;
  floats[(block.address + alongFields.beta) / type.bytes] = beta;
  const mask = block.address + alongFields.mask;
  heap.u8.fill(0, mask, mask + 16 - rest * type.bytes).fill(255, mask + 16 - rest * type.bytes, mask + 16);
}
