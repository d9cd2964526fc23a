/** RMS norm: the fused passes over rows against the tensor ops that record gradients. */
import fc from "fast-check";
import { expect, it } from "vitest";
import * as torch from "../../src/index.ts";

const size = fc.integer({ min: 1, max: 40 });

it("is the same fused as it is recorded", () => {
  fc.assert(
    fc.property(fc.array(size, { minLength: 2, maxLength: 3 }), fc.nat(), fc.boolean(), fc.boolean(), (sizes, seed, weighed, turned) => {
      torch.manual_seed(seed);
      const shape = sizes.slice(1 + (seed % (sizes.length - 1)));
      const drawn = torch.randn(turned ? [...sizes].reverse() : sizes, { dtype: torch.float64 });
      const x = turned ? drawn.permute(sizes.map((_, d) => sizes.length - 1 - d)) : drawn;
      const weight = weighed ? torch.randn(shape, { dtype: torch.float64 }) : null;
      const fused = torch.rms_norm(x, shape, weight, 1e-3);
      const recorded = torch.rms_norm(x.detach().requires_grad_(), shape, weight, 1e-3);
      expect([fused.is_contiguous(), recorded.is_contiguous(), fused.grad_fn]).toEqual([true, true, null]);
      expect(torch.allclose(fused, recorded.detach(), { rtol: 1e-12, atol: 1e-14 })).toBe(true);
    }),
  );
});
