/** Logical operations on truth values, and bitwise ones on integers and bools. */
import { overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { InplaceOp, TensorLike } from "../../dispatch/op.ts";
import { valueOnly, type Formula } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT, type Kind } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { noKernel } from "./refusals.ts";

type Logic = InplaceOp<[self: Tensor, other: Tensor]>;

const logic = (name: string, value: Formula): Logic =>
  pointwise(`${name}(Tensor self, Tensor other) -> Tensor`, { out: "bool", value, inplace: true, numbers: false });

/** Are both elements non-zero? */
export const logical_and: Logic = logic("logical_and", ({ self, other }) => self.logical_and(other));
/** Is either element non-zero? */
export const logical_or: Logic = logic("logical_or", ({ self, other }) => self.logical_or(other));
/** Is exactly one element non-zero? */
export const logical_xor: Logic = logic("logical_xor", ({ self, other }) => self.logical_xor(other));
/** Is the element zero? */
export const logical_not: InplaceOp<[self: Tensor]> = pointwise("logical_not(Tensor self) -> Tensor", {
  out: "bool",
  value: ({ self }) => self.logical_not(),
  inplace: true,
});

type Bitwise = InplaceOp<[self: TensorLike, other: TensorLike]>;

const noSlope: Formula = () => 0;

/** Floats have no bits here, yet PyTorch asks whether operands require grad first, which refuses stale views. */
function bitwise(name: string, kernel: string, value: Formula, ...unsupported: Kind[]): Bitwise {
  const shared = { value, check: noKernel(kernel, FLOAT, ...unsupported), noDerivative: name };
  const [self, other] = [{ self: noSlope }, { other: noSlope }];
  return overloaded(
    {},
    new PointwiseOverload(`${name}.Tensor(Tensor self, Tensor other) -> Tensor`, { ...shared, backward: { ...self, ...other }, numbers: false }),
    new PointwiseOverload(`${name}.Scalar_Tensor(Scalar self, Tensor other) -> Tensor`, { ...shared, backward: other, promoted: ["self"], inplace: false, takesOut: false }),
    new PointwiseOverload(`${name}.Scalar(Tensor self, Scalar other) -> Tensor`, { ...shared, backward: self, promoted: ["other"] }),
  );
}

/** The bits set in both elements; for bools `and`. */
export const bitwise_and: Bitwise = bitwise("bitwise_and", "bitwise_and_cpu", valueOnly(({ self, other }) => self.bitwise_and(other)));
/** The bits set in either element; for bools `or`. */
export const bitwise_or: Bitwise = bitwise("bitwise_or", "bitwise_or_cpu", valueOnly(({ self, other }) => self.bitwise_or(other)));
/** The bits set in exactly one element; for bools `xor`. */
export const bitwise_xor: Bitwise = bitwise("bitwise_xor", "bitwise_xor_cpu", valueOnly(({ self, other }) => self.bitwise_xor(other)));
/** self · 2^other, bits above the top lost. */
export const bitwise_left_shift: Bitwise = bitwise("bitwise_left_shift", "lshift_cpu", valueOnly(({ self, other }) => self.bitwise_left_shift(other)), BOOL);
/** self / 2^other, rounded down. */
export const bitwise_right_shift: Bitwise = bitwise("bitwise_right_shift", "rshift_cpu", valueOnly(({ self, other }) => self.bitwise_right_shift(other)), BOOL);

/** The opposite of every bit; for bools `not`. */
export const bitwise_not: InplaceOp<[self: Tensor]> = pointwise("bitwise_not(Tensor self) -> Tensor", {
  value: valueOnly(({ self }) => self.bitwise_not()),
  check: noKernel("bitwise_not_cpu", FLOAT),
});
