/** Powers. */
import { composite, CompositeOverload } from "../../dispatch/define.ts";
import { rowMajorGradient } from "../../dispatch/fused.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { choose, overloaded, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { InplaceOp, TensorLike } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT, float64, type DType } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { boolDifference, mustFit, noKernel } from "./refusals.ts";

/** Reads `self` all the same, for PyTorch saves it. */
const zero = rowMajorGradient(({ self: _self }) => 0);

const power: Formula = ({ self, exponent }) => self.pow(exponent);
const powerGrad: Formula = ({ grad, self, exponent }) => grad.mul(exponent.mul(self.pow(exponent.sub(1))));

/** Exponents that are not worth a call of pow: x^e, and e · x^(e - 1). */
const special = new Map<unknown, { value: Formula; grad: Formula }>(
  [0.5, 2, 3, -0.5, -1, -2].map((e) => [e, { value: ({ self }) => self.pow(e), grad: ({ grad, self }) => grad.mul(self.pow(e - 1).mul(e)) }]),
);
special.set(0, { value: power, grad: zero });
special.set(false, { value: power, grad: zero });
special.set(true, { value: power, grad: ({ grad, self }) => grad.mul(self.pow(0)) });

// `exponent` first, as in PyTorch: the layout of the gradient follows it.
const tensorPowerGrad: Formula = ({ exponent, grad, self }) => grad.mul(exponent.mul(self.pow(exponent.sub(1)))).where(exponent.ne(0), 0);
const noBoolPowerGrad: Formula = ({ self: _self, exponent: _exponent }) => {
  throw new RuntimeError(boolDifference);
};

const exponentGrad: Formula = ({ grad, self, exponent, result }) =>
  grad.mul(result.mul(self.log()).where(self.eq(0).logical_and(exponent.ge(0)).logical_not(), 0));

function refuseNegativePower(values: readonly unknown[], common: DType): void {
  if (common.kind !== FLOAT && Number(values[1]) < 0) throw new RuntimeError("Integers to negative integer powers are not allowed.");
}

/** self to the power of exponent; either may be a number. */
export const pow: InplaceOp<[self: TensorLike, exponent: TensorLike]> = overloaded(
  {},
  new PointwiseOverload("pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", {
    value: power,
    backward: {
      self: choose(["exponent"], (exponent: Tensor) => (exponent.dtype.kind === BOOL ? noBoolPowerGrad : tensorPowerGrad)),
      exponent: exponentGrad,
    },
    node: "PowBackward1",
    numbers: "apart",
    check: noKernel("pow", BOOL),
  }),
  new PointwiseOverload("pow.Scalar(Scalar self, Tensor exponent) -> Tensor", {
    value: power,
    backward: { exponent: exponentGrad },
    promoted: ["self"],
    layout: "contiguous",
    node: "PowBackward2",
    inplace: false,
    check: noKernel("pow", BOOL),
  }),
  new PointwiseOverload("pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", {
    value: choose(["exponent"], (e: unknown) => special.get(e)?.value ?? power),
    backward: { self: choose(["exponent"], (e: unknown) => special.get(e)?.grad ?? powerGrad) },
    promoted: ["exponent"],
    refuse: refuseNegativePower,
    check: mustFit(1),
  }),
);

/** Each element times itself. */
export const square: InplaceOp<[self: Tensor]> = composite("square(Tensor self) -> Tensor", (self: Tensor) => pow(self, 2), {
  inplace: (self: Tensor) => self.pow_(2),
});

const inDouble = <T extends TensorLike>(x: T): T | Tensor => (x instanceof Tensor ? x.to(float64) : x);

const outRule = sameDtype((out, result) => `the output given to float_power has dtype ${out.title} but the operation's result requires dtype ${result.title}`);

function floatPower(parameters: string): CompositeOverload {
  const inplace = (self: Tensor, exponent: TensorLike): Tensor => {
    if (self.dtype !== float64) {
      throw new RuntimeError(`the base given to float_power_ has dtype ${self.dtype.title} but the operation's result requires dtype Double`);
    }
    return self.pow_(inDouble(exponent));
  };
  return new CompositeOverload(`float_power(${parameters}) -> Tensor`, (self: TensorLike, exponent: TensorLike) => pow(inDouble(self), inDouble(exponent)), { inplace, outRule });
}

/** self to the power of exponent, computed and returned in float64. */
export const float_power: InplaceOp<[self: TensorLike, exponent: TensorLike]> = overloaded(
  {},
  floatPower("Tensor self, Tensor exponent"),
  floatPower("Scalar self, Tensor exponent"),
  floatPower("Tensor self, Scalar exponent"),
);
