/** Options, hooks, accumulators and checks: the programs of `fixtures/engine_rules.py`, which wrote PyTorch 2.13's answers to them. */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { expect, test } from "vitest";
import { observe } from "../oracle/semantics/observe.ts";
import { size, tuple } from "../oracle/semantics/pyrepr.ts";
import { leaf, loose } from "./helpers.ts";

const { grad, gradcheck, gradgradcheck, graph } = torch.autograd;
type Ctx = torch.autograd.function.FunctionCtx;
type Tensor = torch.Tensor;

const answers = JSON.parse(readFileSync(new URL("./fixtures/engine-rules.json", import.meta.url), "utf8")) as Record<string, string>;

const dleaf = (...sizes: number[]): Tensor => torch.ones(sizes, { dtype: torch.float64, requires_grad: true });

const options: Record<string, () => unknown> = {
  zeros_for_an_unused_edge: () => {
    const [x, y] = [leaf(2).clone(), leaf(2).clone()];
    return tuple(...grad(x.clone().sum(), [x, new graph.GradientEdge(y.grad_fn!, 0)], { allow_unused: true, materialize_grads: true }));
  },
  batched_gradients: () => {
    const x = leaf(2);
    return tuple(...grad(x.mul(2), x, torch.arange(6, { dtype: torch.float32 }).view(3, 2), { is_grads_batched: true }));
  },
  batched_gradients_without_a_batch: () => {
    const x = leaf(2);
    return tuple(...grad(x.mul(2), x, torch.ones(2), { is_grads_batched: true }));
  },
  batched_gradients_of_another_shape: () => {
    const x = leaf(2, 2);
    return tuple(...grad(x.mul(2), x, torch.ones(5, 3, 2), { is_grads_batched: true }));
  },
  batched_gradients_that_are_a_number: () => {
    const x = leaf(2);
    return tuple(...grad(x.mul(2).sum(), x, torch.ones([]), { is_grads_batched: true }));
  },
};

const accumulation: Record<string, () => unknown> = {
  a_tensor_from_a_hook_after_accumulation: () => {
    const x = leaf(2);
    x.register_post_accumulate_grad_hook(loose((p: Tensor) => p.grad));
    x.sum().backward();
  },
  the_leaf_from_a_hook_after_accumulation: () => {
    const x = leaf(2);
    x.register_post_accumulate_grad_hook(loose((p: Tensor) => {
      p.data.mul_(2);
      return p;
    }));
    x.sum().backward();
    return tuple(x, x.grad);
  },
  a_number_from_a_hook_after_accumulation: () => {
    const x = leaf(2);
    x.register_post_accumulate_grad_hook(loose(() => 3));
    x.sum().backward();
  },
  hooks_around_an_accumulator: () => {
    const x = leaf(2);
    const seen: unknown[] = [];
    const node = x.view_as(x).grad_fn!.next_functions[0]![0]!;
    x.register_hook((g) => g.mul(3));
    node.register_prehook(([g]) => [g!.mul(5)]);
    x.register_post_accumulate_grad_hook((p) => {
      seen.push(p.grad!.clone());
      p.grad!.add_(0.5);
    });
    node.register_hook((inputs, [g]) => void seen.push(tuple(tuple(...inputs), g!.clone())));
    x.sum().backward();
    x.sum().backward();
    return tuple(x.grad, seen);
  },
  a_graph_made_before_set_: () => {
    const x = leaf(2);
    const y = x.mul(2);
    torch.no_grad(() => x.set_(torch.zeros(2)));
    return tuple(...grad(y.sum(), x));
  },
  hooks_and_gradients_over_set_: () => {
    const x = leaf(2);
    const seen: unknown[] = [];
    x.register_hook((g) => void seen.push(g));
    const y = x.mul(2);
    torch.no_grad(() => x.set_(torch.zeros(2)));
    y.sum().backward();
    x.mul(3).sum().backward();
    return tuple(x.grad, seen);
  },
};

function setDtype(tensor: Tensor, dtype: unknown): torch.dtype | null {
  tensor.grad_dtype = loose(dtype);
  return tensor.grad_dtype;
}

class Double extends torch.autograd.Function {
  static forward = (_ctx: Ctx, x: Tensor): Tensor => x.mul(2);
  static backward = (_ctx: Ctx, g: Tensor): Tensor => g.double().mul(2);
}

const dtypes: Record<string, () => unknown> = {
  grad_dtype_of_a_leaf: () => tuple(leaf(2).grad_dtype, setDtype(leaf(2), torch.float64), setDtype(leaf(2), null), setDtype(torch.ones(2), torch.float64)),
  grad_dtype_of_a_non_leaf: () => leaf(2).mul(2).grad_dtype,
  grad_dtype_that_is_no_dtype: () => setDtype(leaf(2), 3),
  grad_dtype_beside_a_gradient: () => {
    const x = leaf(2);
    x.sum().backward();
    return tuple(setDtype(x, torch.float32), setDtype(x, null), setDtype(x, torch.float64));
  },
  gradients_of_the_dtype_asked_for: () =>
    [torch.float32, torch.float64, null].flatMap((dtype) =>
      [true, false].map((early) => {
        const x = leaf(2);
        if (early) x.grad_dtype = dtype;
        const y = Double.apply(x);
        if (!early) x.grad_dtype = dtype;
        y.sum().backward();
        return x.grad!.dtype;
      }),
    ),
  a_second_gradient_of_another_dtype: () => {
    const x = leaf(2);
    x.grad_dtype = null;
    Double.apply(x).sum().backward();
    x.mul(3).sum().backward();
    return x.grad;
  },
};

const facts = (results: readonly Tensor[]): unknown => results.map((r) => tuple(r.requires_grad, r.is_inference(), r.is_leaf));

const inference: Record<string, () => unknown> = {
  calls_on_inference_tensors_alone: () => {
    const [x, y] = torch.inference_mode(() => [leaf(2, 3), torch.ones(2, 3)] as const);
    return facts([x.view(-1), x.unbind()[0]!, x.exp(), x.mul(x), x.add(y), x.sum(), torch.cat([x, y]), x.detach()]);
  },
  calls_on_inference_tensors_beside_others: () => {
    const x = torch.inference_mode(() => leaf(2, 3));
    return facts([x.mul(2), x.add(torch.ones(3)), torch.cat([x, torch.ones(2, 3)]), x.clone(), x.double()]);
  },
  resize_in_inference_mode: () =>
    torch.inference_mode(() => tuple(size(leaf(2, 3).resize_(2).shape), size(leaf(2, 3).resize_as_(torch.ones(3, 3)).shape))),
};

const saved: Record<string, () => unknown> = {
  a_saved_tensor_made_by_hand: () => new (loose(torch.autograd.SavedTensor))(),
  what_a_saved_tensor_keeps: () => {
    const x = leaf(2);
    const square = graph.saved_tensors_hooks(() => "packed", () => x, () => x.pow(2));
    const y = x.exp();
    const z = y.pow(2);
    const [packed, input, output] = [square.grad_fn!._raw_saved_self, z.grad_fn!._raw_saved_self, y.grad_fn!._raw_saved_result] as torch.autograd.SavedTensor[];
    return tuple(packed!.data, packed!.unpack_hook!(0) === x, input!.data === y, output!.data === y, output!.data, input!.unpack_hook);
  },
};

/** The gradient of what `save` makes of a copy of a leaf, written before backward. */
function written(save: (b: Tensor) => Tensor, write: (b: Tensor) => unknown): unknown {
  const a = leaf(4);
  const b = graph.allow_mutation_on_saved_tensors(() => {
    const copy = a.clone();
    const loss = save(copy).sum();
    write(copy);
    loss.backward();
    return copy;
  });
  return tuple(a.grad, b);
}

const square = (b: Tensor): Tensor => b.mul(b);

const mutation: Record<string, () => unknown> = {
  an_input_saved_and_written: () => written((b) => b.pow(2), (b) => b.sin_()),
  an_output_saved_and_written_twice: () => {
    const a = leaf(2);
    graph.allow_mutation_on_saved_tensors(() => {
      const b = a.exp();
      const c = b.exp();
      const loss = c.sum();
      b.add_(1);
      c.mul_(3);
      c.zero_();
      loss.backward();
    });
    return a.grad;
  },
  a_view_saved_and_its_base_written: () =>
    tuple(written((b) => b.index(":2").pow(3), (b) => b.add_(1)), written((b) => b.pow(3), (b) => b.index(":1").mul_(5))),
  writes_of_other_kinds: () =>
    tuple(
      written(square, (b) => b.index_put_([torch.tensor([1n])], 9)),
      written(square, (b) => b.data.add_(1)),
      written(square, (b) => torch.sin(torch.zeros(4), { out: b.detach() })),
    ),
  a_leaf_written_under_no_grad: () => {
    const a = leaf(2);
    graph.allow_mutation_on_saved_tensors(() => {
      const b = a.mul(a);
      torch.no_grad(() => a.add_(5));
      b.sum().backward();
    });
    return tuple(a, a.grad);
  },
  a_second_derivative_after_a_write: () => {
    const a = leaf(2);
    return graph.allow_mutation_on_saved_tensors(() => {
      const b = a.clone();
      const loss = b.pow(3).sum();
      b.zero_();
      const [g] = grad(loss, a, { create_graph: true });
      return tuple(...grad(g!.sum(), a));
    });
  },
  backward_outside: () => graph.allow_mutation_on_saved_tensors(() => leaf(2).pow(2).sum()).backward(),
  backward_in_another: () => {
    const loss = graph.allow_mutation_on_saved_tensors(() => leaf(2).pow(2).sum());
    graph.allow_mutation_on_saved_tensors(() => loss.backward());
  },
  one_in_another: () => graph.allow_mutation_on_saved_tensors(() => graph.allow_mutation_on_saved_tensors(() => 0)),
};

const hooked = (hook: (g: Tensor) => Tensor | void) => (x: Tensor): Tensor => {
  const y = x.clone();
  y.register_hook(hook);
  return y;
};

class Stubborn extends torch.autograd.Function {
  static forward(ctx: Ctx, x: Tensor): Tensor {
    ctx.set_materialize_grads(false);
    return x.mul(2);
  }
  static backward = (_ctx: Ctx, g: Tensor | null): Tensor => (g === null ? torch.full([1], 2, { dtype: torch.float64 }) : g.mul(2));
}

const large = (x: Tensor): boolean => Boolean(x.ge(1).all().item());

const checks: Record<string, () => unknown> = {
  a_backward_that_adds: () => gradcheck(hooked((g) => g.add(1e-2)), dleaf(1), { atol: 1e-1 }),
  a_backward_that_adds_reported: () => gradcheck(hooked((g) => g.add(1e-2)), dleaf(1), { atol: 1e-1, raise_exception: false }),
  a_backward_that_needs_a_gradient: () => {
    const fn = hooked((g) => {
      if (g === null) throw new torch.RuntimeError("no gradient");
    });
    return tuple(gradcheck(fn, dleaf(1), { check_undefined_grad: false }), gradcheck(fn, dleaf(1)));
  },
  a_gradient_out_of_nothing: () => gradcheck((x) => Stubborn.apply(x), dleaf(1)),
  a_shape_that_depends_on_values: () => gradcheck((x) => (large(x) ? torch.cat([x, x]) : x), dleaf(1, 1)),
  a_dtype_that_depends_on_values: () => gradcheck((x) => (large(x) ? x.float() : x), dleaf(2)),
  an_error_of_the_function: () => gradcheck((x) => x.view(7), dleaf(1), { raise_exception: false }),
  outputs_that_need_no_gradient: () => tuple(gradcheck((x) => [x.mul(2), x.detach().mul(3), x.long()], dleaf(2)), gradcheck(() => [], dleaf(2))),
  a_constant_that_varies: () => gradcheck((x) => x.detach().mul(3), dleaf(2)),
  inputs_that_need_no_gradient: () => {
    const mask = torch.tensor([true, false]);
    const second = gradgradcheck((m, x) => torch.where(m, x.mul(x), 0), [mask, dleaf(2)], { atol: 1e-4 });
    return tuple(gradcheck((m, x, other) => torch.where(m, x, other), [mask, dleaf(2), 3]), second);
  },
  a_mismatch_by_the_inputs_that_are_checked: () => gradcheck((_mask, x) => hooked((g) => g.mul(3))(x), [torch.tensor([true]), dleaf(1)]),
};

const programs = { ...options, ...accumulation, ...dtypes, ...inference, ...saved, ...mutation, ...checks };

test.each(Object.keys(answers))("%s", (name) => {
  expect(observe(programs[name]!)).toBe(answers[name]);
});
