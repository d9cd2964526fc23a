/** Compiles pointwise expressions to WASM SIMD: one module for each layout that a kernel meets. */
import type { DType } from "../../tensor/dtype.ts";
import type { Expr } from "../../ir/expr.ts";
import type { PointwiseKernel } from "../../ir/kernel.ts";
import { Assembler } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { Operand } from "./operand.ts";
import { advanceIn, type Advance, blockAddress, placesOf, readRowLength, readScalar, writeOperands, writeScalars } from "./parameters.ts";
import { roundOf, writeRow, type Loop, type Source } from "./pointwise-row.ts";
import { briefKernel } from "./pointwise-brief.ts";
import { inputVector, programOf, scalarVector, type Program } from "./pointwise-program.ts";
import { parallelFor } from "./threads.ts";
import { Pool, Writer } from "./writer.ts";

/** Compiles `expr`, stored as `out`; throws Unsupported where vectors lack an operation. */
export function compilePointwise(expr: Expr, out: DType): PointwiseKernel {
  const program = programOf(expr, out);
  const { inputs, scalars } = program;
  const operands = placesOf(out, inputs);
  const kernels: (Kernel | undefined)[] = [];
  // Some microseconds of work: a vector takes about as many steps as nodes were made before its result.
  const grain = Math.ceil((2 ** 16 * program.result.graph.lanes) / (4 + program.result.id));
  const brief = briefKernel(program, operands);
  return (inner, outer, at, step, outerStep, values) => {
    if (outer === 1 && brief !== null && brief(inner, at, step, values)) return;
    let layout = writeOperands(operands, at, step, outerStep, inner, outer);
    if (scalars.length > 0) writeScalars(scalars, values);
    // A single element advances nowhere.
    if (inner === 1) layout = 0;
    parallelFor((kernels[layout] ??= build(program, layout)), blockAddress(), inner * outer, grain);
  };
}

/** The module for a layout; its units of work are elements. */
function build(program: Program, layout: number): Kernel {
  const { inputs, scalars, out, result } = program;
  const { graph } = result;
  const parameters = 0;
  const a = new Assembler(3);
  const pool = new Pool();
  const advance = (place: number): Advance => advanceIn(layout, inputs.length - place);
  const target = new Operand(a, parameters, 0, out, graph.lanes, advance(0));
  const sources = inputs.map(({ index, dtype }, k): Source<Operand> => {
    const operand = new Operand(a, parameters, k + 1, dtype, graph.lanes, advance(k + 1));
    return { vector: inputVector(graph, index, dtype), operand };
  });
  const copies = roundOf(result, target, sources);
  const writer = new Writer(a, pool, copies.length > 0 ? copies.flatMap((copy) => copy.values) : [result]);
  scalars.forEach(({ index, dtype }, k) => {
    readScalar(a, parameters, k, dtype);
    const vector = scalarVector(graph, index, dtype);
    a.set(writer.local(vector));
    writer.define(vector);
  });
  writeRows({ a, writer, result, copies, target, sources }, parameters);
  const functions = [{ name: "run", parameters: ["i32", "i32", "i32"] as const, results: [], body: a }];
  return compileKernel({ functions, imports: pool.imports, constants: pool.constants }, pool.functions);
}

/** The rows, of which the elements from `from` to `to` may begin and end within one. */
function writeRows(loop: Loop<Operand>, parameters: number): void {
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
