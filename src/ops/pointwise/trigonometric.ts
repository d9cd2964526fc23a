/** Trigonometric and hyperbolic functions, in radians. Integers and bools give the default float dtype. */
import { choose, pointwise } from "../../dispatch/pointwise.ts";
import type { InplaceOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { valueOnly, type Arithmetic, type Formula } from "../../ir/arithmetic.ts";
import { BOOL, INT, uint8 } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { boolNegation, noKernel } from "./refusals.ts";

type Unary = InplaceOp<[self: Tensor]>;
type Binary = InplaceOp<[self: Tensor, other: Tensor]>;

/** Sine of each element. */
export const sin: Unary = pointwise("sin(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.sin(),
  backward: { self: ({ grad, self }) => grad.mul(self.cos()) },
});

/** Cosine of each element. */
export const cos: Unary = pointwise("cos(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.cos(),
  backward: { self: ({ grad, self }) => grad.mul(self.sin().neg()) },
});

/** Tangent of each element. */
export const tan: Unary = pointwise("tan(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.tan(),
  backward: { self: ({ grad, result }) => grad.mul(result.mul(result).add(1)) },
});

/** Arc sine of each element. */
export const asin: Unary = pointwise("asin(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.asin(),
  backward: { self: ({ grad, self }) => grad.mul(self.neg().mul(self).add(1).rsqrt()) },
});

/** Arc cosine of each element. */
export const acos: Unary = pointwise("acos(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.acos(),
  backward: { self: ({ grad, self }) => grad.mul(self.neg().mul(self).add(1).rsqrt().neg()) },
});

/** Arc tangent of each element. */
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

/** Inverse hyperbolic sine of each element. */
export const asinh: Unary = pointwise("asinh(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.asinh(),
  backward: { self: ({ grad, self }) => grad.mul(self.mul(self).add(1).rsqrt()) },
});

/** Inverse hyperbolic cosine of each element. */
export const acosh: Unary = pointwise("acosh(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.acosh(),
  backward: { self: ({ grad, self }) => grad.mul(self.mul(self).sub(1).rsqrt()) },
});

/** Inverse hyperbolic tangent of each element. */
export const atanh: Unary = pointwise("atanh(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.atanh(),
  backward: { self: ({ grad, self }) => grad.div(self.mul(self).neg().add(1)) },
});

// The square comes first, as in PyTorch: second derivatives are added in the order in which the first was computed.
const angleGrad: Formula = ({ grad, self, other }) => {
  const scale = inverseSquare(self, other);
  return grad.mul(other).mul(scale);
};
const otherAngleGrad: Formula = ({ grad, self, other }) => {
  const scale = inverseSquare(self, other);
  return grad.mul(self.neg()).mul(scale);
};
// PyTorch turns the sign of a uint8 in uint8, where it wraps.
const byteAngleGrad: Formula = ({ grad, self, other }) => {
  const scale = inverseSquare(self, other);
  return grad.mul(self.neg().add(256).where(self.ne(0), 0)).mul(scale);
};
const noBoolAngle: Formula = ({ self: _self, other: _other }) => {
  throw new RuntimeError(boolNegation);
};

/** The angle of the point (other, self). */
export const atan2: Binary = pointwise("atan2(Tensor self, Tensor other) -> Tensor", {
  out: "float",
  value: ({ self, other }) => self.atan2(other),
  backward: {
    self: angleGrad,
    other: choose(["self"], (self: Tensor) => (self.dtype.kind === BOOL ? noBoolAngle : self.dtype === uint8 ? byteAngleGrad : otherAngleGrad)),
  },
  numbers: false,
});

/** 1 / (x² + y²), 0 at the origin. */
function inverseSquare<V extends Arithmetic<V>>(x: V, y: V): V {
  const square = x.mul(x).add(y.mul(y));
  return square.reciprocal().masked_fill(square.eq(0), 0);
}

/** sqrt(self² + other²) without overflow on the way. */
export const hypot: Binary = pointwise("hypot(Tensor self, Tensor other) -> Tensor", {
  value: valueOnly(({ self, other }) => self.hypot(other)),
  backward: {
    self: ({ grad, self, result }) => grad.mul(self).div(result),
    other: ({ grad, other, result }) => grad.mul(other).div(result),
  },
  check: noKernel("hypot_cpu", BOOL, INT),
  numbers: false,
});
