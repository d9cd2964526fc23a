/** One factor of a product on its way into panels. */
import { heap } from "../../tensor/heap.ts";
import { offsetsOf, type Axis, type Factor } from "../product.ts";
import type { Kernel } from "./engine.ts";
import { packFields } from "./gemm-pack.ts";
import { ENTRY, packedBefore, type Panels } from "./gemm-panels.ts";
import { parallelFor } from "./threads.ts";

/** Packed elements that are worth a thread's while. */
const GRAIN = 1 << 14;

/** Lanes are rows of the left factor and columns of the right one; depth is what the sums run over. */
export interface Direction {
  readonly batch: Axis;
  readonly panels: Panels;
  readonly depths: Int32Array;
  readonly kernel: Kernel;
  /** Lanes of a panel. */
  readonly width: number;
  /** At most so many panels are at hand at a time. */
  readonly limit: number;
}

/** What part of a product is at hand, in panels, depths and matrices. */
export interface Piece {
  readonly panel: number;
  readonly depth: number;
  readonly depths: number;
  readonly matrix: number;
  readonly matrices: number;
}

export class Side {
  /** Panels of the whole factor, and how many are at hand at a time. */
  readonly count: number;
  readonly piece: number;
  /** Lanes that are packed at a time. */
  readonly lanes: number;
  /** Is it the same for all matrices of the batch? */
  readonly shared: boolean;
  private readonly factor: Factor;
  private readonly direction: Direction;
  private readonly itemsize: number;
  private readonly batch: readonly number[];
  // Distances from the start of the scratch.
  private laneTable = 0;
  private depthTable = 0;
  private entries = 0;
  private sources = 0;
  private places = 0;
  private targets = 0;
  private packed = 0;
  // What the panels hold.
  private heldPanel = -1;
  private heldDepth = -1;
  private heldMatrix = -1;

  constructor(factor: Factor, direction: Direction, itemsize: number) {
    this.factor = factor;
    this.direction = direction;
    this.itemsize = itemsize;
    this.batch = offsetsOf(direction.batch);
    this.shared = this.batch.every((offset) => offset === this.batch[0]);
    this.count = direction.panels.entries.length / ENTRY;
    this.piece = Math.min(this.count, direction.limit);
    this.lanes = Math.min(direction.panels.lanes.length, this.piece * direction.width);
  }

  /** Lays out what it needs behind `at`, for pieces of so many depths and matrices; returns where that ends. */
  reserve(at: number, depth: number, matrices: number): number {
    const { panels, depths } = this.direction;
    this.laneTable = at;
    this.depthTable = this.laneTable + 4 * panels.lanes.length;
    this.entries = this.depthTable + 4 * depths.length;
    this.sources = this.entries + 4 * panels.entries.length;
    this.places = this.sources + 4 * matrices;
    this.targets = this.places + 4 * matrices;
    this.packed = roundUp(this.targets + 4 * matrices, 16);
    return this.packed + matrices * this.lanes * depth * this.itemsize;
  }

  writeTables(base: number): void {
    const { panels, depths } = this.direction;
    const table = heap.i32;
    table.set(panels.lanes, (base + this.laneTable) >>> 2);
    table.set(depths, (base + this.depthTable) >>> 2);
    table.set(panels.entries, (base + this.entries) >>> 2);
  }

  /** Packs a piece, unless the scratch holds it already. Parameters go to `block`; `base` is where the scratch lies. */
  pack(base: number, block: number, piece: Piece): void {
    const { panel, depth, depths, matrix, matrices } = piece;
    if (panel === this.heldPanel && depth === this.heldDepth && (this.shared || matrix === this.heldMatrix)) return;
    this.heldPanel = panel;
    this.heldDepth = depth;
    this.heldMatrix = matrix;
    const { kernel, width } = this.direction;
    const [first, panels] = this.packedPanels(panel);
    const table = heap.i32;
    const distinct = this.writeSources(base, matrix, matrices, panels * width * depths * this.itemsize);
    if (panels === 0) return;
    const at = block >>> 2;
    table[at + packFields.source / 4] = this.source;
    table[at + packFields.batches / 4] = base + this.sources;
    table[at + packFields.lanes / 4] = base + this.laneTable + 4 * first * width;
    table[at + packFields.depths / 4] = base + this.depthTable + 4 * depth;
    table[at + packFields.depth / 4] = depths;
    table[at + packFields.panels / 4] = panels;
    table[at + packFields.target / 4] = base + this.packed;
    parallelFor(kernel, block, distinct * panels, Math.ceil(GRAIN / (width * depths)));
  }

  private get source(): number {
    return this.factor.storage.address + this.factor.offset * this.itemsize;
  }

  /** The first packed panel of the piece that starts with the panel `at`, and how many there are. */
  private packedPanels(at: number): [number, number] {
    const { panels, width } = this.direction;
    const first = packedBefore(panels, at, width);
    return [first, packedBefore(panels, at + this.piece, width) - first];
  }

  /**
   * Lists for each matrix of a piece of the batch where it lies and where its packed panels do, which equal ones share, and
   * the distinct ones; returns how many these are.
   */
  private writeSources(base: number, matrix: number, matrices: number, bytes: number): number {
    const table = heap.i32;
    const [sources, places, targets] = [(base + this.sources) >>> 2, (base + this.places) >>> 2, (base + this.targets) >>> 2];
    if (this.shared) {
      table[sources] = this.batch[0] * this.itemsize;
      table.fill(table[sources], places, places + matrices);
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
      table[places + i] = offset;
      table[targets + i] = ordinal * bytes;
    }
    return seen.size;
  }

  /** Where the multiplying kernel finds the piece at hand: its packed panels, the matrix as it lies, and the tables. */
  at(base: number, { panel, depth, depths }: Piece): { packed: number; before: number; targets: number; source: number; places: number; entries: number; depths: number } {
    return {
      packed: base + this.packed,
      // Entries count packed panels from the first of the factor on; those before the piece are bytes to skip.
      before: this.packedPanels(panel)[0] * this.direction.width * depths * this.itemsize,
      targets: base + this.targets, source: this.source, places: base + this.places,
      entries: base + this.entries + 4 * ENTRY * panel, depths: base + this.depthTable + 4 * depth,
    };
  }
}

export const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
