/** Quotients and remainders. A zero divisor is refused among integers. */
import { choose, overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { InplaceOp, TensorLike } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { BOOL, type DType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { noKernel } from "./refusals.ts";

type Binary = InplaceOp<[self: TensorLike, other: TensorLike]>;
/** The first operand is a tensor. */
type TensorBinary = InplaceOp<[self: Tensor, other: TensorLike]>;

const pass: Formula = ({ grad }) => grad;
const zero: Formula = () => 0;
const quotient: Formula = ({ self, other }) => self.div(other);
const floorQuotient: Formula = ({ self, other }) => self.div(other, { rounding_mode: "floor" });
const truncQuotient: Formula = ({ self, other }) => self.div(other, { rounding_mode: "trunc" });
const dividedGrad: Formula = ({ grad, other }) => grad.div(other);
const divisorGrad: Formula = ({ grad, self, other }) => grad.neg().mul(self.div(other).div(other));
// A rounded quotient has no slope; its node keeps the operands all the same.
const roundedSelfGrad: Formula = ({ grad: _grad, other: _other }) => 0;
const roundedOtherGrad: Formula = ({ grad: _grad, self: _self, other: _other }) => 0;

type Rounding = "floor" | "trunc";

function checkRounding(values: readonly unknown[], common: DType): void {
  const mode = values[2];
  if (mode !== "floor" && mode !== "trunc") {
    throw new RuntimeError(`div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${String(mode)}'`);
  }
  noKernel(`div_${mode}_cpu`, BOOL)(values, common);
}

/** self / other; with `rounding_mode` "floor" or "trunc", rounded to whole numbers. */
export const div: InplaceOp<[self: TensorLike, other: TensorLike], { rounding_mode?: Rounding | null }> = overloaded(
  {},
  new PointwiseOverload("div.Tensor(Tensor self, Tensor other) -> Tensor", {
    out: "float",
    value: quotient,
    backward: { self: dividedGrad, other: divisorGrad },
  }),
  new PointwiseOverload("div.Tensor_mode(Tensor self, Tensor other, *, str rounding_mode) -> Tensor", {
    value: choose(["rounding_mode"], (mode: Rounding) => (mode === "floor" ? floorQuotient : truncQuotient)),
    backward: { self: roundedSelfGrad, other: roundedOtherGrad },
    node: "DivBackward2",
    check: checkRounding,
  }),
  new PointwiseOverload("div.unrounded(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", {
    out: "float",
    value: quotient,
    backward: { self: dividedGrad, other: divisorGrad },
    node: "DivBackward2",
  }),
);

/** The same as `div`. */
export const true_divide: Binary = pointwise("true_divide(Tensor self, Tensor other) -> Tensor", {
  out: "float",
  value: quotient,
  backward: { self: dividedGrad, other: divisorGrad },
  node: "DivBackward0",
});

const floorDivision = (parameters: string, takesOut: boolean): PointwiseOverload =>
  new PointwiseOverload(`floor_divide(${parameters}) -> Tensor`, {
    value: floorQuotient,
    backward: { self: zero, other: zero },
    noDerivative: "floor_divide",
    check: noKernel("div_floor_cpu", BOOL),
    numbers: takesOut,
    takesOut,
  });

/** self / other, rounded down. It has no derivative; `div` with `rounding_mode` has. */
export const floor_divide: Binary = overloaded({}, floorDivision("Tensor self, Tensor other", true), floorDivision("Tensor self, Scalar other", false));

const remainderOf: Formula = ({ self, other }) => self.remainder(other);
const noRemainder = noKernel("remainder_cpu", BOOL);

/** The remainder of division, with the sign of the divisor, as Python's `%`. */
export const remainder: InplaceOp<[self: TensorLike, other: TensorLike]> = overloaded(
  {},
  new PointwiseOverload("remainder.Tensor(Tensor self, Tensor other) -> Tensor", {
    value: remainderOf,
    backward: { self: pass, other: ({ grad, self, other }) => grad.neg().mul(self.div(other, { rounding_mode: "floor" })) },
    node: "RemainderBackward1",
    check: noRemainder,
    numbers: false,
  }),
  new PointwiseOverload("remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", {
    value: remainderOf,
    backward: { other: zero },
    noDerivative: "remainder",
    promoted: ["self"],
    check: noRemainder,
    inplace: false,
    takesOut: false,
  }),
  new PointwiseOverload("remainder.Scalar(Tensor self, Scalar other) -> Tensor", {
    value: remainderOf,
    backward: { self: pass },
    promoted: ["other"],
    check: noRemainder,
  }),
);

const fmodOf: Formula = ({ self, other }) => self.fmod(other);
const noFmod = noKernel("fmod_cpu", BOOL);

/** The remainder of division, with the sign of the dividend, as C's fmod. */
export const fmod: TensorBinary = overloaded(
  {},
  new PointwiseOverload("fmod.Tensor(Tensor self, Tensor other) -> Tensor", {
    value: fmodOf,
    backward: { self: pass, other: ({ grad, self, other }) => grad.neg().mul(self.div(other, { rounding_mode: "trunc" })) },
    node: "FmodBackward1",
    check: noFmod,
    numbers: false,
  }),
  new PointwiseOverload("fmod.Scalar(Tensor self, Scalar other) -> Tensor", {
    value: fmodOf,
    backward: { self: pass },
    promoted: ["other"],
    check: noFmod,
  }),
);

