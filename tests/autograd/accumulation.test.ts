/** What `.grad` is: the layout contract, whose memory it is, and what happens when the leaf changes. */
import * as torch from "leafgrad";
import { describe, expect, test } from "vitest";
import { leaf, list, refusal } from "./helpers.ts";

describe("the layout contract", () => {
  test.each<[string, () => torch.Tensor, number[]]>([
    ["a dense leaf's own strides", () => torch.ones(3, 2).t().requires_grad_(), [1, 2]],
    ["row-major for a leaf that is not dense", () => torch.ones(1, 3).expand(2, 3).requires_grad_(), [3, 1]],
    ["row-major for a leaf with gaps", () => torch.ones(2, 6).narrow(1, 0, 3).requires_grad_(), [3, 1]],
  ])("%s", (_, make, strides) => {
    for (const gradient of [torch.ones(3, 2).t(), torch.ones(2, 3), torch.ones(1, 3).expand(2, 3)]) {
      const x = make();
      x.backward(gradient);
      expect(x.grad!.stride()).toEqual(strides);
      const y = make();
      y.mul(2).backward(gradient);
      expect(y.grad!.stride()).toEqual(strides);
    }
  });

  test("a stride of zero is not kept, not even along a dimension of size one", () => {
    const x = leaf(1, 3);
    x.backward(torch.ones(3).as_strided([1, 3], [0, 1]));
    expect(x.grad!.stride()).toEqual([3, 1]);
  });
});

test("a gradient that the caller gave is copied", () => {
  const x = leaf(2);
  const g = torch.ones(2);
  x.backward(g);
  g.fill_(7);
  expect(list(x.grad)).toEqual([1, 1]);
  expect(x.grad!._is_view()).toBe(false);
});

test("leaves that are given one gradient do not share its memory", () => {
  const [x, y] = [leaf(2, 2), leaf(4)];
  x.view(4).add(y).mul(2).sum().backward();
  x.grad!.fill_(5);
  expect(list(y.grad)).toEqual([2, 2, 2, 2]);
  const [a, b] = [leaf(2), leaf(2)];
  torch.cat([a, b]).mul(3).sum().backward();
  a.grad!.fill_(5);
  expect(list(b.grad)).toEqual([3, 3]);
});

test("a gradient that a hook saw is its own from then on", () => {
  const x = leaf(2);
  const seen: torch.Tensor[] = [];
  const y = x.mul(2);
  y.register_hook((g) => void seen.push(g));
  const total = y.sum().add(y.mul(3).sum());
  total.backward();
  x.grad!.fill_(0);
  expect(seen.map(list)).toEqual([[4, 4]]);
});

test("later gradients are added to the same tensor, out of place when they are recorded", () => {
  const previous = torch.setWarningHandler(() => {});
  const x = leaf(2);
  x.mul(2).sum().backward();
  const { grad } = x;
  x.mul(3).sum().backward();
  expect([x.grad === grad, list(grad), grad!._version]).toEqual([true, [5, 5], 1]);
  x.mul(x).sum().backward({ create_graph: true });
  torch.setWarningHandler(previous);
  expect([x.grad === grad, list(grad), list(x.grad)]).toEqual([false, [5, 5], [7, 7]]);
});

describe("a leaf that changes", () => {
  test("its hooks stay with it", () => {
    const x = leaf(2);
    const seen: unknown[] = [];
    x.register_hook((g) => void seen.push(list(g)));
    x.data = torch.ones(3);
    x.mul(2).sum().backward();
    expect([seen, list(x.grad)]).toEqual([[[2, 2, 2]], [2, 2, 2]]);
  });

  test("in place, outside the graph", () => {
    const x = leaf(2, 3);
    x.mul(2).sum().backward();
    x.grad = null;
    torch.no_grad(() => x.t_());
    x.mul(2).sum().backward();
    expect([...x.grad!.shape]).toEqual([3, 2]);
  });

  test("an output whose `data` is replaced was saved as it was", () => {
    const x = leaf(2);
    const y = x.exp();
    const loss = y.sum();
    y.data = torch.zeros(2);
    loss.backward();
    expect((list(x.grad) as number[])[0]).toBeCloseTo(Math.E, 5);
  });

  test("an input that is cut from its graph cannot be used by the nodes that saved it", () => {
    const x = leaf(2);
    const y = x.mul(1);
    const loss = y.mul(y).sum();
    y.detach_();
    expect(refusal(() => loss.backward())).toBe(
      "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, please use out-of-place `.detach()` instead",
    );
  });
});
