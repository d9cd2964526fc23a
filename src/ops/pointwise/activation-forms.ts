/** The formulas of activation functions, as in aten/src/ATen/native/cpu/Activation.cpp. Some differ in place: their gradient is made of the result. */
import { KernelOverload } from "../../dispatch/define.ts";
import { choose, PointwiseOverload } from "../../dispatch/pointwise.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { BOOL, checkFits, float32, INT, uint8, type DType } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { cat } from "../shape/joining.ts";
import { shrunkGrad, zeroOf } from "./activation.ts";
import { noKernel, both, mustFit } from "./refusals.ts";

type Scalar = number | bigint | boolean;

/** Runs the plain or the in-place form. */
const run = (form: PointwiseOverload, written: PointwiseOverload, inplace: boolean, values: unknown[]): Tensor =>
  inplace ? written.inplace!(values) : form.call(values);

const thresholdForm = (node?: string): PointwiseOverload =>
  new PointwiseOverload("threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", {
    value: ({ self, threshold, value }) => self.masked_fill(self.le(threshold), value),
    backward: { self: ({ self, grad, threshold }) => zeroOf(self).where(self.le(threshold), grad) },
    check: both(noKernel("threshold_cpu", BOOL), mustFit(1, 2)),
    ...(node === undefined ? {} : { node }),
  });
const [thresholdOut, thresholdIn] = [thresholdForm(), thresholdForm("ThresholdBackward1")];

/** `self` where it is above the threshold, `value` elsewhere. */
export const thresholdOf = (self: Tensor, threshold: Scalar, value: Scalar, inplace: boolean): Tensor =>
  run(thresholdOut, thresholdIn, inplace, [self, threshold, value]);

/** x brought into [min_val, max_val]; its slope at the bounds is 0. */
export const hardtanhForm = new PointwiseOverload("hardtanh(Tensor self, Scalar min_val, Scalar max_val) -> Tensor", {
  value: ({ self, min_val, max_val }) => self.maximum(min_val).minimum(max_val),
  backward: { self: ({ grad, self, min_val, max_val }) => grad.where(self.gt(min_val).logical_and(self.lt(max_val)), zeroOf(self)) },
  refuse: ([, min, max], common) => {
    if (common.kind === BOOL) throw new RuntimeError("Bool inputs not supported for hardtanh");
    if (common === uint8 && (Math.trunc(Number(min)) < 0 || Math.trunc(Number(max)) < 0)) throw new RuntimeError("cannot do hardtanh on an unsigned type with negative limits");
  },
  layout: "like self",
});

export function leakyReluForm(passed: "self" | "result", node: string): PointwiseOverload {
  const slope: Formula = ({ self, grad, negative_slope }) => zeroOf(self).add(1).where(self.gt(0), negative_slope).mul(grad);
  const slopeOfResult: Formula = ({ result, grad, negative_slope }) => zeroOf(result).add(1).where(result.gt(0), negative_slope).mul(grad);
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
export const leakyReluOf = (self: Tensor, slope: Scalar, inplace: boolean): Tensor => run(leakyReluOut, leakyReluIn, inplace, [self, slope]);

const eluValue: Formula = ({ self, alpha, scale, input_scale }) => self.mul(input_scale).expm1().mul(alpha.mul(scale)).where(self.le(0), self.mul(scale));
const eluGrad: Formula = ({ grad, self, alpha, scale, input_scale }) => {
  // From 0 on the exponential has no slope, and might overflow.
  const slope = self.masked_fill(self.ge(0), 0).mul(input_scale).exp().mul(alpha.mul(scale)).mul(input_scale);
  return grad.mul(slope).where(self.le(0), grad.mul(scale));
};
const eluResultGrad: Formula = ({ grad, result, alpha, scale, input_scale }) =>
  grad.mul(result.add(alpha.mul(scale)).mul(input_scale)).where(result.le(0), grad.mul(scale));
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

/** `elu` with the scales of Klambauer et al., "Self-normalizing neural networks" (2017). */
export const seluOf = (self: Tensor, inplace: boolean): Tensor => eluOf(self, 1.6732632423543772, 1.0507009873554805, inplace);

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
export const geluForm = new PointwiseOverload('gelu(Tensor self, *, str approximate="none") -> Tensor', {
  value: choose(["approximate"], (approximate) => (approximate === "none" ? geluValue : geluTanhValue)),
  backward: { self: choose(["approximate"], (approximate) => (approximate === "none" ? geluGrad : geluTanhGrad)) },
  refuse: ([, approximate]) => {
    if (approximate !== "none" && approximate !== "tanh") throw new RuntimeError("approximate argument must be either none or tanh.");
  },
  check: noKernel("GeluKernelImpl", BOOL, INT),
});

/** x · sigmoid(x). */
export const siluForm = new PointwiseOverload("silu(Tensor self) -> Tensor", {
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
export const mishForm = new PointwiseOverload("mish(Tensor self) -> Tensor", {
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
export const softplusForm = new PointwiseOverload("softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", {
  value: ({ self, beta, threshold }) => self.where(self.mul(beta).gt(threshold), self.mul(beta).exp().log1p().div(beta)),
  backward: {
    self: ({ grad, self, beta, threshold }) => grad.where(self.mul(beta).gt(threshold), grad.mul(self.mul(beta).sigmoid())),
  },
  check: noKernel("softplus_cpu", BOOL, INT),
});

/** x · min(max(x + 3, 0), 6) / 6. */
export const hardswishForm = new PointwiseOverload("hardswish(Tensor self) -> Tensor", {
  value: ({ self }) => self.mul(self.add(3).masked_fill(self.lt(-3), 0).masked_fill(self.gt(3), 6)).div(6),
  backward: {
    self: ({ grad, self }) => grad.mul(self.div(3).add(half)).where(self.lt(3), grad).masked_fill(self.le(-3), 0),
  },
  check: noKernel("hardswish_cpu", BOOL, INT),
});

/** min(max(x + 3, 0), 6) / 6. */
export const hardsigmoidForm = new PointwiseOverload("hardsigmoid(Tensor self) -> Tensor", {
  value: ({ self }) => self.add(3).masked_fill(self.lt(-3), 0).masked_fill(self.gt(3), 6).div(6),
  backward: { self: ({ grad, self }) => grad.div(6).masked_fill(self.gt(-3).logical_and(self.lt(3)).logical_not(), 0) },
  check: noKernel("hardsigmoid_cpu", BOOL, INT),
});

/** log(sigmoid(x)). */
export const logSigmoidForm = new PointwiseOverload("log_sigmoid(Tensor self) -> Tensor", {
  value: ({ self }) => self.masked_fill(self.gt(0), 0).sub(self.abs().neg().exp().log1p()),
  backward: {
    self: ({ grad, self }) => grad.mul(self.neg().sigmoid()),
  },
  check: noKernel("log_sigmoid_cpu", BOOL, INT),
  layout: "contiguous",
});

function checkLambda([, lambd]: readonly unknown[], common: DType): void {
  noKernel("softshrink_check", BOOL, INT)([], common);
  if (!((lambd as number) >= 0)) {
    const most = common === float32 ? "3.40282e+38" : "1.79769e+308";
    throw new RuntimeError(`lambda must be in range [0, ${most}] for input dtype ${common.title}, but found ${String(lambd)}`);
  }
  checkFits(lambd as number, common);
}

/** x brought nearer to 0 by `lambd`, and 0 within it. */
export const softshrinkForm = new PointwiseOverload("softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", {
  value: ({ self, lambd }) => self.sub(lambd).where(self.gt(lambd), self.add(lambd).where(self.lt(lambd.neg()), self.mul(0))),
  backward: { self: shrunkGrad },
  refuse: checkLambda,
});

const halves = (self: Tensor, dim: number): readonly Tensor[] => self.chunk(2, dim);

/** a · sigmoid(b), where a and b are the halves of `self` along `dim`. */
export const gluForm = new KernelOverload("glu(Tensor self, int dim=-1) -> Tensor", {
  forward: (self: Tensor, dim: number) => {
    const { _sizes: sizes, dtype } = self;
    if (sizes.length === 0) throw new RuntimeError("glu does not support scalars because halving size must be even");
    const wrapped = wrapDim(dim, sizes.length);
    if (sizes[wrapped] % 2 !== 0) throw new RuntimeError(`Halving dimension must be even, but dimension ${wrapped} is size ${sizes[wrapped]}`);
    noKernel("glu_cpu", BOOL, INT)([], dtype);
    const [a, b] = halves(self, wrapped);
    return a.mul(b.sigmoid());
  },
  backward: {
    self: ({ grad, self, dim }: { grad: Tensor; self: Tensor; dim: number }) => {
      const [a, b] = halves(self, dim);
      const gate = b.sigmoid();
      const passed = grad.mul(gate);
      return cat([passed, passed.mul(a).mul(gate.neg().add(1))], dim);
    },
  },
});
