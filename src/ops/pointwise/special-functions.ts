/** Special functions and their kin, element by element. */
import { composite } from "../../dispatch/define.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { choose, type Choice, overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { FunctionOp, InplaceOp, Op, TensorLike } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { valueOnly, type Arithmetic, type Formula } from "../../ir/arithmetic.ts";
import { bool, BOOL, FLOAT, float32, INT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { boolDifference, noKernel } from "./refusals.ts";

type Unary = InplaceOp<[self: Tensor]>;
type Binary = InplaceOp<[self: Tensor, other: TensorLike]>;
/** Both operands are tensors, and there is no in-place form. */
type Pair = Op<[self: Tensor, other: Tensor]>;

/** 1 - erf(x), without loss of digits where erf(x) is near 1. */
export const erfc: Unary = pointwise("erfc(Tensor self) -> Tensor", {
  out: "float",
  value: valueOnly(({ self }) => self.erfc()),
  // `self` first, as in PyTorch: the layout of the gradient follows the first operand.
  backward: { self: ({ self, grad }) => self.mul(self).neg().exp().mul(-2 / Math.sqrt(Math.PI)).mul(grad) },
});

/** sin(πx) / (πx), 1 at 0. */
export const sinc: Unary = pointwise("sinc(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => {
    const angle = self.mul(Math.PI);
    return angle.sin().div(angle).masked_fill(self.eq(0), 1);
  },
  backward: {
    self: ({ grad, self }) => {
      const angle = self.mul(Math.PI);
      const square = self.mul(self).mul(Math.PI);
      return grad.mul(angle.mul(angle.cos()).sub(angle.sin()).div(square)).masked_fill(square.eq(0), 0);
    },
  },
});

const logitOf: Formula = ({ self }) => self.div(self.neg().add(1)).log();
const logitWithin: Formula = ({ self, eps }) => {
  const z = self.maximum(eps).minimum(eps.neg().add(1));
  return z.div(z.neg().add(1)).log();
};

/** log(x / (1 - x)); with `eps`, of x brought into [eps, 1 - eps]. NaN outside (0, 1) without it. */
export const logit: InplaceOp<[self: Tensor, eps?: number | null], { eps?: number | null }> = pointwise("logit(Tensor self, float? eps=None) -> Tensor", {
  out: "float",
  value: choose(["eps"], (eps) => (eps === null ? logitOf : logitWithin)),
  backward: {
    self: choose(["eps"], (eps) => (eps === null ? logitGrad : logitWithinGrad)),
  },
});
const logitGrad: Formula = ({ grad, self }) => grad.div(self.mul(self.neg().add(1))).masked_fill(self.lt(0).logical_or(self.gt(1)), NaN);
const logitWithinGrad: Formula = ({ grad, self, eps }) =>
  grad.div(self.mul(self.neg().add(1))).masked_fill(self.lt(eps).logical_or(self.gt(eps.neg().add(1))), 0);

const boolSlope: Formula = ({ grad: _grad, self: _self, other: _other }) => {
  throw new RuntimeError(boolDifference);
};
/** PyTorch subtracts the operands as they are, which bools refuse. */
const unlessBools = (slope: Formula): Choice => choose(["self", "other"], (...operands: Tensor[]) => (operands.some(({ dtype }) => dtype === bool) ? boolSlope : slope));

/** log(exp(self) + exp(other)), without overflow on the way. */
export const logaddexp: Pair = pointwise("logaddexp(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => {
    const larger = self.maximum(other);
    const sum = larger.add(self.sub(other).abs().neg().exp().log1p());
    return larger.where(self.eq(other).logical_and(larger.abs().eq(Infinity)), sum);
  },
  backward: {
    self: unlessBools(({ grad, self, other }) => grad.div(other.sub(self).exp().add(1))),
    other: unlessBools(({ grad, self, other }) => grad.div(self.sub(other).exp().add(1))),
  },
  check: noKernel("logaddexp_cpu", BOOL, INT),
  inplace: false,
  numbers: false,
});

/** log2(2^self + 2^other), without overflow on the way. */
export const logaddexp2: Pair = pointwise("logaddexp2(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => {
    const larger = self.maximum(other);
    const sum = larger.add(self.sub(other).abs().neg().exp2().log1p().mul(Math.LOG2E));
    return larger.where(self.eq(other).logical_and(larger.abs().eq(Infinity)), sum);
  },
  backward: {
    self: unlessBools(({ grad, self, other }) => grad.div(other.sub(self).exp2().add(1))),
    other: unlessBools(({ grad, self, other }) => grad.div(self.sub(other).exp2().add(1))),
  },
  check: noKernel("logaddexp2_cpu", BOOL, INT),
  inplace: false,
  numbers: false,
});

const signed: Formula = valueOnly(({ self, other }) => self.copysign(other));
const signedGrad: Formula = ({ grad, self, result }) => grad.mul(result.div(self).masked_fill(self.eq(0), 0));

/** The magnitude of `self` with the sign of `other`. */
export const copysign: Binary = overloaded(
  {},
  new PointwiseOverload("copysign.Tensor(Tensor self, Tensor other) -> Tensor", { out: "float", value: signed, backward: { self: signedGrad, other: () => 0 }, numbers: false }),
  new PointwiseOverload("copysign.Scalar(Tensor self, Scalar other) -> Tensor", {
    out: "float", value: signed, backward: { self: signedGrad }, promoted: ["other"], node: "CopysignBackward1",
  }),
);

/** x · log(y), but 0 where x is 0 and the logarithm infinite: elsewhere x still has a slope at 0. */
function timesLog<V extends Arithmetic<V>>(x: V, y: V): V {
  return x.mul(y.log()).masked_fill(x.eq(0).logical_and(y.le(0).logical_or(y.eq(Infinity))), 0);
}

const xlogyOf: Formula = ({ self, other }) => self.mul(other.log()).masked_fill(self.eq(0).logical_and(other.isnan().logical_not()), 0);
const xlogySelfGrad: Formula = ({ grad, self, other }) => timesLog(grad, other).masked_fill(self.eq(0).logical_and(other.le(0)), 0);
const xlogyNumberGrad: Formula = ({ grad, self, other }) => timesLog(grad, other).masked_fill(self.eq(0).logical_and(other.gt(0).logical_not()), 0);
const xlogyOtherGrad: Formula = ({ grad, self, other }) => grad.mul(self).div(other);

/** self · log(other), but 0 where self is 0 and other no NaN; either may be a number. */
export const xlogy: InplaceOp<[self: TensorLike, other: TensorLike]> = overloaded(
  {},
  new PointwiseOverload("xlogy.Tensor(Tensor self, Tensor other) -> Tensor", {
    out: "float", value: xlogyOf, backward: { self: xlogySelfGrad, other: xlogyOtherGrad }, numbers: false,
  }),
  new PointwiseOverload("xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor", {
    out: "float", value: xlogyOf, backward: { other: xlogyOtherGrad }, promoted: ["self"], node: "XlogyBackward1", inplace: false,
  }),
  new PointwiseOverload("xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor", {
    out: "float", value: xlogyOf, backward: { self: xlogyNumberGrad }, promoted: ["other"], node: "XlogyBackward2",
  }),
);

const xlog1pyOf: Formula = ({ self, other }) => self.mul(other.log1p()).masked_fill(self.eq(0).logical_and(other.isnan().logical_not()), 0);
const xlog1pySelfGrad: Formula = ({ grad, self, other }) => grad.mul(other.log1p()).masked_fill(self.eq(0).logical_and(other.le(-1)), 0);
const xlog1pyOtherGrad: Formula = ({ grad, self, other }) => grad.mul(self).div(other.add(1));

/** self · log1p(other), but 0 where self is 0 and other no NaN; either may be a number. */
export const xlog1py: FunctionOp<[input: TensorLike, other: TensorLike]> = overloaded(
  { method: false },
  new PointwiseOverload("special_xlog1py(Tensor self, Tensor other) -> Tensor", {
    out: "float", value: xlog1pyOf, backward: { self: xlog1pySelfGrad, other: xlog1pyOtherGrad }, numbers: false, inplace: false, node: "SpecialXlog1PyBackward0",
  }),
  new PointwiseOverload("special_xlog1py.self_scalar(Scalar self, Tensor other) -> Tensor", {
    out: "float", value: xlog1pyOf, backward: { other: xlog1pyOtherGrad }, promoted: ["self"], inplace: false, node: "SpecialXlog1PyBackward1",
  }),
  new PointwiseOverload("special_xlog1py.other_scalar(Tensor self, Scalar other) -> Tensor", {
    out: "float", value: xlog1pyOf, backward: { self: xlog1pySelfGrad }, promoted: ["other"], inplace: false, node: "SpecialXlog1PyBackward2",
  }),
);

/** The entropy -x · log(x) of a probability: 0 at 0, -∞ below it. */
export const entr: FunctionOp<[input: Tensor]> = pointwise("special_entr(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.mul(self.log()).neg().masked_fill(self.eq(0), 0).masked_fill(self.lt(0), -Infinity),
  backward: { self: ({ grad, self }) => grad.mul(self.log().neg().sub(1)) },
  method: false,
  inplace: false,
});

/** The probability that a standard normal number is at most x. */
export const ndtr: FunctionOp<[input: Tensor]> = pointwise("special_ndtr(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.mul(Math.SQRT1_2).erf().add(1).mul(0.5),
  backward: { self: ({ grad, self }) => grad.mul(self.mul(self).mul(-0.5).exp().mul(1 / Math.sqrt(2 * Math.PI))) },
  method: false,
  inplace: false,
  node: "MulBackward1",
});

const mixedText = "heaviside is not yet implemented for tensors with different dtypes.";

function refuseMixed(values: readonly unknown[]): void {
  const [self, other] = values as [Tensor, Tensor];
  if (self.dtype !== other.dtype) throw new RuntimeError(mixedText);
}

/** 0 below 0, 1 above, `values` at 0. It has no derivative. */
export const heaviside: InplaceOp<[self: Tensor, values: Tensor]> = pointwise("heaviside(Tensor self, Tensor values) -> Tensor", {
  value: ({ self, values }) => values.where(self.eq(0), self.gt(0)),
  backward: { self: () => 0, values: () => 0 },
  noDerivative: "heaviside",
  refuse: refuseMixed,
  outRule: sameDtype(() => mixedText),
  numbers: false,
});

const replaced: Formula = ({ self, nan, posinf, neginf }) =>
  self.masked_fill(self.isnan(), nan).masked_fill(self.eq(Infinity), posinf).masked_fill(self.eq(-Infinity), neginf);

const replacing = new PointwiseOverload("nan_to_num(Tensor self, Scalar nan, Scalar posinf, Scalar neginf) -> Tensor", {
  value: replaced,
  backward: { self: ({ grad, self }) => grad.masked_fill(self.abs().lt(Infinity).logical_not(), 0) },
  layout: "like self",
});

type Replacement = number | null;

/** The values that replace what is not finite. */
function replacements(self: Tensor, nan: Replacement, posinf: Replacement, neginf: Replacement): unknown[] {
  const most = self.dtype === float32 ? largestFloat32 : Number.MAX_VALUE;
  return [self, nan ?? 0, posinf ?? most, neginf ?? -most];
}
const largestFloat32 = 3.4028234663852886e38;

/** NaN and infinities replaced by numbers: 0 and the largest and least finite values of the dtype unless given. */
export const nan_to_num: InplaceOp<[self: Tensor, nan?: Replacement, posinf?: Replacement, neginf?: Replacement], { nan?: Replacement; posinf?: Replacement; neginf?: Replacement }> = composite(
  "nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
  (self: Tensor, nan: Replacement, posinf: Replacement, neginf: Replacement) =>
    self.dtype.kind === FLOAT ? replacing.call(replacements(self, nan, posinf, neginf)) : self.clone(),
  {
    inplace: (self: Tensor, nan: Replacement, posinf: Replacement, neginf: Replacement) =>
      self.dtype.kind === FLOAT ? replacing.inplace!(replacements(self, nan, posinf, neginf)) : self,
    outRule: sameDtype((out, result) => `nan_to_num: dtype of out: ${out.title} should be same as input: ${result.title}`),
  },
);
