/** The kernels of both backends on the same random expressions, dtypes and layouts: what is exact must agree bit by bit. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePointwise } from "../../src/backends/compile.ts";
import { runPointwise } from "../../src/backends/loop.ts";
import { compilePointwise as compileReference } from "../../src/backends/reference/compile.ts";
import { setThreadCount, threadCount } from "../../src/backends/wasm/threads.ts";
import { Expr } from "../../src/ir/expr.ts";
import { bool, dtypes, FLOAT, float32, float64, INT, int32, int64, type DType } from "../../src/tensor/dtype.ts";
import { Elements, ulps, type Value } from "./elements.ts";

// Fast-check prints the path to a failure; another seed is tried with LEAFGRAD_SEED.
const seed = Number(process.env["LEAFGRAD_SEED"] ?? 7);

/** A step of a random expression: how it is made of two values, or null where their dtypes do not allow it. */
type Step = (x: Expr, y: Expr) => Expr | null;

const unaryStep = (name: "neg" | "abs" | "sign" | "floor" | "ceil" | "round" | "trunc" | "sqrt" | "rsqrt" | "reciprocal" | "isnan" | "signbit" | "logical_not" | "bitwise_not"): Step =>
  (x) => (x.dtype === bool && name === "neg") || (x.dtype.kind === FLOAT && name === "bitwise_not") ? null : x[name]();
const binaryStep = (name: "add" | "sub" | "mul" | "div" | "maximum" | "minimum" | "fmax" | "fmin" | "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "logical_and" | "logical_or" | "logical_xor" | "copysign"): Step =>
  (x, y) => x[name](y);
const numberStep = (name: "fmod" | "remainder"): Step => (x, y) => (x.dtype === bool && y.dtype === bool ? null : x[name](y));
const divisionStep = (rounding_mode: "floor" | "trunc"): Step => (x, y) => (x.dtype === bool && y.dtype === bool ? null : x.div(y, { rounding_mode }));
const bitStep = (name: "bitwise_and" | "bitwise_or" | "bitwise_xor"): Step => (x, y) => (x.dtype.kind === FLOAT || y.dtype.kind === FLOAT ? null : x[name](y));
const integerStep = (name: "bitwise_left_shift" | "bitwise_right_shift" | "pow"): Step => (x, y) => (x.dtype.kind === INT && y.dtype.kind === INT ? x[name](y) : null);

const exactSteps: Record<string, Step> = {
  ...Object.fromEntries((["neg", "abs", "sign", "floor", "ceil", "round", "trunc", "sqrt", "rsqrt", "reciprocal", "isnan", "signbit", "logical_not", "bitwise_not"] as const).map((n) => [n, unaryStep(n)])),
  ...Object.fromEntries((["add", "sub", "mul", "div", "maximum", "minimum", "fmax", "fmin", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "copysign"] as const).map((n) => [n, binaryStep(n)])),
  ...Object.fromEntries((["fmod", "remainder"] as const).map((n) => [n, numberStep(n)])),
  ...Object.fromEntries((["floor", "trunc"] as const).map((n) => [`div ${n}`, divisionStep(n)])),
  ...Object.fromEntries((["bitwise_and", "bitwise_or", "bitwise_xor"] as const).map((n) => [n, bitStep(n)])),
  ...Object.fromEntries((["bitwise_left_shift", "bitwise_right_shift", "pow"] as const).map((n) => [`integer ${n}`, integerStep(n)])),
  where: (x, y) => x.where(x.gt(0), y),
  masked_fill: (x, y) => x.masked_fill(y.lt(1), 2),
  ...Object.fromEntries(dtypes.map((dtype) => [`to ${dtype.name}`, (x: Expr) => x.to(dtype)])),
};

const approximations = ["exp", "exp2", "log", "log2", "log10", "log1p", "expm1", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "erf", "erfc", "pow", "atan2", "hypot"] as const;

const specials: Record<"float" | "integer", number[]> = {
  float: [0, -0, 1, -1, 0.5, 2, 3, -7, 1e-40, -1e-300, 1e10, -3e38, 255.5, 2147483648, -2147483649, 9.3e18, Infinity, -Infinity, NaN],
  integer: [0, 1, -1, 2, 3, -5, 7, 31, 32, 63, 127, -128, 255, 32767, 65536, 2147483647, -2147483648],
};

/** A value that the dtype has. */
function valueOf(dtype: DType, x: number): Value {
  if (dtype === float32) return Math.fround(x);
  if (dtype === float64) return x;
  const whole = Number.isFinite(x) ? Math.trunc(x) : 0;
  if (dtype === bool) return whole & 1;
  return dtype === int64 ? BigInt(whole) : Number(dtype.is_signed ? BigInt.asIntN(8 * dtype.itemsize, BigInt(whole)) : BigInt.asUintN(8, BigInt(whole)));
}

const element = fc.oneof(fc.constantFrom(...specials.float), fc.constantFrom(...specials.integer), fc.double({ min: -100, max: 100, noNaN: true }), fc.double());
const dtype = fc.constantFrom(...dtypes);

/** How an operand lies: which dimension is innermost and so on, which are broadcast, gaps after each, elements before the first. */
const layout = fc.record({
  order: fc.shuffledSubarray([0, 1, 2], { minLength: 3, maxLength: 3 }),
  broadcast: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  gaps: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)),
  dense: fc.boolean(),
  offset: fc.nat(3),
});
type Layout = typeof layout extends fc.Arbitrary<infer T> ? T : never;

/** Strides in elements, and how many elements there are from the start of the storage to the last. */
function stridesOf(sizes: readonly number[], { order, broadcast, gaps, dense, offset }: Layout, mayBroadcast: boolean): { strides: number[]; count: number } {
  const strides = sizes.map(() => 0);
  let step = 1;
  let count = offset + 1;
  for (const d of order) {
    if (d >= sizes.length || (mayBroadcast && !dense && broadcast[d])) continue;
    strides[d] = step + (dense ? 0 : gaps[d]);
    count += Math.max(sizes[d] - 1, 0) * strides[d];
    step = Math.max(sizes[d], 1) * strides[d];
  }
  return { strides, count };
}

const problem = fc.record({
  sizes: fc.array(fc.oneof(fc.nat(9), fc.constantFrom(1, 16, 33)), { maxLength: 3 }),
  inputs: fc.array(fc.record({ dtype, layout }), { minLength: 2, maxLength: 3 }),
  out: fc.record({ dtype, layout }),
  inplace: fc.boolean(),
  scalar: fc.option(element, { nil: null }),
  values: fc.array(element, { minLength: 7, maxLength: 40 }),
});
type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never;

/** The elements of the output's storage after a kernel has run on it; null where it refused. */
function result(compile: typeof compilePointwise, expr: Expr, { sizes, inputs, out, inplace, values, scalar }: Problem): Value[] | null {
  const place = ({ dtype, layout }: Problem["out"], mayBroadcast: boolean): { elements: Elements; strides: number[]; offset: number } => {
    const { strides, count } = stridesOf(sizes, layout, mayBroadcast);
    const elements = Elements.of(dtype, Array.from({ length: count }, (_, i) => valueOf(dtype, values[(i * 5 + dtype.code) % values.length])));
    return { elements, strides: strides.map((s) => s * dtype.itemsize), offset: layout.offset * dtype.itemsize };
  };
  const target = place(out, false);
  const sources = inputs.map((input, k) => (inplace && k === 0 ? target : place(input, true)));
  const operands = [target, ...sources].map(({ elements, strides, offset }) => ({ address: elements.address + offset, strides }));
  const kernel = compile(expr, out.dtype);
  try {
    runPointwise(kernel, sizes, operands, [0, 0, 0, scalar ?? 0]);
  } catch {
    return null;
  }
  return target.elements.read();
}

/** The leaves of a problem: its inputs and perhaps a number; an input that is the output has its dtype. */
function leavesOf({ inputs, out, inplace, scalar }: Problem): Expr[] {
  const leaves = inputs.map((input, k) => Expr.input(k, inplace && k === 0 ? out.dtype : input.dtype));
  return scalar === null ? leaves : [...leaves, Expr.scalar(3, leaves[0].dtype)];
}

/** The same with bools alone, for which vectors have lanes of their own. */
const ofBools = (p: Problem): Problem => ({ ...p, inputs: p.inputs.map((input) => ({ ...input, dtype: bool })), out: { ...p.out, dtype: bool } });

const same = (x: Value, y: Value): boolean => Object.is(x, y);

describe(`seed ${seed}`, () => {
  test("exact functions agree in trees of any dtypes and layouts", () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...Object.keys(exactSteps)), fc.nat(), fc.nat()), { minLength: 0, maxLength: 5 });
    fc.assert(
      fc.property(problem, steps, fc.nat(4), (drawn, steps, kind) => {
        const problem = kind === 0 ? ofBools(drawn) : drawn;
        const made = leavesOf(problem);
        for (const [name, i, j] of steps) {
          const next = exactSteps[name](made[i % made.length], made[j % made.length]);
          if (next !== null) made.push(next);
        }
        const expr = made.at(-1)!;
        const [got, want] = [result(compilePointwise, expr, problem), result(compileReference, expr, problem)];
        expect(got === null).toBe(want === null);
        if (got !== null) for (let i = 0; i < got.length; i++) expect(same(got[i], want![i]), `element ${i}: ${got[i]} instead of ${want![i]}`).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
  });

  test("approximations are near in any layout", () => {
    const float = fc.constantFrom(float32, float64);
    fc.assert(
      fc.property(problem, float, fc.constantFrom(...approximations), (drawn, dtype, name) => {
        const problem = { ...drawn, scalar: null, inputs: drawn.inputs.map((input) => ({ ...input, dtype })), out: { ...drawn.out, dtype } };
        const [x, y] = leavesOf(problem);
        const expr = name === "pow" || name === "atan2" || name === "hypot" ? x[name](y) : x[name]();
        const [got, want] = [result(compilePointwise, expr, problem)!, result(compileReference, expr, problem)!];
        // The reference is itself some units off.
        for (let i = 0; i < got.length; i++) {
          expect(ulps(Number(got[i]), Number(want[i]), dtype), `${name}, element ${i}: ${got[i]} instead of ${want[i]}`).toBeLessThanOrEqual(dtype === float32 ? 2 : 4);
        }
      }),
      { seed, numRuns: 300 },
    );
  });
});

test("a launch in pieces, which begin and end within rows, gives what one piece gives", () => {
  const [rows, columns, padded] = [700, 611, 613];
  const x = Elements.of(float32, Array.from({ length: rows * padded }, (_, i) => i % 1013));
  const column = Elements.of(float32, Array.from({ length: rows }, (_, i) => i));
  const kernel = compilePointwise(Expr.input(0, float32).mul(Expr.input(1, float32)), int32);
  const run = (): Value[] => {
    const out = new Elements(int32, rows * columns);
    const strides = [[columns, 1], [padded, 1], [1, 0]].map((s) => s.map((step) => step * 4));
    runPointwise(kernel, [rows, columns], [out, x, column].map(({ address }, k) => ({ address, strides: strides[k] })));
    return out.read();
  };
  const before = threadCount();
  try {
    setThreadCount(1);
    const whole = run();
    setThreadCount(3);
    expect(run()).toEqual(whole);
    const [i, j] = [611, 205];
    expect(whole[i * columns + j]).toBe(((i * padded + j) % 1013) * i);
  } finally {
    setThreadCount(before);
  }
});
