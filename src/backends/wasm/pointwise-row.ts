/** Code for the elements of one row. */
import type { Assembler } from "./assembler.ts";
import { copiesOf, type Copy } from "./copies.ts";
import type { Cursor } from "./cursor.ts";
import type { Vector } from "./vector.ts";
import type { Writer } from "./writer.ts";

/** An input and where its elements are. */
export interface Source<C extends Cursor = Cursor> {
  readonly vector: Vector;
  readonly operand: C;
}

export interface Loop<C extends Cursor = Cursor> {
  readonly a: Assembler;
  readonly writer: Writer;
  /** The elements of the result as they lie in memory. */
  readonly result: Vector;
  /** What a round of several vectors computes, with inputs in the order of the sources that vary; none where rounds are of one vector. */
  readonly copies: readonly Copy[];
  readonly target: C;
  readonly sources: readonly Source<C>[];
}

/** Vectors of a round. */
const UNROLLED = 4;

/** What a round computes, where the elements of the result, like those of the sources that vary, lie side by side; else nothing. */
export function roundOf(result: Vector, target: Cursor, sources: readonly Source[]): Copy[] {
  const varying = sources.filter(({ operand }) => operand.advance !== "splat");
  const isEven = [target, ...varying.map((s) => s.operand)].every(({ advance }) => advance === "contiguous");
  return isEven ? copiesOf([result], varying.map((s) => s.vector), UNROLLED) : [];
}

/** The next `n` elements, all in one row. */
export function writeRow(loop: Loop, n: number): void {
  const { a, writer, sources } = loop;
  for (const { vector, operand } of sources) {
    if (operand.advance !== "splat") continue;
    operand.loadOne(writer.local(vector));
    writer.define(vector);
  }
  const varying = sources.filter(({ operand }) => operand.advance !== "splat");
  const inputs = new Set([...varying.map((s) => s.vector), ...loop.copies.flatMap((copy) => copy.inputs)]);
  writer.writeInvariants((input) => inputs.has(input));
  const within = { ...loop, sources: varying };
  if (loop.copies.length > 0) {
    if (loop.result.code.tag === "input") return writeMove(within, n);
    writeUnrolled(within, n);
  }
  a.get(n).when(() => writeVectors(within, n));
}

/** Bytes from which on the engine's own copy is quicker than a loop. */
const LONG = 256;

/** Elements as they are. */
function writeMove(loop: Loop, n: number): void {
  const { a, target, sources: [{ operand: source }] } = loop;
  a.get(n).i32(LONG / target.dtype.itemsize).op("i32.ge_u").choose(
    () => {
      target.pushAddress();
      source.pushAddress();
      a.get(n).i32(target.dtype.itemsize).op("i32.mul").memoryCopy();
    },
    () => writeVectors(loop, n),
  );
}

/** Several vectors a round, for as long as there are enough elements. */
function writeUnrolled({ a, writer, copies, result, target, sources }: Loop, n: number): void {
  const elements = copies.length * result.graph.lanes;
  const enough = (): Assembler => a.get(n).i32(elements).op("i32.ge_u");
  enough().when(() => {
    a.loop(() => {
      writer.round(() => {
        copies.forEach(({ inputs }, ahead) => sources.forEach(({ operand }, k) => {
          operand.loadMany(writer.local(inputs[k]), ahead);
          writer.define(inputs[k]);
        }));
        writer.keepAll(copies.map((copy) => copy.values));
        copies.forEach(({ values: [value] }, ahead) => target.storeMany(writer.keep(value), ahead));
      });
      for (const operand of [target, ...sources.map((s) => s.operand)]) operand.skip(elements);
      a.get(n).i32(elements).op("i32.sub").set(n);
      enough();
    });
  });
}

/** A vector a round; the last one may be a part of one. */
function writeVectors({ a, writer, result, target, sources }: Loop, n: number): void {
  const { lanes } = result.graph;
  const isWhole = (): Assembler => a.get(n).i32(lanes).op("i32.ge_u");
  a.loop(() => {
    writer.round(() => {
      isWhole().choose(
        () => {
          for (const { vector, operand } of sources) operand.loadMany(writer.local(vector));
          for (const { operand } of sources) if (operand.advance === "contiguous") operand.skip(lanes);
        },
        () => {
          for (const { vector, operand } of sources) operand.loadRest(writer.local(vector), n);
        },
      );
      for (const { vector } of sources) writer.define(vector);
      const value = writer.keep(result);
      isWhole().choose(
        () => {
          target.storeMany(value);
          if (target.advance === "contiguous") target.skip(lanes);
        },
        () => target.storeRest(value, n),
      );
    });
    a.get(n).i32(lanes).op("i32.gt_u");
    a.get(n).i32(lanes).op("i32.sub").set(n);
  });
}
