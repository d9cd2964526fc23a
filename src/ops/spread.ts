/** The gradient of sums and means: one value for all elements that were folded into one. */
import { gradMode } from "../autograd/grad-mode.ts";
import { KernelOverload } from "../dispatch/define.ts";
import { fused } from "../dispatch/fused.ts";
import { unfolded } from "../dispatch/reduce.ts";
import type { Formula } from "../ir/arithmetic.ts";
import type { Sizes } from "../tensor/layout.ts";
import { onlyElement, viewTyped, type ElementArray } from "../tensor/read.ts";
import { emptyTensor, type Tensor } from "../tensor/tensor.ts";

const quotient: Formula = ({ self, divisor }) => self.div(divisor);

/** `self` / `divisor`, repeated to `size`: dense, for what comes next runs fastest over dense gradients. */
const overload = new KernelOverload("spread(Tensor self, int[] size, float divisor) -> Tensor", {
  forward: (self: Tensor, size: Sizes, divisor: number) => {
    const out = emptyTensor(size, self.dtype);
    if (self._numel !== 1) return fused(quotient).run([self, divisor], self.dtype, self.dtype, out);
    const value = (onlyElement(self) as number) / divisor;
    (viewTyped(out) as Exclude<ElementArray, BigInt64Array>).fill(value);
    return out;
  },
  backward: { self: ({ grad, self_sizes, divisor }) => grad.sum_to_size(self_sizes).div(divisor) },
});

/** Brings the gradient of a fold over `dim` back to the elements, divided by `divisor`. */
export function spreadBack(grad: Tensor, sizes: Sizes, dim: readonly number[] | null, keepdim: boolean, divisor = 1): Tensor {
  const out = overload.call([unfolded(grad, sizes, dim, keepdim), sizes, divisor]) as Tensor;
  out._owned = !gradMode.enabled;
  return out;
}
