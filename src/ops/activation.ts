/** Activation functions, element by element. Formulas as in aten/src/ATen/native/cpu/Activation.cpp. */
import { composite } from "../dispatch/define.ts";
import { choose, PointwiseOverload } from "../dispatch/pointwise.ts";
import type { FunctionOp, Op } from "../dispatch/op.ts";
import { RuntimeError } from "../errors.ts";
import type { Arithmetic, Formula } from "../ir/arithmetic.ts";
import { BOOL, checkFits, float32, INT, type DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { noKernel } from "./refusals.ts";

type Scalar = number | bigint | boolean;

/** 0 everywhere, and yet a function of `x`, so that a gradient made with it can be differentiated again. */
const zeroOf = <V extends Arithmetic<V>>(x: V): V => x.sign().mul(0);

/** Runs the plain or the in-place form. */
const run = (form: PointwiseOverload, written: PointwiseOverload, inplace: boolean, values: unknown[]): Tensor =>
  inplace ? written.inplace!(values) : form.call(values);

const thresholdForm = (node?: string): PointwiseOverload =>
  new PointwiseOverload("threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", {
    value: ({ self, threshold, value }) => self.masked_fill(self.le(threshold), value),
    backward: { self: ({ grad, self, threshold }) => zeroOf(self).where(self.le(threshold), grad) },
    check: noKernel("threshold_cpu", BOOL),
    ...(node === undefined ? {} : { node }),
  });
const [thresholdOut, thresholdIn] = [thresholdForm(), thresholdForm("ThresholdBackward1")];

/** `self` where it is above `threshold`, `value` elsewhere. */
export const threshold: FunctionOp<[self: Tensor, threshold: Scalar, value: Scalar]> = composite(
  "threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor",
  (...values: unknown[]) => thresholdOut.call(values),
  { method: false },
);
/** `threshold` in place. */
export const threshold_: typeof threshold = composite("threshold_(Tensor self, Scalar threshold, Scalar value) -> Tensor", (...values: unknown[]) => thresholdIn.inplace!(values), {
  method: false,
  takesOut: false,
});

export const hardtanh = new PointwiseOverload("hardtanh(Tensor self, Scalar min_val, Scalar max_val) -> Tensor", {
  value: ({ self, min_val, max_val }) => self.maximum(min_val).minimum(max_val),
  backward: { self: ({ grad, self, min_val, max_val }) => zeroOf(self).where(self.le(min_val).logical_or(self.ge(max_val)), grad) },
  refuse: (_values, common) => {
    if (common.kind === BOOL) throw new RuntimeError("Bool inputs not supported for hardtanh");
  },
});

function leakyReluForm(passed: "self" | "result", node: string): PointwiseOverload {
  const slope: Formula = ({ grad, self, negative_slope }) => grad.mul(zeroOf(self).add(1).where(self.gt(0), negative_slope));
  const slopeOfResult: Formula = ({ grad, result, negative_slope }) => grad.mul(zeroOf(result).add(1).where(result.gt(0), negative_slope));
  return new PointwiseOverload("leaky_relu(Tensor self, Scalar negative_slope) -> Tensor", {
    value: ({ self, negative_slope }) => self.where(self.gt(0), self.mul(negative_slope)),
    backward: {
      self: choose(["negative_slope"], (negative: number) => (passed === "self" ? slope : negative < 0 ? noNegativeSlope : slopeOfResult)),
    },
    check: noKernel("leaky_relu_cpu", BOOL, INT),
    node,
  });
}
const noNegativeSlope: Formula = ({ result: _result }) => {
  throw new RuntimeError(
    "In-place leakyReLu backward calculation is triggered with a negative slope which is not supported. This is caused by calling in-place forward function with a negative slope, please call out-of-place version instead. File an issue at https://github.com/pytorch/pytorch if you do require supporting in-place leakRelu backward calculation with negative slope",
  );
};
const [leakyReluOut, leakyReluIn] = [leakyReluForm("self", "LeakyReluBackward0"), leakyReluForm("result", "LeakyReluBackward1")];

/** x where it is positive, `negative_slope` · x elsewhere. */
export const leakyRelu = (self: Tensor, slope: Scalar, inplace: boolean): Tensor => run(leakyReluOut, leakyReluIn, inplace, [self, slope]);

const eluValue: Formula = ({ self, alpha, scale, input_scale }) => self.mul(scale).where(self.gt(0), self.mul(input_scale).expm1().mul(alpha.mul(scale)));
const eluGrad: Formula = ({ grad, self, alpha, scale, input_scale }) =>
  grad.mul(scale).where(self.gt(0), grad.mul(self.mul(input_scale).exp().mul(alpha.mul(scale)).mul(input_scale)));
const eluResultGrad: Formula = ({ grad, result, alpha, scale, input_scale }) =>
  grad.mul(scale).where(result.gt(0), grad.mul(result.add(alpha.mul(scale)).mul(input_scale)));
const noNegativeElu: Formula = ({ result: _result }) => {
  throw new RuntimeError(
    "In-place elu backward calculation is triggered with a negative slope which is not supported. This is caused by calling in-place forward function with a negative slope, please call out-of-place version instead.",
  );
};
const eluForm = (grad: Formula | ReturnType<typeof choose>, node: string): PointwiseOverload =>
  new PointwiseOverload("elu(Tensor self, Scalar alpha, Scalar scale, Scalar input_scale) -> Tensor", {
    value: eluValue,
    backward: { self: grad },
    check: noKernel("elu_cpu", BOOL, INT),
    node,
  });
const writtenEluGrad = choose(["alpha"], (alpha: number) => (alpha < 0 ? noNegativeElu : eluResultGrad));
const [eluOut, eluIn] = [eluForm(eluGrad, "EluBackward0"), eluForm(writtenEluGrad, "EluBackward1")];
const [celuOut, celuIn] = [eluForm(eluGrad, "CeluBackward0"), eluForm(writtenEluGrad, "CeluBackward1")];

/** scale · x where x is positive, scale · alpha · (exp(x) - 1) elsewhere. */
export const eluOf = (self: Tensor, alpha: Scalar, scale: number, inplace: boolean): Tensor => run(eluOut, eluIn, inplace, [self, alpha, scale, 1]);

/** max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0). */
export function celuOf(self: Tensor, alpha: number, inplace: boolean): Tensor {
  if (alpha === 0) throw new RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU");
  return run(celuOut, celuIn, inplace, [self, alpha, 1, 1 / alpha]);
}

// Klambauer et al., "Self-normalizing neural networks" (2017).
const selu_ = (self: Tensor, inplace: boolean): Tensor => eluOf(self, 1.6732632423543772, 1.0507009873554805, inplace);
export { selu_ as seluOf };

const normalDensity = 1 / Math.sqrt(2 * Math.PI);
const half = 0.5;
const geluSlope = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

const geluValue: Formula = ({ self }) => self.mul(half).mul(self.mul(Math.SQRT1_2).erf().add(1));
const geluGrad: Formula = ({ grad, self }) => {
  const below = self.mul(Math.SQRT1_2).erf().add(1).mul(half);
  return grad.mul(below.add(self.mul(self.mul(self).mul(-half).exp().mul(normalDensity))));
};
const geluTanhValue: Formula = ({ self }) => {
  const inner = self.add(self.mul(self).mul(self).mul(cubic)).mul(geluSlope);
  return self.mul(half).mul(inner.tanh().add(1));
};
const geluTanhGrad: Formula = ({ grad, self }) => {
  const square = self.mul(self);
  const tanh = self.add(square.mul(self).mul(cubic)).mul(geluSlope).tanh();
  const inner = square.mul(3 * cubic).add(1).mul(geluSlope);
  return grad.mul(tanh.add(1).mul(half).add(self.mul(half).mul(tanh.mul(tanh).neg().add(1)).mul(inner)));
};

/** x · Φ(x), or its approximation with tanh (Hendrycks and Gimpel, 2016). */
export const gelu = new PointwiseOverload('gelu(Tensor self, *, str approximate="none") -> Tensor', {
  value: choose(["approximate"], (approximate) => (approximate === "none" ? geluValue : geluTanhValue)),
  backward: { self: choose(["approximate"], (approximate) => (approximate === "none" ? geluGrad : geluTanhGrad)) },
  refuse: ([, approximate]) => {
    if (approximate !== "none" && approximate !== "tanh") throw new RuntimeError("approximate argument must be either none or tanh.");
  },
  check: noKernel("GeluKernelImpl", BOOL, INT),
});

/** x · sigmoid(x). */
export const silu = new PointwiseOverload("silu(Tensor self) -> Tensor", {
  value: ({ self }) => self.div(self.neg().exp().add(1)),
  backward: {
    self: ({ grad, self }) => {
      const s = self.sigmoid();
      return grad.mul(s).mul(self.mul(s.neg().add(1)).add(1));
    },
  },
  check: noKernel("silu_cpu", BOOL, INT),
});

/** x · tanh(log(1 + exp(x))). */
export const mish = new PointwiseOverload("mish(Tensor self) -> Tensor", {
  value: ({ self }) => self.mul(self.exp().log1p().tanh()),
  backward: {
    self: ({ grad, self }) => {
      const t = self.exp().log1p().tanh();
      return grad.mul(t.add(self.mul(self.sigmoid()).mul(t.mul(t).neg().add(1))));
    },
  },
  check: noKernel("mish_cpu", BOOL, INT),
});

/** log(1 + exp(beta · x)) / beta, and x itself where beta · x is above `threshold`. */
export const softplus = new PointwiseOverload("softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", {
  value: ({ self, beta, threshold }) => self.where(self.mul(beta).gt(threshold), self.mul(beta).exp().log1p().div(beta)),
  backward: {
    self: ({ grad, self, beta, threshold }) => {
      const z = self.mul(beta).exp();
      return grad.where(self.mul(beta).gt(threshold), grad.mul(z).div(z.add(1)));
    },
  },
  check: noKernel("softplus_cpu", BOOL, INT),
});

/** x · min(max(x + 3, 0), 6) / 6. */
export const hardswish = new PointwiseOverload("hardswish(Tensor self) -> Tensor", {
  value: ({ self }) => self.mul(self.add(3).masked_fill(self.lt(-3), 0).masked_fill(self.gt(3), 6)).div(6),
  backward: {
    self: ({ grad, self }) => grad.where(self.ge(3), grad.mul(self.div(3).add(half))).masked_fill(self.le(-3), 0),
  },
  check: noKernel("hardswish_cpu", BOOL, INT),
});

/** min(max(x + 3, 0), 6) / 6. */
export const hardsigmoid = new PointwiseOverload("hardsigmoid(Tensor self) -> Tensor", {
  value: ({ self }) => self.add(3).masked_fill(self.lt(-3), 0).masked_fill(self.gt(3), 6).div(6),
  backward: { self: ({ grad, self }) => grad.div(6).masked_fill(self.gt(-3).logical_and(self.lt(3)).logical_not(), 0) },
  check: noKernel("hardsigmoid_cpu", BOOL, INT),
});

/** log(sigmoid(x)). */
export const logSigmoid = new PointwiseOverload("log_sigmoid(Tensor self) -> Tensor", {
  value: ({ self }) => self.masked_fill(self.gt(0), 0).sub(self.abs().neg().exp().log1p()),
  backward: {
    self: ({ grad, self }) => {
      const z = self.abs().neg().exp();
      const share = z.div(z.add(1));
      return grad.mul(share.where(self.ge(0), share.neg().add(1)));
    },
  },
  check: noKernel("log_sigmoid_cpu", BOOL, INT),
});

const shrunkGrad: Formula = ({ grad, self, lambd }) => zeroOf(self).where(self.ge(lambd.neg()).logical_and(self.le(lambd)), grad);

/** 0 where |x| <= lambd, x elsewhere. */
const hardshrinkForm = new PointwiseOverload("hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", {
  value: ({ self, lambd }) => self.masked_fill(self.ge(lambd.neg()).logical_and(self.le(lambd)), 0),
  backward: { self: shrunkGrad },
  check: noKernel("hardshrink_cpu", BOOL, INT),
});

/** 0 where |x| <= lambd, x elsewhere. */
export const hardshrink: Op<[self: Tensor, lambd?: number], { lambd?: number }> = composite("hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", (...values: unknown[]) =>
  hardshrinkForm.call(values),
);

function checkLambda([, lambd]: readonly unknown[], common: DType): void {
  noKernel("softshrink_check", BOOL, INT)([], common);
  if (!((lambd as number) >= 0)) {
    const most = common === float32 ? "3.40282e+38" : "1.79769e+308";
    throw new RuntimeError(`lambda must be in range [0, ${most}] for input dtype ${common.title}, but found ${String(lambd)}`);
  }
  checkFits(lambd as number, common);
}

/** x brought nearer to 0 by `lambd`, and 0 within it. */
export const softshrink = new PointwiseOverload("softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", {
  value: ({ self, lambd }) => self.sub(lambd).where(self.gt(lambd), self.add(lambd).where(self.lt(lambd.neg()), self.mul(0))),
  backward: { self: shrunkGrad },
  refuse: checkLambda,
});

const preluKernel = new PointwiseOverload("_prelu_kernel(Tensor self, Tensor weight) -> Tensor", {
  value: ({ self, weight }) => self.where(self.gt(0), self.mul(weight)),
  backward: {
    self: ({ grad, self, weight }) => grad.where(self.gt(0), grad.mul(weight)),
    weight: ({ grad, self }) => self.mul(grad).masked_fill(self.gt(0), 0),
  },
  numbers: false,
  node: "PreluKernelBackward0",
});

/** x where it is positive, `weight` · x elsewhere; one weight, or one for each channel (dimension 1). */
export const prelu: Op<[self: Tensor, weight: Tensor]> = composite("prelu(Tensor self, Tensor weight) -> Tensor", (self: Tensor, weight: Tensor) => {
  if (self.dtype !== weight.dtype) throw new RuntimeError(`prelu: Type promoting not supported. Got ${self.dtype.title} and ${weight.dtype.title}`);
  const ndim = self._sizes.length;
  let shaped = weight;
  if (weight._numel !== 1) {
    if (ndim === 0) throw new RuntimeError("Not allow zero-dim input tensor.");
    const channels = ndim > 1 ? self._sizes[1] : 1;
    if (channels !== weight._numel) {
      throw new RuntimeError(`Mismatch of parameter numbers and input channel size. Found parameter numbers = ${weight._numel} and channel size = ${channels}.`);
    }
  }
  if (weight._sizes.length > 1) throw new RuntimeError(`prelu: Expected \`weight\` to be a scalar or 1D tensor, but got: ndim = ${weight._sizes.length}`);
  if (weight._sizes.length !== 0 || ndim === 0) {
    shaped = ndim === 1 || ndim === 0 ? weight.reshape(self._sizes.map(() => 1)) : weight.reshape(self._sizes.map((_, d) => (d === 1 ? weight._numel : 1)));
  }
  return preluKernel.call([self, shaped]);
});

/** PyTorch's torch.selu: `elu` with the scales of self-normalizing networks. */
export const selu: FunctionOp<[self: Tensor]> = composite("selu(Tensor self) -> Tensor", (self: Tensor) => selu_(self, false), { method: false, takesOut: false });
/** max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0). */
export const celu: FunctionOp<[self: Tensor, alpha?: number], { alpha?: number }> = composite(
  "celu(Tensor self, Scalar alpha=1.0) -> Tensor",
  (self: Tensor, alpha: number) => celuOf(self, alpha, false),
  { method: false, takesOut: false },
);
