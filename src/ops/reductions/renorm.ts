/** Slices brought down to a largest norm. */
import { kernel } from "../../dispatch/define.ts";
import type { InplaceOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { numberText } from "../../schema/cpp-text.ts";
import { contiguousCopy } from "../creation/copy.ts";
import { normBackward, vector_norm } from "./vector-norm.ts";

/** The dimensions of a slice, the norm of each, which slices are too long, and what a norm counts as in a quotient. */
function measured(self: Tensor, p: number, dim: number, most: number): { dims: number[]; norms: Tensor; tooLong: Tensor; divisor: Tensor } {
  const d = wrapDim(dim, self._sizes.length);
  const dims = [...self._sizes.keys()].filter((i) => i !== d);
  const norms = vector_norm(self, p, dims, true);
  return { dims, norms, tooLong: norms.gt(most), divisor: norms.add(1e-7) };
}

/**
 * `self` with each slice along `dim` whose p-norm is above `maxnorm` brought down to that.
 *
 * @throws RuntimeError where p is not positive, maxnorm is negative, or there are less than two dimensions.
 * @example
 * torch.tensor([[3, 4], [0.3, 0.4]]).renorm(2, 0, 1); // tensor([[0.6000, 0.8000], [0.3000, 0.4000]])
 */
export const renorm: InplaceOp<[self: Tensor, p: number, dim: number, maxnorm: number], { p?: number; dim?: number; maxnorm?: number }> = kernel(
  "renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor",
  {
    forward: (self: Tensor, p: number, dim: number, most: number) => {
      const n = self._sizes.length;
      if (p <= 0) throw new RuntimeError("renorm: non-positive-norm not supported");
      if (!(most >= 0)) throw new RuntimeError(`renorm: expected maxnorm to be >= 0 but got ${numberText(most)}`);
      if (n < 2) throw new RuntimeError(`renorm: input needs at least 2 dimensions, got ${n} dimensions`);
      const { tooLong, divisor } = measured(self, p, dim, most);
      return contiguousCopy(self.mul(divisor.reciprocal().mul(most).where(tooLong, 1)));
    },
    backward: {
      self: ({ grad, self, p, dim, maxnorm }) => {
        const { dims, norms, tooLong, divisor } = measured(self, p, dim, maxnorm);
        const ofNorms = grad.mul(self).sum(dims, true).mul(-maxnorm).div(divisor.pow(2));
        const shortened = grad.mul(maxnorm).div(divisor).add(normBackward(ofNorms, self, p, norms, dims, true) ?? 0);
        return shortened.where(tooLong, grad);
      },
    },
    inplace: true,
  },
);
