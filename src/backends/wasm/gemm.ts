/** Products of matrices of floats: packed in pieces that the caches hold, then multiplied tile by tile. */
import { fixedBytes, heap, Storage } from "../../tensor/heap.ts";
import { float32, type DType } from "../../tensor/dtype.ts";
import { axis, lengthOf, targetOf, writeOffsets, type Axis, type Product } from "../product.ts";
import type { Kernel } from "./engine.ts";
import { f32, f64, TILE_ROWS, tileColumns, type FloatType } from "./gemm-code.ts";
import { BLOCK_DEPTH, compileMultiply, GROUP_PANELS, MULTIPLY_BYTES, multiplyFields, TILE_BYTES } from "./gemm-multiply.ts";
import { compilePack } from "./gemm-pack.ts";
import { offsetsWith, panelsWith, type Panels } from "./gemm-panels.ts";
import { roundUp, Side } from "./gemm-side.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor } from "./threads.ts";

/** What a float type has of its own. */
interface Machinery {
  readonly packRows: Kernel;
  readonly packColumns: Kernel;
  readonly multiply: Kernel;
  readonly rows: (axis: Axis) => Panels;
  readonly columns: (axis: Axis) => Panels;
  readonly columnsInPlace: (axis: Axis) => Panels;
  readonly depths: (axis: Axis) => Int32Array;
  /** Address of the distances of the depths in a packed panel of columns. */
  readonly inOrder: number;
}

const made = new Map<FloatType, Machinery>();

function machineryFor(type: FloatType): Machinery {
  let machinery = made.get(type);
  if (machinery === undefined) {
    const width = tileColumns(type);
    const inOrder = fixedBytes(4 * BLOCK_DEPTH);
    writeOffsets(axis(BLOCK_DEPTH, width), type.bytes, heap.i32, inOrder >>> 2);
    machinery = {
      packRows: compilePack(type, TILE_ROWS), packColumns: compilePack(type, width), multiply: compileMultiply(type),
      rows: panelsWith(type.bytes, TILE_ROWS, false), columns: panelsWith(type.bytes, width, false), columnsInPlace: panelsWith(type.bytes, width, true),
      depths: offsetsWith(type.bytes), inOrder,
    };
    made.set(type, machinery);
  }
  return machinery;
}

/** At most so many panels of rows and of columns, and bytes, are packed at a time. */
const PIECE_ROW_PANELS = 512;
const PIECE_COLUMN_PANELS = 2 * GROUP_PANELS;
const PIECE_BYTES = 1 << 21;
/** So few rows use a panel of columns so little that packing it does not pay, unless its depths lie farther apart than caches like. */
const FEW_ROWS = 64;
const NEAR_BYTES = 3600;
/** Multiply-adds that are worth a thread's while. */
const GRAIN = 1 << 19;

const block = new Storage(MULTIPLY_BYTES);
const scratch = new Scratch();

/** Runs a product of float32 or float64 of which no size is 0. */
export function multiply(dtype: DType, product: Product): void {
  const type = dtype === float32 ? f32 : f64;
  const { packRows, packColumns, multiply: kernel, rows, columns, columnsInPlace, depths, inOrder } = machineryFor(type);
  const { a, b, out } = product;
  const width = tileColumns(type);
  const [m, n, k, batch] = [lengthOf(a.rows), lengthOf(b.columns), lengthOf(a.columns), lengthOf(a.batch)];
  const left = new Side(a, { batch: a.batch, panels: rows(a.rows), depths: depths(a.columns), kernel: packRows, width: TILE_ROWS, limit: PIECE_ROW_PANELS }, type.bytes);
  const steps = depths(b.rows);
  const inPlace = m <= FEW_ROWS && Math.abs(steps[k - 1]) < k * NEAR_BYTES;
  const right = new Side(b, { batch: b.batch, panels: (inPlace ? columnsInPlace : columns)(b.columns), depths: steps, kernel: packColumns, width, limit: PIECE_COLUMN_PANELS }, type.bytes);

  // The depth of a piece is a multiple of the block's, so that pieces change nothing in the order of the sums.
  const bytes = (left.lanes + right.lanes) * type.bytes;
  const pieceDepth = Math.min(k, Math.max(Math.floor(PIECE_BYTES / (bytes * BLOCK_DEPTH)), 1) * BLOCK_DEPTH);
  const pieceMatrices = Math.min(batch, Math.max(Math.floor(PIECE_BYTES / (bytes * pieceDepth)), 1));
  const places = right.reserve(left.reserve(0, pieceDepth, pieceMatrices), pieceDepth, pieceMatrices);
  const tiles = roundUp(places + 4 * batch, 16);
  const units = pieceMatrices * left.piece * Math.ceil(right.piece / GROUP_PANELS);
  const { address: base } = scratch.take(tiles + units * TILE_BYTES);
  const target = targetOf(product);
  left.writeTables(base);
  right.writeTables(base);
  writeOffsets(target.batch, type.bytes, heap.i32, (base + places) >>> 2);

  const multiplyPiece = (matrix: number, depth: number): void => {
    const matrices = Math.min(pieceMatrices, batch - matrix);
    const depths = Math.min(pieceDepth, k - depth);
    for (let panel = 0; panel < left.count; panel += left.piece) {
      const i = panel * TILE_ROWS;
      const ours = { panel, depth, depths, matrix, matrices };
      left.pack(base, block.address, ours);
      for (let other = 0; other < right.count; other += right.piece) {
        const j = other * width;
        const theirs = { ...ours, panel: other };
        right.pack(base, block.address, theirs);
        const [x, y] = [left.at(base, ours), right.at(base, theirs)];
        const panels = Math.min(left.piece, left.count - panel);
        const columns = Math.min(right.piece, right.count - other);
        const groups = Math.ceil(columns / GROUP_PANELS);
        writeBlock({
          a: x.packed, aPanels: x.targets, b: y.packed - y.before, bPanels: y.targets, bSource: y.source, bPlaces: y.places, entries: y.entries, depths: y.depths, inOrder,
          out: out.storage.address + (out.offset + i * target.row + j) * type.bytes, outRow: target.row * type.bytes, outPlaces: base + places + 4 * matrix,
          tiles: base + tiles, m: Math.min(panels * TILE_ROWS, m - i), n: Math.min(columns * width, n - j), k: depths, panels, groups,
          keep: depth > 0 || product.beta !== 0 ? 1 : 0,
        });
        writeScales(type, product.alpha, depth > 0 ? 1 : product.beta);
        parallelFor(kernel, block.address, matrices * groups * panels, Math.ceil(GRAIN / (TILE_ROWS * width * Math.ceil(columns / groups) * depths)));
      }
    }
  };
  // Rows that all matrices share are packed once for each depth, not for each matrix.
  if (left.shared) {
    for (let depth = 0; depth < k; depth += pieceDepth) for (let matrix = 0; matrix < batch; matrix += pieceMatrices) multiplyPiece(matrix, depth);
  } else {
    for (let matrix = 0; matrix < batch; matrix += pieceMatrices) for (let depth = 0; depth < k; depth += pieceDepth) multiplyPiece(matrix, depth);
  }
}

type Fields = Record<Exclude<keyof typeof multiplyFields, "alpha" | "beta">, number>;
const fieldNames = Object.keys(multiplyFields).filter((name) => name !== "alpha" && name !== "beta") as (keyof Fields)[];

function writeBlock(fields: Fields): void {
  for (const name of fieldNames) heap.i32[(block.address + multiplyFields[name]) >>> 2] = fields[name];
}

function writeScales(type: FloatType, alpha: number, beta: number): void {
  const floats = type === f32 ? heap.f32 : heap.f64;
  floats[(block.address + multiplyFields.alpha) / type.bytes] = alpha;
  floats[(block.address + multiplyFields.beta) / type.bytes] = beta;
}
