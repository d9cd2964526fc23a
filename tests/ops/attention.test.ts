/** Attention as one node against the same made of other ops. */
import fc from "fast-check";
import { expect, it } from "vitest";
import * as torch from "../../src/index.ts";

type Tensor = torch.Tensor;
const { scaled_dot_product_attention: attention } = torch.nn.functional;

const size = fc.integer({ min: 1, max: 9 });

it("has the value and the gradients of its definition, in any layout", () => {
  fc.assert(
    fc.property(fc.tuple(size, size, size, size, size), fc.nat(), fc.boolean(), fc.boolean(), ([batch, heads, l, s, width], seed, together, masked) => {
      torch.manual_seed(seed);
      const input = (positions: number): Tensor => {
        const drawn = torch.randn(together ? [batch, positions, heads, width] : [batch, heads, positions, width], { dtype: torch.float64 });
        return (together ? drawn.transpose(1, 2) : drawn).detach().requires_grad_();
      };
      const [query, key, value] = [input(l), input(s), input(s)];
      const mask = masked ? torch.randn(l, s, { dtype: torch.float64 }) : null;
      const scores = query.matmul(key.mT).mul(0.7);
      const defined = (mask === null ? scores : scores.add(mask)).softmax(-1).matmul(value);
      const fused = attention(query, key, value, mask, { scale: 0.7 });
      expect(fused.grad_fn!.name()).toBe("ScaledDotProductFlashAttentionForCpuBackward0");
      const grad = torch.randn_like(defined);
      const gradients = (out: Tensor): readonly Tensor[] => torch.autograd.grad(out, [query, key, value], grad) as readonly Tensor[];
      const [expected, got] = [[defined.detach(), ...gradients(defined)], [fused.detach(), ...gradients(fused)]];
      got.forEach((t, i) => expect(torch.allclose(t, expected[i]!, { rtol: 1e-9, atol: 1e-12 })).toBe(true));
    }),
  );
});

it("gives zeros where nothing may be attended to", () => {
  const x = torch.randn(1, 2, 3, 4).requires_grad_();
  const mask = torch.tensor([[true, false, true], [false, false, false], [true, true, true]]);
  const out = attention(x, x, x, mask);
  expect(out.index("0, :, 1").tolist()).toEqual([[0, 0, 0, 0], [0, 0, 0, 0]]);
  out.sum().backward();
  expect(x.grad!.isfinite().all().item()).toBe(true);
});
