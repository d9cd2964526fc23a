/** Compiles pointwise expressions to WASM SIMD: one module for each layout that a kernel meets. */
import type { DType } from "../../tensor/dtype.ts";
import type { Expr } from "../../ir/expr.ts";
import type { PointwiseKernel } from "../../ir/kernel.ts";
import { Assembler } from "./assembler.ts";
import { castVector } from "./casts.ts";
import { laneTypeOf, pack, rawTypeOf, unpack } from "./elements.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { parallelFor } from "./threads.ts";
import { Operand, type Advance } from "./operand.ts";
import { blockAddress, leavesOf, readScalar, writeOperand, writeScalars, type Leaf } from "./parameters.ts";
import { lanesOf, translate } from "./translate.ts";
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
  const parameters = blockAddress();
  const kernels: (Kernel | undefined)[] = [];
  return (n, at, step, values) => {
    let layout = step[0] === out.itemsize ? 0 : 1;
    writeOperand(0, at[0], step[0]);
    for (let k = 0; k < inputs.length; k++) {
      const { index, dtype } = inputs[k];
      const by = step[index + 1];
      layout = 3 * layout + (by === dtype.itemsize ? 0 : by === 0 ? 1 : 2);
      writeOperand(k + 1, at[index + 1], by);
    }
    if (scalars.length > 0) writeScalars(scalars, values);
    // A single element advances nowhere.
    if (n === 1) layout = 0;
    parallelFor((kernels[layout] ??= build(program, layout)), parameters, n, n);
  };
}

function programOf(expr: Expr, out: DType): Program {
  const graph = new Graph(lanesOf(expr, out));
  const leaf = ({ kind, dtype }: Expr): Vector => {
    if (kind.tag === "input") return unpack(inputVector(graph, kind.index, dtype), dtype);
    return scalarVector(graph, (kind as { index: number }).index, dtype);
  };
  const value = castVector(translate(expr, graph, leaf), expr.dtype, out);
  return { out, inputs: leavesOf([expr], "input"), scalars: leavesOf([expr], "scalar"), result: pack(value, out) };
}

/** The elements of an input as they lie in memory. */
const inputVector = (graph: Graph, index: number, dtype: DType): Vector => graph.node(rawTypeOf(dtype), { tag: "input", index });
const scalarVector = (graph: Graph, index: number, dtype: DType): Vector => graph.node(laneTypeOf(dtype, graph.lanes), { tag: "scalar", index });

const inputAdvances: readonly Advance[] = ["contiguous", "splat", "strided"];

function build(program: Program, layout: number): Kernel {
  const { inputs, scalars, out, result } = program;
  const { graph } = result;
  const [parameters, n] = [0, 2];
  const a = new Assembler(3);
  const pool = new Pool();
  const writer = new Writer(a, pool, [result]);
  const advances = inputs.map((_, k) => inputAdvances[Math.floor(layout / 3 ** (inputs.length - 1 - k)) % 3]);
  const target = new Operand(a, parameters, 0, out, graph.lanes, layout < 3 ** inputs.length ? "contiguous" : "strided");
  const sources = inputs.map(({ index, dtype }, k) => {
    const operand = new Operand(a, parameters, k + 1, dtype, graph.lanes, advances[k]);
    return { vector: inputVector(graph, index, dtype), operand };
  });
  const varying = sources.filter(({ operand }) => operand.advance !== "splat");
  scalars.forEach(({ index, dtype }, k) => {
    readScalar(a, parameters, k, dtype);
    const vector = scalarVector(graph, index, dtype);
    a.set(writer.local(vector));
    writer.define(vector);
  });
  for (const { operand, vector } of sources) {
    if (operand.advance !== "splat") continue;
    operand.loadOne(writer.local(vector));
    writer.define(vector);
  }
  writer.writeInvariants((input) => varying.some(({ vector }) => vector === input));
  const loop = { a, writer, result, target, varying, n };
  writeVectorLoop(loop, 1);
  writeElementLoop(loop);
  const functions = [{ name: "run", parameters: ["i32", "i32", "i32"] as const, results: [], body: a }];
  return compileKernel({ functions, imports: pool.imports, constants: pool.constants }, pool.functions);
}

interface Loop {
  readonly a: Assembler;
  readonly writer: Writer;
  readonly result: Vector;
  readonly target: Operand;
  readonly varying: readonly { vector: Vector; operand: Operand }[];
  /** The local that counts the elements left. */
  readonly n: number;
}

/** Full vectors, `unrolled` a round, while there are enough elements. */
function writeVectorLoop({ a, writer, result, target, varying, n }: Loop, unrolled: number): void {
  const elements = unrolled * result.graph.lanes;
  a.get(n).i32(elements).op("i32.ge_s").when(() => {
    a.loop(() => {
      for (let ahead = 0; ahead < unrolled; ahead++) {
        writer.round(() => {
          for (const { vector, operand } of varying) {
            operand.loadMany(writer.local(vector), ahead);
            writer.define(vector);
          }
          target.storeMany(writer.keep(result), ahead);
        });
      }
      for (const operand of [target, ...varying.map((v) => v.operand)]) if (operand.advance === "contiguous") operand.skip(elements);
      a.get(n).i32(elements).op("i32.sub").tee(n).i32(elements).op("i32.ge_s");
    });
  });
}

/** The elements that are left, one at a time. */
function writeElementLoop({ a, writer, result, target, varying, n }: Loop): void {
  a.get(n).i32(0).op("i32.gt_s").when(() => {
    a.loop(() => {
      writer.round(() => {
        for (const { vector, operand } of varying) {
          operand.loadOne(writer.local(vector));
          writer.define(vector);
          operand.skip(1);
        }
        target.storeOne(writer.keep(result));
        target.skip(1);
      }, true);
      a.get(n).i32(1).op("i32.sub").tee(n);
    });
  });
}
