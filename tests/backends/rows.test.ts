/** Row programs: vectors against the reference backend, and the same bits however their units are split. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRows as reference } from "../../src/backends/reference/rows.ts";
import { writeParameters } from "../../src/backends/wasm/row-code.ts";
import { planRows } from "../../src/backends/wasm/row-plan.ts";
import { rowsAcross, stripOf } from "../../src/backends/wasm/rows-across.ts";
import { rowsAlong } from "../../src/backends/wasm/rows-along.ts";
import { compileRows } from "../../src/backends/wasm/rows.ts";
import * as torch from "../../src/index.ts";
import { Expr } from "../../src/ir/expr.ts";
import type { RowProgram, RowShape } from "../../src/ir/rows.ts";
import { float32, float64, type DType } from "../../src/tensor/dtype.ts";
import { viewTyped } from "../../src/tensor/read.ts";
import { emptyTensor, type Tensor } from "../../src/tensor/tensor.ts";

/** A softmax that keeps the sums: folds, stores and results in three passes. Operands: x, the result, the sums. */
function program(dtype: DType): RowProgram {
  const x = Expr.input(0, dtype);
  const folded = Expr.folded(float64);
  const e = x.sub(Expr.row(0, dtype)).exp();
  return {
    passes: [
      { folds: [{ name: "max", map: x, accumulator: float64, finish: folded.to(dtype) }], stores: [] },
      { folds: [{ name: "sum", map: e, accumulator: float64, finish: folded.to(dtype) }], stores: [{ operand: 1, value: e, dtype }] },
      { folds: [], stores: [{ operand: 1, value: Expr.input(1, dtype).div(Expr.row(1, dtype)), dtype }] },
    ],
    results: [{ operand: 2, fold: 1, dtype }],
  };
}

interface Work {
  tensors: Tensor[];
  shape: RowShape;
}

/** outer × n × inner elements, whose rows are the n. */
function work(outer: number, n: number, inner: number, dtype: DType): Work {
  torch.manual_seed(outer + 100 * n + 10000 * inner);
  const size = dtype.itemsize;
  const element = [n * inner * size, size, 0, inner * size];
  return {
    tensors: [torch.randn([outer, n, inner], { dtype }), emptyTensor([outer, n, inner], dtype), emptyTensor([outer, inner], dtype)],
    shape: { sizes: [outer, inner, 1, n], steps: [...element, ...element, inner * size, size, 0, 0] },
  };
}

const addresses = (tensors: readonly Tensor[]): number[] => tensors.map((t) => t._address);
const bits = (tensors: readonly Tensor[]): number[][] => tensors.slice(1).map((t) => Array.from(viewTyped(t), Number));

const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 150 }));

describe("row programs", () => {
  it("agree with the reference backend", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), size, size, fc.constantFrom(float32, float64), (outer, n, inner, dtype) => {
        const { tensors, shape } = work(outer, n, inner, dtype);
        const kernels = [reference, compileRows].map((compile) => compile(program(dtype)));
        const [expected, actual] = kernels.map((kernel) => (kernel(shape, addresses(tensors), []), bits(tensors).flat()));
        const tolerance = dtype === float32 ? 1e-6 : 1e-14;
        expect(actual.filter((a, i) => !(Math.abs(a - expected[i]) <= tolerance * Math.abs(expected[i])))).toEqual([]);
      }),
    );
  });

  it.each([["along", rowsAlong], ["across", rowsAcross]] as const)("that lie %s vectors give the same bits however their units are split", (way, build) => {
    fc.assert(
      fc.property(size, size, fc.constantFrom(float32, float64), fc.nat(), (n, rows, dtype, at) => {
        const { tensors, shape } = way === "along" ? work(rows, n, 1, dtype) : work(1, n, rows, dtype);
        const plan = planRows(program(dtype));
        const kernel = build(plan, () => "contiguous");
        const units = way === "along" ? rows : Math.ceil(rows / stripOf(plan));
        const parameters = writeParameters(plan, shape, units, addresses(tensors), []);
        kernel.run(parameters, 0, units);
        const whole = bits(tensors);
        tensors.slice(1).forEach((t) => viewTyped(t).fill(0 as never));
        const middle = at % (units + 1);
        kernel.run(parameters, middle, units);
        kernel.run(parameters, 0, middle);
        expect(bits(tensors)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it("sum a million float32 numbers to the last place", () => {
    torch.manual_seed(7);
    const x = torch.rand(1_000_000);
    const truth = (viewTyped(x) as Float32Array).reduce((sum, v) => sum + v, 0);
    expect(Math.abs((x.sum().item() as number) - truth)).toBeLessThanOrEqual(2 ** -24 * truth);
    expect(Math.abs((x.mean().item() as number) - truth / 1e6)).toBeLessThanOrEqual(2 ** -24);
    const columns = x.reshape([250_000, 4]).sum(0).tolist() as number[];
    const exact = [0, 1, 2, 3].map((c) => (viewTyped(x) as Float32Array).reduce((sum, v, i) => (i % 4 === c ? sum + v : sum), 0));
    columns.forEach((c, i) => expect(Math.abs(c - exact[i])).toBeLessThanOrEqual(2 ** -24 * exact[i]));
  });
});
