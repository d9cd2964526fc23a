/** Rows of a few elements, of which a program makes many: a kernel is told all it needs as arguments. */
import { FLOAT } from "../../tensor/dtype.ts";
import { Assembler } from "./assembler.ts";
import { Cursor } from "./cursor.ts";
import { compileFunction } from "./engine.ts";
import { advanceIn, layoutOf, type Places } from "./parameters.ts";
import { writeRow } from "./pointwise-row.ts";
import { inputVector, scalarVector, type Program } from "./pointwise-program.ts";
import { Pool, Writer } from "./writer.ts";

/** Longer rows gain nothing by it. */
const FEW = 64;

type Run = (...values: number[]) => void;

/** Runs a row if it is one of few elements that lie side by side, or are one and the same; else does nothing and returns false. */
type BriefKernel = (n: number, at: readonly number[], step: readonly number[], scalars: readonly (number | bigint)[]) => boolean;

/** Null where there are more operands or other numbers than is common. */
export function briefKernel(program: Program, places: Places): BriefKernel | null {
  const { inputs, scalars } = program;
  if (inputs.length === 0 || inputs.length > 2 || scalars.length > 1 || scalars.some(({ dtype }) => dtype.kind !== FLOAT)) return null;
  const kernels: (Run | undefined)[] = [];
  const [, first, second = 0] = places.place;
  const scalar = scalars.length === 0 ? -1 : scalars[0].index;
  const isUnary = inputs.length === 1;
  return (n, at, step, values) => {
    if (n > FEW) return false;
    const layout = n === 1 ? 0 : layoutOf(places, step);
    if (layout < 0) return false;
    const run = (kernels[layout] ??= build(program, layout));
    if (scalar < 0) {
      if (isUnary) run(n, at[0], at[first]);
      else run(n, at[0], at[first], at[second]);
    } else if (isUnary) run(n, at[0], at[first], Number(values[scalar]));
    else run(n, at[0], at[first], at[second], Number(values[scalar]));
    return true;
  };
}

/** The function of how many elements, where the result and the inputs are, and the numbers. */
function build({ inputs, scalars, out, result }: Program, layout: number): Run {
  const { graph } = result;
  const n = 0;
  const parameters = ["i32", "i32", ...inputs.map(() => "i32" as const), ...scalars.map(() => "f64" as const)] as const;
  const a = new Assembler(parameters.length);
  const pool = new Pool();
  const writer = new Writer(a, pool, [result]);
  const target = new Cursor(a, out, graph.lanes, "contiguous", 1);
  const sources = inputs.map(({ index, dtype }, k) => {
    const operand = new Cursor(a, dtype, graph.lanes, advanceIn(layout, inputs.length - 1 - k), 2 + k);
    return { vector: inputVector(graph, index, dtype), operand };
  });
  scalars.forEach(({ index, dtype }, k) => {
    const vector = scalarVector(graph, index, dtype);
    a.get(2 + inputs.length + k);
    if (vector.type === "f32") a.op("f32.demote_f64").op("f32x4.splat");
    else a.op("f64x2.splat");
    a.set(writer.local(vector));
    writer.define(vector);
  });
  writeRow({ a, writer, result, copies: [], target, sources }, n);
  const functions = [{ name: "run", parameters, results: [], body: a }];
  return compileFunction({ functions, imports: pool.imports, constants: pool.constants }, pool.functions);
}
