/** Layer norm: the gradients out of fused passes over rows against those that are recorded op by op. */
import fc from "fast-check";
import { expect, it } from "vitest";
import * as torch from "../../src/index.ts";

const size = fc.integer({ min: 1, max: 40 });

it("has the same gradients fused as recorded", () => {
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 3 }), fc.nat(), fc.boolean(), fc.boolean(), (sizes, seed, weighed, single) => {
      torch.manual_seed(seed);
      const dtype = single ? torch.float32 : torch.float64;
      const shape = sizes.slice(seed % sizes.length);
      const x = torch.randn(sizes, { dtype, requires_grad: true });
      const parameter = (): torch.Tensor | null => (weighed ? torch.randn(shape, { dtype, requires_grad: true }) : null);
      const [weight, bias] = [parameter(), parameter()];
      const inputs = [x, weight, bias].filter((t) => t !== null);
      const out = torch.nn.functional.layer_norm(x, shape, weight, bias, 1e-3);
      const grad = torch.randn_like(out);
      const gradients = (create_graph: boolean): readonly torch.Tensor[] =>
        torch.autograd.grad(out, inputs, grad, { retain_graph: true, create_graph }) as readonly torch.Tensor[];
      const recorded = gradients(true);
      const tolerance = single ? { rtol: 1e-4, atol: 1e-3 } : { rtol: 1e-9, atol: 1e-10 };
      gradients(false).forEach((t, i) => expect(torch.allclose(t, recorded[i]!.detach(), tolerance)).toBe(true));
    }),
  );
});
