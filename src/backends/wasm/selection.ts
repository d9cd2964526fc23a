/** Finds the elements of a lane that may be among its largest or smallest. */
import { float32, type DType } from "../../tensor/dtype.ts";
import { heap } from "../../tensor/heap.ts";
import { Assembler } from "./assembler.ts";
import { compileFunction } from "./engine.ts";
import { f32, f64, whileTrue, type FloatType } from "./gemm-code.ts";
import { Scratch } from "./scratch.ts";

/** Vectors of a round, which is left at once where none of their elements is wanted. */
const VECTORS = 4;

const compiled = new Map<string, (...values: number[]) => void>();
const scratch = new Scratch();

/**
 * The positions of the floats at `address` that are not below the threshold, or with `largest` false not above it, in rising order;
 * null where they are more than `limit`. A NaN is above all. They are valid until the next call.
 */
export function positionsBeyond(dtype: DType, address: number, n: number, threshold: number, largest: boolean, limit: number): Uint32Array | null {
  const type = dtype === float32 ? f32 : f64;
  const key = `${type.name} ${largest}`;
  let find = compiled.get(key);
  if (find === undefined) compiled.set(key, (find = compileFind(type, largest)));
  // The count, then the positions, of which a round may write some too many.
  const found = scratch.take(4 * (1 + limit + VECTORS * type.lanes)).address;
  find(address, n, threshold, found, limit);
  const count = heap.i32[found >>> 2];
  return count > limit ? null : new Uint32Array(heap.memory.buffer, found + 4, count);
}

/** Compiles the function (source, n, threshold, found, limit). */
function compileFind(type: FloatType, largest: boolean): (...values: number[]) => void {
  const [source, n, threshold, found, limit] = [0, 1, 2, 3, 4];
  const a = new Assembler(5);
  const [at, to, last, bits] = Array.from({ length: 4 }, () => a.local("i32"));
  const [bound, any] = [a.local("v128"), a.local("v128")];
  const masks = Array.from({ length: VECTORS }, () => a.local("v128"));
  const bitmask = type.lanes === 4 ? "i32x4.bitmask" : "i64x2.bitmask";
  const compare = (): void => {
    a.get(bound);
    if (largest) a.op(`${type.shape}.lt`).op("v128.not");
    else a.op(`${type.shape}.le`);
  };
  /** Writes the positions of `count` lanes of which the mask holds; each place is written again unless its element is wanted. */
  const keep = (mask: number, first: number, count: number): void => {
    a.get(mask).op(bitmask).set(bits);
    for (let lane = 0; lane < count; lane++) {
      a.get(to).get(at).i32(first + lane).op("i32.add").memory("i32.store");
      a.get(to).get(bits).i32(lane).op("i32.shr_u").i32(1).op("i32.and").i32(2).op("i32.shl").op("i32.add").set(to);
    }
  };
  const round = (vectors: number, load: (v: number) => void, count: number): void => {
    for (let v = 0; v < vectors; v++) {
      load(v);
      compare();
      a.tee(masks[v]);
      if (v > 0) a.get(any).op("v128.or");
      a.set(any);
    }
    a.get(any).op("v128.any_true").when(() => masks.slice(0, vectors).forEach((mask, v) => keep(mask, v * type.lanes, count)));
  };
  const elements = VECTORS * type.lanes;
  a.get(found).i32(4).op("i32.add").tee(to).get(limit).i32(2).op("i32.shl").op("i32.add").set(last);
  a.get(threshold).op(`${type.shape}.splat`).set(bound);
  whileTrue(a, () => a.get(n).get(at).op("i32.sub").i32(elements).op("i32.ge_s").get(to).get(last).op("i32.le_u").op("i32.and"), () => {
    round(VECTORS, (v) => a.get(source).memory("v128.load", 16 * v), type.lanes);
    a.get(source).i32(16 * VECTORS).op("i32.add").set(source).get(at).i32(elements).op("i32.add").set(at);
  });
  whileTrue(a, () => a.get(at).get(n).op("i32.lt_s").get(to).get(last).op("i32.le_u").op("i32.and"), () => {
    round(1, () => a.get(source).memory(`v128.load${type.bytes === 4 ? 32 : 64}_splat`), 1);
    a.get(source).i32(type.bytes).op("i32.add").set(source).get(at).i32(1).op("i32.add").set(at);
  });
  a.get(found).get(to).get(found).op("i32.sub").i32(4).op("i32.sub").i32(2).op("i32.shr_u").memory("i32.store");
  return compileFunction({ functions: [{ name: "run", parameters: ["i32", "i32", type.name, "i32", "i32"], results: [], body: a }] });
}
