/** The reference backend: compiles IR to plain JavaScript loops over the heap. It is the living definition of the IR. */
import { heap } from "../../tensor/heap.ts";
import { FLOAT, float64, int64, type DType } from "../../tensor/dtype.ts";
import type { Expr } from "../../ir/expr.ts";
import type { PointwiseKernel, ReductionKernel } from "../../ir/kernel.ts";
import type { Reduction } from "../../ir/reduction.ts";
import { cast, emit, leaves, viewOf, wrap } from "./emit.ts";
import * as math from "./math.ts";

function build<T>(parameters: string, body: string[]): T {
  const source = `const fround=Math.fround;return function(${parameters}){\n${body.join("\n")}\n}`;
  return new Function("heap", "m", source)(heap, math) as T;
}

/** Loads of the inputs that `expr` reads, at positions `p1`, `p2`, …, and the scalars' conversions. */
function reads(expr: Expr): { inputs: [number, DType][]; views: string[]; loads: string; scalars: string[] } {
  const found = leaves(expr);
  const inputs = [...found.inputs].sort((a, b) => a[0] - b[0]);
  return {
    inputs,
    views: inputs.map(([i, dtype]) => `const a${i}=heap.${viewOf(dtype).name};`),
    loads: inputs.map(([i]) => `const x${i}=a${i}[p${i + 1}];`).join(""),
    scalars: [...found.scalars].map(([i, dtype]) => `const c${i}=${scalarText(i, dtype)};`),
  };
}

function scalarText(index: number, dtype: DType): string {
  const raw = `scalars[${index}]`;
  if (dtype === int64) return `BigInt(${raw})`;
  return wrap(dtype, `Number(${raw})`);
}

/** Compiles an expression into a loop that writes it, cast to `out`, for each element. */
export function compilePointwise(expr: Expr, out: DType): PointwiseKernel {
  const { inputs, views, loads, scalars } = reads(expr);
  const { lines, value } = emit(expr);
  const outView = viewOf(out);
  const shifts = inputs.map(([i, dtype]) => [i + 1, viewOf(dtype).shift] as const);
  return build("n,at,step,scalars", [
    `const o=heap.${outView.name};let p0=at[0]>>>${outView.shift};const s0=step[0]>>${outView.shift};`,
    ...views,
    ...shifts.map(([k, shift]) => `let p${k}=at[${k}]>>>${shift};const s${k}=step[${k}]>>${shift};`),
    ...scalars,
    `for(let k=0;k<n;k++){`,
    loads,
    ...lines,
    `o[p0]=${cast(value, expr.dtype, out)};p0+=s0;`,
    ...shifts.map(([k]) => `p${k}+=s${k};`),
    "}",
  ]);
}

/** Compiles a reduction; floats are folded in double precision whatever their dtype. */
export function compileReduction(reduction: Reduction): ReductionKernel {
  const { map, dtype } = reduction;
  const accumulator = dtype.kind === FLOAT ? float64 : dtype;
  const { inputs, views, loads } = reads(map);
  const { lines, value } = emit(map);
  const outView = viewOf(dtype);
  const shifts = inputs.map(([i, d]) => [i + 1, viewOf(d).shift] as const);
  const { start, fold } = foldText(reduction.name, accumulator, cast(value, map.dtype, accumulator));
  return build("outer,inner,at,outerStep,innerStep", [
    ...views,
    ...shifts.map(([k, shift]) => `let q${k}=at[${k}]>>>${shift};const r${k}=outerStep[${k}]>>${shift},s${k}=innerStep[${k}]>>${shift};`),
    `let acc=${start};`,
    `for(let j=0;j<outer;j++){`,
    ...shifts.map(([k]) => `let p${k}=q${k};`),
    `for(let k=0;k<inner;k++){`,
    loads,
    ...lines,
    fold,
    ...shifts.map(([k]) => `p${k}+=s${k};`),
    "}",
    ...shifts.map(([k]) => `q${k}+=r${k};`),
    "}",
    `heap.${outView.name}[at[0]>>>${outView.shift}]=${cast("acc", accumulator, dtype)};`,
  ]);
}

function foldText(name: Reduction["name"], dtype: DType, value: string): { start: string; fold: string } {
  const big = dtype === int64;
  switch (name) {
    case "sum":
      return { start: big ? "0n" : "0", fold: `acc=${wrap(dtype, `acc+${value}`)};` };
    case "prod":
      return { start: big ? "1n" : "1", fold: `acc=${wrap(dtype, `acc*${value}`)};` };
    case "max":
    case "min": {
      // The first element starts the fold; a NaN stays once it has entered.
      const better = name === "max" ? ">" : "<";
      const isNaN = dtype.kind === FLOAT ? "||e!==e" : "";
      return { start: "undefined", fold: `const e=${value};if(acc===undefined||e${better}acc${isNaN})acc=e;` };
    }
    case "any":
      return { start: "0", fold: `acc=acc|${value};` };
    case "all":
      return { start: "1", fold: `acc=acc&${value};` };
  }
}
