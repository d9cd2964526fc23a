import * as torch from "leafgrad";
import { leaf } from "./helpers.ts";
import { tuple } from "./pyrepr.ts";

/** Section B: which in-place writes are refused. */
export const programs: Record<string, () => unknown> = {
  B01: () => {
    leaf(2).add_(1);
  },
  B01b: () => {
    const a = leaf(2);
    a.add_(1); // `a += 1`
  },
  B01c: () => {
    const a = leaf(2);
    a.index_put_([0], 1);
  },
  B01d: () => {
    leaf(2).zero_();
  },
  B01e: () => {
    torch.add(torch.ones(2), torch.ones(2), { out: leaf(2) });
  },
  B01f: () => {
    torch.add(leaf(2), torch.ones(2), { out: torch.empty(2) });
  },
  B01g: () => {
    leaf(2).normal_();
  },
  B02: () => {
    leaf(2).view(2).add_(1);
  },
  B02b: () => {
    leaf(2).index("0:1").mul_(2);
  },
  B02c: () => {
    leaf(2).view(2).detach_();
  },
  B03: () => {
    const a = leaf(2);
    torch.no_grad(() => a.add_(1));
    return tuple(a, a._version, a.is_leaf);
  },
  B04: () => {
    const a = torch.zeros(2);
    const b = leaf(2);
    a.add_(b);
    return tuple(a.requires_grad, a.is_leaf, a.grad_fn!.name());
  },
  B05: () => {
    const base = torch.zeros(2, 2);
    const v = base.index(0);
    v.mul_(leaf(2));
    return tuple(base.requires_grad, base.grad_fn!.name(), v.grad_fn!.name(), base._version, v._version);
  },
  B06: () => {
    torch.ones(2, { dtype: torch.int64 }).add_(leaf(2));
  },
  B07: () => {
    torch.ones(2).add_(torch.ones(3, 2));
  },
  B08: () => {
    torch.ones(1).expand(3).add_(1);
  },
  B09: () => {
    const a = torch.ones(4);
    a.index("1:").copy_(a.index(":-1"));
    return a;
  },
  B10: () => {
    const a = torch.ones(4);
    a.index("1:").add_(a.index(":-1"));
  },
};
