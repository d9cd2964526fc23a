import * as torch from "leafgrad";
import { describe, expect, test } from "vitest";
import { maskAddresses, readProbes } from "./fixture.ts";
import { leftOut } from "./left-out.ts";
import { programs as a } from "./programs-a.ts";
import { programs as b } from "./programs-b.ts";
import { programs as c } from "./programs-c.ts";
import { programs as d } from "./programs-d.ts";
import { programs as e } from "./programs-e.ts";
import { programs as f } from "./programs-f.ts";
import { programs as g } from "./programs-g.ts";
import { programs as h } from "./programs-h.ts";
import { programs as jkp } from "./programs-jkp.ts";
import { fillHoles, pyrepr } from "./pyrepr.ts";

const programs: Record<string, () => unknown> = { ...a, ...b, ...c, ...d, ...e, ...f, ...g, ...h, ...jkp };
const probes = readProbes().filter(({ id }) => /^[A-HJKP]/.test(id));
const ported = probes.filter(({ id }) => id in programs);
const TRACEBACK = /^([\s\S]*Traceback of forward call [^\n]*:)\n([\s\S]*)$/;

/** Runs a program and writes down what it did, in the form of the fixture. */
function observe(program: () => unknown): string {
  const warnings: string[] = [];
  const previous = torch.setWarningHandler((message, category) => warnings.push(`WARN ${category}: ${withoutTrace(message)}`));
  let outcome: string;
  try {
    outcome = `-> ${pyrepr(program())}`;
  } catch (error) {
    outcome = `${(error as Error).name}: ${(error as Error).message}`;
  } finally {
    torch.setWarningHandler(previous);
    torch.set_grad_enabled(true);
    torch.autograd.set_detect_anomaly(false);
  }
  return maskAddresses([outcome, ...warnings].join("\n"));
}

/**
 * The first lines of an anomaly warning are PyTorch's; the trace below them is Python's there and JavaScript's here.
 * It must name the program's file.
 */
function withoutTrace(message: string): string {
  const [, head, trace] = TRACEBACK.exec(message) ?? [];
  if (head === undefined) return message;
  expect(trace).toMatch(/programs-[a-z]+\.ts/);
  return head;
}

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
