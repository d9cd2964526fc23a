/** Custom Functions: the programs of `fixtures/custom_function.py`, which wrote PyTorch 2.13's answers to them. */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { expect, test } from "vitest";
import { observe } from "../oracle/semantics/observe.ts";
import { tuple } from "../oracle/semantics/pyrepr.ts";
import { leaf, loose } from "./helpers.ts";

const { grad, Function } = torch.autograd;
const { once_differentiable } = torch.autograd.function;
type Ctx = torch.autograd.function.FunctionCtx;
type Tensor = torch.Tensor;
type Method = (...args: any[]) => any;

const answers = JSON.parse(readFileSync(new URL("./fixtures/custom-function.json", import.meta.url), "utf8")) as Record<string, string>;

/** A Function named Fn with these methods. */
function make(forward: Method | null, backward: Method | null = null, more: Record<string, Method> = {}): { apply: (...inputs: any[]) => any } {
  const methods = Object.entries({ forward, backward, ...more }).filter(([, method]) => method !== null);
  return Object.assign(class Fn extends Function {}, Object.fromEntries(methods));
}

const double = (_ctx: Ctx, x: Tensor): Tensor => x.mul(2);
const same = (_ctx: Ctx, g: Tensor): Tensor => g;
const triple = (_ctx: Ctx, g: Tensor): Tensor => g.mul(3);
const names = (node: torch.autograd.graph.Node): (string | null)[] => node.next_functions.map(([next]) => next?.name() ?? null);

/** The gradient of a first input, with `backward` and more inputs. */
function returns(backward: Method | null, ...others: unknown[]): Tensor | null {
  const x = leaf(2);
  make(double, backward).apply(x, ...others).sum().backward();
  return x.grad;
}

const saving = (...what: unknown[]) => (ctx: Ctx, x: Tensor): Tensor => {
  ctx.save_for_backward(...loose(what));
  return x.mul(2);
};

const savingItsOutput = (ctx: Ctx, x: Tensor): Tensor => {
  const y = x.mul(2);
  ctx.save_for_backward(y);
  return y;
};

const writing = (ctx: Ctx, x: Tensor): Tensor => {
  ctx.mark_dirty(x);
  return x.mul_(3);
};

const marking = (what: (x: Tensor) => Tensor) => (ctx: Ctx, x: Tensor): Tensor => {
  const y = what(x);
  ctx.mark_non_differentiable(y);
  return y;
};

const dirty = (what: (x: Tensor) => Tensor) => (ctx: Ctx, x: Tensor): Tensor => {
  const y = what(x);
  ctx.mark_dirty(y);
  return y;
};

const returned: Record<string, () => unknown> = {
  one_gradient_for_two_inputs: () => returns(same, leaf(2)),
  two_gradients_for_one_input: () => returns((_, g) => [g, g]),
  nones_too_many: () => returns((_, g) => [g, null, null]),
  a_gradient_for_a_number: () => returns((_, g) => [g, g], 3),
  a_number_as_gradient: () => returns(() => 3.5),
  a_gradient_of_another_shape: () => returns(() => torch.ones(3)),
  a_gradient_that_is_summed_to_the_shape: () => returns(() => torch.ones(3, 2)),
  a_gradient_of_another_dtype: () => returns((_, g) => g.double()),
  no_gradient: () => returns(() => null),
  no_backward: () => returns(null),
  no_forward: () => make(null, same).apply(leaf(2)),
  backward_and_vjp: () => make(double, same, { vjp: same }).apply(leaf(2)).sum().backward(),
  vjp: () => {
    const x = leaf(2);
    make(double, null, { vjp: (_, g) => g.mul(7) }).apply(x).sum().backward();
    return x.grad;
  },
};

const given: Record<string, () => unknown> = {
  zeros_for_outputs_without_gradient: () => {
    const seen: unknown[] = [];
    const backward = (_: Ctx, ...grads: Tensor[]) => {
      seen.push(...grads);
      return grads[0];
    };
    const outputs = make((_, x) => [x.mul(2), x.mul(3), "text", x.long()], backward).apply(leaf(2));
    outputs[1].sum().backward();
    return tuple(seen, outputs.map((o: Tensor) => o.requires_grad));
  },
  none_for_outputs_without_gradient: () => {
    const x = leaf(2);
    const seen: unknown[] = [];
    const forward = (ctx: Ctx, input: Tensor) => {
      ctx.set_materialize_grads(false);
      return [input.mul(2), input.mul(3)];
    };
    const backward = (_: Ctx, ...grads: Tensor[]) => {
      seen.push(...grads);
      return grads[1];
    };
    make(forward, backward).apply(x)[1].sum().backward();
    return tuple(seen, x.grad);
  },
  grad_mode_and_needs_input_grad: () => {
    const x = leaf(2);
    const seen: unknown[] = [];
    const note = (ctx: Ctx) => seen.push(tuple(torch.is_grad_enabled(), tuple(...ctx.needs_input_grad)));
    const forward = (ctx: Ctx, input: Tensor) => {
      note(ctx);
      return input.mul(2);
    };
    const backward = (ctx: Ctx, g: Tensor) => {
      note(ctx);
      return [g.mul(2), null, null, null];
    };
    const y = make(forward, backward).apply(x, 3, torch.ones(1), leaf(1).mul(2));
    grad(y.sum(), x, { retain_graph: true });
    grad(y.sum(), x, { create_graph: true });
    return tuple(seen, tuple(...y.grad_fn.needs_input_grad));
  },
  a_graph_of_the_gradient: () => {
    const x = torch.tensor([2], { requires_grad: true });
    const forward = (ctx: Ctx, input: Tensor) => {
      ctx.save_for_backward(input);
      return input.pow(3);
    };
    const backward = (ctx: Ctx, g: Tensor) => {
      const [input] = ctx.saved_tensors;
      return g.mul(3).mul(input!).mul(input!);
    };
    const [g] = grad(make(forward, backward).apply(x), x, { create_graph: true });
    return tuple(g, grad(g!, x)[0]);
  },
  differentiated_once: () => {
    const x = leaf(2);
    const fn = make(double, once_differentiable((_, g: Tensor) => g.mul(2)));
    const [g] = grad(fn.apply(x).sum(), x, torch.ones([], { requires_grad: true }), { create_graph: true });
    const [h] = grad(fn.apply(x).sum(), x, { create_graph: true });
    return tuple(g!.grad_fn!.name(), h!.requires_grad);
  },
  differentiated_twice: () => {
    const x = leaf(2);
    const fn = make(double, once_differentiable((_, g: Tensor) => g.mul(2)));
    grad(fn.apply(x).sum(), x, torch.ones([], { requires_grad: true }), { create_graph: true })[0]!.sum().backward();
  },
};

const saved: Record<string, () => unknown> = {
  a_number_saved: () => make(saving(3), same).apply(leaf(2)),
  a_number_saved_where_nothing_is_recorded: () => make(saving(3), same).apply(torch.ones(2)),
  saved_tensors_of_the_node: () => {
    const x = leaf(2);
    const y = make(saving(x, null), same).apply(x);
    const before = y.grad_fn.saved_tensors;
    y.sum().backward();
    try {
      return y.grad_fn.saved_tensors;
    } catch (error) {
      return tuple(tuple(...before), (error as Error).message);
    }
  },
  an_output_saved: () => {
    const seen: unknown[] = [];
    const backward = (ctx: Ctx, g: Tensor) => {
      seen.push(ctx.saved_tensors[0]!.grad_fn!.name());
      return g;
    };
    make(savingItsOutput, backward).apply(leaf(2)).sum().backward();
    return seen;
  },
  an_output_saved_and_written: () => {
    const y = make(savingItsOutput, (ctx: Ctx, g) => ctx.saved_tensors[0]!.mul(g)).apply(leaf(2));
    y.add_(1);
    y.sum().backward();
  },
  a_context_set_up_apart: () => {
    const x = leaf(2);
    const setup_context = (ctx: Ctx, inputs: [Tensor, number], output: Tensor) => {
      ctx.save_for_backward(output, inputs[0]);
      ctx.factor = inputs[1];
    };
    const backward = (ctx: Ctx, g: Tensor) => {
      const [y, input] = ctx.saved_tensors;
      return [g.mul(y!).mul(input!).mul(ctx.factor as number), null];
    };
    make((input, factor) => input.mul(factor), backward, { setup_context }).apply(x, 5).sum().backward();
    return x.grad;
  },
  an_input_returned_and_saved_apart: () => {
    const setup_context = (ctx: Ctx, _inputs: unknown, output: Tensor) => ctx.save_for_backward(output);
    return make((x) => x, same, { setup_context }).apply(leaf(2));
  },
};

const outputs: Record<string, () => unknown> = {
  an_input_returned: () => {
    const x = leaf(2);
    const y = make((_, input) => input, same).apply(x);
    return tuple(y === x, y._base === x, y, names(y.grad_fn)[0]);
  },
  an_input_returned_where_nothing_is_recorded: () => {
    const [x, z] = [torch.ones(2), leaf(2)];
    const fn = make((_, input) => input, same);
    const y = fn.apply(x);
    const w = torch.no_grad(() => fn.apply(z) as Tensor);
    return tuple(y === x, y._base === x, y, w === z, w._is_view(), w);
  },
  an_input_returned_twice: () => {
    const [a, b] = make((_, x) => [x, x], (_, g, h) => g.add(h)).apply(leaf(2));
    return tuple(a === b, a.output_nr, b.output_nr);
  },
  an_output_returned_twice: () => {
    const x = leaf(2);
    const seen: unknown[] = [];
    const forward = (_: Ctx, input: Tensor) => {
      const y = input.mul(2);
      return [y, y];
    };
    const backward = (_: Ctx, g: Tensor, h: Tensor) => {
      seen.push(g, h);
      return g.add(h);
    };
    const [a, b] = make(forward, backward).apply(x);
    a.sum().backward();
    return tuple(a === b, a.output_nr, seen, x.grad);
  },
  a_node_and_its_edges: () => {
    const y = make(double, (_, g) => [g.mul(2), null, null]).apply(leaf(2), 3, torch.ones(1));
    return tuple(y.grad_fn.name(), String(y.grad_fn), names(y.grad_fn));
  },
  not_differentiable: () => {
    const made = [(x: Tensor) => x.mul(2), (x: Tensor) => x, (x: Tensor) => x.view(2)].map((what) => make(marking(what), same).apply(leaf(2)));
    return made.map((y: Tensor) => tuple(y.requires_grad, y.grad_fn, y._is_view()));
  },
  zeros_for_what_is_not_differentiable: () => {
    const seen: unknown[] = [];
    const forward = (ctx: Ctx, x: Tensor) => [x.mul(2), marking((input) => input.mul(3))(ctx, x)];
    const backward = (_: Ctx, g: Tensor, h: Tensor) => {
      seen.push(h);
      return g;
    };
    make(forward, backward).apply(leaf(2))[0].sum().backward();
    return seen;
  },
  a_view_written: () => make((_, x) => x.view(2), same).apply(leaf(2).mul(1)).mul_(2),
  one_view_of_two_written: () => {
    const [y] = make((_, x) => [x.narrow(0, 0, 1), x.narrow(0, 1, 1)], (_, g, h) => torch.cat([g, h])).apply(leaf(2).mul(1));
    y.mul_(2);
  },
  a_view_made_under_no_grad_written: () => torch.no_grad(() => make((_, x) => x.narrow(0, 0, 1), same).apply(leaf(2)) as Tensor).zero_(),
  a_view_of_what_needs_no_gradient_written: () => make((_, x) => x.view(2), same).apply(torch.ones(2)).add_(leaf(2)),
};

const writes: Record<string, () => unknown> = {
  a_write: () => {
    const x = leaf(2);
    const y = x.mul(1);
    const z = make(writing, triple).apply(y);
    z.sum().backward();
    return tuple(z === y, y, y._version, x.grad);
  },
  a_write_to_a_leaf: () => make(writing, triple).apply(leaf(2)),
  a_write_to_a_leaf_under_no_grad: () => {
    const x = leaf(2);
    const y = torch.no_grad(() => make(writing, triple).apply(x) as Tensor);
    return tuple(y === x, y, y._version);
  },
  a_write_to_a_view_of_a_leaf: () => make(writing, triple).apply(leaf(2).view(2)),
  a_write_to_one_view_of_several: () => make(writing, triple).apply(leaf(2).mul(1).unbind()[0]),
  a_write_to_a_view: () => {
    const x = leaf(4);
    const y = x.mul(1);
    const v = y.narrow(0, 0, 2);
    const z = make(writing, triple).apply(v);
    y.sum().backward();
    return tuple(z === v, v.grad_fn!.name(), y.grad_fn!.name(), x.grad);
  },
  a_write_to_a_view_beside_another_output: () =>
    make((ctx, x) => [writing(ctx, x), x.mul(2)], same).apply(leaf(2).mul(1).view(2)),
  hooks_around_a_write: () => {
    const x = leaf(2).mul(1);
    const seen: unknown[] = [];
    x.retain_grad();
    x.register_hook((g) => void seen.push(g));
    make(writing, triple).apply(x);
    x.sum().backward();
    return tuple(x.grad, seen);
  },
  a_gradient_kept_before_a_write: () => {
    const x = torch.ones(2);
    x.grad = torch.ones(2);
    const forward = (ctx: Ctx, input: Tensor, y: Tensor) => {
      ctx.mark_dirty(input);
      return input.add_(y);
    };
    make(forward, (_, g) => [g, g]).apply(x, leaf(2));
    return x.grad;
  },
  no_input_marked_dirty: () => make(dirty((x) => x.mul(2)), same).apply(leaf(2)),
  a_view_that_is_no_input_marked_dirty: () => make(dirty((x) => x.mul(2).view(2)), same).apply(leaf(2)),
  a_dirty_input_not_returned: () => make((ctx, x) => writing(ctx, x).mul(2), same).apply(leaf(2).mul(1)),
};

const engine: Record<string, () => unknown> = {
  a_function_that_no_gradient_asks_for: () => {
    const seen: unknown[] = [];
    const y = leaf(2);
    const z = make(double, () => void seen.push(1)).apply(leaf(2));
    return tuple(seen, grad(z.mul(y).sum(), y)[0]);
  },
  hooks_of_the_node: () => {
    const seen: unknown[] = [];
    const y = make(double, (_, g) => g.mul(2)).apply(leaf(2)) as Tensor;
    y.grad_fn!.register_prehook((grads) => void seen.push(tuple(...grads)));
    y.grad_fn!.register_hook((inputs, grads) => void seen.push(tuple(tuple(...inputs), tuple(...grads))));
    y.sum().backward();
    return seen;
  },
  a_backward_in_a_backward: () => {
    const x = leaf(2);
    const forward = (ctx: Ctx, input: Tensor) =>
      torch.enable_grad(() => {
        ctx.inner = input.detach().requires_grad_();
        ctx.result = ctx.inner.mul(ctx.inner).mul(5);
        return ctx.result.detach() as Tensor;
      });
    const backward = (ctx: Ctx, g: Tensor) => {
      torch.enable_grad(() => ctx.result.sum().backward());
      return ctx.inner.grad.mul(g);
    };
    make(forward, backward).apply(x).sum().backward();
    return x.grad;
  },
  under_inference_mode: () => {
    const y = torch.inference_mode(() => make(double, same).apply(leaf(2)) as Tensor);
    return tuple(y.requires_grad, y.is_inference());
  },
  apply_by_itself: () => {
    const { apply } = make(double, triple);
    const x = leaf(2);
    const y = apply(x) as Tensor;
    y.sum().backward();
    return tuple(y, x.grad, torch.autograd.gradcheck(make(double, same).apply, x.double(), { raise_exception: false }));
  },
};

const programs = { ...returned, ...given, ...saved, ...outputs, ...writes, ...engine };

test.each(Object.keys(answers))("%s", (name) => {
  expect(observe(programs[name]!)).toBe(answers[name]);
});

test("the methods are typed by forward, and what a program keeps on the context stays apart from the node", () => {
  class Scale extends Function {
    static forward(ctx: Ctx, x: Tensor, factor: number): Tensor {
      ctx.outputs = ctx.hooks = ctx.factor = factor;
      return x.mul(factor);
    }
    static backward(ctx: Ctx, g: Tensor): (Tensor | null)[] {
      return [g.mul(ctx.factor as number), null];
    }
  }
  const x = leaf(2);
  const y: Tensor = Scale.apply(x, 4);
  // @ts-expect-error -- a number is wanted
  expect(() => Scale.apply(x, "4")).toThrow();
  y.sum().backward();
  expect(x.grad!.tolist()).toEqual([4, 4]);
});
