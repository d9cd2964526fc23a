/** Products of matrices of floats: packed in pieces that the caches hold, then multiplied tile by tile. */
import { heap, Storage } from "../../tensor/heap.ts";
import { float32, type DType } from "../../tensor/dtype.ts";
import { lengthOf, type Product } from "../product.ts";
import type { Kernel } from "./engine.ts";
import { f32, f64, TILE_ROWS, tileColumns, type FloatType } from "./gemm-code.ts";
import { BLOCK_DEPTH, compileMultiply, GROUP_PANELS, multiplyFields, TILE_BYTES } from "./gemm-multiply.ts";
import { compilePack } from "./gemm-pack.ts";
import { Side } from "./gemm-side.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor } from "./threads.ts";

interface Kernels {
  readonly packRows: Kernel;
  readonly packColumns: Kernel;
  readonly multiply: Kernel;
}

const compiled = new Map<FloatType, Kernels>();

function kernelsFor(type: FloatType): Kernels {
  let kernels = compiled.get(type);
  if (kernels === undefined) {
    kernels = { packRows: compilePack(type, TILE_ROWS), packColumns: compilePack(type, tileColumns(type)), multiply: compileMultiply(type) };
    compiled.set(type, kernels);
  }
  return kernels;
}

/** At most so many rows, panels of columns and bytes are packed at a time. */
const PIECE_ROWS = 341 * TILE_ROWS;
const PIECE_COLUMN_PANELS = 2 * GROUP_PANELS;
const PIECE_BYTES = 1 << 21;
/** Multiply-adds that are worth a thread's while. */
const GRAIN = 1 << 19;

const block = new Storage(96);
const scratch = new Scratch();

/** Runs a product of float32 or float64 of which no size is 0. */
export function multiply(dtype: DType, product: Product): void {
  const type = dtype === float32 ? f32 : f64;
  const { packRows, packColumns, multiply: kernel } = kernelsFor(type);
  const { a, b, out } = product;
  const [m, n, k, batch] = [lengthOf(a.rows), lengthOf(b.columns), lengthOf(a.columns), lengthOf(a.batch)];
  const left = new Side(a, { lanes: a.rows, depths: a.columns, kernel: packRows, width: TILE_ROWS, limit: PIECE_ROWS }, type.bytes);
  const right = new Side(b, { lanes: b.columns, depths: b.rows, kernel: packColumns, width: tileColumns(type), limit: PIECE_COLUMN_PANELS * tileColumns(type) }, type.bytes);

  // The depth of a piece is a multiple of the block's, so that pieces change nothing in the order of the sums.
  const bytes = (left.piece + right.piece) * type.bytes;
  const pieceDepth = Math.min(k, Math.max(Math.floor(PIECE_BYTES / (bytes * BLOCK_DEPTH)), 1) * BLOCK_DEPTH);
  const pieceMatrices = Math.min(batch, Math.max(Math.floor(PIECE_BYTES / (bytes * pieceDepth)), 1));
  const units = (rows: number, columns: number): { panels: number; groups: number } => ({
    panels: Math.ceil(rows / TILE_ROWS), groups: Math.ceil(columns / (GROUP_PANELS * tileColumns(type))),
  });
  const most = units(left.piece, right.piece);
  const tiles = right.reserve(left.reserve(0, pieceDepth, pieceMatrices), pieceDepth, pieceMatrices);
  const { address: base } = scratch.take(tiles + pieceMatrices * most.panels * most.groups * TILE_BYTES);
  left.writeTables(base);
  right.writeTables(base);

  for (let matrix = 0; matrix < batch; matrix += pieceMatrices) {
    const matrices = Math.min(pieceMatrices, batch - matrix);
    for (let depth = 0; depth < k; depth += pieceDepth) {
      const depths = Math.min(pieceDepth, k - depth);
      for (let i = 0; i < m; i += left.piece) {
        left.pack(base, block.address, { lane: i, depth, depths, matrix, matrices });
        for (let j = 0; j < n; j += right.piece) {
          right.pack(base, block.address, { lane: j, depth, depths, matrix, matrices });
          const [rows, columns] = [Math.min(left.piece, m - i), Math.min(right.piece, n - j)];
          const { panels, groups } = units(rows, columns);
          const [rowPanels, columnPanels] = [left.panelsAt(base), right.panelsAt(base)];
          writeBlock({
            a: rowPanels.panels, aPanels: rowPanels.table, b: columnPanels.panels, bPanels: columnPanels.table,
            out: out.storage.address + (out.offset + (matrix * m + i) * n + j) * type.bytes, outRow: n * type.bytes, outMatrix: m * n * type.bytes,
            tiles: base + tiles, m: rows, n: columns, k: depths, panels, groups, keep: depth > 0 || product.beta !== 0 ? 1 : 0,
          });
          writeScales(type, product.alpha, depth > 0 ? 1 : product.beta);
          parallelFor(kernel, block.address, matrices * groups * panels, Math.ceil(GRAIN / (TILE_ROWS * Math.ceil(columns / groups) * depths)));
        }
      }
    }
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
