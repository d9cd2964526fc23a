/** What anomaly mode remembers of a node, and what it tells. */
import * as torch from "leafgrad";
import { afterEach, beforeEach, expect, test } from "vitest";
import { leaf, loose, refusal } from "./helpers.ts";

const { set_detect_anomaly } = torch.autograd;
const warnings: string[] = [];
let previous: ReturnType<typeof torch.setWarningHandler> = null;

beforeEach(() => {
  warnings.length = 0;
  previous = torch.setWarningHandler((message) => warnings.push(message));
});
afterEach(() => {
  torch.setWarningHandler(previous);
});

const framesOf = (node: unknown): string[] => loose(node).metadata.traceback_;

test("the stack of a node begins with the user's line", () => {
  const frames = set_detect_anomaly(true, () => framesOf(leaf(2).mul(2).grad_fn));
  expect(frames[0]).toContain("anomaly.test.ts");
  expect(frames.filter((frame) => /[\\/]src[\\/](autograd|dispatch|ops)[\\/]/.test(frame))).toEqual([]);
});

test("however deep in the library the node is made", () => {
  const frames = set_detect_anomaly(true, () => framesOf(leaf(2, 2, 2).matmul(leaf(2)).grad_fn));
  expect(frames[0]).toContain("anomaly.test.ts");
});

test("a node made in a backward knows the one that induced it", () => {
  set_detect_anomaly(true, () => {
    const x = torch.tensor([-1], { requires_grad: true });
    const [g] = torch.autograd.grad(x.exp().sum(), x, { create_graph: true });
    expect(loose(g!.grad_fn).metadata.parent_.name()).toBe("ExpBackward0");
    const nan = g!.sub(x).sqrt().mul(0).sum().sub(g!.mul(Infinity).mul(0).sum());
    expect(refusal(() => nan.backward())).toMatch(/returned nan values in its 0th output\.$/);
  });
  expect(warnings[0]).toMatch(/^Error detected in \w+\. Traceback of forward call that caused the error:\n.*anomaly\.test\.ts/);
});

test("an error names its node and what induced that", () => {
  set_detect_anomaly(true, () => {
    const x = leaf(2);
    const [g] = torch.autograd.grad(x.exp().sum(), x, { create_graph: true });
    g!.register_hook(() => {
      throw new torch.ValueError("in a hook");
    });
    expect(refusal(() => g!.sum().backward())).toBe("in a hook");
  });
  expect(warnings.map((text) => text.trim().split("\n")[0])).toEqual([
    "Error detected in MulBackward0. Traceback of forward call that caused the error:",
    "Previous calculation was induced by ExpBackward0. Traceback of forward call that induced the previous calculation:",
  ]);
});

test("each of two nested backwards that fail tells its own node", () => {
  set_detect_anomaly(true, () => {
    const [x, y] = [leaf(1), leaf(1)];
    const inner = y.exp();
    inner.register_hook(() => {
      throw new torch.ValueError("inside");
    });
    const total = inner.sum();
    const outer = x.tanh();
    outer.register_hook(() => torch.enable_grad(() => total.backward()));
    expect(refusal(() => outer.sum().backward())).toBe("inside");
  });
  expect(warnings.map((text) => /^Error detected in (\w+)/.exec(text)?.[1])).toEqual(["ExpBackward0", "TanhBackward0"]);
});

test("nothing is remembered, and nothing refused, without it", () => {
  const y = torch.tensor([0], { requires_grad: true }).sqrt().mul(0);
  expect(Object.keys(loose(y.grad_fn).metadata)).toEqual([]);
  expect(refusal(() => y.sum().backward())).toBe(null);
  expect(warnings).toEqual([]);
});
