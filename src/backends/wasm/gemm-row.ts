/** Products of a batch whose left factors have a single row, as those of depthwise convolutions do: the right factors are read as they lie. */
import { float32, type DType } from "../../tensor/dtype.ts";
import { heap, Storage } from "../../tensor/heap.ts";
import { lengthOf, offsetsOf, targetOf, type Axis, type Product } from "../product.ts";
import { Assembler } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { f32, f64, multiplyAdd, whileTrue, type FloatType } from "./gemm-code.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor } from "./threads.ts";

/**
 * Bytes at which the parameters lie in the block. `depths` is a table of the distances in bytes of each depth in `a` and in `b`, `matrices`
 * of those of each matrix in both and in `out`, `lines` of those of each line of columns in `b` and in `out`; columns are `step` bytes apart.
 */
const fields = {
  a: 0, b: 4, out: 8, depths: 12, depthsEnd: 16, matrices: 20, lines: 24, lineCount: 28, length: 32, step: 36, keep: 40, alpha: 48, beta: 56,
} as const;

/** Vectors of a round. */
const VECTORS = 4;
/** Longer sums are made in blocks, so that they stay exact. */
const LONG = 1 << 10;
/** Multiply-adds that are worth a thread's while. */
const GRAIN = 1 << 16;

const block = new Storage(64);
const scratch = new Scratch();
const compiled = new Map<string, Kernel>();

/** The columns as lines of elements a step apart. */
function linesOf({ sizes, steps }: Axis): { length: number; step: number; outer: Axis } {
  let d = sizes.length - 1;
  const step = steps[d];
  let length = sizes[d];
  for (; d > 0 && steps[d - 1] === step * length; d--) length *= sizes[d - 1];
  return { length, step, outer: { sizes: sizes.slice(0, d), steps: steps.slice(0, d) } };
}

/** Runs a product of float32 or float64 if its left factors have one row and its columns fill vectors; else returns false. */
export function multiplyRow(dtype: DType, product: Product): boolean {
  const type = dtype === float32 ? f32 : f64;
  const { a, b, out, alpha, beta } = product;
  const k = lengthOf(a.columns);
  if (lengthOf(a.rows) !== 1 || k > LONG || b.columns.sizes.length === 0) return false;
  const { length, step, outer } = linesOf(b.columns);
  if (length < type.lanes || step <= 0) return false;
  const lineStarts = offsetsOf(outer);
  const target = targetOf(product);
  const tables = [
    [offsetsOf(a.columns), offsetsOf(b.rows)],
    [offsetsOf(a.batch), offsetsOf(b.batch), offsetsOf(target.batch)],
    [lineStarts, lineStarts.map((_, i) => i * length)],
  ];
  const { address } = scratch.take(4 * tables.reduce((words, lists) => words + lists.length * lists[0].length, 0));
  const [depths, matrices, lines] = writeTables(tables, type.bytes, address >>> 2);
  const values: Record<Exclude<keyof typeof fields, "alpha" | "beta">, number> = {
    a: a.storage.address + a.offset * type.bytes, b: b.storage.address + b.offset * type.bytes, out: out.storage.address + out.offset * type.bytes,
    depths, depthsEnd: matrices, matrices, lines, lineCount: lineStarts.length, length, step: step * type.bytes, keep: beta === 0 ? 0 : 1,
  };
  for (const name of Object.keys(values) as (keyof typeof values)[]) heap.i32[(block.address + fields[name]) >>> 2] = values[name];
  const floats = type === f32 ? heap.f32 : heap.f64;
  floats[(block.address + fields.alpha) / type.bytes] = alpha;
  floats[(block.address + fields.beta) / type.bytes] = beta;
  const key = `${type.name} ${step === 1}`;
  let kernel = compiled.get(key);
  if (kernel === undefined) compiled.set(key, (kernel = compile(type, step === 1)));
  parallelFor(kernel, block.address, lengthOf(a.batch) * lineStarts.length, Math.ceil(GRAIN / (length * k)));
  return true;
}

/** Writes tables one after another, the lists of each interleaved; returns their addresses. */
function writeTables(tables: readonly (readonly number[][])[], bytes: number, word: number): number[] {
  const table = heap.i32;
  let at = word;
  return tables.map((lists) => {
    const start = at;
    for (let i = 0; i < lists[0].length; i++) for (const list of lists) table[at++] = list[i] * bytes;
    return 4 * start;
  });
}

/** Compiles the kernel, of which a unit is a line of columns of a matrix. */
function compile(type: FloatType, sideBySide: boolean): Kernel {
  const code = new Assembler(3);
  const [parameters, unit, to] = [0, 1, 2];
  const field = (name: keyof typeof fields): Assembler => code.get(parameters).memory("i32.load", fields[name]);
  const [a, b, out, matrix, line, left, depth, at, step, back] = Array.from({ length: 10 }, () => code.local("i32"));
  const [factor, vector] = [code.local("v128"), code.local("v128")];
  const sums = Array.from({ length: VECTORS }, () => code.local("v128"));
  const bits = type.bytes === 4 ? 32 : 64;
  const loadNext = (v: number): void => {
    if (sideBySide) return void code.get(at).memory("v128.load", 16 * v).set(vector);
    for (let lane = 0; lane < type.lanes; lane++) {
      if (lane === 0) code.get(at).memory(`v128.load${bits}_zero`).set(vector);
      else code.get(at).get(vector).loadLane(bits, lane).set(vector);
      code.get(at).get(step).op("i32.add").set(at);
    }
  };
  const scale = (which: "alpha" | "beta"): Assembler => code.get(parameters).memory(`v128.load${bits}_splat`, fields[which]);
  /** The sums of some vectors of columns from `b` on. */
  const sum = (vectors: number): void => {
    for (let v = 0; v < vectors; v++) code.f32(0).op("f32x4.splat").set(sums[v]);
    field("depths").set(depth);
    whileTrue(code, () => { code.get(depth); field("depthsEnd").op("i32.ne"); }, () => {
      code.get(a).get(depth).memory("i32.load").op("i32.add").memory(`v128.load${bits}_splat`).set(factor);
      code.get(b).get(depth).memory("i32.load", 4).op("i32.add").set(at);
      for (let v = 0; v < vectors; v++) {
        loadNext(v);
        multiplyAdd(code, type, () => code.get(vector).get(factor), sums[v]);
      }
      code.get(depth).i32(8).op("i32.add").set(depth);
    });
    for (let v = 0; v < vectors; v++) {
      code.get(sums[v]); scale("alpha").op(`${type.shape}.mul`).set(sums[v]);
      field("keep").when(() => multiplyAdd(code, type, () => { code.get(out).memory("v128.load", 16 * v); scale("beta"); }, sums[v]));
    }
  };
  const advance = (vectors: number): void => {
    code.get(b).get(step).i32(vectors * type.lanes).op("i32.mul").op("i32.add").set(b).get(out).i32(16 * vectors).op("i32.add").set(out);
    code.get(left).i32(vectors * type.lanes).op("i32.sub").set(left);
  };
  field("step").set(step);
  whileTrue(code, () => code.get(unit).get(to).op("i32.ne"), () => {
    code.get(unit); field("lineCount").op("i32.div_u").i32(12).op("i32.mul"); field("matrices").op("i32.add").set(matrix);
    code.get(unit); field("lineCount").op("i32.rem_u").i32(8).op("i32.mul"); field("lines").op("i32.add").set(line);
    field("a").get(matrix).memory("i32.load").op("i32.add").set(a);
    field("b").get(matrix).memory("i32.load", 4).op("i32.add").get(line).memory("i32.load").op("i32.add").set(b);
    field("out").get(matrix).memory("i32.load", 8).op("i32.add").get(line).memory("i32.load", 4).op("i32.add").set(out);
    field("length").set(left);
    for (let vectors = VECTORS; vectors > 0; vectors--) {
      whileTrue(code, () => code.get(left).i32(vectors * type.lanes).op("i32.ge_s"), () => {
        sum(vectors);
        for (let v = 0; v < vectors; v++) code.get(out).get(sums[v]).memory("v128.store", 16 * v);
        advance(vectors);
      });
    }
    // Elements left are the last lanes of a vector that begins earlier.
    code.get(left).when(() => {
      code.get(left).i32(type.lanes).op("i32.sub").tee(back).get(step).op("i32.mul").get(b).op("i32.add").set(b);
      code.get(out).get(back).i32(type.bytes).op("i32.mul").op("i32.add").set(out);
      sum(1);
      for (let lane = 1; lane < type.lanes; lane++) {
        code.get(left).i32(type.lanes - lane).op("i32.ge_s").when(() => code.get(out).get(sums[0]).storeLane(bits, lane, lane * type.bytes));
      }
    });
    code.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: code }] });
}
