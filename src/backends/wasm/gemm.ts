/** Products of matrices of floats: packed in blocks that the caches hold, and multiplied tile by tile. */
import { fixedBytes, heap, Storage } from "../../tensor/heap.ts";
import { float32, type DType } from "../../tensor/dtype.ts";
import { axis, lengthOf, targetOf, writeOffsets, type Axis, type Product } from "../product.ts";
import type { Kernel } from "./engine.ts";
import { f32, f64, TILE_ROWS, tileColumns, type FloatType } from "./gemm-code.ts";
import { AREA_BYTES, BLOCK_PANELS, compileMultiply, MULTIPLY_BYTES, multiplyFields } from "./gemm-multiply.ts";
import { offsetsWith, roundUp } from "./gemm-tables.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor, threadCount } from "./threads.ts";

/** What a float type has of its own. */
interface Machinery {
  readonly kernel: Kernel;
  readonly rows: (axis: Axis) => Int32Array;
  readonly columns: (axis: Axis) => Int32Array;
  readonly depths: (axis: Axis) => Int32Array;
  /** Address of the distances of the depths in a packed panel of columns. */
  readonly inOrder: number;
}

/** Depth of a slice: a panel of columns of this depth stays in the first cache. What is left is spread over all slices, so none is thin. */
const SLICE = 384;
/** Panels of columns of a unit. */
const GROUP_PANELS = 64;
/** Bytes of columns that are packed at a time. */
const PIECE_BYTES = 1 << 20;
/** So few rows use a panel of columns so little that packing it does not pay, unless its depths lie farther apart than caches like. */
const FEW_ROWS = 64;
const NEAR_BYTES = 3600;
/** Multiply-adds that are worth a thread's while. */
const GRAIN = 1 << 19;
/** What a thread has packed lasts for one piece: where there are more, rows are given out in few parts. */
const PARTS = 4;

const block = new Storage(MULTIPLY_BYTES);
const scratch = new Scratch();
const made = new Map<FloatType, Machinery>();
let jobs = 0;

function machineryFor(type: FloatType): Machinery {
  let machinery = made.get(type);
  if (machinery === undefined) {
    const width = tileColumns(type);
    const inOrder = fixedBytes(8 * SLICE);
    writeOffsets(axis(2 * SLICE, width), type.bytes, heap.i32, inOrder >>> 2);
    machinery = {
      kernel: compileMultiply(type), rows: offsetsWith(type.bytes, TILE_ROWS), columns: offsetsWith(type.bytes, width), depths: offsetsWith(type.bytes, 1), inOrder,
    };
    made.set(type, machinery);
  }
  return machinery;
}

/** Runs a product of float32 or float64 of which no size is 0. */
export function multiply(dtype: DType, product: Product): void {
  const type = dtype === float32 ? f32 : f64;
  const { kernel, rows, columns, depths, inOrder } = machineryFor(type);
  const { a, b, out, alpha, beta } = product;
  const [m, n, k, batch] = [lengthOf(a.rows), lengthOf(b.columns), lengthOf(a.columns), lengthOf(a.batch)];
  const target = targetOf(product);
  const steps = depths(b.rows);
  const tables = [rows(a.rows), depths(a.columns), depths(a.batch), columns(b.columns), steps, depths(b.batch), depths(target.batch)];

  const width = tileColumns(type);
  const [panels, columnPanels] = [Math.ceil(m / TILE_ROWS), Math.ceil(n / width)];
  const inPlace = m <= FEW_ROWS && b.columns.steps.at(-1) === 1 && Math.abs(steps[k - 1]) < k * NEAR_BYTES;
  // Each thread packs for itself what its part shares with others: the longer side is parted.
  const groups = roundUp(Math.ceil(columnPanels / GROUP_PANELS), n > m && !inPlace ? threadCount() : 1);
  const group = Math.ceil(columnPanels / groups);
  const slice = Math.ceil(k / Math.max(1, Math.round(k / SLICE)));
  const columnBytes = group * width * type.bytes;
  const piece = slice * Math.max(1, Math.floor(PIECE_BYTES / (columnBytes * slice)));
  const units = panels * groups * batch;
  const grain = Math.max(Math.ceil(GRAIN / (TILE_ROWS * width * group * k)), piece < k ? Math.ceil(units / (PARTS * threadCount())) : 1);

  const packed = roundUp(AREA_BYTES + Math.min(panels, BLOCK_PANELS) * TILE_ROWS * slice * type.bytes, 16);
  const areaBytes = roundUp(packed + columnBytes * Math.min(piece, k), 64);
  const tableBytes = roundUp(4 * tables.reduce((words, table) => words + table.length, 0), 64);
  const { address } = scratch.take(tableBytes + (units < 2 * grain ? 1 : threadCount()) * areaBytes);
  const [aLanes, aDepths, aPlaces, bLanes, bDepths, bPlaces, outPlaces] = writeTables(tables, address);
  writeBlock({
    a: a.storage.address + a.offset * type.bytes, aLanes, aDepths, aPlaces, b: b.storage.address + b.offset * type.bytes, bLanes, bDepths, bPlaces, inOrder,
    out: out.storage.address + out.offset * type.bytes, outRow: target.row * type.bytes, outPlaces, m, n, k, panels, columns: columnPanels, groups, group, slice, piece,
    inPlace: inPlace ? 1 : 0, keep: beta === 0 ? 0 : 1, job: ++jobs, areas: address + tableBytes, areaBytes, packed,
  });
  const floats = type === f32 ? heap.f32 : heap.f64;
  floats[(block.address + multiplyFields.alpha) / type.bytes] = alpha;
  floats[(block.address + multiplyFields.beta) / type.bytes] = beta;
  parallelFor(kernel, block.address, units, grain);
}

/** Writes tables one after another; returns their addresses. */
function writeTables(tables: readonly Int32Array[], address: number): number[] {
  const words = heap.i32;
  let at = address;
  return tables.map((table) => {
    const start = at;
    words.set(table, start >>> 2);
    at += 4 * table.length;
    return start;
  });
}

type Fields = Record<Exclude<keyof typeof multiplyFields, "alpha" | "beta">, number>;
const fieldNames = Object.keys(multiplyFields).filter((name) => name !== "alpha" && name !== "beta") as (keyof Fields)[];

function writeBlock(fields: Fields): void {
  const [words, at] = [heap.i32, block.address];
  for (const name of fieldNames) words[(at + multiplyFields[name]) >>> 2] = fields[name];
}
