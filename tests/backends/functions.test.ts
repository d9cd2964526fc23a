import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compilePointwise } from "../../src/backends/compile.ts";
import { compilePointwise as compileReference } from "../../src/backends/reference/compile.ts";
import { Expr, type BinaryName, type UnaryName } from "../../src/ir/expr.ts";
import { float32, float64, type DType } from "../../src/tensor/dtype.ts";
import { Elements, ulps } from "./elements.ts";

type Name = Extract<UnaryName | BinaryName, keyof Expr>;
type Compile = typeof compilePointwise;

/** Arguments, then the correctly rounded value; out of fixtures/functions.py. */
const fixture = Object.entries(JSON.parse(readFileSync(new URL("fixtures/functions.json", import.meta.url), "utf8")) as Record<Name, string[][]>)
  .map(([name, cases]) => ({ name: name as Name, cases: cases.map((row) => row.map(doubleOf)) }));

function doubleOf(hex: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

/** The function of each list of arguments. */
function values(compile: Compile, name: Name, dtype: DType, rows: readonly number[][]): number[] {
  const [first, ...others] = rows[0].map((_, k) => Expr.input(k, dtype));
  const expr = (first[name] as (...others: Expr[]) => Expr).apply(first, others);
  const out = new Elements(dtype, rows.length);
  const inputs = rows[0].map((_, k) => Elements.of(dtype, rows.map((row) => row[k])));
  const step = [dtype, ...inputs.map((e) => e.dtype)].map((d) => d.itemsize);
  compile(expr, dtype)(rows.length, 1, [out.address, ...inputs.map((e) => e.address)], step, step.map(() => 0), []);
  return out.read() as number[];
}

/** The worst of the values and where it is, for a message that tells. */
function worst(rows: readonly number[][], got: readonly number[], want: readonly number[], dtype: DType): { ulps: number; at: number[]; got: number; want: number } {
  const all = rows.map((at, i) => ({ ulps: ulps(got[i], want[i], dtype), at, got: got[i], want: want[i] }));
  return all.reduce((x, y) => (y.ulps > x.ulps ? y : x));
}

/** Numbers near which formulas change, and those at which functions have no ordinary value. */
const special = [0, -0, 1, -1, 0.5, -0.5, 2, -2, 3, 0.625, 0.875, 88.73, -87.4, -103.98, 128, -149, 150, 1e10, -1e10, 3e38, -3e38, 1e-45, -1e-45, 1e-40, 1.1754943508222875e-38, Infinity, -Infinity, NaN].map(Math.fround);
/** Spread over all exponents that float32 has, and denser near 1. */
const spread = Array.from({ length: 4001 }, (_, i) => {
  const t = i / 2000 - 1;
  return Math.fround(Math.sign(t) * 2 ** (i % 3 === 0 ? Math.abs(t) * 276 - 149 : Math.abs(t) * 16 - 8) * (1 + ((i * 0.6180339887) % 1)));
});

describe("float64 against correctly rounded values", () => {
  for (const { name, cases } of fixture) {
    test(name, () => {
      const rows = cases.map((row) => row.slice(0, -1));
      const found = worst(rows, values(compilePointwise, name, float64, rows), cases.map((row) => row.at(-1)!), float64);
      expect(found.ulps, JSON.stringify(found)).toBeLessThanOrEqual(2);
    });
  }
});

describe("float32 against float64", () => {
  for (const { name, cases } of fixture) {
    test(name, () => {
      const single = [...special, ...spread];
      const rows = cases[0].length === 2 ? single.map((x) => [x]) : [...single.map((x, i) => [x, single[(i * 7 + 3) % single.length]]), ...special.flatMap((x) => special.map((y) => [x, y]))];
      const truth = values(compileReference, name, float64, rows).map(Math.fround);
      const found = worst(rows, values(compilePointwise, name, float32, rows), truth, float32);
      expect(found.ulps, JSON.stringify(found)).toBeLessThanOrEqual(2);
    });
  }
});

test("1 + erf(x) in float32 is as exact as the digits of 1", () => {
  const onePlusErf = (compile: Compile, dtype: DType, xs: readonly number[]): number[] => {
    const [out, input] = [new Elements(dtype, xs.length), Elements.of(dtype, xs)];
    const step = [dtype.itemsize, dtype.itemsize];
    compile(Expr.input(0, dtype).erf().add(1), dtype)(xs.length, 1, [out.address, input.address], step, [0, 0], []);
    return out.read() as number[];
  };
  const xs = [...special, ...spread];
  const truth = onePlusErf(compileReference, float64, xs);
  const far = onePlusErf(compilePointwise, float32, xs).flatMap((got, i) => (Math.abs(got - truth[i]) <= 2 ** -22.5 || (Number.isNaN(got) && Number.isNaN(xs[i])) ? [] : [[xs[i], got, truth[i]]]));
  expect(far).toEqual([]);
});
