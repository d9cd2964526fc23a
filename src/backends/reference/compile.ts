/** The reference backend: compiles IR to plain JavaScript loops over the heap. It is the living definition of the IR. */
import { heap } from "../../tensor/heap.ts";
import { bool, FLOAT, int64, type DType } from "../../tensor/dtype.ts";
import type { Expr } from "../../ir/expr.ts";
import type { PointwiseKernel, ReductionKernel, ScanKernel } from "../../ir/kernel.ts";
import { accumulatorOf, type Reduction, type ReductionName, type Scan } from "../../ir/reduction.ts";
import { cast, emit, leaves, viewOf, wrap, zeroOf } from "./emit.ts";
import * as math from "./math.ts";
import * as special from "./special.ts";

export function build<T>(parameters: string, body: string[]): T {
  const source = `const fround=Math.fround;return function(${parameters}){\n${body.join("\n")}\n}`;
  return new Function("heap", "m", source)(heap, { ...math, ...special }) as T;
}

/** Loads of the inputs that `expr` reads, at positions `p1`, `p2`, …, and the scalars' conversions. */
export function reads(expr: Expr): { inputs: [number, DType][]; views: string[]; loads: string; scalars: string[] } {
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
  if (dtype === int64) return `typeof ${raw}==="number"?m.toInt64(${raw}):BigInt(${raw})`;
  return dtype === bool ? `(Number(${raw})!==0?1:0)` : wrap(dtype, `Number(${raw})`);
}

/** Compiles an expression into a loop that writes it, cast to `out`, for each element. */
export function compilePointwise(expr: Expr, out: DType): PointwiseKernel {
  const { inputs, views, loads, scalars } = reads(expr);
  const { lines, value } = emit(expr);
  const outView = viewOf(out);
  const shifts = inputs.map(([i, dtype]) => [i + 1, viewOf(dtype).shift] as const);
  return build("inner,outer,at,step,outerStep,scalars", [
    `const o=heap.${outView.name};let q0=at[0]>>>${outView.shift};const s0=step[0]>>${outView.shift},r0=outerStep[0]>>${outView.shift};`,
    ...views,
    ...shifts.map(([k, shift]) => `let q${k}=at[${k}]>>>${shift};const s${k}=step[${k}]>>${shift},r${k}=outerStep[${k}]>>${shift};`),
    ...scalars,
    `for(let j=0;j<outer;j++){`,
    `let p0=q0;q0+=r0;`,
    ...shifts.map(([k]) => `let p${k}=q${k};q${k}+=r${k};`),
    `for(let k=0;k<inner;k++){`,
    loads,
    ...lines,
    `o[p0]=${cast(value, expr.dtype, out)};p0+=s0;`,
    ...shifts.map(([k]) => `p${k}+=s${k};`),
    "}",
    "}",
  ]);
}

/** Compiles a reduction; floats are folded in double precision whatever their dtype. */
export function compileReduction({ name, map, finish, dtype }: Reduction): ReductionKernel {
  const accumulator = accumulatorOf(dtype);
  const { inputs, views, loads, scalars } = reads(map);
  const terms = numberTerms(name, map, accumulator);
  const { lines, value } = emit(terms ?? map);
  const finished = emit(finish);
  const outView = viewOf(dtype);
  const shifts = inputs.map(([i, d]) => [i + 1, viewOf(d).shift] as const);
  const { start, fold, total } = terms !== null ? sumOfNumbers(value, terms.dtype) : runningFold(name, accumulator, cast(value, map.dtype, accumulator));
  return build("outer,inner,at,outerStep,innerStep,scalars", [
    ...views,
    ...shifts.map(([k, shift]) => `let q${k}=at[${k}]>>>${shift};const r${k}=outerStep[${k}]>>${shift},s${k}=innerStep[${k}]>>${shift};`),
    ...scalars,
    ...reads(finish).scalars,
    start,
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
    total,
    ...finished.lines,
    `heap.${outView.name}[at[0]>>>${outView.shift}]=${cast(finished.value, finish.dtype, dtype)};`,
  ]);
}

/** Compiles a scan: a loop along each lane that stores the running value at each step. */
export function compileScan({ name, map, dtype }: Scan): ScanKernel {
  const accumulator = accumulatorOf(dtype);
  const { inputs, views, loads } = reads(map);
  const { lines, value } = emit(map);
  const outView = viewOf(dtype);
  const shifts = inputs.map(([i, d]) => [i + 1, viewOf(d).shift] as const);
  const { start, fold } = runningFold(name, accumulator, cast(value, map.dtype, accumulator));
  return build("n,lanes,at,step,across,scalars", [
    `const o=heap.${outView.name},s0=step[0]>>${outView.shift};`,
    ...views,
    ...shifts.map(([k, shift]) => `const s${k}=step[${k}]>>${shift};`),
    `for(let l=0;l<lanes;l++){`,
    `let p0=(at[0]+l*across[0])>>>${outView.shift};`,
    ...shifts.map(([k, shift]) => `let p${k}=(at[${k}]+l*across[${k}])>>>${shift};`),
    start,
    `for(let k=0;k<n;k++){`,
    loads,
    ...lines,
    fold,
    `o[p0]=${cast("acc", accumulator, dtype)};p0+=s0;`,
    ...shifts.map(([k]) => `p${k}+=s${k};`),
    "}",
    "}",
  ]);
}

interface Fold {
  /** Statements before the loop, in it, and after it; the last leave the folded value in `acc`. */
  start: string;
  fold: string;
  total: string;
}

/** The terms of an int64 sum that are numbers before they are widened; null for other folds. */
function numberTerms(name: ReductionName, map: Expr, accumulator: DType): Expr | null {
  if (name !== "sum" || accumulator !== int64) return null;
  const terms = map.dtype === int64 && map.kind.tag === "cast" ? map.kind.of : map;
  return terms.dtype.kind === FLOAT || terms.dtype === int64 ? null : terms;
}

/** BigInts are slow: small integers are summed as numbers, which are carried over long before they lose digits. */
function sumOfNumbers(value: string, dtype: DType): Fold {
  const carry = "big+=BigInt(sum);sum=0;";
  const mayLoseDigits = dtype.itemsize > 2;
  return {
    start: "let big=0n,sum=0;",
    fold: `sum+=${value};${mayLoseDigits ? `if(sum>4503599627370496||sum<-4503599627370496){${carry}}` : ""}`,
    total: `${carry}const acc=${wrap(int64, "big")};`,
  };
}

/** A fold of one value after another, which `acc` names. */
export function runningFold(name: ReductionName, dtype: DType, value: string, acc = "acc"): Fold {
  const from = (start: string, fold: string): Fold => ({ start: `let ${acc}=${start};`, fold, total: "" });
  switch (name) {
    case "sum":
      return from(zeroOf(dtype), `${acc}=${wrap(dtype, `${acc}+${value}`)};`);
    case "prod":
      return from(dtype === int64 ? "1n" : "1", `${acc}=${wrap(dtype, `${acc}*${value}`)};`);
    case "max":
    case "min": {
      // A NaN stays once it has entered.
      const better = name === "max" ? ">" : "<";
      const isNaN = dtype.kind === FLOAT ? "||e!==e" : "";
      return from(worst(name, dtype), `const e=${value};if(e${better}${acc}${isNaN})${acc}=e;`);
    }
    case "any":
      return from("0", `${acc}=${acc}|${value};`);
    case "all":
      return from("1", `${acc}=${acc}&${value};`);
  }
}

/** The value that every other one beats or equals. */
function worst(name: "max" | "min", dtype: DType): string {
  if (dtype === int64) return name === "max" ? "-9223372036854775808n" : "9223372036854775807n";
  return name === "max" ? "-Infinity" : "Infinity";
}
