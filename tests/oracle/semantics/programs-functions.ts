import * as torch from "leafgrad";
import { leaf } from "./helpers.ts";

type Ctx = torch.autograd.function.FunctionCtx;
type Tensor = torch.Tensor;
const { Function, grad, set_detect_anomaly } = torch.autograd;

class Saving extends Function {
  static forward(ctx: Ctx, x: Tensor): Tensor {
    ctx.save_for_backward(x);
    return x.mul(2);
  }
  static backward(ctx: Ctx, g: Tensor): Tensor {
    void ctx.saved_tensors;
    return g.mul(2);
  }
}

/** Probes of all sections whose programs have custom Functions. */
export const programs: Record<string, () => unknown> = {
  C01g: () => {
    const b = leaf(2).mul(1);
    const c = Saving.apply(b);
    b.add_(1);
    c.sum().backward();
  },
  D01e: () => {
    const c = Saving.apply(leaf(2));
    c.sum().backward();
    c.sum().backward();
  },
  D21: () => {
    class Re extends Function {
      static forward(ctx: Ctx, x: Tensor): Tensor {
        return torch.enable_grad(() => {
          ctx.x = x.detach().requires_grad_();
          ctx.y = ctx.x.pow(2);
          return ctx.y.detach() as Tensor;
        });
      }
      static backward(ctx: Ctx, g: Tensor): Tensor {
        torch.enable_grad(() => ctx.y.backward(g));
        return ctx.x.grad as Tensor;
      }
    }
    const a = torch.tensor([3], { requires_grad: true });
    Re.apply(a).sum().backward();
    return a.grad;
  },
  E04: () => {
    class Id extends Function {
      static forward = (_ctx: Ctx, x: Tensor): Tensor => x.view_as(x);
      static backward = (_ctx: Ctx, g: Tensor): Tensor => g;
    }
    Id.apply(leaf(2).mul(1)).mul_(2);
  },
  E04b: () => {
    class Id extends Function {
      static forward = (_ctx: Ctx, x: Tensor): Tensor => x;
      static backward = (_ctx: Ctx, g: Tensor): Tensor => g;
    }
    Id.apply(leaf(2).mul(1)).mul_(2);
  },
  E04c: () => {
    class Id extends Function {
      static forward = (_ctx: Ctx, x: Tensor): Tensor[] => [x.index(":1"), x.index("1:")];
      static backward = (_ctx: Ctx, g: Tensor, h: Tensor): Tensor => torch.cat([g, h]);
    }
    Id.apply(leaf(2).mul(1))[0]!.mul_(2);
  },
  G01d: () => {
    class Fn extends Function {
      static forward = (_ctx: Ctx, x: Tensor): Tensor => x.mul(2);
      static backward(): never {
        throw new torch.ValueError("boom");
      }
    }
    set_detect_anomaly(true, () => Fn.apply(leaf(2)).sum().backward());
  },
  G01e: () => {
    class Fn extends Function {
      static forward = (_ctx: Ctx, x: Tensor): Tensor => x.clone();
      static backward = (_ctx: Ctx, g: Tensor): Tensor => Fn2.apply(g);
    }
    class Fn2 extends Function {
      static forward = (_ctx: Ctx, x: Tensor): Tensor => x.clone();
      static backward = (_ctx: Ctx, g: Tensor): Tensor => g.mul(NaN);
    }
    set_detect_anomaly(true, () => {
      const a = leaf(2);
      grad(Fn.apply(a).sum(), a, { create_graph: true })[0]!.sum().backward();
    });
  },
  "G01e(2)": () => {
    class MyFunc extends Function {
      static forward(ctx: Ctx, x: Tensor): Tensor {
        ctx.save_for_backward(x);
        return x.clone();
      }
      static backward = (ctx: Ctx, g: Tensor): Tensor => MyFunc2.apply(g.mul(ctx.saved_tensors[0]!));
    }
    class MyFunc2 extends Function {
      static forward = (_ctx: Ctx, x: Tensor): Tensor => x.clone();
      static backward = (_ctx: Ctx, g: Tensor): Tensor => g.mul(NaN);
    }
    set_detect_anomaly(true, () => {
      const a = leaf(2);
      grad(MyFunc.apply(a).sum(), a, { create_graph: true })[0]!.sum().backward();
    });
  },
};
