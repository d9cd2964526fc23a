/** Draws with probabilities that a tensor gives, bit for bit PyTorch's on the CPU. */
import { kernel, KernelOverload } from "../../dispatch/define.ts";
import { makeOp, type InplaceOp, type Op } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import type { Floats } from "../../random/elements.ts";
import { defaultGenerator } from "../../random/generator.ts";
import { multinomial as draw } from "../../random/multinomial.ts";
import { FLOAT, int64 } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy } from "../creation/copy.ts";
import { zeros, zeros_like } from "../creation/creation.ts";
import { fillBernoulli, fillBernoulliBy, type RandomSource, type Source } from "./random-fill.ts";

function bernoulliLike(self: Tensor, fill: (out: Tensor) => void): Tensor {
  const out = emptyTensor(self._sizes, self.dtype);
  fill(out);
  return out;
}

/**
 * 1 with the probability that each element of `self` is, else 0; with `p`, with that probability in the sizes of `self`.
 * `bernoulli_(p)` writes into `self`, where `p` is a number or a tensor.
 *
 * @throws RuntimeError where a probability is outside [0, 1].
 */
export const bernoulli: InplaceOp<[self: Tensor, p?: number | Tensor], Source & { p?: number | Tensor }> = makeOp(
  "bernoulli",
  [
    new KernelOverload("bernoulli(Tensor self, *, Generator? generator=None) -> Tensor", {
      forward: (self: Tensor, source: RandomSource) => bernoulliLike(self, (out) => fillBernoulliBy(out, self, source)),
      backward: { self: ({ grad }) => zeros_like(grad) },
    }),
    new KernelOverload("bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor", {
      forward: (self: Tensor, p: number, source: RandomSource) => bernoulliLike(self, (out) => fillBernoulli(out, p, source)),
      backward: {
        self: () => {
          throw new RuntimeError("derivative for aten::bernoulli is not implemented");
        },
      },
      node: "NotImplemented",
    }),
    new KernelOverload("bernoulli.Tensor(Tensor self, Tensor p, *, Generator? generator=None) -> Tensor", {
      forward: (self: Tensor, p: Tensor, source: RandomSource) => bernoulliLike(self, (out) => fillBernoulliBy(out, p, source)),
      inplace: fillBernoulliBy,
      backward: { self: ({ grad }) => zeros_like(grad), p: ({ grad, p_sizes }) => zeros(p_sizes, { dtype: grad.dtype }) },
      node: "BernoulliBackward1",
    }),
    new KernelOverload("bernoulli.float(Tensor self, float p=0.5, *, Generator? generator=None) -> Tensor", {
      forward: (self: Tensor, p: number, source: RandomSource) => bernoulliLike(self, (out) => fillBernoulli(out, p, source)),
      inplace: fillBernoulli,
      backward: { self: ({ grad }) => zeros_like(grad) },
      node: "BernoulliBackward2",
    }),
  ],
  true,
) as unknown as typeof bernoulli;

/**
 * For each row of weights the positions of `num_samples` elements, drawn with probabilities proportional to the weights;
 * none twice, unless `replacement`. Sizes (n) give (num_samples), (m, n) give (m, num_samples); int64.
 *
 * @throws RuntimeError where weights are negative, not finite or all zero, or where there are too few of them.
 */
export const multinomial: Op<[self: Tensor, num_samples: number, replacement?: boolean], Source & { num_samples?: number; replacement?: boolean }> = kernel(
  "multinomial(Tensor self, int num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor",
  {
    forward: (self: Tensor, samples: number, replacement: boolean, source: RandomSource) => {
      const sizes = self._sizes;
      if (sizes.length < 1 || sizes.length > 2) throw new RuntimeError("prob_dist must be 1 or 2 dim");
      if (self.dtype.kind !== FLOAT) throw new RuntimeError(`multinomial only supports floating-point dtypes for input, got: ${self.dtype.title}`);
      if (samples <= 0) throw new RuntimeError("cannot sample n_sample <= 0 samples");
      const categories = sizes[sizes.length - 1];
      if (!replacement && samples > categories) throw new RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement");
      if (categories > 2 ** 24) throw new RuntimeError("number of categories cannot exceed 2^24");
      const out = emptyTensor([...sizes.slice(0, -1), samples], int64);
      const weights = contiguousCopy(self);
      if (out._numel > 0) draw(viewTyped(out) as BigInt64Array, viewTyped(weights) as Floats, categories, { samples, replacement }, source ?? defaultGenerator);
      return out;
    },
    outRule: sameDtype((out) => `multinomial expects Long tensor out, got: ${out.title}`),
  },
);
