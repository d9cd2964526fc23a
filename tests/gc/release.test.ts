/**
 * Gradients that only the backward refers to are released as it runs. Here released memory is overwritten, and a use of it throws:
 * whatever a program can reach afterwards must have its value.
 */
import * as torch from "leafgrad";
import { afterEach, describe, expect, test } from "vitest";
import { collecting, stress } from "../../src/tensor/blocks.ts";

const { grad, graph } = torch.autograd;
const leaf = (...values: number[]): torch.Tensor => torch.tensor(values, { requires_grad: true });
/** x and a chain over it, with broadcasting, views, a sum of gradients and kernels that save tensors. */
function chain(): { x: torch.Tensor; middle: torch.Tensor; y: torch.Tensor } {
  const x = leaf(1, 2, 3, 4);
  const middle = x.mul(2).view(2, 2);
  const y = middle.t().matmul(middle).add(middle.sum(0)).tanh().add(middle.exp().mul(0.01)).softmax(1).mul(middle.t()).sum();
  return { x, middle, y };
}

/** Each returns all tensors that the program holds at the end. */
const programs: Record<string, () => (torch.Tensor | null)[]> = {
  "tensor hooks that keep gradients and views of them": () => {
    const { x, middle, y } = chain();
    const kept: torch.Tensor[] = [];
    for (const t of [x, middle]) t.register_hook((g) => void kept.push(g, g.unsqueeze(0), g.index(0)));
    y.backward();
    return [x.grad, ...kept];
  },
  "hooks around every node": () => {
    const { x, y } = chain();
    const kept: (torch.Tensor | null)[] = [];
    const seen = new Set<unknown>();
    const visit = (node: torch.Tensor["grad_fn"]): void => {
      if (node === null || seen.has(node)) return;
      seen.add(node);
      const { register_prehook, register_hook, next_functions } = node as never as {
        register_prehook(hook: (grads: (torch.Tensor | null)[]) => void): void;
        register_hook(hook: (out: (torch.Tensor | null)[], grads: (torch.Tensor | null)[]) => void): void;
        next_functions: [torch.Tensor["grad_fn"], number][];
      };
      if (seen.size % 2 === 0) register_prehook.call(node, (grads) => void kept.push(...grads));
      else register_hook.call(node, (out, grads) => void kept.push(...out, ...grads));
      for (const [next] of next_functions) visit(next);
    };
    visit(y.grad_fn);
    y.backward();
    return [x.grad, ...kept];
  },
  "gradients and saved tensors of a custom Function": () => {
    const kept: (torch.Tensor | null)[] = [];
    class Keeping extends torch.autograd.Function {
      static forward(ctx: torch.autograd.function.FunctionCtx, input: torch.Tensor): torch.Tensor[] {
        const tripled = input.mul(3);
        ctx.save_for_backward(input, tripled);
        return [tripled, input];
      }
      static backward(ctx: torch.autograd.function.FunctionCtx, g: torch.Tensor, h: torch.Tensor): torch.Tensor {
        const result = g.mul(3).add(h.expand(2, 2));
        kept.push(g, h, result, ...ctx.saved_tensors);
        return result;
      }
    }
    const { x, middle, y } = chain();
    const [tripled, same] = Keeping.apply(middle);
    y.add(tripled!.exp().mul(0.001).sum()).add(same!.mul(x.sum()).sum()).backward();
    return [x.grad, ...kept];
  },
  "hooks that replace gradients by what they keep": () => {
    const { x, middle, y } = chain();
    const kept: torch.Tensor[] = [];
    middle.register_hook((g) => {
      const doubled = g.mul(2);
      kept.push(doubled);
      return doubled;
    });
    x.register_hook((g) => g.expand(4));
    y.backward();
    return [x.grad, ...kept];
  },
  "retained gradients, and a graph used twice": () => {
    const { x, middle, y } = chain();
    middle.retain_grad();
    y.backward({ retain_graph: true });
    const first = [x.grad, middle.grad];
    y.backward();
    return [...first, x.grad, middle.grad];
  },
  "results of grad, of which one lies in another's memory": () => {
    const { x, middle, y } = chain();
    return [...grad(y, [x, middle, y])];
  },
  "gradients that the program gives": () => {
    const { x, middle } = chain();
    const given = torch.ones(2, 2);
    middle.view(4).view(2, 2).backward(given);
    return [x.grad, given];
  },
  "accumulation into a gradient that is shared": () => {
    const { x, y } = chain();
    const mine = torch.ones(4);
    x.grad = mine;
    y.backward();
    const other = leaf(1, 1, 1, 1);
    other.grad = x.grad;
    other.mul(3).sum().backward();
    return [x.grad, mine, other.grad];
  },
  "one gradient for two leaves": () => {
    const [a, b] = [leaf(1, 2), leaf(3, 4)];
    const weight = torch.tensor([5, 6]);
    a.add(b).mul(weight).sum().backward();
    const [c, d] = [leaf(1), leaf(3, 4)];
    c.add(d).sub(d.view(2)).mul(weight).sum().backward();
    return [a.grad, b.grad, c.grad, d.grad, weight];
  },
  "derivatives of derivatives": () => {
    const { x, y } = chain();
    const [first] = grad(y, [x], { create_graph: true });
    first!.pow(2).sum().backward();
    return [first!, x.grad];
  },
  "saved tensors that hooks hand out, gradients equal to what was saved": () => {
    const stored: torch.Tensor[] = [];
    const pack = (t: torch.Tensor): number => stored.push(t) - 1;
    const { x, y } = graph.saved_tensors_hooks(pack, (i) => stored[i as number], chain);
    y.backward();
    const [p, q] = [leaf(1, 2), leaf(3, 4)];
    p.dot(q).backward();
    return [x.grad, p.grad, q.grad, p, q, ...stored];
  },
  "what is written in place, and views of it": () => {
    const x = leaf(1, 2, 3, 4);
    const y = x.mul(1);
    const row = y.view(2, 2).index(0);
    row.mul_(x.index("2:"));
    y.view(2, 2).t().exp_();
    y.sum().backward();
    return [x.grad, y, row];
  },
};

afterEach(() => void (stress.on = false));

describe("with released memory overwritten", () => {
  test.each(Object.keys(programs))("%s", (name) => {
    const expected = programs[name]().map((t) => t?.tolist());
    stress.on = true;
    expect(programs[name]().map((t) => t?.tolist())).toEqual(expected);
  });
});

/** Bytes that a backward takes and does not give back. */
function taken(loss: torch.Tensor): number {
  const before = collecting.on;
  collecting.on = false;
  const used = (): number => torch.memory.stats().resident + torch.memory.stats().evicted;
  const start = used();
  loss.backward();
  collecting.on = before;
  return used() - start;
}

const elements = 2 ** 18;
const MB = 2 ** 20;

test("a backward over many large tensors leaves little but the gradient", () => {
  const x = torch.ones(elements, { requires_grad: true });
  let y = x.mul(1);
  for (let i = 0; i < 40; i++) y = i % 2 === 0 ? y.mul(1.01) : y.neg();
  expect(taken(y.sum())).toBeLessThan(3 * MB);
});

test("what a formula makes on the way is released", () => {
  const x = torch.full([512, 512], 1.001, { requires_grad: true });
  expect(taken(x.cumprod(1).sum())).toBeLessThan(3 * MB);
});
