/** Rows that lie along the vectors: each row by itself, its lanes folded at its end. */
import { copiesOf, type Copy } from "./copies.ts";
import type { Kernel } from "./engine.ts";
import { ELEMENTS_INNER, ELEMENTS_OUTER, RowCode, ROWS_INNER, running, totalsOf, type Carried, type Chain } from "./row-code.ts";
import { combine, elementVector, foldLanes, halvesAsDoubles, freshInput, type FoldPlan, type PassPlan, type RowPlan } from "./row-plan.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Advance } from "./parameters.ts";
import type { Vector } from "./vector.ts";

/** Vectors of a block of a sum, for each chain: few enough that no digits are lost in float32. */
export const BLOCK = 32;

/** A fold of a row: several chains, so that each need not wait for the one before; the last elements have a lane of their own. */
interface RowFoldCode {
  readonly plan: FoldPlan;
  readonly chains: readonly Chain[];
  readonly totals: readonly Carried[];
  readonly tail: readonly Carried[];
  /** The folded value, in the lowest lane. */
  readonly end: Vector;
}

const carriedOf = ({ chains, totals, tail }: RowFoldCode): Carried[] => [...chains.flatMap((c) => c.carried), ...totals, ...tail];

/** `terms` are those of the chains. */
function foldCode(plan: FoldPlan, terms: readonly Vector[]): RowFoldCode {
  const chains = terms.map((term) => running({ ...plan, term }));
  const all = pairwise(plan, chains.map((c) => c.value));
  if (!plan.blocked) {
    const tail = running(plan);
    return { plan, chains, totals: [], tail: tail.carried, end: combine(plan.name, foldLanes(plan.name, all), tail.value) };
  }
  const totals = totalsOf(all);
  const acc = freshInput(plan.term.graph, "f64");
  const tail = [{ acc, start: acc.constant(0), next: acc.add(halvesAsDoubles(plan.term)[0]) }];
  return { plan, chains, totals, tail, end: foldLanes("sum", pairwise(plan, totals.map((t) => t.acc))).add(acc) };
}

function pairwise({ name }: FoldPlan, vectors: readonly Vector[]): Vector {
  let rest = vectors;
  while (rest.length > 1) rest = rest.flatMap((v, i) => (i % 2 === 1 ? [] : i + 1 < rest.length ? [combine(name, v, rest[i + 1])] : [v]));
  return rest[0];
}

interface PassCode {
  readonly pass: PassPlan;
  readonly folds: readonly RowFoldCode[];
  /** Vectors of a round. */
  readonly unrolled: number;
  /** What a round computes: terms of the folds, then what is stored; the inputs are what varies. None where its vectors go one by one. */
  readonly copies: readonly Copy[];
}

function passCode(pass: PassPlan, varying: readonly Vector[]): PassCode {
  const { folds, stores } = pass;
  const unrolled = folds.length === 1 ? 4 : 2;
  const copies = copiesOf([...folds.map((f) => f.term), ...stores.map((s) => s.packed)], varying, unrolled);
  const terms = (k: number): Vector[] => Array.from({ length: unrolled }, (_, c) => copies[c]?.values[k] ?? folds[k].term);
  return { pass, unrolled, copies, folds: folds.map((fold, k) => foldCode(fold, terms(k))) };
}

/** A kernel whose units are rows. */
export function rowsAlong(plan: RowPlan, advanceOf: (operand: number, dtype: DType) => Advance): Kernel {
  const passes = plan.passes.map((pass) => passCode(pass, pass.reads.filter(({ index, dtype }) => advanceOf(index, dtype) !== "splat").map((leaf) => elementVector(plan.elements, leaf))));
  const rootsOf = (f: RowFoldCode): Vector[] => [f.end, ...carriedOf(f).flatMap((c) => [c.start, c.next])];
  const roots = passes.flatMap(({ pass, folds, copies }) => [...folds.flatMap(rootsOf), ...pass.stores.map((s) => s.packed), ...copies.slice(1).flatMap((c) => c.values)]);
  const code = new RowCode(plan, roots, ELEMENTS_INNER, advanceOf);
  const { a } = code;
  const [outer, inner] = [a.local("i32"), a.local("i32")];
  code.forEachUnit((unit) => {
    code.pushSize(ROWS_INNER).set(inner);
    a.get(unit).get(inner).op("i32.div_s").set(outer);
    a.get(unit).get(inner).op("i32.rem_s").set(inner);
    code.moveTo(outer, inner);
    code.moveKeepers();
    code.known.clear();
    for (const pass of passes) {
      writePass(code, pass);
      for (const fold of pass.folds) writeEnd(code, fold);
    }
  });
  return code.kernel();
}

function writeEnd(code: RowCode, { plan, end }: RowFoldCode): void {
  const value = code.finish(plan, end, (cursor, packed) => cursor.storeOne(packed));
  const wide = plan.row.type === "f64" || plan.row.type === "i64";
  const everyLane = Array.from({ length: 16 }, (_, i) => i % (wide ? 8 : 4));
  code.a.get(value).get(value).shuffle(everyLane).set(code.elements.local(plan.row));
  code.elements.define(plan.row);
  code.known.add(plan.row);
}

function writePass(code: RowCode, passCode: PassCode): void {
  const { a } = code;
  const { pass, folds } = passCode;
  const moving = [...code.readsOf(pass), ...code.writesOf(pass)].map((m) => ({ ...m, row: a.local("i32") }));
  for (const fold of folds) carriedOf(fold).forEach((c) => code.start(c));
  for (const { operand, row } of moving) a.get(code.base(operand)).set(row);
  const rows = a.local("i32");
  code.pushSize(ELEMENTS_OUTER).set(rows);
  a.loop(() => {
    for (const { cursor, row } of moving) a.get(row).set(cursor.pointer);
    code.elements.round(() => writeStretch(code, passCode));
    for (const { operand, row } of moving) code.pushStep(operand, ELEMENTS_OUTER).get(row).op("i32.add").set(row);
    a.get(rows).i32(1).op("i32.sub").tee(rows);
  });
}

/** The elements of a row that lie at one step from one another. */
function writeStretch(code: RowCode, { pass, folds, unrolled, copies }: PassCode): void {
  const { a, elements: writer, plan: { elements: { lanes } } } = code;
  const reads = code.readsOf(pass);
  const writes = code.writesOf(pass);
  const fixed = reads.filter(({ cursor }) => cursor.advance === "splat");
  const varying = reads.filter(({ cursor }) => cursor.advance !== "splat");
  const contiguous = [...varying, ...writes].map(({ cursor }) => cursor).filter((cursor) => cursor.advance === "contiguous");
  for (const { vector, cursor } of fixed) {
    cursor.loadOne(writer.local(vector));
    writer.define(vector);
    code.known.add(vector);
  }
  writer.writeInvariants((input) => !code.known.has(input));
  for (const { vector } of fixed) code.known.delete(vector);
  const [left, rounds] = [a.local("i32"), a.local("i32")];
  const blocked = folds.filter((f) => f.totals.length > 0);
  const flush = (): void => blocked.forEach((f) => code.flush(f.totals, f.chains));
  const together = (): void => {
    copies.forEach(({ inputs }, ahead) => varying.forEach(({ cursor }, k) => {
      cursor.loadMany(writer.local(inputs[k]), ahead);
      writer.define(inputs[k]);
    }));
    writer.keepAll(copies.map((copy) => copy.values));
    copies.forEach(({ values }, ahead) => {
      for (const { chains } of folds) chains[ahead].carried.forEach((c) => code.step(c));
      writes.forEach(({ cursor }, k) => cursor.storeMany(writer.keep(values[folds.length + k]), ahead));
    });
  };
  const vectors = (count: number): void => {
    if (count === copies.length) writer.round(together);
    else for (let ahead = 0; ahead < count; ahead++) {
      writer.round(() => {
        for (const { vector, cursor } of varying) {
          cursor.loadMany(writer.local(vector), ahead);
          writer.define(vector);
        }
        for (const { chains } of folds) chains[ahead].carried.forEach((c) => code.step(c));
        for (const { packed, cursor } of writes) cursor.storeMany(writer.keep(packed), ahead);
      });
    }
    contiguous.forEach((cursor) => cursor.skip(count * lanes));
  };
  const many = unrolled * lanes;
  const enough = (count: number): unknown => a.get(left).i32(count).op("i32.ge_s");
  code.pushSize(ELEMENTS_INNER).set(left);
  enough(many);
  a.when(() => a.loop(() => {
    a.get(left).i32(Math.log2(many)).op("i32.shr_u").set(rounds);
    if (blocked.length > 0) a.get(rounds).i32(BLOCK).get(rounds).i32(BLOCK).op("i32.lt_s").op("select").set(rounds);
    a.get(left).get(rounds).i32(many).op("i32.mul").op("i32.sub").set(left);
    a.loop(() => {
      vectors(unrolled);
      a.get(rounds).i32(1).op("i32.sub").tee(rounds);
    });
    flush();
    enough(many);
  }));
  enough(lanes);
  a.when(() => {
    a.loop(() => {
      vectors(1);
      a.get(left).i32(lanes).op("i32.sub").set(left);
      enough(lanes);
    });
    flush();
  });
  enough(1);
  a.when(() => a.loop(() => {
    writer.round(() => {
      for (const { vector, cursor } of varying) {
        cursor.loadOne(writer.local(vector));
        writer.define(vector);
      }
      for (const { tail } of folds) tail.forEach((c) => code.step(c));
      for (const { packed, cursor } of writes) cursor.storeOne(writer.keep(packed));
      [...varying, ...writes].forEach(({ cursor }) => cursor.skip(1));
    });
    a.get(left).i32(1).op("i32.sub").tee(left);
  }));
}
