/** Functions of two or three operands, element by element, with broadcasting and promotion. */
import { choose, overloaded, pointwise, PointwiseOverload } from "../dispatch/pointwise.ts";
import type { InplaceOp, Op, TensorLike } from "../dispatch/op.ts";
import { RuntimeError } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { BOOL, FLOAT, scalarKind, type DType } from "../tensor/dtype.ts";
import type { Expr } from "../ir/expr.ts";
import { Tensor } from "../tensor/tensor.ts";

type Binary = InplaceOp<[self: TensorLike, other: TensorLike]>;
type Scaled = InplaceOp<[self: TensorLike, other: TensorLike], { alpha?: number }>;

const pass: Formula = ({ grad }) => grad;
const zero: Formula = () => 0;

const plainSum: Formula = ({ self, other }) => self.add(other);
const scaledSum: Formula = ({ self, other, alpha }) => self.add(other.mul(alpha));
const scaledPass: Formula = ({ grad, alpha }) => grad.mul(alpha);

function checkAlpha(values: readonly unknown[], common: DType): void {
  const alpha = values[2] as number | bigint | boolean;
  if (alpha === 1) return;
  const kind = scalarKind(alpha);
  if (kind === BOOL && common.kind !== BOOL) throw new RuntimeError("Boolean alpha only supported for Boolean results.");
  if (kind === FLOAT && common.kind !== FLOAT) throw new RuntimeError("For integral input tensors, argument alpha must not be a floating point number.");
}

/** self + alpha · other. */
export const add: Scaled = pointwise("add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", {
  value: choose(["alpha"], (alpha) => (alpha === 1 ? plainSum : scaledSum)),
  backward: { self: pass, other: choose(["alpha"], (alpha) => (alpha === 1 ? pass : scaledPass)) },
  check: checkAlpha,
});

const negated: Formula = ({ grad }) => grad.neg();
const plainDifference: Formula = ({ self, other }) => self.sub(other);
const scaledDifference: Formula = ({ self, other, alpha }) => self.sub(other.mul(alpha));
const scaledNegated: Formula = ({ grad, alpha }) => grad.mul(alpha.neg());

function refuseBoolDifference(values: readonly unknown[], common: DType): void {
  const bools = values.slice(0, 2).map((v) => (v instanceof Tensor ? v.dtype.kind === BOOL : typeof v === "boolean"));
  if (bools[0] && bools[1]) {
    throw new RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.");
  }
  if (bools[0] || bools[1]) {
    throw new RuntimeError(
      "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.",
    );
  }
  checkAlpha(values, common);
}

/** self - alpha · other. */
export const sub: Scaled = pointwise("sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", {
  value: choose(["alpha"], (alpha) => (alpha === 1 ? plainDifference : scaledDifference)),
  backward: { self: pass, other: choose(["alpha"], (alpha) => (alpha === 1 ? negated : scaledNegated)) },
  check: refuseBoolDifference,
});

const reversedDifference: Formula = ({ self, other }) => other.sub(self);
const scaledReversed: Formula = ({ self, other, alpha }) => other.sub(self.mul(alpha));

/** other - alpha · self. */
export const rsub: Op<[self: TensorLike, other: TensorLike], { alpha?: number }> = overloaded(
  {},
  new PointwiseOverload("rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", {
    value: choose(["alpha"], (alpha) => (alpha === 1 ? reversedDifference : scaledReversed)),
    backward: { self: choose(["alpha"], (alpha) => (alpha === 1 ? negated : scaledNegated)), other: pass },
    check: refuseBoolDifference,
    numbers: false,
    inplace: false,
  }),
  new PointwiseOverload("rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", {
    value: choose(["alpha"], (alpha) => (alpha === 1 ? reversedDifference : scaledReversed)),
    backward: { self: choose(["alpha"], (alpha) => (alpha === 1 ? negated : scaledNegated)) },
    promoted: ["other"],
    check: refuseBoolDifference,
    node: "RsubBackward1",
    inplace: false,
  }),
);

/** self · other. */
export const mul: Binary = pointwise("mul.Tensor(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.mul(other),
  backward: { self: ({ grad, other }) => grad.mul(other), other: ({ grad, self }) => grad.mul(self) },
});

const dividedGrad: Formula = ({ grad, other }) => grad.div(other);
const divisorGrad: Formula = ({ grad, self, other }) => grad.neg().mul(self.div(other).div(other));

type Rounding = null | "floor" | "trunc";

function checkRounding(values: readonly unknown[]): void {
  const mode = values[2];
  if (mode !== null && mode !== "floor" && mode !== "trunc") {
    throw new RuntimeError(`div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${String(mode)}'`);
  }
}

const floorQuotient = (({ self, other }: Record<string, Expr>) => self.floor_divide(other)) as unknown as Formula;
const truncQuotient = (({ self, other }: Record<string, Expr>) => self.trunc_divide(other)) as unknown as Formula;

/** self / other; with `rounding_mode` "floor" or "trunc", rounded to whole numbers. */
export const div: InplaceOp<[self: TensorLike, other: TensorLike], { rounding_mode?: Rounding }> = overloaded(
  {},
  new PointwiseOverload("div.Tensor(Tensor self, Tensor other) -> Tensor", {
    out: "float",
    value: ({ self, other }) => self.div(other),
    backward: { self: dividedGrad, other: divisorGrad },
  }),
  new PointwiseOverload("div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", {
    value: choose(["rounding_mode"], (mode: Rounding) => (mode === "floor" ? floorQuotient : truncQuotient)),
    backward: { self: zero, other: zero },
    node: "DivBackward1",
    check: checkRounding,
  }),
);

/** The same as `div`. */
export const true_divide: Binary = pointwise("true_divide(Tensor self, Tensor other) -> Tensor", {
  out: "float",
  value: ({ self, other }) => self.div(other),
  backward: { self: dividedGrad, other: divisorGrad },
  node: "DivBackward0",
});

/** self / other, rounded down. */
export const floor_divide: Binary = pointwise("floor_divide(Tensor self, Tensor other) -> Tensor", { value: floorQuotient });

/** The remainder of division, with the sign of the divisor, as Python's `%`. */
export const remainder: Binary = pointwise("remainder.Tensor(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.remainder(other),
  backward: { self: pass, other: ({ grad, self, other }) => grad.neg().mul(self.div(other).floor()) },
});

/** The remainder of division, with the sign of the dividend, as C's fmod. */
export const fmod: Binary = pointwise("fmod.Tensor(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.fmod(other),
  backward: { self: pass, other: ({ grad, self, other }) => grad.neg().mul(self.div(other).trunc()) },
});

const power: Formula = ({ self, exponent }) => self.pow(exponent);
const square_: Formula = ({ self }) => self.mul(self);
const cube: Formula = ({ self }) => self.mul(self).mul(self);
const powerGrad: Formula = ({ grad, self, exponent }) => grad.mul(exponent.mul(self.pow(exponent.sub(1))));
const exponentGrad: Formula = ({ grad, self, exponent, result }) =>
  grad.mul(result.mul(self.log()).masked_fill(self.eq(0).logical_and(exponent.ge(0)), 0));

function refuseNegativePower(values: readonly unknown[], common: DType): void {
  const [self, exponent] = values;
  if (common.kind !== FLOAT && self instanceof Tensor && typeof exponent !== "object" && Number(exponent) < 0) {
    throw new RuntimeError("Integers to negative integer powers are not allowed.");
  }
}

/** self to the power of exponent; either may be a number. */
export const pow: InplaceOp<[self: TensorLike, exponent: TensorLike]> = overloaded(
  {},
  new PointwiseOverload("pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", {
    value: power,
    backward: {
      self: ({ grad, self, exponent }) => grad.mul(exponent.mul(self.pow(exponent.sub(1)))).masked_fill(exponent.eq(0), 0),
      exponent: exponentGrad,
    },
    node: "PowBackward1",
    numbers: false,
  }),
  new PointwiseOverload("pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", {
    value: choose(["exponent"], (e) => (e === 2 ? square_ : e === 3 ? cube : power)),
    backward: { self: choose(["exponent"], (e) => (e === 0 || e === false ? zero : powerGrad)) },
    promoted: ["exponent"],
    check: refuseNegativePower,
  }),
  new PointwiseOverload("pow.Scalar(Scalar self, Tensor exponent) -> Tensor", {
    value: power,
    backward: { exponent: exponentGrad },
    promoted: ["self"],
    node: "PowBackward2",
    inplace: false,
  }),
);

/** Each element times itself. */
export const square: InplaceOp<[self: Tensor]> = pointwise("square(Tensor self) -> Tensor", {
  value: square_,
  backward: { self: ({ grad, self }) => grad.mul(self.mul(2)) },
  node: "PowBackward0",
});

/** The angle of the point (other, self), in radians. */
export const atan2: InplaceOp<[self: Tensor, other: Tensor]> = pointwise("atan2(Tensor self, Tensor other) -> Tensor", {
  out: "float",
  value: ({ self, other }) => self.atan2(other),
  backward: {
    self: ({ grad, self, other }) => grad.mul(other.mul(hypotenuse(self, other))),
    other: ({ grad, self, other }) => grad.mul(self.neg().mul(hypotenuse(self, other))),
  },
});

/** 1 / (x² + y²), 0 at the origin. */
function hypotenuse<V extends { mul(o: V): V; add(o: V): V; reciprocal(): V; eq(o: number): V; masked_fill(m: V, v: number): V }>(x: V, y: V): V {
  const sum = x.mul(x).add(y.mul(y));
  return sum.reciprocal().masked_fill(sum.eq(0), 0);
}

/** The larger of two elements, NaN if either is; the gradient at a tie is halved. */
export const maximum: Op<[self: Tensor, other: Tensor]> = pointwise("maximum(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.maximum(other),
  backward: {
    self: ({ grad, self, other }) => grad.div(2).where(self.eq(other), grad).masked_fill(self.lt(other), 0),
    other: ({ grad, self, other }) => grad.div(2).where(self.eq(other), grad).masked_fill(self.gt(other), 0),
  },
  inplace: false,
  numbers: false,
});

/** The smaller of two elements, NaN if either is; the gradient at a tie is halved. */
export const minimum: Op<[self: Tensor, other: Tensor]> = pointwise("minimum(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.minimum(other),
  backward: {
    self: ({ grad, self, other }) => grad.div(2).where(self.eq(other), grad).masked_fill(self.gt(other), 0),
    other: ({ grad, self, other }) => grad.div(2).where(self.eq(other), grad).masked_fill(self.lt(other), 0),
  },
  inplace: false,
  numbers: false,
});

const boundsGrad: Formula = ({ grad, self, min, max }) => grad.masked_fill(self.ge(min).logical_and(self.le(max)).logical_not(), 0);
const lowerGrad: Formula = ({ grad, self, min }) => grad.masked_fill(self.ge(min).logical_not(), 0);
const upperGrad: Formula = ({ grad, self, max }) => grad.masked_fill(self.le(max).logical_not(), 0);
const bounded: Formula = ({ self, min, max }) => self.maximum(min).minimum(max);
const boundedBelow: Formula = ({ self, min }) => self.maximum(min);
const boundedAbove: Formula = ({ self, max }) => self.minimum(max);
const byBounds = (both: Formula, lower: Formula, upper: Formula) =>
  choose(["min", "max"], (min, max) => (max === null ? lower : min === null ? upper : both));
const minGrad: Formula = ({ grad, self, min }) => grad.masked_fill(self.lt(min).logical_not(), 0);
const maxGrad: Formula = ({ grad, self, max }) => grad.masked_fill(self.gt(max).logical_not(), 0);
const minOfBothGrad: Formula = ({ grad, self, min, max }) => grad.masked_fill(self.lt(min).logical_and(min.lt(max)).logical_not(), 0);
const maxOfBothGrad: Formula = ({ grad, self, min, max }) => grad.masked_fill(self.gt(max).logical_or(min.gt(max)).logical_not(), 0);

function refuseNoBounds(values: readonly unknown[]): void {
  if (values[1] === null && values[2] === null) throw new RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None");
}

type Bound = number | Tensor | null;

/** Each element brought into [min, max]; the slope is 1 at the bounds. */
export const clamp: InplaceOp<[self: Tensor, min?: Bound, max?: Bound], { min?: Bound; max?: Bound }> = overloaded(
  {},
  new PointwiseOverload("clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", {
    value: byBounds(bounded, boundedBelow, boundedAbove),
    backward: { self: byBounds(boundsGrad, lowerGrad, upperGrad) },
    promoted: ["min", "max"],
    node: "ClampBackward1",
    check: refuseNoBounds,
  }),
  new PointwiseOverload("clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", {
    value: byBounds(bounded, boundedBelow, boundedAbove),
    backward: {
      self: byBounds(boundsGrad, lowerGrad, upperGrad),
      min: choose(["max"], (max) => (max === null ? minGrad : minOfBothGrad)),
      max: choose(["min"], (min) => (min === null ? maxGrad : maxOfBothGrad)),
    },
    node: "ClampBackward0",
    check: refuseNoBounds,
    numbers: false,
  }),
);

/** Each element, but at least `min`. */
export const clamp_min: InplaceOp<[self: Tensor, min: number | Tensor]> = overloaded(
  {},
  new PointwiseOverload("clamp_min(Tensor self, Scalar min) -> Tensor", { value: boundedBelow, backward: { self: lowerGrad }, promoted: ["min"] }),
  new PointwiseOverload("clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", {
    value: boundedBelow, backward: { self: lowerGrad, min: minGrad }, node: "ClampMinBackward1", numbers: false,
  }),
);

/** Each element, but at most `max`. */
export const clamp_max: InplaceOp<[self: Tensor, max: number | Tensor]> = overloaded(
  {},
  new PointwiseOverload("clamp_max(Tensor self, Scalar max) -> Tensor", { value: boundedAbove, backward: { self: upperGrad }, promoted: ["max"] }),
  new PointwiseOverload("clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", {
    value: boundedAbove, backward: { self: upperGrad, max: maxGrad }, node: "ClampMaxBackward1", numbers: false,
  }),
);

