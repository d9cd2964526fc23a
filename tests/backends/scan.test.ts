/** Running folds in WASM against their definitions. */
import * as torch from "leafgrad";
import { afterEach, describe, expect, it } from "vitest";
import { compileScan } from "../../src/backends/compile.ts";
import { runningExtremum } from "../../src/backends/extrema.ts";
import { compileScan as compileByDefinition } from "../../src/backends/reference/compile.ts";
import { runningExtremum as runByDefinition } from "../../src/backends/reference/extrema.ts";
import { Expr } from "../../src/ir/expr.ts";
import { bool, float32, float64, int16, int32, int64, int8, uint8, type DType } from "../../src/tensor/dtype.ts";
import { elementsAt } from "../../src/tensor/read.ts";
import { Elements } from "./elements.ts";

const threadsAtFirst = torch.get_num_threads();
afterEach(() => torch.set_num_threads(threadsAtFirst));

let state = 5;
const random = (below: number): number => Math.floor((((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24) * below);
const special = [NaN, Infinity, -Infinity, 0, -0, 1, 1, -1];
const elements = (dtype: DType, count: number, rare: number): Elements =>
  Elements.of(dtype, Array.from({ length: count }, () => (random(rare) === 0 ? special[random(special.length)]! : (random(2001) - 1000) / 500)));

describe.each([float32, float64])("of %s", (dtype) => {
  it.each(["sum", "prod"] as const)("running %s: lanes side by side, apart, backwards and in place", (name) => {
    const scan = { name, map: Expr.input(0, dtype), dtype };
    const [fast, exact] = [compileScan(scan), compileByDefinition(scan)];
    for (let round = 0; round < 100; round++) {
      torch.set_num_threads(1 + (round % 2));
      const [n, lanes] = [1 + random(40), 1 + random(round % 50 === 0 ? 2000 : 20)];
      const [along, across] = random(2) === 0 ? [1, n + random(3)] : [lanes + random(3), 1];
      const count = (n - 1) * along + (lanes - 1) * across + 1;
      const [input, found, wanted] = [elements(dtype, count, 30), new Elements(dtype, count), new Elements(dtype, count)];
      [found, wanted].forEach((e) => e.write(input.read()));
      const backwards = random(3) === 0;
      const inPlace = random(3) === 0;
      const step = (backwards ? -along : along) * dtype.itemsize;
      for (const [run, out] of [[fast, found], [exact, wanted]] as const) {
        const start = backwards ? (n - 1) * along * dtype.itemsize : 0;
        const at = [out.address, inPlace ? out.address : input.address].map((address) => address + start);
        run(n, lanes, at, [step, step], [across * dtype.itemsize, across * dtype.itemsize], []);
      }
      expect(found.read()).toEqual(wanted.read());
    }
  });

  it.each([true, false])("running extrema with their positions, the largest: %s", (largest) => {
    for (let round = 0; round < 100; round++) {
      torch.set_num_threads(1 + (round % 2));
      const lanes = { outer: 1 + random(round % 50 === 0 ? 900 : 9), n: 1 + random(40), inner: random(2) === 0 ? 1 : 1 + random(13) };
      const count = lanes.outer * lanes.n * lanes.inner;
      const [input, values, positions] = [elements(dtype, count, 4), new Elements(dtype, count), new Elements(int64, count)];
      runningExtremum(dtype, lanes, largest, input.address, values.address, positions.address);
      const [wanted, places] = [new Elements(dtype, count), new Elements(int64, count)];
      const view = (e: Elements) => elementsAt(dtype, e.address, count);
      runByDefinition(view(input), lanes, largest, view(wanted), elementsAt(int32, places.address, 2 * count) as Int32Array);
      expect(values.read()).toEqual(wanted.read());
      expect(positions.read()).toEqual(places.read());
    }
  });
});

describe.each(["sum", "prod"] as const)("running %s, widened", (name) => {
  it.each([[bool, int64], [uint8, int64], [int8, int64], [int16, int64], [int32, int64], [int64, int64], [float32, float64]])("%s as %s", (source, dtype) => {
    const scan = { name, map: Expr.input(0, source).to(dtype), dtype };
    const [fast, exact] = [compileScan(scan), compileByDefinition(scan)];
    for (const [n, lanes, aside] of [[1, 1, false], [100, 1, false], [70, 9, false], [30, 150, true], [7, 64, true]] as const) {
      const [along, across] = aside ? [lanes, 1] : [1, n];
      // Products of these leave the range of int64, where they wrap around.
      const value = (): number => (source === bool ? random(2) : source === uint8 ? random(256) : random(255) - 127);
      const input = Elements.of(source, Array.from({ length: n * lanes }, () => (source === int64 ? BigInt(value()) : value())));
      const [found, wanted] = [new Elements(dtype, n * lanes), new Elements(dtype, n * lanes)];
      for (const [run, out] of [[fast, found], [exact, wanted]] as const) {
        run(n, lanes, [out.address, input.address], [along * dtype.itemsize, along * source.itemsize], [across * dtype.itemsize, across * source.itemsize], []);
      }
      expect(found.read()).toEqual(wanted.read());
    }
  });
});
