import * as torch from "leafgrad";
import { ints, leaf } from "./helpers.ts";
import { tuple } from "./pyrepr.ts";

/** Section C: version counters and the check of saved tensors. */
export const programs: Record<string, () => unknown> = {
  C01: () => {
    const a = leaf(2);
    const b = a.mul(1);
    const c = b.mul(b);
    b.add_(1);
    c.sum().backward();
  },
  C01b: () => {
    const a = leaf(2, 3);
    const b = a.exp();
    b.add_(1);
    b.sum().backward();
  },
  C01c: () => {
    const a = leaf(3);
    const w = leaf(3);
    const c = a.mul(w);
    torch.no_grad(() => w.add_(1));
    c.sum().backward();
  },
  C01d: () => {
    const a = leaf(4);
    const b = a.mul(1);
    const c = b.pow(2);
    b.index_put_([0], 5);
    c.sum().backward();
  },
  C01e: () => {
    const x = leaf(2, 3);
    const w = leaf(3, 4);
    const y = x.mm(w);
    torch.no_grad(() => w.mul_(2));
    y.sum().backward();
  },
  // nn.Linear(3, 4) spelled out: its weight has been filled in place once, so it is at version 1.
  C01f: () => {
    const weight = torch.empty(4, 3).uniform_(-1, 1).requires_grad_();
    const bias = leaf(4);
    const x = leaf(2, 3);
    const y = x.mm(weight.t()).add(bias);
    torch.no_grad(() => weight.mul_(2));
    y.sum().backward();
  },
  C01h: () => {
    torch.autograd.set_detect_anomaly(true, () => {
      const a = leaf(2);
      const b = a.mul(1);
      const c = b.mul(b);
      b.add_(1);
      c.sum().backward();
    });
  },
  C01i: () => {
    const a = leaf(4);
    const i = ints([0, 1]);
    const c = a.index(i);
    i.add_(1);
    c.sum().backward();
  },
  C01j: () => {
    const a = torch.ones(2, { dtype: torch.float64, requires_grad: true });
    const b = a.mul(1);
    const c = b.mul(b);
    b.add_(1);
    c.sum().backward();
  },
  C02: () => {
    const a = torch.ones(2);
    const v = [a._version];
    a.add_(1);
    v.push(a._version);
    const b = a.view(2);
    v.push(b._version);
    b.add_(1);
    v.push(a._version, b._version);
    const d = a.detach();
    v.push(d._version);
    d.add_(1);
    v.push(a._version);
    const e = a.data;
    v.push(e._version);
    e.add_(1);
    v.push(a._version, e._version);
    a.index_put_([0], 3);
    v.push(a._version);
    a.zero_();
    v.push(a._version);
    a.resize_(3);
    v.push(a._version);
    return v;
  },
  C02b: () => {
    const a = torch.ones(2, 2);
    const steps: (() => unknown)[] = [
      () => a.t_(),
      () => a.transpose_(0, 1),
      () => a.squeeze_(),
      () => a.unsqueeze_(0),
      () => a.requires_grad_(),
      () => a.requires_grad_(false),
      () => a.set_(torch.ones(3)),
      () => a.detach_(),
      () => a.copy_(torch.ones(3)),
      () => a.fill_(1),
      () => a.normal_(),
      () => torch.add(torch.ones(3), 1, { out: a }),
    ];
    return steps.map((step) => {
      step();
      return a._version;
    });
  },
  C03: () => {
    const a = leaf(2);
    const b = a.mul(1);
    const c = b.mul(b);
    b.detach().add_(1);
    c.sum().backward();
  },
  C03b: () => {
    const a = leaf(2);
    const b = a.mul(1);
    const c = b.mul(b);
    b.data.add_(1);
    c.sum().backward();
    return a.grad;
  },
  C04: () => {
    const a = torch.ones(2);
    a.add_(1);
    return tuple(a.clone()._version, a.contiguous()._version, a.to(torch.float32)._version, a.add(0)._version);
  },
  C05: () => {
    const a = leaf(2);
    const b = a.add(1);
    const c = b.add(2);
    b.add_(1);
    c.sum().backward();
    return a.grad;
  },
  C06: () => {
    const a = leaf(2);
    const b = a.relu();
    b.add_(1);
    b.sum().backward();
  },
  C06b: () => {
    const a = leaf(2);
    const b = a.sigmoid();
    b.mul_(2);
    b.sum().backward();
  },
  C07: () => {
    const a = torch.ones(2);
    torch.autograd._unsafe_preserve_version_counter(a, () => a.add_(1));
    return a._version;
  },
  C08: () => {
    const a = leaf(2);
    const b = a.mul(1);
    const c = b.mul(b);
    const d = c.sum();
    d.backward();
    b.add_(1);
    return a.grad;
  },
  // nn.Parameter and torch.optim.SGD spelled out: a leaf, and the step that SGD takes with it.
  C10: () => {
    const w = leaf(2);
    const x = leaf(2);
    const y = x.mul(w).sum();
    w.grad = torch.ones(2);
    torch.no_grad(() => w.add_(w.grad!, { alpha: -0.1 }));
    y.backward();
  },
  C11: () => {
    const a = leaf(2);
    const b = a.mul(1);
    const c = b.mul(b);
    b.clone().add_(1);
    c.sum().backward();
    return a.grad;
  },
};
