/** Code for the elements of one row. */
import type { Assembler } from "./assembler.ts";
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
  readonly target: C;
  readonly sources: readonly Source<C>[];
}

/** Instructions up to which the loop is unrolled: where it costs as much as what is in it. */
const CHEAP = 12;
const UNROLLED = 4;

/** The next `n` elements, all in one row; `brief`: in the least code, for few elements. */
export function writeRow(loop: Loop, n: number, brief = false): void {
  const { a, writer, target, sources } = loop;
  for (const { vector, operand } of sources) {
    if (operand.advance !== "splat") continue;
    operand.loadOne(writer.local(vector));
    writer.define(vector);
  }
  const varying = sources.filter(({ operand }) => operand.advance !== "splat");
  writer.writeInvariants((input) => varying.some(({ vector }) => vector === input));
  const within = { ...loop, sources: varying };
  if (!brief && [target, ...varying.map((s) => s.operand)].every(({ advance }) => advance === "contiguous")) {
    if (loop.result.code.tag === "input" && varying.length === 1) return writeMove(within, n);
    if (writer.size <= CHEAP) writeUnrolled(within, n);
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
function writeUnrolled({ a, writer, result, target, sources }: Loop, n: number): void {
  const elements = UNROLLED * result.graph.lanes;
  const enough = (): Assembler => a.get(n).i32(elements).op("i32.ge_u");
  enough().when(() => {
    a.loop(() => {
      for (let ahead = 0; ahead < UNROLLED; ahead++) {
        writer.round(() => {
          for (const { vector, operand } of sources) {
            operand.loadMany(writer.local(vector), ahead);
            writer.define(vector);
          }
          target.storeMany(writer.keep(result), ahead);
        });
      }
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
