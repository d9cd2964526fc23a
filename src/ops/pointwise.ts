/** Functions of one tensor, element by element. Derivatives as in PyTorch's tools/autograd/derivatives.yaml. */
import { choose, pointwise, refuseBool } from "../dispatch/pointwise.ts";
import type { InplaceOp, Op } from "../dispatch/op.ts";
import { RuntimeError } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";

type Unary = InplaceOp<[self: Tensor]>;

const zero: Formula = () => 0;

/** Absolute value of each element. */
export const abs: Unary = pointwise("abs(Tensor self) -> Tensor", {
  value: ({ self }) => self.abs(),
  backward: { self: ({ grad, self }) => grad.mul(self.sign()) },
});

/** Each element with its sign turned. */
export const neg: Unary = pointwise("neg(Tensor self) -> Tensor", {
  value: ({ self }) => self.neg(),
  backward: { self: ({ grad }) => grad.neg() },
  check: refuseBool(
    "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.",
  ),
});

/** -1, 0 or 1, as the sign of each element. */
export const sign: Unary = pointwise("sign(Tensor self) -> Tensor", {
  value: ({ self }) => self.sign(),
  backward: { self: zero },
});

/** The sign of each element; for real tensors the same as `sign`. */
export const sgn: Unary = pointwise("sgn(Tensor self) -> Tensor", {
  value: ({ self }) => self.sign(),
  backward: { self: zero },
});

/** The largest whole number not above each element. */
export const floor: Unary = pointwise("floor(Tensor self) -> Tensor", {
  value: ({ self }) => self.floor(),
  backward: { self: zero },
});

/** The smallest whole number not below each element. */
export const ceil: Unary = pointwise("ceil(Tensor self) -> Tensor", {
  value: ({ self }) => self.ceil(),
  backward: { self: zero },
});

/** The nearest whole number, halves to even; with `decimals`, to that many decimal places. */
export const round: InplaceOp<[self: Tensor], { decimals?: number }> = pointwise("round(Tensor self, *, int decimals=0) -> Tensor", {
  value: choose(["decimals"], (decimals: number) => (decimals === 0 ? ({ self }) => self.round() : decimals > 0 ? roundFraction : roundTens)),
  backward: { self: zero },
});
const roundFraction: Formula = ({ self, decimals }) => {
  const scale = decimals.mul(0).add(10).pow(decimals);
  return self.mul(scale).round().div(scale);
};
const roundTens: Formula = ({ self, decimals }) => {
  const scale = decimals.mul(0).add(10).pow(decimals.neg());
  return self.div(scale).round().mul(scale);
};

/** Each element without its fraction. */
export const trunc: Unary = pointwise("trunc(Tensor self) -> Tensor", {
  value: ({ self }) => self.trunc(),
  backward: { self: zero },
});

/** The fraction of each element, with its sign. */
export const frac: Unary = pointwise("frac(Tensor self) -> Tensor", {
  value: ({ self }) => self.sub(self.trunc()),
  backward: { self: ({ grad }) => grad },
});

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
  value: ({ self }) => self.mul(0).add(2).pow(self),
  backward: { self: ({ grad, result }) => grad.mul(result).mul(Math.LN2) },
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
  value: ({ self }) => self.log().div(Math.LN2),
  backward: { self: ({ grad, self }) => grad.div(self.mul(Math.LN2)) },
});

/** Logarithm to base 10. */
export const log10: Unary = pointwise("log10(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.log().div(Math.LN10),
  backward: { self: ({ grad, self }) => grad.div(self.mul(Math.LN10)) },
});

/** log(1 + x), exact for small x. */
export const log1p: Unary = pointwise("log1p(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.log1p(),
  backward: { self: ({ grad, self }) => grad.div(self.add(1)) },
});

/** Sine of each element, in radians. */
export const sin: Unary = pointwise("sin(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.sin(),
  backward: { self: ({ grad, self }) => grad.mul(self.cos()) },
});

/** Cosine of each element, in radians. */
export const cos: Unary = pointwise("cos(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.cos(),
  backward: { self: ({ grad, self }) => grad.mul(self.sin().neg()) },
});

/** Tangent of each element, in radians. */
export const tan: Unary = pointwise("tan(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.tan(),
  backward: { self: ({ grad, result }) => grad.mul(result.mul(result).add(1)) },
});

/** Arc sine of each element, in radians. */
export const asin: Unary = pointwise("asin(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.asin(),
  backward: { self: ({ grad, self }) => grad.mul(self.neg().mul(self).add(1).rsqrt()) },
});

/** Arc cosine of each element, in radians. */
export const acos: Unary = pointwise("acos(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.acos(),
  backward: { self: ({ grad, self }) => grad.mul(self.neg().mul(self).add(1).rsqrt().neg()) },
});

/** Arc tangent of each element, in radians. */
export const atan: Unary = pointwise("atan(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.atan(),
  backward: { self: ({ grad, self }) => grad.div(self.mul(self).add(1)) },
});

/** Hyperbolic sine of each element. */
export const sinh: Unary = pointwise("sinh(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.sinh(),
  backward: { self: ({ grad, self }) => grad.mul(self.cosh()) },
});

/** Hyperbolic cosine of each element. */
export const cosh: Unary = pointwise("cosh(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.cosh(),
  backward: { self: ({ grad, self }) => grad.mul(self.sinh()) },
});

/** Hyperbolic tangent of each element. */
export const tanh: Unary = pointwise("tanh(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.tanh(),
  backward: { self: ({ grad, result }) => grad.mul(result.mul(result).neg().add(1)) },
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
  backward: { self: ({ grad, self }) => self.mul(self).neg().exp().mul(2 / Math.sqrt(Math.PI)).mul(grad) },
});

/** max(x, 0); its slope at 0 is 0. */
export const relu: Unary = pointwise("relu(Tensor self) -> Tensor", {
  value: ({ self }) => self.masked_fill(self.lt(0), 0),
  backward: { self: ({ grad, result }) => grad.masked_fill(result.le(0), 0) },
  check: (_values, common) => {
    if (common.name === "bool") throw new RuntimeError("Boolean inputs not supported for relu");
  },
});

/** Is each element not a number? Bool. */
export const isnan: Op<[self: Tensor]> = pointwise("isnan(Tensor self) -> Tensor", { out: "bool", value: ({ self }) => self.isnan() });

/** Is each element infinite? Bool. */
export const isinf: Op<[self: Tensor]> = pointwise("isinf(Tensor self) -> Tensor", {
  out: "bool",
  value: ({ self }) => self.eq(Infinity).logical_or(self.eq(-Infinity)),
});

/** Is each element finite? Bool. */
export const isfinite: Op<[self: Tensor]> = pointwise("isfinite(Tensor self) -> Tensor", {
  out: "bool",
  value: ({ self }) => self.sub(self).eq(0),
});
