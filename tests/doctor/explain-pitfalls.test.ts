/** `torch.explain` of every tensor that the pitfalls make, after the program has ended. */
import { expect, test } from "vitest";
import * as torch from "leafgrad";
import { tensorsIn } from "../../src/doctor/trace/arguments.ts";
import { observe, type Observer } from "../../src/dispatch/observer.ts";
import { families } from "./pitfalls/index.ts";
import { programText } from "./pitfalls/pitfall.ts";
import { programOf } from "./program.ts";

/** What the user's own calls gave and were given. */
function tensorsOf(program: () => unknown): Set<torch.Tensor> {
  const seen = new Set<torch.Tensor>();
  let depth = 0;
  const nothing = (): void => {};
  const observer: Observer = {
    keepsGradients: true, enter: () => void depth++, fail: () => void depth--, enterBackward: () => void depth++, leaveBackward: () => void depth--, enterNode: nothing, leaveNode: nothing, read: nothing, switched: nothing,
    leave(_op, args, _inplace, result) {
      if (--depth === 0) for (const tensor of tensorsIn([args, result])) seen.add(tensor);
    },
  };
  const previous = observe(observer);
  try {
    program();
  } catch {
    // Many pitfalls end in an error.
  } finally {
    observe(previous);
  }
  return seen;
}

const programs = Object.values(families).flat().flatMap(({ name, bad, good }) => [[`${name}, bad`, bad], [`${name}, good`, good]] as const);

/** Does what the sentences say: what they call a leaf, and a change that they propose. */
function check(x: torch.Tensor): void {
  const text = torch.explain(x);
  if (text.startsWith("It is a view of no more use")) return void expect(() => x.is_leaf).toThrow(/view was created in no_grad mode/);
  if (text.startsWith("It is a leaf in name alone")) {
    expect([x.is_leaf, x.requires_grad]).toEqual([true, true]);
    x.mul(1).sum().backward();
    return expect(x.grad).toBeNull();
  }
  const isLeaf = x.is_leaf;
  expect(text).toMatch(isLeaf ? /^It is a leaf/ : /^It is no leaf: [a-z][\w ]* made it/);
  expect(/^It is (no leaf|a leaf that requires grad)/.test(text)).toBe(x.requires_grad);
  expect(/It has a gradient/.test(text)).toBe(x._meta?.grad != null);
  if (text.includes("x.requires_grad_()")) expect(x.detach().requires_grad_().requires_grad).toBe(true);
  if (text.includes("x.float()")) expect(x.float().requires_grad_().requires_grad).toBe(true);
  if (text.includes("x.detach()")) expect(x.detach().is_leaf).toBe(true);
  if (text.includes("x.retain_grad()")) {
    x.retain_grad();
    expect(torch.explain(x)).toMatch(/the next backward that passes it leaves a gradient/);
  }
  if (text.includes("Call backward")) {
    x.mul(1).sum().backward();
    expect(torch.explain(x)).toMatch(/It has a gradient/);
  }
}

test.each(programs)("%s", (name, body) => {
  torch.manual_seed(0);
  torch.setWarningHandler(() => {});
  const tensors = tensorsOf(programOf(programText(body), "/program.ts"));
  // The first line of this one is refused.
  if (name !== "integer-parameter, bad") expect(tensors.size).toBeGreaterThan(0);
  torch.set_grad_enabled(true);
  for (const x of tensors) check(x);
});
