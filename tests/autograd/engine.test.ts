/** Order, reentrance, roots and targets: what PyTorch 2.13 answers to the same programs. */
import * as torch from "leafgrad";
import { describe, expect, test } from "vitest";
import { backwardTwice, leaf, list, loose, refusal } from "./helpers.ts";

const { graph } = torch.autograd;
const queueCallback = (fn: () => void): void => torch.autograd.Variable._execution_engine.queue_callback(fn);

describe("order", () => {
  // Accumulators are equal in the queue; PyTorch's order is that of libstdc++'s heap.
  test.each([
    [3, [0, 1, 2]],
    [4, [0, 2, 1, 3]],
    [5, [0, 2, 4, 1, 3]],
    [8, [0, 2, 6, 5, 7, 4, 1, 3]],
    [11, [0, 2, 6, 10, 9, 8, 5, 7, 4, 1, 3]],
  ])("of %i leaves that are ready at once", (count, order) => {
    const seen: number[] = [];
    const leaves = Array.from({ length: count }, () => leaf(1));
    leaves.forEach((x, i) => x.register_post_accumulate_grad_hook(() => void seen.push(i)));
    torch.cat(leaves).sum().backward();
    expect(seen).toEqual(order);
  });

  test("a leaf accumulates as soon as it is ready", () => {
    const seen: string[] = [];
    const leaves = [leaf(1), leaf(1), leaf(1)];
    leaves.forEach((x, i) => x.register_hook(() => void seen.push(`leaf ${i}`)));
    const doubled = leaves.map((x) => x.mul(2));
    doubled.forEach((x, i) => x.register_hook(() => void seen.push(`double ${i}`)));
    torch.cat([...doubled, ...leaves]).sum().backward();
    expect(seen).toEqual(["double 2", "leaf 2", "double 1", "leaf 1", "double 0", "leaf 0"]);
  });

  test("fixes the order in which contributions are added", () => {
    const x = torch.tensor([1], { requires_grad: true });
    // 1e8 first, then 1 and -1e8: float32 loses the 1. In any other order it would stay.
    const [a, b, c] = [x.mul(-1e8), x.mul(1), x.mul(1e8)];
    a.add(b).add(c).sum().backward();
    expect(list(x.grad)).toEqual([0]);
  });
});

describe("a backward inside a hook", () => {
  test("runs to its end first, callbacks included", () => {
    const seen: unknown[] = [];
    const [a, y] = [leaf(1), leaf(1)];
    y.register_hook(() => queueCallback(() => void seen.push("inner callback")));
    a.register_hook(() => {
      torch.enable_grad(() => y.mul(3).sum().backward());
      seen.push("after the inner backward", torch.is_grad_enabled());
      queueCallback(() => void seen.push("outer callback"));
    });
    a.mul(2).sum().backward();
    expect(seen).toEqual(["inner callback", "after the inner backward", false, "outer callback"]);
    expect(list(y.grad)).toEqual([3]);
  });

  test("over the same graph keeps the gradients that wait there", () => {
    const a = leaf(1);
    const b = a.mul(3);
    const [c, d] = [b.mul(2), b.mul(5)];
    const inner = b.sum();
    const seen: unknown[] = [];
    c.register_hook(() => {
      inner.backward({ retain_graph: true });
      seen.push(list(a.grad));
    });
    c.add(d).sum().backward();
    expect(seen).toEqual([[3]]);
    expect(list(a.grad)).toEqual([24]);
  });

  test("with targets leaves the outer one without", () => {
    const a = leaf(1);
    const b = a.mul(a);
    const inner = b.sum();
    const c = b.mul(2);
    const seen: unknown[] = [];
    c.register_hook(() => void seen.push(list(torch.autograd.grad(inner, a, { retain_graph: true })[0]!)));
    c.sum().backward();
    expect(seen).toEqual([[2]]);
    expect(list(a.grad)).toEqual([4]);
  });

  test("frees what the outer one still needs", () => {
    const a = leaf(1);
    const b = a.mul(a);
    const inner = b.sum();
    const c = b.mul(2);
    c.register_hook(() => inner.backward());
    expect(refusal(() => c.sum().backward())).toBe(backwardTwice);
  });

  test("a callback may queue another; its error is the backward's", () => {
    const seen: number[] = [];
    const a = leaf(1);
    a.register_hook(() =>
      queueCallback(() => {
        seen.push(1);
        queueCallback(() => {
          seen.push(2);
          throw new torch.ValueError("late");
        });
      }),
    );
    expect(refusal(() => a.mul(2).sum().backward())).toBe("late");
    expect(seen).toEqual([1, 2]);
  });
});

test("after an error in a hook the graph can be used again", () => {
  const a = leaf(1);
  const handle = a.register_hook(() => {
    throw new torch.ValueError("once");
  });
  const loss = a.mul(2).sum();
  expect(refusal(() => loss.backward({ retain_graph: true }))).toBe("once");
  handle.remove();
  loss.backward();
  expect(list(a.grad)).toEqual([2]);
  expect(torch.is_grad_enabled()).toBe(true);
});

describe("targets", () => {
  test("a target on the way to another is given the gradient before its hooks, alone after them", () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.register_hook((g) => g.mul(3));
    const loss = b.sum();
    expect(torch.autograd.grad(loss, [b, a], { retain_graph: true }).map(list)).toEqual([[1], [6]]);
    expect(torch.autograd.grad(loss, [b]).map(list)).toEqual([[3]]);
  });

  test("an edge stands for a tensor", () => {
    const a = leaf(2);
    const b = a.mul(2);
    const [ofA, ofB] = [graph.get_gradient_edge(a), graph.get_gradient_edge(b)];
    expect(torch.autograd.grad(b.mul(3).sum(), [ofA, ofB]).map(list)).toEqual([[6, 6], [3, 3]]);
    expect(refusal(() => graph.get_gradient_edge(torch.ones(1)))).toBe(
      "It is not possible to get the gradient edge for a Tensor that does not require gradients",
    );
  });

  test("what leads to no target is not computed", () => {
    const [x, w] = [leaf(2), leaf(2)];
    const y = x.mul(w);
    const seen: unknown[] = [];
    y.grad_fn!.register_hook((gradInputs) => void seen.push(...gradInputs.map(list)));
    torch.autograd.grad(y.sum(), [w]);
    expect(seen).toEqual([null, [1, 1]]);
  });

  test("zeros made for an unused input are differentiable where the rest is", () => {
    const [a, b] = [leaf(2), leaf(2)];
    const [, unused] = torch.autograd.grad(a.mul(a).sum(), [a, b], { create_graph: true, materialize_grads: true });
    expect([list(unused!), unused!.requires_grad]).toEqual([[0, 0], true]);
  });
});

test("an unrecorded view of a leaf is no place for gradients", () => {
  const a = leaf(2);
  const v = torch.no_grad(() => a.view(2));
  expect([v.requires_grad, v.is_leaf]).toEqual([true, true]);
  expect(refusal(() => v.backward(torch.ones(2)))).toBe("element 0 of tensors does not require grad and does not have a grad_fn");
  v.register_hook(() => null);
  v.retain_grad();
  expect(v.retains_grad).toBe(false);
});

test("a number in a tensor's place is freed like a tensor", () => {
  const a = leaf(2);
  const freed = a.mul(2).sum();
  freed.backward();
  expect(refusal(() => freed.backward())).toBe(backwardTwice);
  const kept = a.add(2).sum();
  kept.backward();
  kept.backward();
  expect(list(a.grad)).toEqual([4, 4]);
});

test("of two backwards the second is refused where the first freed something, and only there", () => {
  const zero = torch.tensor([0], { dtype: torch.int64 });
  const saves: Record<string, (a: torch.Tensor) => torch.Tensor> = {
    add: (a) => a.add(1), sub: (a) => a.sub(a), neg: (a) => a.neg(), sum: (a) => a, mean: (a) => a.mean(), t: (a) => a.t(),
    clone: (a) => a.clone(), view: (a) => a.view(2), cat: (a) => torch.cat([a, a]), expand: (a) => a.expand(2, 2),
    select: (a) => a.index(0), unbind: (a) => a.unbind()[0]!, cumsum: (a) => a.cumsum(0), stack: (a) => torch.stack([a, a]),
    mul: (a) => a.mul(2), mulTensor: (a) => a.mul(a), div: (a) => a.div(2), pow: (a) => a.pow(2), exp: (a) => a.exp(), relu: (a) => a.relu(),
    max: (a) => a.max(), index: (a) => a.index(zero), where: (a) => torch.where(a.gt(0), a, a), abs: (a) => a.abs(),
    clamp: (a) => a.clamp(0), dot: (a) => a.dot(a),
  };
  const found = Object.entries(saves).filter(([, f]) => {
    const loss = f(leaf(2)).sum();
    loss.backward();
    return refusal(() => loss.backward()) !== null;
  });
  expect(found.map(([name]) => name)).toEqual(
    ["mul", "mulTensor", "div", "pow", "exp", "relu", "max", "index", "where", "abs", "clamp", "dot"],
  );
});

test("a leaf that an in-place write gave a history takes no more gradients", () => {
  const a = leaf(2);
  const y = a.mul(2).sum();
  a.requires_grad_(false);
  y.backward({ retain_graph: true });
  expect(a.grad).toBe(null);
  a.add_(leaf(2));
  expect(refusal(() => y.backward())).toBe("leaf variable has been moved into the graph interior");
});

test("a node tells what it keeps", () => {
  const a = leaf(2);
  const node = loose(a.mul(torch.tensor([3, 4])).grad_fn);
  expect([list(node._saved_other), node._saved_self]).toEqual([[3, 4], null]);
  expect([...loose(leaf(2, 3).sum(1).grad_fn)._saved_dim]).toEqual([1]);
  expect([...loose(leaf(2, 3).sum(1).grad_fn)._saved_self_sym_sizes]).toEqual([2, 3]);
  expect(loose(a.mul(2).grad_fn)._saved_other.item()).toBe(2);
  const exp = a.exp();
  expect(loose(exp.grad_fn)._saved_result.grad_fn === exp.grad_fn).toBe(true);
  exp.sum().backward();
  expect(refusal(() => loose(exp.grad_fn)._saved_result)).toBe(backwardTwice);
});
