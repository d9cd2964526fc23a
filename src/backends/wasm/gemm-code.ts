/** What the kernels of a product share. */
import type { Assembler } from "./assembler.ts";
import { features } from "./engine.ts";

/** A float type as vectors hold it. */
export interface FloatType {
  readonly name: "f32" | "f64";
  readonly shape: "f32x4" | "f64x2";
  readonly bytes: 4 | 8;
  /** Of one vector. */
  readonly lanes: 4 | 2;
}

export const f32: FloatType = { name: "f32", shape: "f32x4", bytes: 4, lanes: 4 };
export const f64: FloatType = { name: "f64", shape: "f64x2", bytes: 8, lanes: 2 };

/**
 * Rows of a tile: with two vectors of columns, all that a round works with fits in the registers of which an engine leaves 15. More
 * rows hide more of what an instruction takes; where products are instructions of their own they need a register too.
 */
export const TILE_ROWS = features.relaxed ? 6 : 4;
/** The heights of tiles that are multiplied; any other goes by way of the next one. */
export const tileHeights = [1, 2, 4, 6].filter((rows) => rows <= TILE_ROWS);
/** Vectors of columns of a tile. */
export const TILE_VECTORS = 2;
export const tileColumns = (type: FloatType): number => TILE_VECTORS * type.lanes;

/** Runs `body` for as long as `condition` leaves a true i32. */
export function whileTrue(a: Assembler, condition: () => void, body: () => void): void {
  condition();
  a.when(() => a.loop(() => {
    body();
    condition();
  }));
}

/** sum = sum + the product of the two vectors that `push` leaves. */
export function multiplyAdd(a: Assembler, type: FloatType, push: () => void, sum: number): void {
  push();
  if (features.relaxed) a.get(sum).op(`${type.shape}.relaxed_madd`).set(sum);
  else a.op(`${type.shape}.mul`).get(sum).op(`${type.shape}.add`).set(sum);
}

/** sum = sum + vector. */
export function addVectors(a: Assembler, type: FloatType, vector: number, sum: number): void {
  a.get(sum).get(vector).op(`${type.shape}.add`).set(sum);
}
