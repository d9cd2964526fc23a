/** What the code of row programs is made of, whichever way rows lie: parameters, cursors, values that loops carry on. */
import { fixedBytes, heap } from "../../tensor/heap.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { RowShape } from "../../ir/rows.ts";
import { Assembler } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { Cursor } from "./cursor.ts";
import { readScalar, writeScalars, type Advance } from "./parameters.ts";
import { combine, elementVector, freshInput, halvesAsDoubles, scalarVector, type FoldPlan, type PassPlan, type RowPlan } from "./row-plan.ts";
import type { Lanes, Vector } from "./vector.ts";
import { Pool, Writer } from "./writer.ts";

/** The sizes of a shape and the strips of its rows; then, for each operand, its address and its four steps; then scalars. */
const block = fixedBytes(608);
const operandsAt = 32;
const operandBytes = 20;
const elementScalarsAt = 352;
const valueScalarsAt = 480;

/** Tells a kernel its work; returns the address of the parameters. */
export function writeParameters(plan: RowPlan, { sizes, steps }: RowShape, strips: number, at: readonly number[], scalars: readonly (number | bigint)[]): number {
  const { i32 } = heap;
  let p = block >>> 2;
  for (let d = 0; d < 4; d++) i32[p + d] = sizes[d];
  i32[p + 4] = strips;
  p += operandsAt >>> 2;
  for (let q = 0; q < at.length; q++) {
    i32[p++] = at[q];
    for (let d = 0; d < 4; d++) i32[p++] = steps[4 * q + d];
  }
  if (plan.elementScalars.length > 0) writeScalars(plan.elementScalars, scalars, block + elementScalarsAt);
  if (plan.valueScalars.length > 0) writeScalars(plan.valueScalars, scalars, block + valueScalarsAt);
  return block;
}

/** A value that a loop carries on: `acc` starts as `start` and becomes `next`. */
export interface Carried {
  readonly acc: Vector;
  readonly start: Vector;
  readonly next: Vector;
}

/** A running fold of terms: what it carries on, and what that comes to. */
export interface Chain {
  readonly carried: readonly Carried[];
  readonly value: Vector;
}

/** The instructions for the extrema of floats that let NaN through are slow, so it is noted apart. */
export function running({ name, term, identity }: FoldPlan): Chain {
  const acc = freshInput(term.graph, term.type);
  if (term.isInteger || (name !== "max" && name !== "min")) return { carried: [{ acc, start: identity, next: combine(name, acc, term) }], value: acc };
  const nan = freshInput(term.graph, term.type);
  const unordered = term.isNaN().as(term.type);
  return {
    carried: [
      { acc, start: identity, next: name === "max" ? acc.atLeast(term) : acc.atMost(term) },
      { acc: nan, start: nan.constant(0), next: nan.or(unordered) },
    ],
    value: acc.or(nan),
  };
}

/** The totals of a blocked sum, to which the sums of a block are added. */
export function totalsOf(blockSum: Vector): Carried[] {
  return halvesAsDoubles(blockSum).map((half) => {
    const acc = freshInput(half.graph, "f64");
    return { acc, start: acc.constant(0), next: acc.add(half) };
  });
}

/** The dimensions of a shape by their places. */
export const [ROWS_OUTER, ROWS_INNER, ELEMENTS_OUTER, ELEMENTS_INNER] = [0, 1, 2, 3];
export const STRIPS = 4;

export class RowCode {
  readonly a = new Assembler(3);
  readonly plan: RowPlan;
  readonly elements: Writer;
  readonly values: Writer;
  /** Inputs of the elements' graph that do not change in the loops that follow. */
  readonly known = new Set<Vector>();
  private readonly pool = new Pool();
  private readonly bases = new Map<number, number>();
  private readonly readers = new Map<number, Cursor>();
  private readonly targets = new Map<number, Cursor>();
  private readonly keepers = new Map<number, Cursor>();
  private readonly along: number;
  private readonly advanceOf: (operand: number, dtype: DType) => Advance;

  /** `along` is the dimension that vectors lie along, and `advanceOf` how operands advance there. */
  constructor(plan: RowPlan, roots: readonly Vector[], along: number, advanceOf: (operand: number, dtype: DType) => Advance) {
    const { a, pool } = this;
    this.plan = plan;
    this.along = along;
    this.advanceOf = advanceOf;
    this.elements = new Writer(a, pool, roots);
    this.values = new Writer(a, pool, [...plan.passes.flatMap((p) => p.folds.map((f) => f.value)), ...plan.results.map((r) => r.packed)]);
    for (const { stores, reads } of plan.passes) {
      for (const { index, dtype } of reads) this.cursor(this.readers, index, dtype, plan.elements.lanes);
      for (const { operand, dtype } of stores) this.cursor(this.targets, operand, dtype, plan.elements.lanes);
    }
    for (const { operand, dtype } of plan.results) this.cursor(this.keepers, operand, dtype, 2);
    this.prologue();
  }

  private cursor(into: Map<number, Cursor>, operand: number, dtype: DType, lanes: Lanes): void {
    const { a } = this;
    if (into.has(operand)) return;
    const cursor = new Cursor(a, dtype, lanes, this.advanceOf(operand, dtype));
    if (cursor.step >= 0) {
      this.pushStep(operand, this.along);
      a.set(cursor.step);
    }
    into.set(operand, cursor);
    if (!this.bases.has(operand)) this.bases.set(operand, a.local("i32"));
  }

  /** Brings scalars and all that follows from them into locals. */
  private prologue(): void {
    const { a, plan } = this;
    for (const [writer, graph, scalars, offset] of [
      [this.elements, plan.elements, plan.elementScalars, elementScalarsAt], [this.values, plan.values, plan.valueScalars, valueScalarsAt],
    ] as const) {
      scalars.forEach((leaf, k) => {
        readScalar(a, 0, k, leaf.dtype, offset);
        const vector = scalarVector(graph, leaf);
        a.set(writer.local(vector));
        writer.define(vector);
      });
      writer.writeInvariants(() => true);
    }
  }

  pushSize(dimension: number): Assembler {
    return this.a.get(0).memory("i32.load", 4 * dimension);
  }
  pushStep(operand: number, dimension: number): Assembler {
    return this.a.get(0).memory("i32.load", operandsAt + operandBytes * operand + 4 + 4 * dimension);
  }
  base(operand: number): number {
    return this.bases.get(operand)!;
  }
  /** Moves every operand to the row, or the strip of rows, in these locals. */
  moveTo(outer: number, inner: number): void {
    const { a } = this;
    for (const [operand, base] of this.bases) {
      a.get(0).memory("i32.load", operandsAt + operandBytes * operand);
      this.pushStep(operand, ROWS_OUTER).get(outer).op("i32.mul").op("i32.add");
      this.pushStep(operand, ROWS_INNER).get(inner).op("i32.mul").op("i32.add").set(base);
    }
  }
  advanceBases(rows: number): void {
    for (const [operand, base] of this.bases) this.pushStep(operand, ROWS_INNER).i32(rows).op("i32.mul").get(base).op("i32.add").set(base);
  }

  /** What a pass reads: the vector and the cursor of each operand. */
  readsOf(pass: PassPlan): { operand: number; vector: Vector; cursor: Cursor }[] {
    return pass.reads.map((leaf) => ({ operand: leaf.index, vector: elementVector(this.plan.elements, leaf), cursor: this.readers.get(leaf.index)! }));
  }
  writesOf(pass: PassPlan): { operand: number; packed: Vector; cursor: Cursor }[] {
    return pass.stores.map(({ operand, packed }) => ({ operand, packed, cursor: this.targets.get(operand)! }));
  }

  start(carried: Carried): void {
    this.elements.push(carried.start);
    this.a.set(this.elements.local(carried.acc));
    this.elements.define(carried.acc);
  }
  step(carried: Carried): void {
    this.elements.push(carried.next);
    this.a.set(this.elements.local(carried.acc));
  }
  /** Adds the sums of a block to the totals, and starts the next block. */
  flush(totals: readonly Carried[], chains: readonly Chain[]): void {
    this.elements.round(() => totals.forEach((t) => this.step(t)));
    for (const { carried } of chains) carried.forEach((c) => this.start(c));
  }

  /** Computes the value of a fold from its folded lanes; `store` keeps a result, and the value's local is returned. */
  finish(fold: FoldPlan, lanes: Vector, store: (cursor: Cursor, local: number) => void): number {
    const { a, values, plan } = this;
    const folds = plan.passes.flatMap((p) => p.folds);
    a.get(this.elements.keep(lanes)).set(values.local(fold.raw));
    let local = -1;
    values.round(() => {
      values.define(fold.raw);
      local = values.keep(fold.value);
      for (const result of plan.results) {
        if (folds[result.fold] !== fold) continue;
        const cursor = this.keepers.get(result.operand)!;
        const packed = values.keep(result.packed);
        store(cursor, packed);
      }
    });
    return local;
  }
  /** Sets the pointers of the results to the row. */
  moveKeepers(): void {
    for (const [operand, cursor] of this.keepers) this.a.get(this.base(operand)).set(cursor.pointer);
  }

  /** Runs `body` for the units that the call asks for; `unit` is a local. */
  forEachUnit(body: (unit: number) => void): void {
    const { a } = this;
    a.get(1).get(2).op("i32.lt_s").when(() => {
      a.loop(() => {
        this.elements.round(() => body(1));
        a.get(1).i32(1).op("i32.add").tee(1).get(2).op("i32.lt_s");
      });
    });
  }

  kernel(): Kernel {
    const functions = [{ name: "run", parameters: ["i32", "i32", "i32"] as const, results: [], body: this.a }];
    return compileKernel({ functions, imports: this.pool.imports, constants: this.pool.constants }, this.pool.functions);
  }
}
