/**
 * First and second derivatives of every op against central differences, in float64. The inputs are PyTorch's own
 * samples (the OpInfo fixture); an op that the fixture lacks has a sample here.
 */
import * as torch from "leafgrad";
import { describe, expect, test } from "vitest";
import { pointwise } from "../../src/dispatch/pointwise.ts";
import { resolve, type Call } from "../oracle/opinfo/call.ts";
import { bind } from "../oracle/opinfo/decode.ts";
import { byEntry, type Case, fullName, readLines } from "../oracle/opinfo/fixture.ts";
import { extraSamples, notSmooth } from "./samples.ts";
import { differentiableOps } from "./table.ts";

type Tensor = torch.Tensor;

const fixture = new URL("../oracle/fixtures/opinfo.jsonl.gz", import.meta.url);
const usable = readLines<Case>(fixture).filter(
  (c) => c.dtype === "float64" && c.diff_inputs !== undefined && !c.random && !c.nondeterministic && c.out.length > 0,
);
const entries = byEntry(usable);
const largest = { first: 30, second: 12 };

const sizeOf = (one: Case): number => {
  const bound = bind(one, one.diff_inputs);
  return one.diff_inputs!.reduce((n, path) => n + bound.tensors.get(path)!.numel(), 0);
};

/** The case as a function of its differentiable inputs alone. */
function functionOf(one: Case, call: Call): { fn: (...inputs: Tensor[]) => unknown; inputs: Tensor[] } {
  const bound = bind(one, one.diff_inputs);
  const inputs = one.diff_inputs!.map((path) => bound.tensors.get(path)!);
  const fn = (...replaced: Tensor[]): unknown => call(substitute(bound, new Map(inputs.map((t, i) => [t, replaced[i]!]))));
  return { fn, inputs };
}

function substitute<T>(value: T, by: Map<Tensor, Tensor>): T {
  if (value instanceof torch.Tensor) return (by.get(value) ?? value) as T;
  if (Array.isArray(value)) return value.map((v) => substitute(v, by)) as T;
  if (value !== null && typeof value === "object" && (Object.getPrototypeOf(value) === Object.prototype)) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, substitute(v, by)])) as T;
  }
  return value;
}

/** Names the op in what a failed check says. */
function named(name: string, check: () => boolean): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

describe("derivatives agree with central differences", () => {
  for (const [name, cases] of entries) {
    const call = resolve(cases[0]!);
    if (call === null || notSmooth.has(name)) continue;
    test(name, () => {
      const small = cases.map((c) => ({ c, size: sizeOf(c) })).filter(({ size }) => size > 0 && size <= largest.first);
      small.sort((a, b) => a.size - b.size);
      for (const { c, size } of small.slice(-2)) {
        const { fn, inputs } = functionOf(c, call);
        named(name, () => torch.autograd.gradcheck(fn, inputs));
        if (c.grad2 !== undefined && size <= largest.second) named(name, () => torch.autograd.gradgradcheck(fn, inputs));
      }
    });
  }
  for (const [name, { fn, inputs }] of Object.entries(extraSamples)) {
    test(name, () => {
      named(name, () => torch.autograd.gradcheck(fn, inputs()));
      named(name, () => torch.autograd.gradgradcheck(fn, inputs()));
    });
  }
});

test("every differentiable op of the table is checked", () => {
  const delivered = [...entries.values()].filter((cases) => resolve(cases[0]!) !== null).map((cases) => cases[0]!);
  const checked = new Set([...delivered.flatMap((c) => [fullName(c), c.op, c.op.split(".").at(-1)!]), ...Object.keys(extraSamples), ...notSmooth.keys()]);
  expect(differentiableOps.filter((name) => !checked.has(name))).toEqual([]);
});

test("a wrong derivative is caught, and the op is named", () => {
  type Unary = (x: Tensor) => Tensor;
  const wrong: Unary = pointwise("sin(Tensor self) -> Tensor", { value: ({ self }) => self.sin(), backward: { self: ({ grad, self }) => grad.mul(self.cos().mul(1.01)) } });
  const x = (): Tensor => torch.tensor([0.3, 0.7, 1.1], { dtype: torch.float64, requires_grad: true });
  expect(() => named("sin", () => torch.autograd.gradcheck(wrong, [x()]))).toThrow(/^sin: Jacobian mismatch for output 0 with respect to input 0/);
  // 2x̄·x - x̄², x̄ held constant: the value x² and the gradient 2x at first order, but none at second.
  const flat: Unary = (t) => t.mul(t.detach()).mul(2).sub(t.detach().mul(t.detach()));
  expect(() => named("flat", () => torch.autograd.gradgradcheck((t) => flat(t!).mul(t!), [x()]))).toThrow(/^flat: /);
});
