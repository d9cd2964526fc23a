import fc from "fast-check";
import { expect, test } from "vitest";
import { GRANULE, Spans, type Span } from "../../src/tensor/spans.ts";

const start = 16 * GRANULE;
const total = 4096;

const steps = fc.array(fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 900 }) }, { weight: 2, arbitrary: fc.integer({ min: -100, max: -1 }) }), { maxLength: 200 });

/** Takes so many granules at a positive step, gives back one of the spans taken at a negative one. */
function play(program: readonly number[]): { spans: Spans; taken: Span[] } {
  const spans = new Spans();
  spans.extend((total / 2) * GRANULE, start);
  spans.extend((total / 2) * GRANULE, start);
  const taken: Span[] = [];
  for (const step of program) {
    if (step < 0) {
      const [given] = taken.splice(-step % Math.max(taken.length, 1), 1);
      if (given !== undefined) spans.give(given);
      continue;
    }
    const span = spans.take(step * GRANULE);
    if (span !== null) taken.push(span);
  }
  return { spans, taken };
}

test("spans lie in the range, have the size asked for, and do not overlap", () => {
  fc.assert(
    fc.property(steps, (program) => {
      const { taken } = play(program);
      let end = start;
      for (const span of taken.sort((p, q) => p.address - q.address)) {
        expect(span.address).toBeGreaterThanOrEqual(end);
        expect(span.free).toBe(false);
        end = span.address + span.bytes;
      }
      expect(end).toBeLessThanOrEqual(start + total * GRANULE);
    }),
  );
});

test("what is given back serves any size: when all is free again it is one span", () => {
  fc.assert(
    fc.property(steps, (program) => {
      const { spans, taken } = play(program);
      for (const span of taken) spans.give(span);
      expect(spans.take(total * GRANULE)).toMatchObject({ address: start, bytes: total * GRANULE });
      expect(spans.take(GRANULE)).toBeNull();
    }),
  );
});
