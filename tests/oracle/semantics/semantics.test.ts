import { describe, expect, test } from "vitest";
import { readProbes } from "./fixture.ts";
import { leftOut } from "./left-out.ts";
import { observe } from "./observe.ts";
import { programs as a } from "./programs-a.ts";
import { programs as b } from "./programs-b.ts";
import { programs as c } from "./programs-c.ts";
import { programs as d } from "./programs-d.ts";
import { programs as e } from "./programs-e.ts";
import { programs as f } from "./programs-f.ts";
import { programs as functions } from "./programs-functions.ts";
import { programs as g } from "./programs-g.ts";
import { programs as h } from "./programs-h.ts";
import { programs as jkp } from "./programs-jkp.ts";
import { fillHoles } from "./pyrepr.ts";

const programs: Record<string, () => unknown> = { ...a, ...b, ...c, ...d, ...e, ...f, ...functions, ...g, ...h, ...jkp };
const probes = readProbes().filter(({ id }) => /^[A-HJKP]/.test(id));
const ported = probes.filter(({ id }) => id in programs);

describe("autograd semantics, as PyTorch 2.13 answers them", () => {
  for (const { id, title, code, outcome } of ported) {
    test(`${id} ${title}`, () => {
      expect(fillHoles(observe(programs[id]!), outcome), code).toBe(outcome);
    });
  }
});

test(`of ${probes.length} probes ${ported.length} are ported and ${Object.keys(leftOut).length} left out with a reason`, () => {
  const known = probes.map(({ id }) => id);
  const covered = [...Object.keys(programs), ...Object.keys(leftOut)];
  expect(new Set(covered).size, "no probe is both ported and left out").toBe(covered.length);
  expect([...covered].sort()).toEqual([...known].sort());
});
