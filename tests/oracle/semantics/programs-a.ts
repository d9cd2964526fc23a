import * as torch from "leafgrad";
import { leaf, loose } from "./helpers.ts";
import { later, size, tuple } from "./pyrepr.ts";

/** Section A: leaves, `requires_grad`, `.grad`, `.data`. */
export const programs: Record<string, () => unknown> = {
  A01: () =>
    tuple(torch.ones(2).requires_grad, torch.tensor(1).requires_grad, torch.randn(2, { requires_grad: true }).requires_grad),
  A02: () => {
    const a = leaf(2);
    const b = torch.ones(2);
    const c = a.mul(2);
    const d = b.mul(2);
    const e = a.detach();
    const f = a.mul(2).detach().requires_grad_();
    const all = [a, b, c, d, e, f];
    return tuple(all.map((x) => x.is_leaf), all.map((x) => x.requires_grad));
  },
  A03: () => {
    torch.ones(2, { dtype: torch.int64 }).requires_grad_();
  },
  A03b: () => {
    const t = torch.ones(2, { dtype: torch.int64 });
    t.requires_grad = true;
  },
  A03c: () => {
    torch.ones(2, { dtype: torch.int64, requires_grad: true });
  },
  A03d: () => {
    torch.tensor([1, 2], { dtype: torch.int64, requires_grad: true });
  },
  A03e: () => {
    torch.tensor([true], { requires_grad: true });
  },
  A03f: () => torch.ones(2, { dtype: torch.int64 }).requires_grad_(false).requires_grad,
  A03h: () => {
    torch.empty(2, { dtype: torch.int32, requires_grad: true });
  },
  A03i: () => {
    torch.arange(3, { requires_grad: true });
  },
  A04: () => {
    const b = leaf(2).mul(2);
    b.requires_grad = false;
  },
  A04b: () => {
    leaf(2).mul(2).requires_grad_(false);
  },
  A04c: () => leaf(2).mul(2).requires_grad_(true).requires_grad,
  A04d: () => {
    const a = torch.ones(2);
    loose(a).requires_grad = 1;
  },
  A05: () => {
    const [a, b] = [leaf(2), torch.ones(2)];
    return tuple(
      a.add(b).requires_grad,
      b.add(b).requires_grad,
      a.gt(b).requires_grad,
      a.argmax().requires_grad,
      a.long().requires_grad,
      a.double().requires_grad,
      later("topk"),
      later("topk"),
    );
  },
  A06: () =>
    tuple(
      leaf(2).to(torch.int32).grad_fn,
      leaf(2).gt(0).grad_fn,
      leaf(2).round().grad_fn !== null,
      leaf(2).sign().grad_fn !== null,
      leaf(2).floor().grad_fn !== null,
    ),
  A07: () => leaf(2).mul(2).grad,
  A07b: () => {
    const b = leaf(2).mul(2);
    b.retain_grad();
    return b.grad;
  },
  A08: () => {
    torch.ones(2).retain_grad();
  },
  A08b: () => {
    const a = leaf(2);
    const r = loose(a).retain_grad();
    return tuple(r, a.retains_grad);
  },
  A08c: () => {
    const a = leaf(2);
    const b = a.mul(2);
    b.retain_grad();
    b.retain_grad();
    b.sum().backward();
    return tuple(b.grad, b.retains_grad);
  },
  A08d: () => {
    const a = leaf(2);
    const b = a.mul(2);
    b.retain_grad();
    b.mul_(3);
    b.sum().backward();
    return tuple(b.grad, b.retains_grad);
  },
  A09: () => {
    const a = leaf(2);
    loose(a).grad = 3;
  },
  A09b: () => {
    const a = leaf(2);
    a.grad = torch.ones(3);
  },
  A09c: () => {
    const a = leaf(2);
    a.grad = torch.ones(2, { dtype: torch.float64 });
  },
  A09d: () => {
    const a = leaf(2);
    a.grad = a;
  },
  A09e: () => {
    const a = leaf(2);
    a.grad = torch.ones(2);
    a.grad = null;
    const x = a.grad;
    a.grad = torch.ones(2);
    a.grad = null; // `del a.grad`
    return tuple(x, a.grad);
  },
  A09f: () => {
    const a = torch.ones(2);
    a.grad = torch.ones(2);
    return a.grad;
  },
  A09g: () => {
    const a = torch.ones(2, { dtype: torch.int64 });
    a.grad = torch.ones(2, { dtype: torch.int64 });
    return a.grad;
  },
  A10: () => tuple(leaf(2).grad_fn, leaf(2).mul(2).grad_fn !== null),
  A11: () => {
    const a = leaf(2);
    loose(a).grad_fn = null;
  },
  A12: () => {
    const a = leaf(2);
    loose(a).is_leaf = false;
  },
  // `bool(x)` is what `x.is_nonzero()` computes.
  A14: () => {
    torch.ones(2).is_nonzero();
  },
  A14b: () => torch.ones(0).is_nonzero(),
  A15: () => {
    torch.ones(2).item();
  },
  A17: () => torch.tensor(loose(torch.ones(2, { requires_grad: true }))),
  A18: () => torch.where(torch.tensor([true, false]), leaf(2), torch.zeros(2)).requires_grad,
  A20: () => {
    const a = leaf(2);
    loose(a).data = 5;
  },
  A20c: () => {
    const a = leaf(2);
    a.data = torch.ones(3, { dtype: torch.float64 });
    return tuple(size(a.shape), a.dtype);
  },
  A20d: () => {
    const a = leaf(2);
    a.data = torch.ones(3, { dtype: torch.int64 });
    return tuple(size(a.shape), a.dtype);
  },
  A21: () => {
    const a = leaf(1);
    const b = torch.no_grad(() => a.mul(2));
    const c = b.mul(3);
    return tuple(c.requires_grad, c.add(a).requires_grad);
  },
  A22: () => {
    const a = leaf(1);
    return a.grad_dtype;
  },
  A23: () => {
    const a = leaf(1);
    a.grad = null;
    a.mul(2).backward();
    return a.grad;
  },
};
