/** Powers of e and 2, logarithms, roots and functions made of them. Integers and bools give the default float dtype. */
import { pointwise } from "../../dispatch/pointwise.ts";
import type { InplaceOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, FLOAT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";

type Unary = InplaceOp<[self: Tensor]>;

/** Square root of each element. */
export const sqrt: Unary = pointwise("sqrt(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.sqrt(),
  backward: { self: ({ grad, result }) => grad.div(result.mul(2)) },
});

/** 1 / sqrt of each element. */
export const rsqrt: Unary = pointwise("rsqrt(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.rsqrt(),
  backward: { self: ({ grad, result }) => grad.mul(-0.5).mul(result.pow(3)) },
});

/** 1 / each element. */
export const reciprocal: Unary = pointwise("reciprocal(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.reciprocal(),
  backward: { self: ({ grad, result }) => grad.neg().mul(result.mul(result)) },
});

/** e to the power of each element. */
export const exp: Unary = pointwise("exp(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.exp(),
  backward: { self: ({ grad, result }) => grad.mul(result) },
});

/** 2 to the power of each element. */
export const exp2: Unary = pointwise("exp2(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.exp2(),
  backward: { self: ({ grad, result }) => grad.mul(result).mul(Math.LN2) },
});

/** Only floats hold what `ldexp` gives. */
function refuseScaled(target: Tensor): void {
  if (target.dtype.kind !== FLOAT) throw new RuntimeError(`ldexp can't be cast to the desired output type ${target.dtype.title}`);
}

/** self · 2^other. */
export const ldexp: InplaceOp<[self: Tensor, other: Tensor]> = pointwise("ldexp.Tensor(Tensor self, Tensor other) -> Tensor", {
  out: "float",
  value: ({ self, other }) => self.mul(other.exp2()),
  backward: {
    self: ({ grad, other }) => grad.mul(other.exp2()),
    other: ({ grad, result }) => grad.mul(result).mul(Math.LN2),
  },
  numbers: false,
  refuse([self], _common, inplace) {
    if (inplace) refuseScaled(self as Tensor);
  },
  check([self, other]) {
    if ((self as Tensor).dtype.kind === FLOAT && (other as Tensor).dtype.kind === BOOL) throw new NotImplementedError(`"ldexp_cpu_exp" not implemented for 'Bool'`);
  },
  outRule: { refuses: refuseScaled },
});

/** exp(x) - 1, exact for small x. */
export const expm1: Unary = pointwise("expm1(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.expm1(),
  backward: { self: ({ grad, result }) => grad.mul(result.add(1)) },
});

/** Natural logarithm of each element. */
export const log: Unary = pointwise("log(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.log(),
  backward: { self: ({ grad, self }) => grad.div(self) },
});

/** Logarithm to base 2. */
export const log2: Unary = pointwise("log2(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.log2(),
  backward: { self: ({ grad, self }) => grad.div(self.mul(Math.LN2)) },
});

/** Logarithm to base 10. */
export const log10: Unary = pointwise("log10(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.log10(),
  backward: { self: ({ grad, self }) => grad.div(self.mul(Math.LN10)) },
});

/** log(1 + x), exact for small x. */
export const log1p: Unary = pointwise("log1p(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.log1p(),
  backward: { self: ({ grad, self }) => grad.div(self.add(1)) },
  node: "Log1PBackward0",
});

/** 1 / (1 + exp(-x)). */
export const sigmoid: Unary = pointwise("sigmoid(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.sigmoid(),
  backward: { self: ({ grad, result }) => grad.mul(result.neg().add(1).mul(result)) },
});

/** The error function of each element. */
export const erf: Unary = pointwise("erf(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.erf(),
  // `self` first, as in PyTorch: the layout of the gradient follows the first operand.
  backward: { self: ({ self, grad }) => self.mul(self).neg().exp().mul(2 / Math.sqrt(Math.PI)).mul(grad) },
});
