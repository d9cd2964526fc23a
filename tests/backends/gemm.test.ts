/** The fast products against their definition. */
import { describe, expect, it } from "vitest";
import { gemm } from "../../src/backends/gemm.ts";
import { axis, lengthOf, single, targetOf, type Axis, type Factor, type Product } from "../../src/backends/product.ts";
import { multiply as multiplyByDefinition } from "../../src/backends/reference/gemm.ts";
import { setThreadCount, threadCount } from "../../src/backends/wasm/threads.ts";
import { float32, float64, type DType } from "../../src/tensor/dtype.ts";
import { Storage } from "../../src/tensor/heap.ts";
import { heapAs } from "../../src/tensor/read.ts";

/** A stream of pseudorandom numbers in [0, 1): the same in every run. */
function stream(seed: number): () => number {
  let state = seed;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24;
}

const elements = (dtype: DType, { storage, offset }: Product["out"], length: number): Float32Array | Float64Array => {
  const start = storage.address / dtype.itemsize + offset;
  return heapAs(dtype).subarray(start, start + length) as Float32Array;
};

const span = ({ sizes, steps }: Axis): number => sizes.reduce((sum, s, d) => sum + Math.max(s - 1, 0) * steps[d], 0);

function filled(dtype: DType, length: number, value: () => number, offset = 0): { storage: Storage; offset: number } {
  const place = { storage: new Storage((offset + length) * dtype.itemsize), offset };
  elements(dtype, place, length).forEach((_, i, data) => (data[i] = value()));
  return place;
}

function factor(dtype: DType, batch: Axis, rows: Axis, columns: Axis, value: () => number, offset = 3): Factor {
  return { ...filled(dtype, span(batch) + span(rows) + span(columns) + 1, value, offset), batch, rows, columns };
}

/** What both make of it: the fast one, and the definition on a copy of the output. */
function both(dtype: DType, product: Product): { fast: number[]; exact: number[] } {
  const { batch, row } = targetOf(product);
  const [m, n] = [lengthOf(product.a.rows), lengthOf(product.b.columns)];
  const length = lengthOf(batch) * m * n === 0 ? 0 : span(batch) + (m - 1) * row + n;
  const before = [...elements(dtype, product.out, length)];
  multiplyByDefinition(dtype, product);
  const exact = [...elements(dtype, product.out, length)];
  elements(dtype, product.out, length).set(before);
  gemm(dtype, product);
  return { fast: [...elements(dtype, product.out, length)], exact };
}

/** Sums of k products of numbers up to 1 differ by few roundings of the largest partial sum. */
function expectClose(dtype: DType, { fast, exact }: { fast: number[]; exact: number[] }, k: number): void {
  const tolerance = (dtype === float32 ? 2 ** -23 : 2 ** -52) * 2 * (k + 4);
  const worst = Math.max(0, ...fast.map((v, i) => Math.abs(v - exact[i])));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

const sizes = [1, 2, 3, 5, 6, 7, 8, 9, 13, 16, 31, 48, 65, 97];

describe.each([float32, float64])("products of %s", (dtype) => {
  it("of random sizes, strides, offsets and scales", () => {
    const random = stream(1);
    const pick = (choices: readonly number[]): number => choices[Math.floor(random() * choices.length)];
    const value = (): number => 2 * random() - 1;
    for (let round = 0; round < 150; round++) {
      const [m, n, k, batch] = [pick(sizes), pick(sizes), pick([...sizes, 255, 256, 257, 520]), pick([1, 1, 2, 3])];
      const laidOut = (outer: number, inner: number): [Axis, Axis] => {
        const step = pick([1, 1, 1, 2, 3]);
        return random() < 0.5 ? [axis(outer, inner * step + pick([0, 1, 5])), axis(inner, step)] : [axis(outer, step), axis(inner, outer * step + pick([0, 1, 5]))];
      };
      const a = factor(dtype, axis(batch, pick([0, 7, m * k])), ...laidOut(m, k), value, pick([0, 1, 3]));
      const b = factor(dtype, axis(batch, pick([0, 5, n * k])), ...laidOut(k, n), value, pick([0, 1, 3]));
      const row = n + pick([0, 0, 3]);
      const target = random() < 0.5 ? {} : { row, batch: axis(batch, m * row + pick([0, 5])) };
      const out = { ...filled(dtype, batch * (m * row + 5), value, pick([0, 1, 2])), ...target };
      expectClose(dtype, both(dtype, { a, b, out, alpha: pick([1, 1, 0.5, -2]), beta: pick([0, 0, 1, -0.5]) }), k);
    }
  });

  it("of matrices and vectors", () => {
    const random = stream(5);
    const pick = (choices: readonly number[]): number => choices[Math.floor(random() * choices.length)];
    const value = (): number => 2 * random() - 1;
    for (let round = 0; round < 100; round++) {
      const [m, k, step] = [pick([...sizes, 300]), pick([...sizes, 1023, 1025, 3000]), pick([1, 1, 2])];
      const [rows, columns] = random() < 0.5 ? [axis(m, k * step + 1), axis(k, step)] : [axis(m, step), axis(k, m * step + 1)];
      const matrix = factor(dtype, single, rows, columns, value);
      const vector = factor(dtype, single, axis(k, pick([1, 1, 3])), axis(1, 1), value);
      const scales = { alpha: pick([1, -2]), beta: pick([0, 0.5]) };
      expectClose(dtype, both(dtype, { a: matrix, b: vector, out: filled(dtype, m, value), ...scales }), k);
      const turned = (f: Factor): Factor => ({ ...f, rows: f.columns, columns: f.rows });
      expectClose(dtype, both(dtype, { a: turned(vector), b: turned(matrix), out: filled(dtype, m, value), ...scales }), k);
    }
  });

  it("of axes of several sizes, as the patches of an image have them", () => {
    const random = stream(2);
    const patch: Axis = { sizes: [3, 3, 3], steps: [100, 10, 1] };
    const places: Axis = { sizes: [2, 8, 8], steps: [300, 10, 1] };
    const image = factor(dtype, axis(2, 600), patch, places, random);
    const weight = factor(dtype, axis(2, 5 * 27), axis(5, 27), axis(27, 1), random);
    expectClose(dtype, both(dtype, { a: weight, b: image, out: filled(dtype, 2 * 5 * 128, random), alpha: 1, beta: 0 }), 27);
    const turned = { ...image, rows: places, columns: patch };
    const grad = factor(dtype, axis(2, 128 * 5), axis(5, 128), axis(128, 1), random);
    expectClose(dtype, both(dtype, { a: grad, b: turned, out: filled(dtype, 2 * 5 * 27, random), alpha: 1, beta: 0 }), 128);
  });

  it.each([8, 12, 13, 14])("of columns in rows of %i, of which some panels are read in place", (width) => {
    const random = stream(4);
    const patch: Axis = { sizes: [3, 3, 3], steps: [2000, 20, 1] };
    const places: Axis = { sizes: [90, width], steps: [20, 1] };
    const image = factor(dtype, axis(2, 6001), patch, places, random);
    const weight = factor(dtype, axis(2, 0), axis(7, 27), axis(27, 1), random);
    expectClose(dtype, both(dtype, { a: weight, b: image, out: filled(dtype, 2 * 7 * 90 * width, random), alpha: 1, beta: 1 }), 27);
  });

  it.each([4, 5, 6, 7, 8, 27, 30, 600])("of factors that both lie along the depth, in lines of %i", (length) => {
    const random = stream(6);
    const value = (): number => 2 * random() - 1;
    const [pitch, lines] = [length + 3, Math.ceil(1100 / length)];
    const places: Axis = { sizes: [lines, length], steps: [pitch, 1] };
    for (const [m, planes, batch] of [[1, 3, 6], [4, 3, 1], [5, 11, 2], [16, 1, 1], [18, 12, 1]]) {
      const taps: Axis = { sizes: [planes, 3], steps: [lines * pitch, 1] };
      const a = factor(dtype, axis(batch, m * lines * pitch), axis(m, lines * pitch), places, value, 0);
      const b = factor(dtype, axis(batch, planes * lines * pitch), places, taps, value, 0);
      // What lies beyond a line must not count, not even multiplied by 0.
      elements(dtype, a, span(a.batch) + span(a.rows)).forEach((_, i, data) => i % pitch >= length && (data[i] = Infinity));
      elements(dtype, b, span(b.batch) + span(taps)).forEach((_, i, data) => i % pitch === length + 2 && (data[i] = Infinity));
      expectClose(dtype, both(dtype, { a, b, out: filled(dtype, batch * m * planes * 3, value), alpha: 0.5, beta: batch === 2 ? 0 : 1 }), lines * length);
    }
  });

  it("of a single row with columns in lines, side by side and apart", () => {
    const random = stream(7);
    const value = (): number => 2 * random() - 1;
    const pick = (choices: readonly number[]): number => choices[Math.floor(random() * choices.length)];
    for (let round = 0; round < 100; round++) {
      const [length, lines, batch, step] = [pick([2, 4, 5, 7, 16, 18, 33, 56]), pick([1, 3, 6]), pick([1, 2, 5]), pick([1, 1, 2, 3])];
      const pitch = length * step + pick([0, 0, 2]);
      const taps: Axis = { sizes: [pick([1, 3, 10]), 3], steps: [lines * pitch + 4, 1] };
      const columns: Axis = { sizes: [lines, length], steps: [pitch, step] };
      const k = lengthOf(taps);
      const a = factor(dtype, axis(batch, k), axis(1, k), axis(k, 1), value);
      const b = factor(dtype, axis(batch, taps.sizes[0] * taps.steps[0]), taps, columns, value);
      expectClose(dtype, both(dtype, { a, b, out: filled(dtype, batch * lines * length, value, pick([0, 1])), alpha: pick([1, -2]), beta: pick([0, 1, 0.5]) }), k);
    }
  });

  it("of sizes that are packed in several pieces", () => {
    const random = stream(3);
    const value = (): number => 2 * random() - 1;
    for (const [m, n, k, batch] of [[2100, 9, 30, 1], [7, 2100, 40, 1], [33, 40, 9000, 1], [40, 50, 600, 40], [150, 600, 1300, 1]]) {
      const a = factor(dtype, axis(batch, m * k), axis(m, k), axis(k, 1), value);
      const b = factor(dtype, axis(batch, n * k), axis(k, n), axis(n, 1), value);
      expectClose(dtype, both(dtype, { a, b, out: filled(dtype, batch * m * n, value), alpha: 1, beta: 1 }), k);
    }
  });

  it("are the same whatever the number of threads", () => {
    const random = stream(5);
    const value = (): number => 2 * random() - 1;
    const before = threadCount();
    for (const [m, n, k, batch] of [[257, 700, 999, 1], [64, 1100, 300, 1], [65, 50, 70, 9], [150, 600, 1300, 2]]) {
      const a = factor(dtype, axis(batch, m * k), axis(m, 1), axis(k, m), value);
      const b = factor(dtype, axis(batch, n * k), axis(k, n), axis(n, 1), value);
      const results = [1, 2, 3, 1].map((threads) => {
        setThreadCount(threads);
        const out = filled(dtype, batch * m * n, () => 1);
        gemm(dtype, { a, b, out, alpha: 0.5, beta: 2 });
        return elements(dtype, out, batch * m * n).slice();
      });
      for (const other of results.slice(1)) expect(other.every((v, i) => v === results[0][i])).toBe(true);
    }
    setThreadCount(before);
  });

  it.each([[0, 4, 5], [4, 0, 5], [4, 5, 0]])("of sizes %i, %i and %i", (m, n, k) => {
    const a = factor(dtype, single, axis(m, k), axis(k, 1), () => 1);
    const b = factor(dtype, single, axis(k, n), axis(n, 1), () => 1);
    const { fast, exact } = both(dtype, { a, b, out: filled(dtype, m * n, () => 3), alpha: 1, beta: 2 });
    expect(fast).toEqual(exact);
    expect(fast.every((v) => v === 6)).toBe(true);
  });

  it("lets NaN and infinity through, and does not read an output that beta cancels", () => {
    const random = stream(4);
    for (const [m, n, k] of [[13, 11, 20], [64, 64, 64], [1, 40, 30], [40, 1, 30]]) {
      const value = (): number => [0, 1, -1, 2, NaN, Infinity, -Infinity][Math.floor(random() ** 16 * 7)];
      const a = factor(dtype, single, axis(m, k), axis(k, 1), value);
      const b = factor(dtype, single, axis(k, n), axis(n, 1), value);
      const { fast, exact } = both(dtype, { a, b, out: filled(dtype, m * n, () => NaN), alpha: 1, beta: 0 });
      expect(fast).toEqual(exact);
      expect(fast.some(Number.isFinite)).toBe(true);
    }
  });
});
