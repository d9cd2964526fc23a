import * as torch from "leafgrad";
import { ints, leaf, nameOf } from "./helpers.ts";
import { size, tuple } from "./pyrepr.ts";

/** Section E: views and in-place writes together. */
export const programs: Record<string, () => unknown> = {
  E01: () => {
    const a = leaf(4);
    const b = a.mul(1);
    const v = b.index(":2");
    v.mul_(3);
    return tuple(b.grad_fn!.name(), v.grad_fn!.name(), b._version, b.grad_fn!.next_functions.map((n) => nameOf(n[0])));
  },
  E01b: () => {
    const a = leaf(4);
    const b = a.mul(1);
    const v = b.index(":2");
    v.mul_(3);
    b.sum().backward();
    return a.grad;
  },
  E01c: () => {
    const a = leaf(4);
    const b = a.mul(1);
    const v = b.index(":2");
    const o = v.grad_fn!.name();
    b.mul_(3);
    return tuple(o, v.grad_fn!.name(), v.grad_fn!.next_functions.map((n) => n[0]!.name()));
  },
  E01d: () => {
    const a = leaf(2, 2);
    const b = a.mul(1);
    const v = b.t().diagonal();
    b.mul_(3);
    return v.grad_fn!.name();
  },
  E02: () => {
    const a = leaf(2, 2).mul(1);
    const [x] = a.unbind(0);
    x!.mul_(2);
  },
  E02b: () => {
    const a = leaf(4).mul(1);
    const [x] = a.split(2);
    x!.mul_(2);
  },
  E02c: () => {
    const a = leaf(4).mul(1);
    const [x] = a.chunk(2);
    x!.mul_(2);
  },
  E02d: () => {
    const a = leaf(2, 2).mul(1);
    for (const x of a) x.mul_(2);
  },
  E02e: () => {
    const a = leaf(4).mul(1);
    const [x] = a.split([1, 3]);
    x!.mul_(2);
  },
  E02f: () => {
    const a = leaf(4).mul(1);
    const [x] = a.unsafe_split(2);
    x!.mul_(2);
    return x!._is_view();
  },
  E02g: () => {
    const a = torch.ones(2, 2);
    const [x] = a.unbind(0);
    x!.mul_(2);
    return a;
  },
  E02h: () => {
    const a = torch.ones(2, 2);
    const [x] = a.unbind(0);
    x!.mul_(leaf(2));
  },
  E02i: () => {
    const a = leaf(2, 2).mul(1);
    const [x] = a.unbind(0);
    a.mul_(2);
    return x!.grad_fn!.name();
  },
  E02j: () => {
    const a = leaf(4, 4).mul(1);
    const o: unknown[] = [];
    for (const f of [() => a.tensor_split(2), () => a.hsplit(2), () => a.vsplit(2), () => torch.unsafe_chunk(a, 2)]) {
      const r = f();
      try {
        r[0]!.mul_(2);
        o.push(tuple("ok", r[0]!.grad_fn!.name()));
      } catch (e) {
        o.push((e as Error).message.slice(0, 120));
      }
    }
    return o;
  },
  E03: () => {
    const a = leaf(4).mul(1);
    const v = torch.no_grad(() => a.index(":2"));
    v.mul_(2);
  },
  E03b: () => {
    const a = leaf(4).mul(1);
    const v = torch.no_grad(() => a.index(":2"));
    a.mul_(2);
    return v.grad_fn;
  },
  E03c: () => {
    const a = leaf(4);
    const v = torch.no_grad(() => a.index(":2"));
    return tuple(v.requires_grad, v.is_leaf, v._is_view(), v._base === a);
  },
  E03d: () => {
    const a = leaf(4);
    const v = torch.no_grad(() => a.index(":2"));
    v.mul_(2);
  },
  E03e: () => {
    const a = leaf(4).mul(1);
    const v = a.index(":2");
    torch.no_grad(() => v.mul_(2));
    return tuple(v.grad_fn!.name(), a.grad_fn!.name(), a._version);
  },
  E05: () => {
    const a = torch.ones(4);
    const v = a.index(":2");
    const w = v.index(":1");
    const d = a.detach();
    return tuple(
      v._is_view(),
      v._base === a,
      w._base === a,
      d._is_view(),
      d._base,
      a.data._is_view(),
      a.view(4)._is_view(),
      a.expand(2, 4)._is_view(),
      a.contiguous()._is_view(),
      a.reshape(4)._is_view(),
      a.to(torch.float32) === a,
      a.clone()._is_view(),
    );
  },
  E06: () => {
    const a = leaf(2).mul(1);
    const v = a.view(2);
    v.detach_();
  },
  E06b: () => {
    const a = leaf(2).mul(1);
    a.detach_();
    return tuple(a.requires_grad, a.is_leaf, a.grad_fn);
  },
  E06c: () => {
    const a = torch.ones(2, 3);
    const d = a.detach();
    d.resize_(3, 2);
    return tuple(size(d.shape), size(a.shape));
  },
  E06d: () => {
    const a = torch.ones(2, 3);
    const d = a.detach();
    d.resize_(5, 5);
  },
  E06e: () => {
    leaf(2).resize_(3);
  },
  E06f: () => {
    const a = leaf(2);
    a.data.resize_(3);
    return size(a.shape);
  },
  E06g: () => {
    const a = leaf(2);
    a.detach().set_(torch.ones(3));
  },
  E06h: () => {
    const a = leaf(2);
    return size(a.detach().unsqueeze_(0).shape);
  },
  E07: () => {
    const a = leaf(3, 3);
    const b = a.mul(2);
    const v = b.index(0);
    const w = v.index("1:");
    w.mul_(10);
    return tuple(torch.autograd.grad(b.sum(), a)[0], b.grad_fn!.name(), v.grad_fn!.name(), w.grad_fn!.name());
  },
  E08: () => {
    const a = torch.zeros(4);
    const b = leaf(2);
    a.index_put_(["1:3"], b);
    return tuple(a.grad_fn!.name(), a.grad_fn!.next_functions.map((n) => nameOf(n[0])));
  },
  E08b: () => {
    const a = leaf(4).mul(1);
    a.index_put_([0], 0);
    return tuple(a.grad_fn!.name(), torch.autograd.grad(a.sum(), a)[0]);
  },
  E08c: () => {
    const a = leaf(4).mul(1);
    a.index_put_([ints([0, 1])], 0);
    const n1 = a.grad_fn!.name();
    a.index_put_([a.gt(0)], 3);
    return tuple(n1, a.grad_fn!.name());
  },
  E10: () => {
    const a = leaf(4).mul(1);
    const v = a.index(":2");
    v.retain_grad();
    a.mul_(2);
    a.sum().backward();
    return v.grad;
  },
  E11: () => {
    const a = leaf(2, 2).mul(1);
    torch.no_grad(() => {
      const [x] = a.unbind(0);
      x!.mul_(2);
    });
    return a;
  },
  E11b: () => {
    const a = leaf(2, 2).mul(1);
    const [x] = torch.no_grad(() => a.unbind(0));
    x!.mul_(2);
  },
  E12: () => {
    const a = leaf(2, 2);
    const b = a.mul(1);
    b.index(0).add_(b.index(1));
    b.sum().backward();
    return a.grad;
  },
  E13: () => {
    const a = leaf(2, 3);
    const b = a.mul(1);
    b.t().index(0).mul_(7);
    b.sum().backward();
    return a.grad;
  },
  E14: () => {
    const a = leaf(1);
    const b = a.expand(3);
    b.mul_(2);
  },
  E15: () => {
    const a = leaf(4);
    const b = a.mul(1);
    const v = b.index(":2");
    const w = b.index("1:3");
    v.mul_(2);
    w.mul_(3);
    b.sum().backward();
    return tuple(a.grad, v.grad_fn!.name());
  },
  E16: () => {
    const b = torch.zeros(4);
    const v = b.index(":2");
    b.requires_grad_();
    return tuple(v.requires_grad, v.is_leaf);
  },
  E16b: () => {
    const b = torch.zeros(4);
    const v = b.index(":2");
    v.requires_grad_();
    return tuple(v.requires_grad, b.requires_grad, v.is_leaf);
  },
  E16c: () => {
    const b = torch.zeros(4);
    const v = b.index(":2");
    v.requires_grad_();
    b.add_(leaf(4));
    return tuple(b.requires_grad, v.requires_grad, v.grad_fn);
  },
  E16d: () => {
    const b = torch.zeros(4);
    const v = b.index(":2");
    v.requires_grad_();
    v.add_(1);
  },
  E17: () => {
    leaf(2).unsqueeze_(0);
  },
  E17b: () => {
    const a = leaf(2, 3);
    const b = a.mul(1);
    b.t_();
    return tuple(size(b.shape), b.grad_fn!.name());
  },
  E18: () => {
    const a = leaf(4);
    const b = a.mul(1);
    b.as_strided_([2], [2]);
    b.sum().backward();
    return a.grad;
  },
  E19: () => {
    const a = leaf(2);
    const d = a.detach();
    d.index_put_([0], 9);
    return tuple(a, a._version);
  },
  E20: () => {
    leaf(2).set_(torch.ones(3));
  },
  E21: () => {
    const a = leaf(1);
    const b = torch.zeros(3, 1);
    b.copy_(a.expand(3, 1));
    b.sum().backward();
    return a.grad;
  },
  E22: () => {
    const a = leaf(3);
    const b = a.mul(2);
    const m = torch.tensor([true, false, true]);
    const v = leaf(2);
    b.index_put_([m], v.mul(5));
    b.sum().backward();
    return tuple(a.grad, v.grad);
  },
  E23: () => {
    const v = leaf(3);
    const b = torch.zeros(2);
    b.index_put_([ints([0, 0, 1])], v, { accumulate: true });
    b.sum().backward();
    return tuple(b, v.grad);
  },
};
