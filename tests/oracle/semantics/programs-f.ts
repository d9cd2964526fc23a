import * as torch from "leafgrad";
import { leaf } from "./helpers.ts";
import { later, tuple } from "./pyrepr.ts";

/** Section F: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`. */
export const programs: Record<string, () => unknown> = {
  F01: () => {
    const a = leaf(2);
    return torch.no_grad(() => {
      const b = a.mul(2);
      const c = torch.ones(2, { requires_grad: true });
      const d = a.view(2);
      const e = torch.enable_grad(() => a.mul(2));
      const g = torch.is_grad_enabled();
      return tuple(b.requires_grad, c.requires_grad, d.requires_grad, e.requires_grad, later("nn.Parameter"), g);
    });
  },
  // A decorated function is a function that enters the mode when it is called; a generator cannot.
  F01b: () => {
    const o: unknown[] = [torch.is_grad_enabled()];
    torch.set_grad_enabled(false, () => o.push(torch.is_grad_enabled()));
    torch.set_grad_enabled(false);
    o.push(torch.is_grad_enabled());
    torch.set_grad_enabled(true);
    o.push(torch.is_grad_enabled());
    const f = (): boolean => torch.no_grad(() => torch.is_grad_enabled());
    o.push(f());
    const g = (): boolean => torch.no_grad(torch.is_grad_enabled);
    o.push(g());
    o.push(later("decorated generators"), torch.is_grad_enabled(), later("decorated generators"));
    return o;
  },
  F02: () => {
    const a = torch.inference_mode(() => torch.ones(2));
    a.add_(1);
  },
  F02b: () => {
    const a = torch.inference_mode(() => torch.ones(2));
    leaf(2).mul(a);
  },
  F02c: () => {
    const a = torch.inference_mode(() => torch.ones(2));
    return a._version;
  },
  F02d: () => {
    const a = torch.inference_mode(() => torch.ones(2));
    a.requires_grad_();
  },
  F02e: () =>
    torch.inference_mode(() => {
      const a = torch.ones(2);
      const b = leaf(2);
      const c = b.mul(2);
      return tuple(a.is_inference(), b.requires_grad, c.requires_grad, torch.is_grad_enabled(), torch.is_inference_mode_enabled());
    }),
  F02f: () => {
    const a = leaf(2).mul(1);
    const v = torch.inference_mode(() => a.view(2));
    v.add_(1);
  },
  F02g: () => {
    const a = leaf(2).mul(1);
    const v = torch.inference_mode(() => a.view(-1));
    a.add_(1);
    return v.grad_fn;
  },
  F02h: () => {
    const a = torch.inference_mode(() => torch.ones(2));
    return leaf(2).add(a).requires_grad;
  },
  F02i: () => {
    const a = torch.inference_mode(() => torch.ones(2));
    const b = torch.ones(2);
    b.data = a;
  },
  F02j: () => {
    const a = leaf(2);
    const b = a.mul(2).sum();
    torch.inference_mode(() => b.backward());
    return a.grad!.is_inference();
  },
  F02k: () => torch.inference_mode(torch.is_inference_mode_enabled),
  F02l: () => {
    const a = torch.inference_mode(() => torch.ones(2));
    return tuple(a.clone().is_inference(), a.view(2).is_inference());
  },
  F02m: () => {
    const a = leaf(2);
    const b = torch.inference_mode(() => torch.enable_grad(() => a.mul(2)));
    return tuple(b.requires_grad, b.is_inference());
  },
  F02n: () => {
    const a = torch.inference_mode(() => leaf(2));
    a.add(leaf(2)).sum().backward();
    return a.grad;
  },
  F03: () => {
    const a = leaf(2);
    const b = a.mul(1);
    const c = b.mul(b);
    torch.no_grad(() => b.add_(1));
    c.sum().backward();
  },
  F04: () =>
    torch.no_grad(() => {
      const a = torch.ones(1).requires_grad_();
      const b = a.mul(2);
      return tuple(a.requires_grad, a.is_leaf, b.is_leaf);
    }),
  F05: () => {
    const [x, y] = torch.no_grad(() =>
      torch.enable_grad(() => {
        const inner = torch.set_grad_enabled(false, () => torch.is_grad_enabled());
        return [inner, torch.is_grad_enabled()];
      }),
    );
    return tuple(x, y, torch.is_grad_enabled());
  },
  F06: () => {
    const f = (): unknown => torch.set_grad_enabled(false, () => torch.is_grad_enabled());
    return tuple(f(), torch.is_grad_enabled());
  },
};
