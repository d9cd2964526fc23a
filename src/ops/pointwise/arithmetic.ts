/** Sums, differences and products, element by element, with broadcasting and promotion. */
import { choose, overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { InplaceOp, Op, TensorLike } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT, scalarKind, checkFits, type DType } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { boolDifference, twoBoolDifference } from "./refusals.ts";

type Binary = InplaceOp<[self: TensorLike, other: TensorLike]>;
type Scaled = InplaceOp<[self: TensorLike, other: TensorLike], { alpha?: number }>;

const pass: Formula = ({ grad }) => grad;

const plainSum: Formula = ({ self, other }) => self.add(other);
const scaledSum: Formula = ({ self, other, alpha }) => self.add(other.mul(alpha));
const scaledPass: Formula = ({ grad, alpha }) => grad.mul(alpha);

function checkAlpha(values: readonly unknown[], common: DType): void {
  const alpha = values[2] as number | bigint | boolean;
  if (alpha === 1) return;
  const kind = scalarKind(alpha);
  if (kind === BOOL && common.kind !== BOOL) throw new RuntimeError("Boolean alpha only supported for Boolean results.");
  if (kind === FLOAT && common.kind !== FLOAT) throw new RuntimeError("For integral input tensors, argument alpha must not be a floating point number.");
  if (typeof alpha !== "boolean") checkFits(alpha, common);
}

/** self + alpha · other. */
export const add: Scaled = pointwise("add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", {
  value: choose(["alpha"], (alpha) => (alpha === 1 ? plainSum : scaledSum)),
  backward: { self: pass, other: choose(["alpha"], (alpha) => (alpha === 1 ? pass : scaledPass)) },
  check: checkAlpha,
  hasDeprecated: true,
});

const negated: Formula = ({ grad }) => grad.neg();
const plainDifference: Formula = ({ self, other }) => self.sub(other);
const scaledDifference: Formula = ({ self, other, alpha }) => self.sub(other.mul(alpha));
const scaledNegated: Formula = ({ grad, alpha }) => grad.mul(alpha.neg());

function refuseBools(values: readonly unknown[]): void {
  const bools = values.slice(0, 2).map((v) => (v instanceof Tensor ? v.dtype.kind === BOOL : typeof v === "boolean"));
  if (bools[0] && bools[1]) throw new RuntimeError(twoBoolDifference);
  if (bools[0] || bools[1]) throw new RuntimeError(boolDifference);
}

/** self - alpha · other. */
export const sub: Scaled = pointwise("sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", {
  value: choose(["alpha"], (alpha) => (alpha === 1 ? plainDifference : scaledDifference)),
  backward: { self: pass, other: choose(["alpha"], (alpha) => (alpha === 1 ? negated : scaledNegated)) },
  refuse: refuseBools,
  check: checkAlpha,
  hasDeprecated: true,
});

const reversed = choose(["alpha"], (alpha) => (alpha === 1 ? reversedDifference : scaledReversed));
const reversedGrad = choose(["alpha"], (alpha) => (alpha === 1 ? negated : scaledNegated));
// `other` comes first, as in the subtraction that PyTorch makes of it: the order shows in layouts.
const reversedDifference: Formula = ({ other, self }) => other.sub(self);
const scaledReversed: Formula = ({ other, self, alpha }) => other.sub(self.mul(alpha));

/** other - alpha · self. */
export const rsub: Op<[self: Tensor, other: TensorLike], { alpha?: number }> = overloaded(
  {},
  new PointwiseOverload("rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", {
    value: reversed,
    backward: { self: reversedGrad, other: pass },
    refuse: refuseBools,
    check: checkAlpha,
    numbers: false,
    inplace: false,
    takesOut: false,
  }),
  new PointwiseOverload("rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", {
    value: reversed,
    backward: { self: reversedGrad },
    promoted: ["other"],
    refuse: refuseBools,
    check: checkAlpha,
    node: "RsubBackward1",
    inplace: false,
    takesOut: false,
  }),
);

/** self · other. */
export const mul: Binary = pointwise("mul.Tensor(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.mul(other),
  backward: { self: ({ grad, other }) => grad.mul(other), other: ({ grad, self }) => grad.mul(self) },
});
