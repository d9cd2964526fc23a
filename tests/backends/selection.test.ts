/** The fast selection against its definition. */
import { describe, expect, it } from "vitest";
import { selectLanes as exact, sortLanes } from "../../src/backends/reference/sort.ts";
import { selectLanes } from "../../src/backends/selection.ts";
import { float32, float64, int32, int64, type DType } from "../../src/tensor/dtype.ts";
import { elementsAt } from "../../src/tensor/read.ts";
import { Elements } from "./elements.ts";

let state = 3;
const random = (): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24;

/** Lanes of different kinds: what a sample tells of the last two is wrong. */
const lanes: Record<string, (i: number, n: number) => number> = {
  "random numbers": () => random() - 0.5,
  "rising numbers": (i) => i,
  "falling numbers": (i) => -i,
  "few distinct numbers": () => Math.floor(random() * 4) - 2,
  "zeros of both signs": () => (random() < 0.5 ? 0 : -0),
  "NaN and infinity among them": () => [NaN, Infinity, -Infinity, random()][Math.floor(random() ** 4 * 4)]!,
  "mostly NaN": () => (random() < 0.9 ? NaN : random()),
  "a few large ones in one place": (i) => (i > 4000 && i < 4010 ? 10 + random() : random()),
  "a period that the sample follows": (i, n) => (i % Math.floor(n / 1024) === 0 ? random() : 5 + random()),
};

describe.each([float32, float64])("of %s", (dtype: DType) => {
  it.each(Object.keys(lanes))("%s", (kind) => {
    for (const n of [600, 5000, 66001]) {
      for (const k of [1, 30, 300]) {
        for (const largest of [true, false]) {
          const input = Elements.of(dtype, Array.from({ length: 2 * n }, (_, i) => lanes[kind]!(i % n, n)));
          const [values, positions] = [new Elements(dtype, 2 * k), new Elements(int64, 2 * k)];
          selectLanes(dtype, input.address, { outer: 2, n, inner: 1 }, k, largest, values.address, positions.address);
          const [wanted, places] = [new Elements(dtype, 2 * k), new Elements(int64, 2 * k)];
          exact(elementsAt(dtype, input.address, 2 * n), { outer: 2, n, inner: 1 }, k, largest, elementsAt(dtype, wanted.address, 2 * k), elementsAt(int32, places.address, 4 * k) as Int32Array);
          expect(values.read()).toEqual(wanted.read());
          expect(positions.read()).toEqual(places.read());
        }
      }
    }
  });
});

it("sorts elements that lie beyond 2 GB of the heap", () => {
  const input = new Float32Array(new SharedArrayBuffer(2 ** 31 + 16), 2 ** 31, 4);
  input.set([3, NaN, -1, 2]);
  const [values, positions] = [new Float32Array(4), new BigInt64Array(4)];
  sortLanes(input, { outer: 1, n: 4, inner: 1 }, false, values, new Int32Array(positions.buffer));
  expect([...values]).toEqual([-1, 2, 3, NaN]);
  expect([...positions]).toEqual([2n, 3n, 0n, 1n]);
});
