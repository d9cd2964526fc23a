/** One factor of a product on its way into panels. */
import { heap } from "../../tensor/heap.ts";
import { lengthOf, offsetsOf, writeOffsets, type Axis, type Factor } from "../product.ts";
import type { Kernel } from "./engine.ts";
import { packFields } from "./gemm-pack.ts";
import { parallelFor } from "./threads.ts";

/** Packed elements that are worth a thread's while. */
const GRAIN = 1 << 14;

/** Lanes are rows of the left factor and columns of the right one; depth is what the sums run over. */
export interface Direction {
  readonly lanes: Axis;
  readonly depths: Axis;
  readonly kernel: Kernel;
  /** Lanes of a panel. */
  readonly width: number;
  /** At most so many lanes are packed at a time; whole panels. */
  readonly limit: number;
}

export class Side {
  /** Of the whole factor. */
  readonly count: number;
  /** Lanes that are packed at a time, in whole panels. */
  readonly piece: number;
  private readonly factor: Factor;
  private readonly direction: Direction;
  private readonly itemsize: number;
  private readonly batch: readonly number[];
  private readonly shared: boolean;
  // Distances from the start of the scratch.
  private laneTable = 0;
  private depthTable = 0;
  private sources = 0;
  private targets = 0;
  private panels = 0;
  // What the panels hold.
  private heldLane = -1;
  private heldDepth = -1;
  private heldMatrix = -1;

  constructor(factor: Factor, direction: Direction, itemsize: number) {
    this.factor = factor;
    this.direction = direction;
    this.itemsize = itemsize;
    this.batch = offsetsOf(factor.batch);
    this.shared = this.batch.every((offset) => offset === this.batch[0]);
    this.count = lengthOf(direction.lanes);
    this.piece = Math.min(roundUp(this.count, direction.width), direction.limit);
  }

  /** Lays out what it needs behind `at`, for pieces of so many depths and matrices; returns where that ends. */
  reserve(at: number, depth: number, matrices: number): number {
    const { lanes, depths, width } = this.direction;
    this.laneTable = at;
    this.depthTable = this.laneTable + 4 * roundUp(lengthOf(lanes), width);
    this.sources = this.depthTable + 4 * lengthOf(depths);
    this.targets = this.sources + 4 * matrices;
    this.panels = roundUp(this.targets + 4 * matrices, 16);
    return this.panels + matrices * this.piece * depth * this.itemsize;
  }

  writeTables(base: number): void {
    const { lanes, depths, width } = this.direction;
    const table = heap.i32;
    const start = (base + this.laneTable) >>> 2;
    const end = writeOffsets(lanes, this.itemsize, table, start);
    // Lanes that fill up the last panel repeat the last one: nobody reads their sums.
    table.fill(table[end - 1], end, start + roundUp(end - start, width));
    writeOffsets(depths, this.itemsize, table, (base + this.depthTable) >>> 2);
  }

  /** Packs a piece, unless the scratch holds it already. Parameters go to `block`; `base` is where the scratch lies. */
  pack(base: number, block: number, piece: { lane: number; depth: number; depths: number; matrix: number; matrices: number }): void {
    const { lane, depth, depths, matrix, matrices } = piece;
    if (lane === this.heldLane && depth === this.heldDepth && (this.shared || matrix === this.heldMatrix)) return;
    this.heldLane = lane;
    this.heldDepth = depth;
    this.heldMatrix = matrix;
    const { kernel, width } = this.direction;
    const panels = Math.ceil(Math.min(this.piece, this.count - lane) / width);
    const table = heap.i32;
    const distinct = this.writeSources(base, matrix, matrices, panels * width * depths * this.itemsize);
    const at = block >>> 2;
    table[at + packFields.source / 4] = this.factor.storage.address + this.factor.offset * this.itemsize;
    table[at + packFields.batches / 4] = base + this.sources;
    table[at + packFields.lanes / 4] = base + this.laneTable + 4 * lane;
    table[at + packFields.depths / 4] = base + this.depthTable + 4 * depth;
    table[at + packFields.depth / 4] = depths;
    table[at + packFields.panels / 4] = panels;
    table[at + packFields.target / 4] = base + this.panels;
    parallelFor(kernel, block, distinct * panels, Math.ceil(GRAIN / (width * depths)));
  }

  /** Lists the distinct matrices of a piece of the batch, and for each matrix of it where its panels lie; returns how many. */
  private writeSources(base: number, matrix: number, matrices: number, bytes: number): number {
    const table = heap.i32;
    const [sources, targets] = [(base + this.sources) >>> 2, (base + this.targets) >>> 2];
    if (this.shared) {
      table[sources] = this.batch[0] * this.itemsize;
      table.fill(0, targets, targets + matrices);
      return 1;
    }
    const seen = new Map<number, number>();
    for (let i = 0; i < matrices; i++) {
      const offset = this.batch[matrix + i] * this.itemsize;
      let ordinal = seen.get(offset);
      if (ordinal === undefined) {
        seen.set(offset, (ordinal = seen.size));
        table[sources + ordinal] = offset;
      }
      table[targets + i] = ordinal * bytes;
    }
    return seen.size;
  }

  /** Where the panels lie, and the table of each matrix's distance from there. */
  panelsAt(base: number): { panels: number; table: number } {
    return { panels: base + this.panels, table: base + this.targets };
  }
}

export const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
