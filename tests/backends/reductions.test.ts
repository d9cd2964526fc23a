/** Reductions by vectors against the reference backend, and long sums against the truth. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileReduction } from "../../src/backends/reference/compile.ts";
import { Reducer } from "../../src/dispatch/reduce.ts";
import * as torch from "../../src/index.ts";
import type { Formula } from "../../src/ir/arithmetic.ts";
import { Expr } from "../../src/ir/expr.ts";
import { accumulatorOf, type ReductionName } from "../../src/ir/reduction.ts";
import { BOOL, dtypes, FLOAT, type DType } from "../../src/tensor/dtype.ts";
import { heapAs } from "../../src/tensor/read.ts";
import { emptyTensor, type Tensor } from "../../src/tensor/tensor.ts";

const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e-40, 3e38];

/** A tensor of these sizes as a view: dimensions in another order, steps of more than one element, or a broadcast. */
interface Case {
  sizes: number[];
  order: number[];
  gaps: number[];
  broadcast: number;
  dims: number[];
  dtype: DType;
  name: ReductionName;
  seed: number;
  specials: boolean;
}

const caseOf: fc.Arbitrary<Case> = fc
  .tuple(fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 70 })), { minLength: 1, maxLength: 4 }), fc.integer(), fc.nat(7), fc.boolean())
  .chain(([sizes, seed, dtype, specials]) =>
    fc.record({
      sizes: fc.constant(sizes.map((s) => (sizes.length > 2 ? Math.min(s, 20) : s))),
      order: fc.shuffledSubarray(sizes.map((_, d) => d), { minLength: sizes.length, maxLength: sizes.length }),
      gaps: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: sizes.length, maxLength: sizes.length }),
      broadcast: fc.integer({ min: -3, max: sizes.length - 1 }),
      dims: fc.shuffledSubarray(sizes.map((_, d) => d), { minLength: 1 }),
      dtype: fc.constant(dtypes[dtype]),
      name: fc.constantFrom<ReductionName>("sum", "prod", "max", "min", "any", "all"),
      seed: fc.constant(seed),
      specials: fc.constant(specials && dtypes[dtype].kind === FLOAT),
    }),
  );

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

function viewOf({ sizes, order, gaps, broadcast, dtype, seed, specials, name }: Case): Tensor {
  const real = sizes.map((s, d) => (d === broadcast ? 1 : s * gaps[d]));
  const base = emptyTensor(order.map((d) => real[d]), dtype);
  const next = random(seed);
  const elements = heapAs(dtype);
  const start = base._address / dtype.itemsize;
  for (let i = 0; i < base._numel; i++) {
    const u = next();
    const value = dtype.kind === FLOAT
      ? specials && u < 0.02 ? special[Math.floor(next() * special.length)] : name === "prod" ? 1 + (u - 0.5) / 8 : u * 4 - 1.5
      : dtype.kind === BOOL ? Number(u < (name === "any" ? 0.002 : name === "all" ? 0.998 : 0.5)) : Math.floor(u * 250) - (dtype.is_signed ? 125 : 0);
    (elements as { [i: number]: unknown })[start + i] = dtype.itemsize === 8 && dtype.kind !== FLOAT ? BigInt(value) : value;
  }
  const strides = sizes.map((_, d) => (d === broadcast ? 0 : base._strides[order.indexOf(d)] * gaps[d]));
  return base._aliased(sizes, strides, 0);
}

/** The reduction by the reference backend, element by element in row-major order. */
function reference(t: Tensor, name: ReductionName, map: Formula, dims: number[], compute: DType, out: DType): (number | bigint)[] {
  const asExpr = (e: Expr | number): Expr => (typeof e === "number" ? Expr.constant(e, compute) : e);
  const kernel = compileReduction({ name, map: asExpr(map({ self: Expr.input(0, t.dtype).to(compute) })), finish: Expr.folded(accumulatorOf(out)), dtype: out });
  const kept = t._sizes.flatMap((_, d) => (dims.includes(d) ? [] : [d]));
  const ordered = t._aliased([...kept, ...dims].map((d) => t._sizes[d]), [...kept, ...dims].map((d) => t._strides[d]), 0).contiguous();
  const n = dims.reduce((k, d) => k * t._sizes[d], 1);
  const rows = ordered._numel / n;
  const result = emptyTensor([rows], out);
  const { itemsize } = t.dtype;
  for (let r = 0; r < rows; r++) kernel(1, n, [result._address + r * out.itemsize, ordered._address + r * n * itemsize], [0, 0], [0, itemsize], []);
  return valuesOf(result);
}

function valuesOf(t: Tensor): (number | bigint)[] {
  const start = t._address / t.dtype.itemsize;
  return Array.from(heapAs(t.dtype).subarray(start, start + t._numel) as ArrayLike<number | bigint>);
}

const ulp: Partial<Record<string, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

function expectClose(actual: (number | bigint)[], expected: (number | bigint)[], tolerance: number, scale: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((a, i) => {
    const e = expected[i];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) return;
    expect(Math.abs(Number(a) - Number(e)), `${a} for ${e} at ${i}`).toBeLessThanOrEqual(tolerance * (Math.abs(Number(e)) + scale));
  });
}

describe("reductions by vectors", () => {
  it("agree with the reference backend over dtypes, shapes, strides and special values", () => {
    fc.assert(
      fc.property(caseOf, (c) => {
        const t = viewOf(c);
        const truth = c.name === "any" || c.name === "all";
        const map: Formula = truth ? ({ self }) => self.ne(0) : ({ self }) => self;
        const summed = c.name === "sum" || c.name === "prod";
        const out = truth ? torch.bool : summed && c.dtype.kind !== FLOAT ? torch.int64 : c.dtype;
        const compute = summed ? out : c.dtype;
        const result = new Reducer(c.name, map).run([t], c.dims, false, compute, out);
        const n = c.dims.reduce((k, d) => k * c.sizes[d], 1);
        const huge = c.specials && summed;
        const expected = reference(t, c.name, map, c.dims, compute, out);
        // Sums with 3e38 among the terms may leave the range of float32 in one order and not in another.
        const actual = valuesOf(result).map((v, i) => (huge && !Number.isFinite(v as number) ? expected[i] : v));
        // Each factor of a product brings a rounding of its own, which the next ones carry along.
        const roundings = c.name === "prod" ? Math.max(n, 8) : 8;
        expectClose(actual, expected, summed ? roundings * (ulp[out.name] ?? 0) : 0, huge ? 3e38 : summed ? n : 0);
      }),
      { numRuns: 400 },
    );
  });
});
