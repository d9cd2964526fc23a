/** Activation functions of the torch namespace; torch.nn.functional has more. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { foundDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { celuOf, hardshrinkForm, preluKernel, seluOf, thresholdOf } from "./activation-forms.ts";

type Scalar = number | bigint | boolean;
type Threshold = FunctionOp<[self: Tensor, threshold: Scalar, value: Scalar]>;
type Celu = FunctionOp<[self: Tensor, alpha?: number], { alpha?: number }>;

const inNamespace = { method: false, takesOut: false };

/** `self` where it is above `threshold`, `value` elsewhere. */
export const threshold: Threshold = composite(
  "threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor",
  (self: Tensor, limit: Scalar, value: Scalar) => thresholdOf(self, limit, value, false),
  { method: false },
);
/** `threshold` in place. */
export const threshold_: Threshold = composite(
  "threshold_(Tensor self, Scalar threshold, Scalar value) -> Tensor",
  (self: Tensor, limit: Scalar, value: Scalar) => thresholdOf(self, limit, value, true),
  inNamespace,
);

/** max(x, 0) + min(alpha · (exp(x) - 1), 0), scaled so that deep networks keep mean 0 and variance 1. */
export const selu: FunctionOp<[self: Tensor]> = composite("selu(Tensor self) -> Tensor", (self: Tensor) => seluOf(self, false), inNamespace);
/** `selu` in place. */
export const selu_: FunctionOp<[self: Tensor]> = composite("selu_(Tensor self) -> Tensor", (self: Tensor) => seluOf(self, true), inNamespace);

/** max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0). */
export const celu: Celu = composite("celu(Tensor self, Scalar alpha=1.0) -> Tensor", (self: Tensor, alpha: number) => celuOf(self, alpha, false), inNamespace);
/** `celu` in place. */
export const celu_: Celu = composite("celu_(Tensor self, Scalar alpha=1.0) -> Tensor", (self: Tensor, alpha: number) => celuOf(self, alpha, true), inNamespace);

/** 0 where |x| <= lambd, x elsewhere. */
export const hardshrink: Op<[self: Tensor, lambd?: number], { lambd?: number }> = composite("hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", (self: Tensor, lambd: number) =>
  hardshrinkForm.call([self, lambd]),
  { outRule: foundDtype },
);

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
