/** The fast pooling against its definition. */
import * as torch from "leafgrad";
import { afterEach, describe, expect, it } from "vitest";
import * as fast from "../../src/backends/pooling.ts";
import * as exact from "../../src/backends/reference/pooling.ts";
import { volumeSize, windowCount, type Volume, type Windows } from "../../src/backends/windows.ts";
import { float32, float64, int64, type DType } from "../../src/tensor/dtype.ts";
import { Elements, ulps } from "./elements.ts";

const threadsAtFirst = torch.get_num_threads();
afterEach(() => torch.set_num_threads(threadsAtFirst));

type Random = (below: number) => number;

function stream(seed: number): Random {
  let state = seed;
  return (below) => Math.floor((((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24) * below);
}

/** Windows of a kernel that slides over padding too, or of any lengths. */
function windowsAlong(random: Random, dilated: boolean): Windows {
  const size = 1 + random(20);
  if (random(3) === 0) {
    const count = 1 + random(9);
    const starts = Int32Array.from({ length: count }, () => random(size));
    const ends = starts.map((start) => start + 1 + random(size - start));
    return { size, starts, ends, step: 1, counts: ends.map((end, o) => end - starts[o]!) };
  }
  const [stride, step] = [1 + random(3), dilated ? 1 + random(2) : 1];
  const kernel = 1 + random(Math.ceil(size / step));
  const padding = random((((kernel - 1) * step + 1) >> 1) + 1);
  const count = Math.floor((size + 2 * padding - (kernel - 1) * step - 1) / stride) + 1;
  const [starts, ends] = [new Int32Array(count), new Int32Array(count)];
  for (let o = 0; o < count; o++) {
    const start = o * stride - padding;
    starts[o] = start < 0 ? start + Math.ceil(-start / step) * step : start;
    ends[o] = Math.min(start + (kernel - 1) * step + 1, size);
  }
  return { size, starts, ends, step, counts: starts.map(() => kernel) };
}

const volumeOf = (random: Random, dilated: boolean): Volume => [random(2) === 0 ? windowsAlong(stream(1), false) : windowsAlong(random, dilated), windowsAlong(random, dilated), windowsAlong(random, dilated)];

const elements = (dtype: DType, count: number, value: () => number): Elements => Elements.of(dtype, Array.from({ length: count }, value));
const numbers = (e: Elements): number[] => e.read().map(Number);
const floats = (dtype: DType, values: readonly number[]): Float32Array | Float64Array => (dtype === float32 ? Float32Array.from(values) : Float64Array.from(values));

function expectNear(found: readonly number[], wanted: ArrayLike<number>, dtype: DType, tolerance: number): void {
  const epsilon = dtype === float32 ? 2 ** -23 : 2 ** -52;
  expect(found.length).toBe(wanted.length);
  const worst = found.reduce((most, v, i) => Math.max(most, Math.abs(v - wanted[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(tolerance * epsilon);
}

describe.each([float32, float64])("pooling of %s", (dtype) => {
  it("finds maxima and their places, NaN and equal elements among them, and leads gradients there", () => {
    const random = stream(7);
    for (let round = 0; round < 150; round++) {
      torch.set_num_threads(1 + (round % 2));
      const [planes, volume] = [1 + random(5), volumeOf(random, true)];
      const [inside, windows] = [volumeSize(volume), windowCount(volume)];
      const values = [NaN, -Infinity, Infinity, -0, 0, 1, 2, 3];
      const input = elements(dtype, planes * inside, () => (random(3) === 0 ? values[random(values.length)]! : random(1000) / 7));
      const [out, positions] = [new Elements(dtype, planes * windows), new Elements(int64, planes * windows)];
      fast.maxPool(dtype, planes, volume, input.address, out.address, positions.address);
      const [maxima, places] = [floats(dtype, numbers(out)), new Int32Array(2 * planes * windows)];
      exact.maxPool(floats(dtype, numbers(input)), planes, volume, maxima, places);
      expect(positions.read()).toEqual(Array.from(places).filter((_, i) => i % 2 === 0).map(BigInt));
      expect(numbers(out).findIndex((v, i) => ulps(v, maxima[i]!, dtype) !== 0)).toBe(-1);

      const [grad, slopes] = [elements(dtype, planes * windows, () => random(100) / 3), new Elements(dtype, planes * inside)];
      fast.maxPoolGradient(dtype, planes, windows, inside, grad.address, positions.address, slopes.address);
      const wanted = floats(dtype, numbers(slopes));
      exact.maxPoolGradient(floats(dtype, numbers(grad)), places, planes, windows, inside, wanted);
      expect(numbers(slopes)).toEqual([...wanted]);
    }
  });

  it.each([null, 3])("averages, with the divisor %s, and shares gradients out", (divisor) => {
    const random = stream(8);
    for (let round = 0; round < 100; round++) {
      torch.set_num_threads(1 + (round % 2));
      const [planes, volume] = [1 + random(5), volumeOf(random, false)];
      const [inside, windows] = [volumeSize(volume), windowCount(volume)];
      const value = (): number => random(2001) / 1000 - 1;
      const [input, out] = [elements(dtype, planes * inside, value), new Elements(dtype, planes * windows)];
      fast.averagePool(dtype, planes, volume, divisor, input.address, out.address);
      const means = floats(dtype, numbers(out));
      exact.averagePool(floats(dtype, numbers(input)), planes, volume, divisor, means);
      expectNear(numbers(out), means, dtype, inside);

      const [grad, slopes] = [elements(dtype, planes * windows, value), new Elements(dtype, planes * inside)];
      fast.averagePoolGradient(dtype, planes, volume, divisor, grad.address, slopes.address);
      const wanted = floats(dtype, numbers(slopes));
      exact.averagePoolGradient(floats(dtype, numbers(grad)), planes, volume, divisor, wanted);
      expectNear(numbers(slopes), wanted, dtype, windows);
    }
  });
});
