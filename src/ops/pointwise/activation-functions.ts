/** Activation functions that the torch namespace has beside torch.nn.functional. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { celuOf, seluOf, thresholdOf } from "./activation-forms.ts";

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
