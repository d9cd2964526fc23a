/** Gradients of gradients, also through in-place writes. */
import * as torch from "leafgrad";
import { expect, test } from "vitest";
import { leaf, list } from "./helpers.ts";

/** The first, second, … derivative of `f`'s sum at `x`, summed over the elements. */
function derivatives(f: (x: torch.Tensor) => torch.Tensor, x: torch.Tensor, count: number): unknown[] {
  const found: unknown[] = [];
  let y = f(x).sum();
  for (let i = 0; i < count; i++) {
    const [g] = torch.autograd.grad(y, x, { create_graph: true });
    found.push(list(g!));
    y = g!.sum();
  }
  return found;
}

const at = (...values: number[]): torch.Tensor => torch.tensor(values, { dtype: torch.float64, requires_grad: true });

test("to the third order", () => {
  expect(derivatives((x) => x.pow(4), at(2), 3)).toEqual([[32], [48], [48]]);
  expect(derivatives((x) => x.mul(x).mul(x), at(2), 3)).toEqual([[12], [12], [6]]);
  const e = Math.exp(0.5);
  for (const [d] of derivatives((x) => x.exp(), at(0.5), 3) as number[][]) expect(d).toBeCloseTo(e, 12);
});

test("through an in-place write that needs the value before it", () => {
  expect(derivatives((x) => x.mul(1).pow_(3), at(2), 3)).toEqual([[12], [12], [6]]);
  expect(derivatives((x) => x.mul(1).mul_(x), at(3), 2)).toEqual([[6], [2]]);
});

test("through an in-place write to a view", () => {
  const cube = (x: torch.Tensor): torch.Tensor => {
    const y = x.mul(1);
    y.narrow(0, 0, 1).pow_(3);
    return y;
  };
  expect(derivatives(cube, at(2, 5), 3)).toEqual([[12, 1], [12, 0], [6, 0]]);
  const exponential = (x: torch.Tensor): torch.Tensor => {
    const y = x.mul(1);
    y.narrow(0, 1, 1).exp_();
    return y.mul(y);
  };
  const [first, second] = derivatives(exponential, at(1, 0), 2);
  expect([first, second]).toEqual([[2, 2], [2, 4]]);
});

test("through a write of one tensor into a view of another", () => {
  const [x, w] = [at(1, 2), at(3)];
  const y = x.mul(x);
  y.narrow(0, 0, 1).mul_(w);
  const [gx, gw] = torch.autograd.grad(y.mul(y).sum(), [x, w], { create_graph: true });
  // y = [w·x₀², x₁²], so y·y = w²x₀⁴ + x₁⁴.
  expect([list(gx!), list(gw!)]).toEqual([[36, 32], [6]]);
  expect(torch.autograd.grad(gx!.sum(), [x, w]).map(list)).toEqual([[108, 48], [24]]);
});

test("backward({ create_graph: true }) leaves gradients that are part of the graph", () => {
  const previous = torch.setWarningHandler(() => {});
  const x = leaf(2);
  x.pow(3).sum().backward({ create_graph: true });
  torch.setWarningHandler(previous);
  expect(x.grad!.grad_fn!.name()).toBe("torch::autograd::CopyBackwards");
  const g = x.grad!;
  x.grad = null;
  g.sum().backward();
  expect(list(x.grad)).toEqual([6, 6]);
});
