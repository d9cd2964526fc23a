/** Positions of extreme elements against their definition. */
import fc from "fast-check";
import { expect, it } from "vitest";
import * as torch from "../../src/index.ts";
import { viewTyped } from "../../src/tensor/read.ts";

type Element = number | bigint;
const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1];
const isNaN = (x: Element): boolean => x !== x;

/** The first of the best, or the first NaN. */
function firstBest(lane: readonly Element[], largest: boolean): number {
  const nan = lane.findIndex(isNaN);
  if (nan >= 0) return nan;
  return lane.reduce((at: number, x, k) => ((largest ? x > lane[at] : x < lane[at]) ? k : at), 0);
}

const { float32, float64, int64, int32, int16, int8, uint8, bool } = torch;
const size = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 90 }));

it("of lanes are the first of the best, or of the NaNs", () => {
  fc.assert(
    fc.property(size, size, size, fc.constantFrom(float32, float64, int64, int32, int16, int8, uint8, bool), fc.boolean(), fc.nat(), (outer, n, inner, dtype, specials, seed) => {
      torch.manual_seed(seed);
      const drawn = torch.randn(outer, n, inner);
      const all = viewTyped(drawn);
      const several = specials && dtype.is_floating_point;
      for (let i = seed % 7; i < all.length; i += 5) if (several) all[i] = special[(i + seed) % special.length];
      const x = (several ? drawn : drawn.mul(3).abs()).to(dtype);
      const elements = viewTyped(x);
      for (const largest of [true, false]) {
        const { values, indices } = largest ? x.max(1) : x.min(1);
        const expected = Array.from({ length: outer * inner }, (_, lane) => {
          const first = Math.floor(lane / inner) * n * inner + (lane % inner);
          const elementsOf = Array.from({ length: n }, (__, k): Element => elements[first + k * inner]);
          const at = firstBest(elementsOf, largest);
          return [at, elementsOf[at]] as const;
        });
        expect(Array.from(viewTyped(indices), Number)).toEqual(expected.map(([at]) => at));
        expect(Array.from<Element>(viewTyped(values))).toEqual(expected.map(([, value]) => value));
        if (dtype === bool) continue;
        expect((largest ? x.argmax(1) : x.argmin(1)).tolist()).toEqual(indices.tolist());
        const whole = Number((largest ? x.argmax() : x.argmin()).item());
        expect(whole).toBe(firstBest(Array.from<Element>(elements), largest));
      }
    }),
  );
});
