/** Compiles pointwise expressions to WASM SIMD: one module for each layout that a kernel meets. */
import type { DType } from "../../tensor/dtype.ts";
import type { Expr } from "../../ir/expr.ts";
import type { PointwiseKernel } from "../../ir/kernel.ts";
import { Assembler } from "./assembler.ts";
import { castVector } from "./casts.ts";
import { laneTypeOf, pack, rawTypeOf, unpack } from "./elements.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { Operand } from "./operand.ts";
import { advanceIn, type Advance, blockAddress, leavesOf, placesOf, readRowLength, readScalar, writeOperands, writeScalars, type Leaf } from "./parameters.ts";
import { parallelFor } from "./threads.ts";
import { lanesOf, nodesOf, translate } from "./translate.ts";
import { Graph, type Vector } from "./vector.ts";
import { Pool, Writer } from "./writer.ts";

/** An expression as a vector program. */
interface Program {
  readonly out: DType;
  readonly inputs: readonly Leaf[];
  readonly scalars: readonly Leaf[];
  /** The elements of the result as they lie in memory. */
  readonly result: Vector;
}

/** Compiles `expr`, stored as `out`; throws Unsupported where vectors lack an operation. */
export function compilePointwise(expr: Expr, out: DType): PointwiseKernel {
  const program = programOf(expr, out);
  const { inputs, scalars } = program;
  const operands = placesOf(out, inputs);
  const kernels: (Kernel | undefined)[] = [];
  // Some ten microseconds of work.
  const grain = Math.ceil(2 ** 19 / (4 + nodesOf(expr).size));
  return (inner, outer, at, step, outerStep, values) => {
    let layout = writeOperands(operands, at, step, outerStep, inner, outer);
    if (scalars.length > 0) writeScalars(scalars, values);
    // A single element advances nowhere.
    if (inner === 1) layout = 0;
    parallelFor((kernels[layout] ??= build(program, layout)), blockAddress(), inner * outer, grain);
  };
}

function programOf(expr: Expr, out: DType): Program {
  const graph = new Graph(lanesOf(expr, out));
  const leaf = ({ kind, dtype }: Expr): Vector => {
    if (kind.tag === "input") return unpack(inputVector(graph, kind.index, dtype), dtype);
    return scalarVector(graph, (kind as { index: number }).index, dtype);
  };
  const moves = expr.kind.tag === "input" && expr.dtype === out;
  const result = moves ? inputVector(graph, expr.kind.index, out) : pack(castVector(translate(expr, graph, leaf), expr.dtype, out), out);
  return { out, inputs: leavesOf([expr], "input"), scalars: leavesOf([expr], "scalar"), result };
}

/** The elements of an input as they lie in memory. */
const inputVector = (graph: Graph, index: number, dtype: DType): Vector => graph.node(rawTypeOf(dtype), { tag: "input", index });
const scalarVector = (graph: Graph, index: number, dtype: DType): Vector => graph.node(laneTypeOf(dtype, graph.lanes), { tag: "scalar", index });

/** The module for a layout; its units of work are elements. */
function build(program: Program, layout: number): Kernel {
  const { inputs, scalars, out, result } = program;
  const { graph } = result;
  const parameters = 0;
  const a = new Assembler(3);
  const pool = new Pool();
  const writer = new Writer(a, pool, [result]);
  const advance = (place: number): Advance => advanceIn(layout, inputs.length - place);
  const target = new Operand(a, parameters, 0, out, graph.lanes, advance(0));
  const sources = inputs.map(({ index, dtype }, k): Source => {
    const operand = new Operand(a, parameters, k + 1, dtype, graph.lanes, advance(k + 1));
    return { vector: inputVector(graph, index, dtype), operand };
  });
  scalars.forEach(({ index, dtype }, k) => {
    readScalar(a, parameters, k, dtype);
    const vector = scalarVector(graph, index, dtype);
    a.set(writer.local(vector));
    writer.define(vector);
  });
  writeRows({ a, writer, result, target, sources }, parameters);
  const functions = [{ name: "run", parameters: ["i32", "i32", "i32"] as const, results: [], body: a }];
  return compileKernel({ functions, imports: pool.imports, constants: pool.constants }, pool.functions);
}

interface Source {
  readonly vector: Vector;
  readonly operand: Operand;
}

interface Loop {
  readonly a: Assembler;
  readonly writer: Writer;
  readonly result: Vector;
  readonly target: Operand;
  readonly sources: readonly Source[];
}

/** The rows, of which the elements from `from` to `to` may begin and end within one. */
function writeRows(loop: Loop, parameters: number): void {
  const { a, writer, target, sources } = loop;
  const [from, to] = [1, 2];
  const [row, column, length, left, n] = [a.local("i32"), a.local("i32"), a.local("i32"), a.local("i32"), a.local("i32")];
  const operands = [target, ...sources.map((s) => s.operand)];
  a.get(to).get(from).op("i32.sub").tee(left).when(() => {
    readRowLength(a, parameters);
    a.set(length);
    a.get(from).when(() => {
      a.get(from).get(length).op("i32.div_u").set(row);
      a.get(from).get(length).op("i32.rem_u").set(column);
    });
    for (const operand of operands) operand.start(row, column);
    writer.writeInvariants(() => true);
    a.loop(() => {
      a.get(length).get(column).op("i32.sub").tee(n);
      a.get(left).get(n).get(left).op("i32.lt_u").op("select").set(n);
      a.get(left).get(n).op("i32.sub").set(left);
      a.i32(0).set(column);
      writer.round(() => writeRow(loop, n));
      for (const operand of operands) operand.nextRow();
      a.get(left);
    });
  });
}

/** Instructions up to which the loop is unrolled: where it costs as much as what is in it. */
const CHEAP = 12;
const UNROLLED = 4;

/** The next `n` elements, all in one row. */
function writeRow(loop: Loop, n: number): void {
  const { a, writer, target, sources } = loop;
  for (const { vector, operand } of sources) {
    if (operand.advance !== "splat") continue;
    operand.loadSplat(writer.local(vector));
    writer.define(vector);
  }
  const varying = sources.filter(({ operand }) => operand.advance !== "splat");
  writer.writeInvariants((input) => varying.some(({ vector }) => vector === input));
  const within = { ...loop, sources: varying };
  if ([target, ...varying.map((s) => s.operand)].every(({ advance }) => advance === "contiguous")) {
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
  a.get(n).i32(LONG / target.itemsize).op("i32.ge_u").choose(
    () => {
      target.pushPointer();
      source.pushPointer();
      a.get(n).i32(target.itemsize).op("i32.mul").memoryCopy();
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
