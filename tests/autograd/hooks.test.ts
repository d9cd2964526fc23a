/** Hooks of tensors and nodes; the answers are PyTorch 2.13's. */
import * as torch from "leafgrad";
import { describe, expect, test } from "vitest";
import { leaf, list, loose, refusal } from "./helpers.ts";

const { graph } = torch.autograd;
type Grads = readonly (torch.Tensor | null)[];

describe("what a node's hooks may return", () => {
  test("before it: a list, nothing else", () => {
    for (const [value, name] of [[torch.ones(1), "Tensor"], [true, "bool"]] as const) {
      const b = leaf(1).mul(2);
      b.grad_fn!.register_prehook(loose(() => value));
      expect(refusal(() => b.sum().backward())).toBe(`expected tuple, but hook returned '${name}'`);
    }
  });

  test("after it: null drops a gradient, none can be made up", () => {
    const a = leaf(1);
    const b = a.mul(leaf(1));
    b.grad_fn!.register_hook((gi: Grads) => [null, gi[1]!]);
    b.sum().backward();
    expect(a.grad).toBe(null);
    const c = a.mul(2);
    c.grad_fn!.register_hook((gi: Grads) => [gi[0]!, torch.ones(1)]);
    expect(refusal(() => c.sum().backward())).toBe("can't replace a None gradient with a non-None value");
  });

  test("the size of a gradient stays", () => {
    const b = leaf(1).mul(2);
    b.grad_fn!.register_hook(() => [torch.ones(3), null]);
    expect(refusal(() => b.sum().backward())).toMatch(/^hook '.*' has changed the size of value$/);
  });
});

test("a tensor hook cannot replace a gradient that never came", () => {
  const [a, b] = leaf(2, 2).unbind(0);
  b!.register_hook(() => torch.ones(2));
  expect(refusal(() => a!.sum().backward())).toBe("can't replace a None gradient with a non-None value");
});

test("hooks and retained gradients of a view and its base, around a write to the view", () => {
  const a = leaf(4);
  const b = a.mul(1);
  const v = b.narrow(0, 0, 2);
  const seen: unknown[] = [];
  v.register_hook((g) => void seen.push(["v before", list(g)]));
  b.register_hook((g) => void seen.push(["b before", list(g)]));
  v.retain_grad();
  b.retain_grad();
  v.mul_(3);
  v.register_hook((g) => void seen.push(["v after", list(g)]));
  b.register_hook((g) => void seen.push(["b after", list(g)]));
  v.mul(2).sum().backward();
  expect(seen).toEqual([["v after", [2, 2]], ["b after", [2, 2, 0, 0]], ["b before", [6, 6, 0, 0]]]);
  expect([list(v.grad), list(b.grad), list(a.grad)]).toEqual([[2, 2], [2, 2, 0, 0], [6, 6, 0, 0]]);
});

describe("register_multi_grad_hook", () => {
  test("all: once a backward, with null for what took no part", () => {
    const [a, b, c] = [leaf(1), leaf(1), leaf(1)];
    const seen: unknown[] = [];
    const handle = graph.register_multi_grad_hook([a, b, c], (grads: Grads) => void seen.push(grads.map(list)));
    a.mul(2).add(b.mul(3)).sum().backward();
    a.mul(2).sum().backward();
    a.mul(b).mul(c).sum().backward({ inputs: [a] });
    expect(seen).toEqual([[[2], [3], null], [[2], null, null], [[1], null, null]]);
    handle.remove();
    a.mul(2).sum().backward();
    expect(seen.length).toBe(3);
  });

  test("any: once a backward, with the first gradient", () => {
    const [a, b] = [leaf(1), leaf(1)];
    const seen: unknown[] = [];
    graph.register_multi_grad_hook([a, b, torch.ones(1)], (grad: torch.Tensor) => void seen.push(list(grad)), { mode: "any" });
    a.mul(2).add(b.mul(3)).sum().backward();
    a.mul(2).add(b.mul(3)).sum().backward();
    expect(seen).toEqual([[3], [3]]);
  });

  test("what it refuses", () => {
    expect(refusal(() => graph.register_multi_grad_hook([leaf(1)], () => {}, loose({ mode: "x" })))).toBe(
      "Expects mode to be one of ('all', 'any') but got x",
    );
    const [a, b] = [leaf(1), leaf(1)];
    graph.register_multi_grad_hook([a, b], () => {});
    expect(refusal(() => torch.autograd.grad(a.mul(b).sum(), [a]))).toBe(
      "A leaf node was passed to _will_engine_execute_node but we are currently running autograd.grad(). This is currently not supported.",
    );
  });
});

describe("hooks on saved tensors", () => {
  test("see the tensors themselves, without grad mode, and each once", () => {
    const a = leaf(2);
    const b = a.mul(1);
    const packed: unknown[] = [];
    let unpacked = 0;
    const d = graph.saved_tensors_hooks(
      (x: torch.Tensor) => {
        packed.push([x === a, x === b, x.requires_grad, x.grad_fn?.name() ?? null, torch.is_grad_enabled()]);
        return x;
      },
      (x: torch.Tensor) => (unpacked++, x),
      () => a.mul(b).exp().pow(leaf(2)),
    );
    expect(packed.slice(0, 3)).toEqual([
      [false, true, true, "MulBackward0", false],
      [true, false, true, null, false],
      [false, false, true, "ExpBackward0", false],
    ]);
    d.sum().backward();
    expect([packed.length, unpacked]).toEqual([6, 6]);
  });

  test("what they keep need not be a tensor; the graph goes on behind it", () => {
    const a = leaf(2);
    const b = graph.saved_tensors_hooks(
      (x: torch.Tensor) => x.tolist() as number[],
      (values: number[]) => torch.tensor(values),
      () => a.mul(a).mul(a),
    );
    const [g] = torch.autograd.grad(b.sum(), a, { create_graph: true });
    const [h] = torch.autograd.grad(g!.sum(), a, { create_graph: true });
    expect([list(g!), list(h!), list(torch.autograd.grad(h!.sum(), a)[0]!)]).toEqual([[3, 3], [6, 6], [6, 6]]);
  });

  test("can be refused, inside out", () => {
    const { saved_tensors_hooks, disable_saved_tensors_hooks } = graph;
    const same = (x: torch.Tensor): torch.Tensor => x;
    expect(refusal(() => saved_tensors_hooks(same, same, () => disable_saved_tensors_hooks("no", () => {})))).toBe("no");
    const nested = (): void =>
      disable_saved_tensors_hooks("outer", () => {
        disable_saved_tensors_hooks("inner", () => {});
        saved_tensors_hooks(same, same, () => {});
      });
    expect(refusal(nested)).toBe("outer");
    expect(refusal(() => saved_tensors_hooks(same, same, () => leaf(1).mul(leaf(1))))).toBe(null);
  });
});
