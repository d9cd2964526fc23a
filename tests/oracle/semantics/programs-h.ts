import * as torch from "leafgrad";
import { leaf, loose } from "./helpers.ts";
import { float, tuple } from "./pyrepr.ts";

const { graph } = torch.autograd;
const queueCallback = (fn: () => void): void => torch.autograd.Variable._execution_engine.queue_callback(fn);
type Grads = readonly (torch.Tensor | null)[];

const item = (x: torch.Tensor): unknown => float(Number(x.item()));
/** `x.tolist()` of a vector of floats. */
const floats = (x: torch.Tensor): unknown[] => (x.tolist() as number[]).map(float);
const same = (x: torch.Tensor): torch.Tensor => x;

/** Section H: hooks of tensors, nodes and saved tensors. Hooks are anonymous: PyTorch's texts name `<lambda>`. */
export const programs: Record<string, () => unknown> = {
  H01: () => {
    torch.ones(2).register_hook((g) => g);
  },
  H01b: () => {
    const a = leaf(2);
    const b = a.mul(2);
    b.register_hook((g) => g.mul(10));
    b.sum().backward();
    return a.grad;
  },
  H01c: () => {
    const a = leaf(2);
    const o: unknown[] = [];
    a.register_hook((g) => void o.push(tuple("hook", a.grad === null, floats(g))));
    a.mul(2).sum().backward();
    return tuple(o, a.grad);
  },
  H01d: () => {
    const a = leaf(2);
    a.register_hook(loose(() => 3));
    a.mul(2).sum().backward();
  },
  H01e: () => {
    const a = leaf(2);
    a.register_hook(() => torch.ones(3));
    a.mul(2).sum().backward();
  },
  H01f: () => {
    const a = leaf(2);
    a.register_hook((g) => g.double());
    a.mul(2).sum().backward();
  },
  H01g: () => {
    const a = leaf(1);
    const o: unknown[] = [];
    a.register_hook((g) => (o.push(item(g)), g.add(1)));
    a.register_hook((g) => (o.push(item(g)), null));
    a.register_hook((g) => (o.push(item(g)), g.mul(2)));
    a.mul(2).sum().backward();
    return tuple(o, a.grad);
  },
  H01h: () => {
    const a = leaf(1);
    const h = a.register_hook((g) => g.mul(100));
    h.remove();
    a.mul(2).sum().backward();
    return a.grad;
  },
  H01i: () => {
    const a = leaf(1);
    const b = a.mul(2);
    const o: unknown[] = [];
    b.register_hook((g) => void o.push(item(g)));
    b.mul_(5);
    b.sum().backward();
    return o;
  },
  H01j: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.mul_(5);
    const o: unknown[] = [];
    b.register_hook((g) => void o.push(item(g)));
    b.sum().backward();
    return o;
  },
  H01k: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.retain_grad();
    b.register_hook((g) => g.mul(3));
    b.sum().backward();
    return tuple(b.grad, a.grad);
  },
  H01l: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.register_hook((g) => g.mul(3));
    return tuple(tuple(...torch.autograd.grad(b.sum(), b)));
  },
  H01m: () => {
    const a = leaf(1);
    a.register_hook((g) => g.mul(3));
    return tuple(...torch.autograd.grad(a.mul(2).sum(), a));
  },
  H02: () => {
    const a = leaf(1);
    const o: unknown[] = [];
    a.register_post_accumulate_grad_hook((p) => void o.push(item(p.grad!)));
    a.mul(2).sum().backward();
    a.mul(2).sum().backward();
    return o;
  },
  H02b: () => {
    leaf(1).mul(2).register_post_accumulate_grad_hook(() => null);
  },
  H02c: () => {
    torch.ones(1).register_post_accumulate_grad_hook(() => null);
  },
  H02d: () => {
    const a = leaf(1);
    a.register_post_accumulate_grad_hook(loose(() => 3));
    a.mul(2).sum().backward();
  },
  H03: () => {
    const a = leaf(1);
    const b = a.mul(2);
    const o: unknown[] = [];
    b.grad_fn!.register_hook((gi: Grads, go: Grads) => void o.push(tuple("post", tuple(...gi), tuple(...go))));
    b.grad_fn!.register_prehook((go: Grads) => void o.push(tuple("pre", tuple(...go))));
    b.sum().backward();
    return o;
  },
  H03b: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.grad_fn!.register_hook((gi: Grads) => [gi[0]!.mul(7), gi[1]!]);
    b.sum().backward();
    return a.grad;
  },
  H03c: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.grad_fn!.register_prehook((go: Grads) => [go[0]!.mul(7)]);
    b.sum().backward();
    return a.grad;
  },
  H03d: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.grad_fn!.register_hook((gi: Grads) => [gi[0]!, gi[0]!, gi[0]!]);
    b.sum().backward();
  },
  H03e: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.grad_fn!.register_prehook((go: Grads) => [go[0]!, go[0]!, go[0]!]);
    b.sum().backward();
  },
  H03f: () => {
    const a = leaf(1);
    const b = a.mul(2);
    const o: string[] = [];
    b.grad_fn!.register_prehook(() => void o.push("node_pre"));
    b.register_hook(() => void o.push("tensor_hook"));
    b.retain_grad();
    b.grad_fn!.register_hook(() => void o.push("node_post"));
    b.sum().backward();
    return o;
  },
  H03g: () => {
    const a = leaf(1);
    const acc = loose(a.mul(2).grad_fn!.next_functions[0]![0]);
    const o: unknown[] = [];
    acc.register_hook((gi: Grads, go: Grads) => void o.push(tuple(tuple(...gi), tuple(...go))));
    a.mul(2).sum().backward();
    return tuple(o, acc.variable === a);
  },
  H04: () => {
    const o: string[] = [];
    const [a2, b] = graph.saved_tensors_hooks(
      (x: torch.Tensor) => (o.push("pack"), x.mul(2)),
      (x: torch.Tensor) => (o.push("unpack"), x),
      (): [torch.Tensor, torch.Tensor] => {
        leaf(1).mul(1);
        const a2 = leaf(1);
        return [a2, a2.mul(a2)];
      },
    );
    b.sum().backward();
    return tuple(o, a2.grad);
  },
  H04b: () => {
    graph.saved_tensors_hooks((x: torch.Tensor) => x.mul_(2), same, () => {
      const a = leaf(1);
      const b = a.mul(1);
      b.mul(b).sum().backward();
    });
  },
  H04c: () => {
    const b = graph.saved_tensors_hooks(loose(() => 1), loose(() => 1), () => {
      const a = leaf(1);
      return a.mul(a);
    });
    b.sum().backward();
  },
  H04d: () => {
    graph.disable_saved_tensors_hooks("no hooks please", () => {
      graph.saved_tensors_hooks(same, same, () => {});
    });
  },
  H04e: () => {
    const a = leaf(1);
    const b = a.mul(a);
    loose(b.grad_fn)._raw_saved_self.register_hooks(same, same);
    loose(b.grad_fn)._raw_saved_self.register_hooks(same, same);
  },
  H04f: () => {
    const a = leaf(1);
    const b = a.mul(a);
    const s = loose(b.grad_fn)._raw_saved_self;
    b.sum().backward();
    s.register_hooks(same, same);
  },
  H04g: () => {
    const a = leaf(1);
    const b = a.mul(torch.ones(1));
    const s = loose(b.grad_fn)._raw_saved_self;
    s.register_hooks(same, same);
  },
  H04i: () => {
    const [a, b] = graph.save_on_cpu((): [torch.Tensor, torch.Tensor] => {
      const a = leaf(1);
      return [a, a.mul(a)];
    });
    b.sum().backward();
    return a.grad;
  },
  H06: () => {
    const [a, b] = [leaf(1), leaf(1)];
    const o: unknown[] = [];
    graph.register_multi_grad_hook([a, b], (gs: Grads) => void o.push(gs.map((g) => (g ? item(g) : null))));
    a.mul(2).add(b.mul(3)).sum().backward();
    return o;
  },
  H07: () => {
    const a = leaf(1);
    a.register_hook(() => {
      throw new torch.ValueError("in hook");
    });
    a.mul(2).sum().backward();
  },
  H08: () => {
    const a = leaf(1);
    const o: number[] = [];
    a.register_hook(() => void o.push(1));
    a.register_hook(() => void o.push(2));
    a.mul(2).sum().backward();
    return o;
  },
  H09: () => {
    const x = leaf(2, 2);
    const [a, b] = x.unbind(0);
    const o: unknown[] = [];
    b!.register_hook((g) => void o.push(g));
    a!.sum().backward();
    return tuple(o, x.grad);
  },
  H10: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.retain_grad();
    b.mul_(5);
    b.sum().backward();
    return tuple(b.grad, b.retains_grad);
  },
  H11: () => {
    const a = leaf(1);
    const o: unknown[] = [];
    a.register_hook((g) => void o.push(item(g)));
    torch.no_grad(() => a.mul_(2));
    a.mul(3).sum().backward();
    return o;
  },
  H12: () => {
    const a = leaf(1);
    const b = a.mul(2);
    b.register_hook(loose(() => 1));
    b.detach_();
    return b.requires_grad;
  },
  H13: () => {
    const a = leaf(1);
    const o: number[] = [];
    const hd = a.register_hook(() => {
      o.push(1);
      hd.remove();
    });
    a.mul(2).sum().backward();
    a.mul(2).sum().backward();
    return o;
  },
  H14: () => {
    const a = leaf(1);
    {
      using _handle = a.register_hook((g) => g.mul(10)); // Python's `with`
      a.mul(2).sum().backward();
    }
    a.mul(2).sum().backward();
    return a.grad;
  },
  H15: () => {
    const b = leaf(1).mul(2);
    loose(b.grad_fn).register_hook(() => null, { prepend: true });
  },
  H16: () => {
    const a = leaf(1);
    const o: string[] = [];
    a.register_hook(() => {
      queueCallback(() => void o.push("cb"));
    });
    a.mul(2).sum().backward();
    return o;
  },
  H16b: () => {
    queueCallback(() => {});
  },
};
