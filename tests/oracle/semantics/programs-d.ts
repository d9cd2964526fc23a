import * as torch from "leafgrad";
import { leaf, loose } from "./helpers.ts";
import { float, later, tuple } from "./pyrepr.ts";

const F = torch.nn.functional;

/** Section D: `backward()` and `grad()`. */
export const programs: Record<string, () => unknown> = {
  D01: () => {
    const a = leaf(2);
    const b = a.mul(a).sum();
    b.backward();
    b.backward();
  },
  D01b: () => {
    const a = leaf(2);
    const b = a.add(1).sum();
    b.backward();
    b.backward();
    return a.grad;
  },
  D01c: () => {
    const a = leaf(2);
    const b = a.mul(a).sum();
    b.backward({ retain_graph: true });
    b.backward();
    return a.grad;
  },
  D01d: () => {
    const a = leaf(2);
    const b = a.mul(a);
    b.sum().backward();
    return loose(b.grad_fn)._saved_self;
  },
  D02: () => {
    leaf(2).mul(2).backward();
  },
  D02b: () => {
    const a = leaf(2);
    torch.autograd.grad(a.mul(2), a);
  },
  D02c: () => {
    const a = leaf(1);
    a.mul(2).backward();
    return a.grad;
  },
  D03: () => {
    leaf(2).mul(2).backward(torch.ones(3));
  },
  D03b: () => {
    const a = leaf(2);
    a.mul(2).backward(torch.ones(1));
    return a.grad;
  },
  D03c: () => {
    const a = leaf(2);
    a.mul(2).backward(torch.ones(2, { dtype: torch.float64 }));
    return a.grad!.dtype;
  },
  D03e: () => {
    leaf(2).mul(2).backward(loose("x"));
  },
  D03f: () => {
    const a = leaf(2);
    a.mul(2).backward(torch.ones(2, { dtype: torch.int64 }));
    return a.grad;
  },
  D04: () => {
    torch.ones([]).backward();
  },
  D04b: () => {
    torch.autograd.grad(torch.ones([]), leaf(2));
  },
  D05: () => {
    const [a, b] = [leaf(2), leaf(2)];
    torch.autograd.grad(a.mul(2).sum(), [a, b]);
  },
  D05b: () => {
    const [a, b] = [leaf(2), leaf(2)];
    return tuple(...torch.autograd.grad(a.mul(2).sum(), [a, b], { allow_unused: true }));
  },
  D05c: () => {
    const [a, b] = [leaf(2), torch.ones(2)];
    torch.autograd.grad(a.mul(2).sum(), [b]);
  },
  D05d: () => {
    const [a, b] = [leaf(2), torch.ones(2)];
    return tuple(...torch.autograd.grad(a.mul(2).sum(), [b], { allow_unused: true }));
  },
  D05e: () => {
    const [a, b] = [leaf(2), leaf(2)];
    return tuple(...torch.autograd.grad(a.mul(2).sum(), [a, b], { allow_unused: true, materialize_grads: true }));
  },
  D05f: () => {
    const [a, b] = [leaf(2), leaf(2)];
    return tuple(...torch.autograd.grad(a.mul(2).sum(), [a, b], { allow_unused: false, materialize_grads: true }));
  },
  D06: () => {
    const a = leaf(2);
    const g = torch.autograd.grad(a.mul(2).sum(), a);
    return tuple(tuple(...g), a.grad);
  },
  D07: () => {
    const a = leaf(2);
    torch.autograd.grad([a.mul(2), a.mul(3)], a, { grad_outputs: [torch.ones(2)] });
  },
  D07b: () => {
    const a = leaf(2);
    torch.autograd.grad(a.mul(2).sum(), a, { only_inputs: false });
  },
  D08: () => {
    const [a, b] = [leaf(2), leaf(2)];
    a.mul(b).sum().backward({ inputs: [a] });
    return tuple(a.grad, b.grad);
  },
  D08b: () => {
    const a = leaf(2);
    a.sum().backward({ inputs: [] });
  },
  D08c: () => {
    const a = leaf(2);
    const b = a.mul(2);
    b.sum().backward({ inputs: [b] });
    return tuple(a.grad, b.grad);
  },
  D08d: () => {
    const a = leaf(2);
    const b = a.mul(2);
    b.sum().backward({ inputs: a });
    return a.grad;
  },
  D08e: () => {
    const [a, b] = [leaf(2), torch.ones(2)];
    a.mul(b).sum().backward({ inputs: [b] });
  },
  D09: () => {
    const a = leaf(2);
    a.mul(a).sum().backward({ create_graph: true });
    return a.grad!.requires_grad;
  },
  D10: () => {
    const a = leaf(2);
    const [g] = torch.autograd.grad(a.pow(3).sum(), a, { create_graph: true });
    g!.sum().backward();
    return tuple(g, a.grad);
  },
  D11: () => {
    const a = leaf(2);
    torch.autograd.backward([a.mul(2), a.mul(3).sum()], [torch.ones(2), null]);
    return a.grad;
  },
  D11b: () => {
    const a = leaf(2);
    torch.autograd.backward(a.sum(), torch.tensor(1), { grad_variables: torch.tensor(1) });
  },
  D12: () => {
    const a = leaf(2);
    return tuple(...torch.autograd.grad(a.mul(2), a, torch.eye(2), { is_grads_batched: true }));
  },
  D13: () => {
    const a = leaf(2);
    const b = a.mul(2).sum();
    torch.no_grad(() => b.backward());
    return a.grad;
  },
  D14: () => {
    const a = leaf(2);
    const b = a.mul(2);
    return tuple(...torch.autograd.grad([b, b], a, [torch.ones(2), torch.ones(2)]));
  },
  D15: () => {
    const a = leaf(2);
    const b = a.mul(2).sum();
    return tuple(...torch.autograd.grad(b, b));
  },
  D16: () => {
    const a = leaf(2);
    return tuple(...torch.autograd.grad([], [a], { allow_unused: true }));
  },
  D17: () => {
    leaf(2).argmax().backward();
  },
  D19: () => {
    const a = leaf(1);
    return tuple(...torch.autograd.grad(a.mul(2).sum(), [a, a]));
  },
  D20: () => {
    const a = leaf(1);
    let b = a;
    for (let i = 0; i < 100_000; i++) b = b.add(1);
    b.backward();
    return a.grad;
  },
  D22: () => {
    const o: string[] = [];
    const a = leaf(1);
    const x = a.mul(1);
    const y = a.mul(2);
    x.register_hook(() => void o.push("x"));
    y.register_hook(() => void o.push("y"));
    x.add(y).sum().backward();
    return o;
  },
  D22b: () => {
    const o: string[] = [];
    const a = leaf(1);
    const x = a.mul(1);
    const y = a.mul(2);
    x.register_hook(() => void o.push("x"));
    y.register_hook(() => void o.push("y"));
    y.add(x).sum().backward();
    return o;
  },
  D23: () => {
    const a = leaf(1);
    return tuple(...torch.autograd.grad([a.sum(), a.mul(2).sum()], a));
  },
  D24: () => {
    const a = leaf(1, 1);
    a.backward();
    return a.grad;
  },
  D25: () => {
    const a = leaf(2);
    return a.long().float().requires_grad;
  },
  D26: () => {
    const a = leaf();
    a.backward();
    return a.grad;
  },
  D27: () => {
    const a = torch.ones(0, { requires_grad: true });
    a.sum().backward();
    return a.grad;
  },
  D28: () => {
    const a = leaf(2, 2);
    a.unbind(0)[0]!.sum().backward();
    return a.grad;
  },
  D29: () => {
    const a = torch.tensor([1, 3, 3], { requires_grad: true });
    const gradOf = (out: torch.Tensor): unknown => torch.autograd.grad(out, a, { allow_unused: true })[0];
    return [
      gradOf(a.max()),
      gradOf(a.max(0)[0]),
      gradOf(a.amax(0)),
      later("median"),
      gradOf(torch.maximum(a, torch.tensor([1, 1, 3])).sum()),
      gradOf(a.clamp(1, 3).sum()),
      gradOf(a.sub(1).abs().sum()),
      gradOf(F.relu(a.sub(1)).sum()),
      gradOf(a.sub(1).norm()),
      gradOf(torch.zeros(1, { requires_grad: true }).norm()),
    ];
  },
  D30: () => {
    const z = torch.zeros(1, { requires_grad: true });
    const slope = (f: (x: torch.Tensor) => torch.Tensor): unknown => float(loose(torch.autograd.grad(f(z).sum(), z)[0]!.item()));
    const twice = (x: torch.Tensor): torch.Tensor => torch.cat([x, x]);
    return {
      abs: slope((x) => torch.abs(x)),
      relu: slope((x) => F.relu(x)),
      sqrt: slope((x) => torch.sqrt(x)),
      sign: slope((x) => torch.sign(x)),
      pow0: slope((x) => x.pow(0)),
      pow05: slope((x) => x.pow(0.5)),
      pow2: slope((x) => x.pow(2)),
      log: slope((x) => torch.log(x)),
      norm: slope((x) => torch.norm(x)),
      clamp0: slope((x) => x.clamp({ min: 0 })),
      clampmax: slope((x) => x.clamp({ max: 0 })),
      leaky: later("F.leaky_relu"),
      hardtanh: later("F.hardtanh"),
      relu6: later("F.relu6"),
      hardsig: later("F.hardsigmoid"),
      elu: later("F.elu"),
      max0: slope((x) => torch.max(x, torch.zeros(1))),
      prod: slope((x) => twice(x).prod()),
      std: slope((x) => twice(x).std()),
      cumprod: later("cumprod"),
      huber: later("F.huber_loss"),
      l1: later("F.l1_loss"),
      acos: later("acos"),
      atan2: slope((x) => torch.atan2(x, x)),
      xlogy: later("special.xlogy"),
      div0: slope((x) => x.div(x)),
      threshold: later("F.threshold"),
      hardshrink: later("F.hardshrink"),
      softshrink: later("F.softshrink"),
      hardswish: later("F.hardswish"),
    };
  },
};
