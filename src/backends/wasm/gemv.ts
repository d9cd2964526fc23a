/** Products of a matrix and a vector, where packing would cost as much as multiplying: the matrix is read as it lies. */
import { float32, type DType } from "../../tensor/dtype.ts";
import { heap, Storage } from "../../tensor/heap.ts";
import { lengthOf, targetOf, writeOffsets, type Axis, type Product } from "../product.ts";
import { Assembler, type LaneOpcode } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { addVectors, f32, f64, multiplyAdd, whileTrue, type FloatType } from "./gemm-code.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor } from "./threads.ts";

/** Bytes at which the parameters lie in the block; `step` is the distance of what does not lie side by side: rows or columns. */
const fields = { a: 0, step: 4, x: 8, y: 12, m: 16, k: 20, keep: 24, alpha: 32, beta: 40 } as const;

/** Rows of a unit of the kernel that reads along the rows. */
const ROWS = 4;
/** Vectors of rows of a unit of the kernel that reads along the columns. */
const VECTORS = 4;
/** Sums of so many products are made before they are added up, so that long ones stay exact. */
const BLOCK = 1024;
/** Multiply-adds that are worth a thread's while. */
const GRAIN = 1 << 16;

const block = new Storage(48);
const scratch = new Scratch();
const compiled = new Map<FloatType, { byRows: Kernel; byColumns: Kernel }>();

/** Runs a product of a single matrix and a vector, if one side of the matrix lies side by side; else returns false. */
export function multiplyVector(dtype: DType, product: Product): boolean {
  const { a, b } = product;
  if (lengthOf(a.batch) !== 1) return false;
  if (lengthOf(b.columns) === 1 && targetOf(product).row === 1) return run(dtype, product, { factor: a, rows: a.rows, depths: a.columns }, { factor: b, depths: b.rows });
  if (lengthOf(a.rows) === 1) return run(dtype, product, { factor: b, rows: b.columns, depths: b.rows }, { factor: a, depths: a.columns });
  return false;
}

interface Operand {
  readonly factor: Product["a"];
  readonly depths: Axis;
}

function run(dtype: DType, product: Product, matrix: Operand & { rows: Axis }, vector: Operand): boolean {
  const { out, alpha, beta } = product;
  const type = dtype === float32 ? f32 : f64;
  const [m, k] = [lengthOf(matrix.rows), lengthOf(matrix.depths)];
  if (matrix.rows.sizes.length !== 1 || matrix.depths.sizes.length !== 1) return false;
  const [rowStep, depthStep] = [matrix.rows.steps[0], matrix.depths.steps[0]];
  const rowsOfUnit = VECTORS * type.lanes;
  const along = depthStep === 1 || k === 1 ? "byRows" : rowStep === 1 && m >= rowsOfUnit ? "byColumns" : null;
  if (along === null) return false;

  const x = contiguous(type, vector, k);
  const at = block.address >>> 2;
  heap.i32[at + fields.a / 4] = matrix.factor.storage.address + matrix.factor.offset * type.bytes;
  heap.i32[at + fields.step / 4] = (along === "byRows" ? rowStep : depthStep) * type.bytes;
  heap.i32[at + fields.x / 4] = x.storage.address + x.offset * type.bytes;
  heap.i32[at + fields.y / 4] = out.storage.address + out.offset * type.bytes;
  heap.i32[at + fields.m / 4] = m;
  heap.i32[at + fields.k / 4] = k;
  heap.i32[at + fields.keep / 4] = beta === 0 ? 0 : 1;
  const floats = type === f32 ? heap.f32 : heap.f64;
  floats[(block.address + fields.alpha) / type.bytes] = alpha;
  floats[(block.address + fields.beta) / type.bytes] = beta;
  const size = along === "byRows" ? ROWS : rowsOfUnit;
  parallelFor(kernelsFor(type)[along], block.address, Math.ceil(m / size), Math.ceil(GRAIN / (size * k)));
  return true;
}

/** The vector side by side, as it is or as a copy. */
function contiguous(type: FloatType, { factor, depths }: Operand, k: number): { storage: Storage; offset: number } {
  if (depths.sizes.length === 1 && depths.steps[0] === 1) return factor;
  const storage = scratch.take(k * (type.bytes + 4));
  const floats = type === f32 ? heap.f32 : heap.f64;
  const offsets = (storage.address + k * type.bytes) >>> 2;
  writeOffsets(depths, 1, heap.i32, offsets);
  const [from, to] = [factor.storage.address / type.bytes + factor.offset, storage.address / type.bytes];
  for (let p = 0; p < k; p++) floats[to + p] = floats[from + heap.i32[offsets + p]];
  return { storage, offset: 0 };
}

function kernelsFor(type: FloatType): { byRows: Kernel; byColumns: Kernel } {
  let kernels = compiled.get(type);
  if (kernels === undefined) compiled.set(type, (kernels = { byRows: compile(type, writeRows), byColumns: compile(type, writeColumns) }));
  return kernels;
}

/** A unit's code: `field` pushes a parameter, `unit` is the local with the unit's number. */
type Unit = (a: Assembler, type: FloatType, field: (name: keyof typeof fields) => Assembler, unit: number) => void;

function compile(type: FloatType, write: Unit): Kernel {
  const a = new Assembler(3);
  const [parameters, unit, to] = [0, 1, 2];
  const field = (name: keyof typeof fields): Assembler =>
    a.get(parameters).memory(name === "alpha" || name === "beta" ? `${type.name}.load` : "i32.load", fields[name]);
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    write(a, type, field, unit);
    a.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

/** Sums along rows, a few of them at a time, so that the vector is read once for all. */
const writeRows: Unit = (a, type, field, unit) => {
  const [x, left, count, row, y] = Array.from({ length: 5 }, () => a.local("i32"));
  const rows = Array.from({ length: ROWS }, () => ({
    at: a.local("i32"), sums: [a.local("v128"), a.local("v128")], total: a.local("v128"), rest: a.local(type.name),
  }));
  const [value, single] = [a.local("v128"), a.local(type.name)];
  const advance = (bytes: number): void => [x, ...rows.map((r) => r.at)].forEach((local) => a.get(local).i32(bytes).op("i32.add").set(local));
  const clear = (local: number): void => void a.f32(0).op("f32x4.splat").set(local);

  field("x").set(x);
  field("k").set(left);
  rows.forEach(({ at, total, rest }, r) => {
    // A row that is missing repeats the last one, and is not stored.
    a.get(unit).i32(ROWS).op("i32.mul").i32(r).op("i32.add").tee(row); field("m").i32(1).op("i32.sub").get(row);
    field("m").op("i32.lt_s").op("select").set(row);
    field("a").get(row); field("step").op("i32.mul").op("i32.add").set(at);
    clear(total);
    a[type.name](0).set(rest);
  });
  whileTrue(a, () => a.get(left).i32(2 * type.lanes).op("i32.ge_s"), () => {
    a.get(left).i32(-2 * type.lanes).op("i32.and").i32(BLOCK).get(left).i32(BLOCK).op("i32.lt_s").op("select").set(count);
    a.get(left).get(count).op("i32.sub").set(left);
    rows.forEach(({ sums }) => sums.forEach(clear));
    whileTrue(a, () => a.get(count), () => {
      for (let v = 0; v < 2; v++) {
        a.get(x).memory("v128.load", 16 * v).set(value);
        rows.forEach(({ at, sums }) => multiplyAdd(a, type, () => a.get(at).memory("v128.load", 16 * v).get(value), sums[v]));
      }
      advance(32);
      a.get(count).i32(2 * type.lanes).op("i32.sub").set(count);
    });
    rows.forEach(({ sums, total }) => sums.forEach((sum) => addVectors(a, type, sum, total)));
  });
  whileTrue(a, () => a.get(left), () => {
    a.get(x).memory(`${type.name}.load`).set(single);
    rows.forEach(({ at, rest }) => a.get(at).memory(`${type.name}.load`).get(single).op(`${type.name}.mul`).get(rest).op(`${type.name}.add`).set(rest));
    advance(type.bytes);
    a.get(left).i32(1).op("i32.sub").set(left);
  });
  field("y").get(unit).i32(ROWS * type.bytes).op("i32.mul").op("i32.add").set(y);
  rows.forEach(({ total, rest }, r) => {
    for (let lane = 0; lane < type.lanes; lane++) a.get(total).lane(`${type.shape}.extract_lane` as LaneOpcode, lane).get(rest).op(`${type.name}.add`).set(rest);
    a.get(unit).i32(ROWS).op("i32.mul").i32(r).op("i32.add"); field("m").op("i32.lt_s").when(() => storeScaled(a, type, field, y, r * type.bytes, rest));
  });
};

function storeScaled(a: Assembler, type: FloatType, field: Parameters<Unit>[2], y: number, offset: number, sum: number): void {
  a.get(sum); field("alpha").op(`${type.name}.mul`).set(sum);
  field("keep").when(() => {
    a.get(y).memory(`${type.name}.load`, offset); field("beta").op(`${type.name}.mul`).get(sum).op(`${type.name}.add`).set(sum);
  });
  a.get(y).get(sum).memory(`${type.name}.store`, offset);
}

/** Sums of whole columns, as many rows as a unit has; rows that fill no unit are summed one by one. */
const writeColumns: Unit = (a, type, field, unit) => {
  const [at, x, left, count, y, end, rows] = Array.from({ length: 7 }, () => a.local("i32"));
  const sums = Array.from({ length: VECTORS }, () => a.local("v128"));
  const totals = sums.map(() => a.local("v128"));
  const [value, sum] = [a.local("v128"), a.local(type.name)];
  const bytes = 16 * VECTORS;
  const start = (): void => {
    field("x").set(x);
    field("k").set(left);
  };
  const next = (): void => {
    a.get(at); field("step").op("i32.add").set(at).get(x).i32(type.bytes).op("i32.add").set(x);
  };
  const clear = (local: number): void => void a.f32(0).op("f32x4.splat").set(local);

  field("y").get(unit).i32(bytes).op("i32.mul").op("i32.add").set(y);
  field("m").get(unit).i32(VECTORS * type.lanes).op("i32.mul").op("i32.sub").tee(rows).i32(VECTORS * type.lanes).op("i32.ge_s").when(() => {
    a.i32(0).set(rows);
    field("a").get(unit).i32(bytes).op("i32.mul").op("i32.add").set(at);
    start();
    totals.forEach(clear);
    whileTrue(a, () => a.get(left), () => {
      a.get(left).i32(BLOCK).get(left).i32(BLOCK).op("i32.lt_s").op("select").set(count).get(left).get(count).op("i32.sub").set(left);
      sums.forEach(clear);
      whileTrue(a, () => a.get(count), () => {
        a.get(x).memory(type.bytes === 4 ? "v128.load32_splat" : "v128.load64_splat").set(value);
        sums.forEach((vector, v) => multiplyAdd(a, type, () => a.get(at).memory("v128.load", 16 * v).get(value), vector));
        next();
        a.get(count).i32(1).op("i32.sub").set(count);
      });
      sums.forEach((vector, v) => addVectors(a, type, vector, totals[v]));
    });
    totals.forEach((total, v) => {
      a.get(total); field("alpha").op(`${type.shape}.splat`).op(`${type.shape}.mul`).set(total);
      field("keep").when(() => multiplyAdd(a, type, () => { a.get(y).memory("v128.load", 16 * v); field("beta").op(`${type.shape}.splat`); }, total));
      a.get(y).get(total).memory("v128.store", 16 * v);
    });
  });
  a.get(y).get(rows).i32(type.bytes).op("i32.mul").op("i32.add").set(end);
  whileTrue(a, () => a.get(y).get(end).op("i32.ne"), () => {
    field("a").get(y); field("y").op("i32.sub").op("i32.add").set(at);
    start();
    a[type.name](0).set(sum);
    whileTrue(a, () => a.get(left), () => {
      a.get(at).memory(`${type.name}.load`).get(x).memory(`${type.name}.load`).op(`${type.name}.mul`).get(sum).op(`${type.name}.add`).set(sum);
      next();
      a.get(left).i32(1).op("i32.sub").set(left);
    });
    storeScaled(a, type, field, y, 0, sum);
    a.get(y).i32(type.bytes).op("i32.add").set(y);
  });
};
