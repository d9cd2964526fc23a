/** Rows that lie side by side in the lanes of vectors: a strip of rows at once, each lane a row of its own. */
import type { DType } from "../../tensor/dtype.ts";
import type { Kernel } from "./engine.ts";
import type { Advance } from "./parameters.ts";
import { ELEMENTS_INNER, ELEMENTS_OUTER, RowCode, ROWS_INNER, running, STRIPS, totalsOf, type Carried, type Chain } from "./row-code.ts";
import { high, type FoldPlan, type PassPlan, type RowPlan } from "./row-plan.ts";
import { BLOCK } from "./rows-along.ts";
import type { Vector } from "./vector.ts";

/** A fold of the rows in one vector. */
interface StripFoldCode {
  readonly plan: FoldPlan;
  readonly chain: Chain;
  readonly totals: readonly Carried[];
  /** The folded lanes, two by two. */
  readonly halves: readonly Vector[];
}

function foldCode(plan: FoldPlan): StripFoldCode {
  const chain = running(plan);
  if (plan.blocked) {
    const totals = totalsOf(chain.value);
    return { plan, chain, totals, halves: totals.map((t) => t.acc) };
  }
  return { plan, chain, totals: [], halves: plan.term.graph.lanes === 4 ? [chain.value, high(chain.value)] : [chain.value] };
}

interface PassCode {
  readonly pass: PassPlan;
  /** For each vector of a strip, its folds. */
  readonly strip: readonly (readonly StripFoldCode[])[];
}

/** Vectors side by side: a line of the cache, so that each is read once in a pass. */
const WIDTH = 4;
/** How many rows a strip has. */
export const stripOf = (plan: RowPlan): number => WIDTH * plan.elements.lanes;

/** A kernel whose units are strips of rows. */
export function rowsAcross(plan: RowPlan, advanceOf: (operand: number, dtype: DType) => Advance): Kernel {
  const { lanes } = plan.elements;
  const passes = plan.passes.map((pass): PassCode => ({ pass, strip: Array.from({ length: WIDTH }, () => pass.folds.map(foldCode)) }));
  const rootsOf = (f: StripFoldCode): Vector[] => [...f.halves, ...[...f.chain.carried, ...f.totals].flatMap((c) => [c.start, c.next])];
  const roots = passes.flatMap(({ pass, strip }) => [...strip.flat().flatMap(rootsOf), ...pass.stores.map((s) => s.packed)]);
  const code = new RowCode(plan, roots, ROWS_INNER, advanceOf);
  const { a } = code;
  const [outer, inner, left] = [a.local("i32"), a.local("i32"), a.local("i32")];
  const rowsLeft = (count: number): unknown => a.get(left).i32(count).op("i32.ge_s");
  const rows = (count: number, vectors: number): void => {
    code.elements.round(() => writeRows(code, passes, vectors, count === 1));
    code.advanceBases(count);
    a.get(left).i32(count).op("i32.sub").set(left);
  };
  code.forEachUnit((unit) => {
    const strip = stripOf(plan);
    code.pushSize(STRIPS).set(left);
    a.get(unit).get(left).op("i32.div_s").set(outer);
    a.get(unit).get(left).op("i32.rem_s").i32(strip).op("i32.mul").set(inner);
    code.moveTo(outer, inner);
    code.pushSize(ROWS_INNER).get(inner).op("i32.sub").set(left);
    rowsLeft(strip);
    a.when(() => {
      rows(strip, WIDTH);
      a.i32(0).set(left);
    });
    rowsLeft(lanes);
    a.when(() => a.loop(() => {
      rows(lanes, 1);
      rowsLeft(lanes);
    }));
    rowsLeft(1);
    a.when(() => a.loop(() => {
      rows(1, 1);
      rowsLeft(1);
    }));
  });
  return code.kernel();
}

/** The value of a fold for the rows in one vector, in a local. */
interface End {
  readonly row: Vector;
  readonly local: number;
}

/** All passes over the rows of some vectors side by side, or over one row. */
function writeRows(code: RowCode, passes: readonly PassCode[], vectors: number, oneRow: boolean): void {
  code.moveKeepers();
  const ends = Array.from({ length: vectors }, (): End[] => []);
  for (const { pass, strip } of passes) {
    const used = strip.slice(0, vectors);
    writePass(code, pass, used, ends, oneRow);
    used.forEach((folds, v) => ends[v].push(...folds.map((fold) => writeEnd(code, fold, v, oneRow))));
  }
}

function writeEnd(code: RowCode, { plan, halves }: StripFoldCode, v: number, oneRow: boolean): End {
  const { a } = code;
  const values = (oneRow ? halves.slice(0, 1) : halves).map((half, h) => {
    const value = code.finish(plan, half, (cursor, packed) => {
      if (oneRow) cursor.storeOne(packed);
      else cursor.storeMany(packed, v * halves.length + h);
    });
    const copy = a.local("v128");
    a.get(value).set(copy);
    return copy;
  });
  const local = a.local("v128");
  a.get(values[0]);
  if (values.length === 2) a.get(values[1]).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  a.set(local);
  return { row: plan.row, local };
}

function writePass(code: RowCode, pass: PassPlan, strip: readonly (readonly StripFoldCode[])[], ends: readonly (readonly End[])[], oneRow: boolean): void {
  const { a } = code;
  const folds = strip.flat();
  const moving = [...code.readsOf(pass), ...code.writesOf(pass)].map((m) => ({ ...m, row: a.local("i32"), element: a.local("i32") }));
  for (const { chain, totals } of folds) [...chain.carried, ...totals].forEach((c) => code.start(c));
  for (const { operand, row } of moving) a.get(code.base(operand)).set(row);
  const blocked = folds.filter((f) => f.totals.length > 0);
  const [outer, left, rounds] = [a.local("i32"), a.local("i32"), a.local("i32")];
  code.pushSize(ELEMENTS_OUTER).set(outer);
  a.loop(() => {
    for (const { row, element } of moving) a.get(row).set(element);
    code.pushSize(ELEMENTS_INNER).set(left);
    a.loop(() => {
      a.get(left).set(rounds);
      if (blocked.length > 0) a.get(left).i32(BLOCK).get(left).i32(BLOCK).op("i32.lt_s").op("select").set(rounds);
      a.get(left).get(rounds).op("i32.sub").set(left);
      a.loop(() => {
        for (const { cursor, element } of moving) a.get(element).set(cursor.pointer);
        code.elements.round(() => writeElements(code, pass, strip, ends, oneRow));
        for (const { operand, element } of moving) code.pushStep(operand, ELEMENTS_INNER).get(element).op("i32.add").set(element);
        a.get(rounds).i32(1).op("i32.sub").tee(rounds);
      });
      blocked.forEach((f) => code.flush(f.totals, [f.chain]));
      a.get(left);
    });
    for (const { operand, row } of moving) code.pushStep(operand, ELEMENTS_OUTER).get(row).op("i32.add").set(row);
    a.get(outer).i32(1).op("i32.sub").tee(outer);
  });
}

/** One element of each row. */
function writeElements(code: RowCode, pass: PassPlan, strip: readonly (readonly StripFoldCode[])[], ends: readonly (readonly End[])[], oneRow: boolean): void {
  const { elements: writer } = code;
  const reads = code.readsOf(pass);
  for (const { vector, cursor } of reads) {
    if (cursor.advance !== "splat") continue;
    cursor.loadOne(writer.local(vector));
    writer.define(vector);
  }
  strip.forEach((folds, v) => {
    writer.round(() => {
      for (const { row, local } of ends[v]) {
        code.a.get(local).set(writer.local(row));
        writer.define(row);
      }
      for (const { vector, cursor } of reads) {
        if (cursor.advance === "splat") continue;
        if (oneRow) cursor.loadOne(writer.local(vector));
        else cursor.loadMany(writer.local(vector), v);
        writer.define(vector);
      }
      for (const { chain } of folds) chain.carried.forEach((c) => code.step(c));
      for (const { packed, cursor } of code.writesOf(pass)) {
        if (oneRow) cursor.storeOne(writer.keep(packed));
        else cursor.storeMany(writer.keep(packed), v);
      }
    });
  });
}
