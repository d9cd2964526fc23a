/** Signs, magnitudes and rounding. Derivatives here and in all ops as in PyTorch's tools/autograd/derivatives.yaml. */
import { rowMajorGradient } from "../../dispatch/fused.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { choose, overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import { composite } from "../../dispatch/define.ts";
import type { InplaceOp, Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { valueOnly, type Formula } from "../../ir/arithmetic.ts";
import { BOOL, INT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { boolNegation, noKernel, refuseBool } from "./refusals.ts";

type Unary = InplaceOp<[self: Tensor]>;

const zero: Formula = () => 0;

/** Absolute value of each element. */
export const abs: Unary = pointwise("abs(Tensor self) -> Tensor", {
  value: ({ self }) => self.abs(),
  backward: { self: ({ grad, self }) => grad.mul(self.sgn()) },
  check: noKernel("abs_cpu", BOOL),
});

/** Each element with its sign turned. */
export const neg: Unary = pointwise("neg(Tensor self) -> Tensor", {
  value: ({ self }) => self.neg(),
  backward: { self: ({ grad }) => grad.neg() },
  check: refuseBool(boolNegation),
});

/** `self` itself; refused for bool tensors. */
export const positive: Op<[self: Tensor]> = composite("positive(Tensor self) -> Tensor", (self: Tensor) => {
  if (self.dtype.kind === BOOL) throw new RuntimeError("The `+` operator, on a bool tensor is not supported.");
  return self;
});

/** -1, 0 or 1, as the sign of each element. */
export const sign: Unary = pointwise("sign(Tensor self) -> Tensor", {
  value: ({ self }) => self.sign(),
  backward: { self: zero },
});

/** The sign of each element; for real tensors the same as `sign`, but saved for backward as PyTorch saves it. */
export const sgn: Unary = pointwise("sgn(Tensor self) -> Tensor", {
  value: ({ self }) => self.sign(),
  backward: { self: rowMajorGradient(({ grad: _grad, self: _self, result: _result }) => 0) },
});

/** Is the sign bit of each element set? Bool. */
export const signbit: Op<[self: Tensor]> = pointwise("signbit(Tensor self) -> Tensor", {
  out: "bool",
  value: valueOnly(({ self }) => self.signbit()),
  outRule: sameDtype(() => "signbit does not support non-boolean outputs."),
});

/** The largest whole number not above each element. */
export const floor: Unary = pointwise("floor(Tensor self) -> Tensor", {
  value: ({ self }) => self.floor(),
  backward: { self: zero },
  check: noKernel("floor_vml_cpu", BOOL),
});

/** The smallest whole number not below each element. */
export const ceil: Unary = pointwise("ceil(Tensor self) -> Tensor", {
  value: ({ self }) => self.ceil(),
  backward: { self: zero },
  check: noKernel("ceil_vml_cpu", BOOL),
});

const roundFraction: Formula = ({ self, decimals }) => {
  const scale = decimals.mul(0).add(10).pow(decimals);
  return self.mul(scale).round().div(scale);
};
const roundTens: Formula = ({ self, decimals }) => {
  const scale = decimals.mul(0).add(10).pow(decimals.neg());
  return self.div(scale).round().mul(scale);
};
const roundWhole: Formula = ({ self }) => self.round();

/** The nearest whole number, halves to even; with `decimals`, to that many decimal places. */
export const round: InplaceOp<[self: Tensor], { decimals?: number }> = overloaded(
  {},
  new PointwiseOverload("round(Tensor self) -> Tensor", { value: roundWhole, backward: { self: zero }, check: noKernel("round_vml_cpu", BOOL) }),
  new PointwiseOverload("round.decimals(Tensor self, *, int decimals) -> Tensor", {
    value: choose(["decimals"], (decimals: number) => (decimals === 0 ? roundWhole : decimals > 0 ? roundFraction : roundTens)),
    backward: { self: zero },
    node: "RoundBackward1",
    check: ([, decimals], common) => noKernel(decimals === 0 ? "round_vml_cpu" : "round_cpu", BOOL, INT)([], common),
  }),
);

/** Each element without its fraction. */
export const trunc: Unary = pointwise("trunc(Tensor self) -> Tensor", {
  value: ({ self }) => self.trunc(),
  backward: { self: zero },
  check: noKernel("trunc_vml_cpu", BOOL),
});

/** The fraction of each element, with its sign. */
export const frac: Unary = pointwise("frac(Tensor self) -> Tensor", {
  value: ({ self }) => self.sub(self.trunc()),
  backward: { self: ({ grad }) => grad },
  check: noKernel("frac_cpu", BOOL, INT),
});

/** max(x, 0); its slope at 0 is 0. */
export const relu: Unary = pointwise("relu(Tensor self) -> Tensor", {
  value: ({ self }) => self.masked_fill(self.lt(0), 0),
  // `result` first, as in PyTorch: the layout of the gradient follows it. The sign is 0 there; it keeps the gradient a function of `result`, so that it can be differentiated again.
  backward: { self: ({ result, grad }) => result.sign().where(result.le(0), grad) },
  check: refuseBool("Boolean inputs not supported for relu"),
  takesOut: false,
});

const radiansPerDegree = Math.PI / 180;

/** Degrees as radians. */
export const deg2rad: Unary = pointwise("deg2rad(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.mul(radiansPerDegree),
  backward: { self: ({ grad }) => grad.mul(radiansPerDegree) },
  node: "Deg2RadBackward0",
  layout: "like self",
});

/** Radians as degrees. */
export const rad2deg: Unary = pointwise("rad2deg(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.mul(180 / Math.PI),
  backward: { self: ({ grad }) => grad.mul(180 / Math.PI) },
  node: "Rad2DegBackward0",
  layout: "like self",
});
