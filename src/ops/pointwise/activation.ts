/** Activation functions that are methods too, as in aten/src/ATen/native/cpu/Activation.cpp; torch.nn.functional has more. */
import { composite } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { foundDtype } from "../../dispatch/out.ts";
import { PointwiseOverload } from "../../dispatch/pointwise.ts";
import { RuntimeError } from "../../errors.ts";
import type { Arithmetic, Formula } from "../../ir/arithmetic.ts";
import { BOOL, INT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { noKernel } from "./refusals.ts";

/** 0 everywhere, and yet a function of `x`, so that a gradient made with it can be differentiated again. */
export const zeroOf = <V extends Arithmetic<V>>(x: V): V => x.sign().abs().mul(0);

/** The gradient of what is 0 within `lambd`. */
export const shrunkGrad: Formula = ({ grad, self, lambd }) => grad.where(self.lt(lambd.neg()).logical_or(self.gt(lambd)), zeroOf(self));

const hardshrinkForm = new PointwiseOverload("hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", {
  value: ({ self, lambd }) => self.masked_fill(self.ge(lambd.neg()).logical_and(self.le(lambd)), 0),
  backward: { self: shrunkGrad },
  check: noKernel("hardshrink_cpu", BOOL, INT),
});

/** 0 where |x| <= lambd, x elsewhere. */
export const hardshrink: Op<[self: Tensor, lambd?: number], { lambd?: number }> = composite("hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", (self: Tensor, lambd: number) =>
  hardshrinkForm.call([self, lambd]),
  { outRule: foundDtype },
);

const preluKernel = new PointwiseOverload("_prelu_kernel(Tensor self, Tensor weight) -> Tensor", {
  value: ({ self, weight }) => self.where(self.gt(0), self.mul(weight)),
  backward: {
    self: ({ grad, self, weight }) => grad.mul(zeroOf(self).add(1).where(self.gt(0), weight)),
    weight: ({ grad, self }) => self.mul(grad).masked_fill(self.ge(0), 0),
  },
  check: noKernel("prelu_cpu", BOOL, INT),
  numbers: false,
  node: "PreluKernelBackward0",
});

/** The weights in a shape that broadcasts along dimension 1 of `self`. */
function channelWeights(self: Tensor, weight: Tensor): Tensor {
  const ndim = self._sizes.length;
  const count = weight._numel;
  if (count !== 1) {
    if (ndim === 0) throw new RuntimeError("Not allow zero-dim input tensor.");
    const channels = ndim > 1 ? self._sizes[1] : 1;
    if (channels !== count) {
      throw new RuntimeError(`Mismatch of parameter numbers and input channel size. Found parameter numbers = ${count} and channel size = ${channels}.`);
    }
  }
  if (weight._sizes.length > 1) throw new RuntimeError(`prelu: Expected \`weight\` to be a scalar or 1D tensor, but got: ndim = ${weight._sizes.length}`);
  if (weight._sizes.length === 0 && ndim > 0) return weight;
  return weight.reshape(self._sizes.map((_, d) => (d === 1 ? count : 1)));
}

/** x where it is positive, `weight` · x elsewhere; one weight, or one for each channel (dimension 1). */
export const prelu: Op<[self: Tensor, weight: Tensor]> = composite(
  "prelu(Tensor self, Tensor weight) -> Tensor",
  (self: Tensor, weight: Tensor) => {
    if (self.dtype !== weight.dtype) throw new RuntimeError(`prelu: Type promoting not supported. Got ${self.dtype.title} and ${weight.dtype.title}`);
    return preluKernel.call([self, channelWeights(self, weight)]);
  },
  { takesOut: false },
);
