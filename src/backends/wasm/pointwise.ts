/** Compiles pointwise expressions to WASM SIMD: one module for each layout class that a kernel meets. */
import { bool, FLOAT, float32, float64, int64, type DType } from "../../tensor/dtype.ts";
import { heap, Storage } from "../../tensor/heap.ts";
import type { Expr } from "../../ir/expr.ts";
import type { PointwiseKernel } from "../../ir/kernel.ts";
import { Assembler, assemble } from "./assembler.ts";
import { children, Emitter, lanesOf, type Invariants } from "./emit.ts";
import { castVector, loadSplat, loadVector, storeElement, storeVector, type Lanes } from "./lanes.ts";

declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => { exports: Record<string, (n: number) => void> };
};

/** Addresses and steps of a call at 8 bytes an operand, then its scalars at 8 bytes each. */
const parameters = new Storage(256);
const scalarsAt = 128;

/** How the operands advance: each input by its size or not at all, or in some other way. */
type Layout = { splat: readonly boolean[] } | "strided";

interface Input {
  index: number;
  dtype: DType;
}

function inputsOf(expr: Expr): Input[] {
  const found = new Map<number, DType>();
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind.tag === "input") found.set(e.kind.index, e.dtype);
    children(e).forEach(visit);
  };
  visit(expr);
  return [...found].map(([index, dtype]) => ({ index, dtype })).sort((x, y) => x.index - y.index);
}

/** Compiles `expr`, stored as `out`; throws Unsupported where vectors lack an operation. */
export function compilePointwise(expr: Expr, out: DType): PointwiseKernel {
  const inputs = inputsOf(expr);
  const kernels = new Map<number, (n: number) => void>();
  const strided = 1 << inputs.length;
  const layoutOf = (key: number): Layout => (key === strided ? "strided" : { splat: inputs.map((_, i) => (key & (1 << i)) !== 0) });
  kernels.set(0, instantiate(expr, out, inputs, layoutOf(0)));
  return (n, at, step, scalars) => {
    let key = step[0] === out.itemsize ? 0 : strided;
    const { i32 } = heap;
    const base = parameters.address >>> 2;
    i32[base] = at[0];
    i32[base + 1] = step[0];
    for (let i = 0; i < inputs.length; i++) {
      const { index, dtype } = inputs[i];
      const by = step[index + 1];
      i32[base + 2 * (i + 1)] = at[index + 1];
      i32[base + 2 * (i + 1) + 1] = by;
      if (by === 0) key |= 1 << i;
      else if (by !== dtype.itemsize) key = strided;
    }
    if (key > strided) key = strided;
    writeScalars(expr, scalars);
    let kernel = kernels.get(key);
    if (kernel === undefined) kernels.set(key, (kernel = instantiate(expr, out, inputs, layoutOf(key))));
    kernel(n);
  };
}

const scalarsOf = new WeakMap<Expr, Input[]>();

function writeScalars(expr: Expr, scalars: readonly (number | bigint)[]): void {
  const used = scalarsOf.get(expr)!;
  for (let k = 0; k < used.length; k++) {
    const { index, dtype } = used[k];
    const position = (parameters.address + scalarsAt) / 8 + k;
    if (dtype === int64) heap.i64[position] = BigInt(scalars[index]);
    else heap.f64[position] = Number(scalars[index]);
  }
}

function instantiate(expr: Expr, out: DType, inputs: readonly Input[], layout: Layout): (n: number) => void {
  const a = new Assembler(1);
  const lanes = lanesOf(expr, out);
  const pointers = [a.local("i32"), ...inputs.map(() => a.local("i32"))];
  const steps = [a.local("i32"), ...inputs.map(() => a.local("i32"))];
  pointers.forEach((p, i) => a.i32(parameters.address).memory("i32.load", 8 * i).set(p).i32(parameters.address).memory("i32.load", 8 * i + 4).set(steps[i]));
  const invariants = new KernelInvariants(a, expr);
  const temporary = a.local("v128");
  const values = new Map(inputs.map(({ index }) => [index, a.local("v128")]));
  if (layout !== "strided") {
    inputs.forEach(({ index, dtype }, i) => {
      if (!layout.splat[i]) return;
      a.get(pointers[i + 1]);
      loadSplat(a, dtype, lanes);
      a.set(values.get(index)!);
    });
    vectorLoop(a, expr, out, inputs, layout.splat, { lanes, pointers, values, invariants, temporary });
  }
  elementLoop(a, expr, out, inputs, { lanes, pointers, steps, values, invariants, temporary });
  const bytes = assemble([{ name: "k", parameters: ["i32"], body: a }], { initial: 0, maximum: 65536, shared: false });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { m: heap.memory } });
  return exports.k;
}

interface Frame {
  lanes: Lanes;
  pointers: readonly number[];
  steps?: readonly number[];
  values: ReadonlyMap<number, number>;
  invariants: KernelInvariants;
  temporary: number;
}

const n = 0;

function advance(a: Assembler, pointer: number, by: () => void): void {
  a.get(pointer);
  by();
  a.op("i32.add").set(pointer);
}

/** Full vectors while there are enough elements. */
function vectorLoop(a: Assembler, expr: Expr, out: DType, inputs: readonly Input[], splat: readonly boolean[], f: Frame): void {
  a.get(n).i32(f.lanes).op("i32.ge_s").when(() => {
    a.loop(() => {
      inputs.forEach(({ index, dtype }, i) => {
        if (splat[i]) return;
        a.get(f.pointers[i + 1]);
        loadVector(a, dtype, f.lanes);
        a.set(f.values.get(index)!);
        advance(a, f.pointers[i + 1], () => a.i32(dtype.itemsize * f.lanes));
      });
      const value = computeInto(a, expr, out, f);
      a.get(f.pointers[0]).get(value);
      storeVector(a, out, f.lanes, f.temporary);
      advance(a, f.pointers[0], () => a.i32(out.itemsize * f.lanes));
      a.get(n).i32(f.lanes).op("i32.sub").tee(n).i32(f.lanes).op("i32.ge_s");
    });
  });
}

/** One element at a time: the rest of a vector loop, and operands that advance by other steps. */
function elementLoop(a: Assembler, expr: Expr, out: DType, inputs: readonly Input[], f: Frame): void {
  a.get(n).i32(0).op("i32.gt_s").when(() => {
    a.loop(() => {
      inputs.forEach(({ index, dtype }, i) => {
        a.get(f.pointers[i + 1]);
        loadSplat(a, dtype, f.lanes);
        a.set(f.values.get(index)!);
        advance(a, f.pointers[i + 1], () => a.get(f.steps![i + 1]));
      });
      const value = computeInto(a, expr, out, f);
      a.get(f.pointers[0]).get(value);
      storeElement(a, out, f.lanes, f.temporary);
      advance(a, f.pointers[0], () => a.get(f.steps![0]));
      a.get(n).i32(1).op("i32.sub").tee(n);
    });
  });
}

function computeInto(a: Assembler, expr: Expr, out: DType, f: Frame): number {
  const emitter = new Emitter(a, f.lanes, f.values, f.invariants, f.temporary);
  const value = emitter.value(expr);
  if (expr.dtype === out) return value;
  a.get(value);
  castVector(a, expr.dtype, out, f.lanes, f.temporary);
  return emitter.keep();
}

/**
 * Constants and scalars, splatted before the loop. Constants are read from memory: the newest V8 would otherwise
 * materialise them anew in each round.
 */
class KernelInvariants implements Invariants {
  private readonly locals = new Map<string, number>();
  private readonly a: Assembler;
  private readonly expr: Expr;

  constructor(a: Assembler, expr: Expr) {
    this.a = a;
    this.expr = expr;
    this.prepare();
  }

  private prepare(): void {
    const used: Input[] = [];
    const seen = new Set<Expr>();
    const visit = (e: Expr): void => {
      if (seen.has(e)) return;
      seen.add(e);
      if (e.kind.tag === "scalar") used.push({ index: e.kind.index, dtype: e.dtype });
      if (e.kind.tag === "constant") this.load(e.kind.value, e.dtype);
      children(e).forEach(visit);
    };
    visit(this.expr);
    scalarsOf.set(this.expr, used);
    used.forEach(({ index, dtype }, k) => this.loadScalar(index, dtype, parameters.address + scalarsAt + 8 * k));
    for (const dtype of [float32, float64]) for (const value of [0, 1]) this.load(value, dtype);
  }

  private loadScalar(index: number, dtype: DType, address: number): void {
    const { a } = this;
    const local = a.local("v128");
    if (dtype === int64) a.i32(address).memory("v128.load64_splat");
    else if (dtype === float64) a.i32(address).memory("v128.load64_splat");
    else if (dtype === float32) a.i32(address).memory("f64.load").op("f32.demote_f64").op("f32x4.splat");
    else a.i32(address).memory("v128.load64_splat").op("i32x4.trunc_sat_f64x2_s_zero").tee(local).get(local).shuffle([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    if (dtype === bool) a.i32(0).op("i32x4.splat").op("i32x4.ne");
    a.set(local);
    this.locals.set(`s${index}`, local);
  }

  private load(value: number, dtype: DType): void {
    const key = `${dtype.name} ${Object.is(value, -0) ? "-0" : value}`;
    if (this.locals.has(key)) return;
    const local = this.a.local("v128");
    this.a.i32(constantAddress(value, dtype)).memory(dtype.itemsize === 8 ? "v128.load64_splat" : "v128.load32_splat").set(local);
    this.locals.set(key, local);
  }

  scalar(index: number): number {
    return this.locals.get(`s${index}`)!;
  }
  constant(value: number, dtype: DType): number {
    const local = this.locals.get(`${dtype.name} ${Object.is(value, -0) ? "-0" : value}`);
    if (local === undefined) throw new Error(`constant ${value} was not prepared`);
    return local;
  }
}

const constants = new Map<string, Storage>();

/** Where a constant lies in the heap, for good. */
function constantAddress(value: number, dtype: DType): number {
  const key = `${dtype.name} ${Object.is(value, -0) ? "-0" : value}`;
  let at = constants.get(key);
  if (at === undefined) {
    constants.set(key, (at = new Storage(8)));
    if (dtype === float64) heap.f64[at.address / 8] = value;
    else if (dtype === int64) heap.i64[at.address / 8] = BigInt(Math.trunc(value));
    else if (dtype.kind === FLOAT) heap.f32[at.address / 4] = value;
    else heap.i32[at.address / 4] = dtype.name === "bool" ? -Number(value !== 0) : value;
  }
  return at.address;
}
