/** Comparisons, logic and selection. Results of comparisons and logic are bool and never require grad. */
import { overloaded, pointwise, PointwiseOverload } from "../dispatch/pointwise.ts";
import type { FunctionOp, InplaceOp, TensorLike } from "../dispatch/op.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { RuntimeError } from "../errors.ts";
import { BOOL, can_cast, scalarKind, kindDefault, type DType } from "../tensor/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";

type Comparison = InplaceOp<[self: TensorLike, other: TensorLike]>;

const comparison = (name: string, value: Formula): Comparison => pointwise(`${name}.Tensor(Tensor self, Tensor other) -> Tensor`, { out: "bool", value, inplace: true });

/** self == other. */
export const eq: Comparison = comparison("eq", ({ self, other }) => self.eq(other));
/** self != other. */
export const ne: Comparison = comparison("ne", ({ self, other }) => self.ne(other));
/** self < other. */
export const lt: Comparison = comparison("lt", ({ self, other }) => self.lt(other));
/** self <= other. */
export const le: Comparison = comparison("le", ({ self, other }) => self.le(other));
/** self > other. */
export const gt: Comparison = comparison("gt", ({ self, other }) => self.gt(other));
/** self >= other. */
export const ge: Comparison = comparison("ge", ({ self, other }) => self.ge(other));

type Logic = InplaceOp<[self: Tensor, other: Tensor]>;

const logic = (name: string, value: Formula): Logic => pointwise(`${name}(Tensor self, Tensor other) -> Tensor`, { out: "bool", value, inplace: true, numbers: false });

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

function checkCondition(values: readonly unknown[]): void {
  const condition = values[0] as Tensor;
  if (condition.dtype.kind !== BOOL && condition.dtype.name !== "uint8") {
    throw new RuntimeError(`where expected condition to be a boolean tensor, but got a tensor with dtype ${condition.dtype.title}`);
  }
}

const zeroElsewhere: Formula = ({ grad, condition }) => grad.masked_fill(condition.logical_not(), 0);
const zeroThere: Formula = ({ grad, condition }) => grad.masked_fill(condition, 0);

/** `self` where `condition` holds, `other` elsewhere. */
export const where: FunctionOp<[condition: Tensor, self: TensorLike, other: TensorLike]> = pointwise("where.self(Tensor condition, Tensor self, Tensor other) -> Tensor", {
  value: ({ condition, self, other }) => self.where(condition, other),
  backward: { self: zeroElsewhere, other: zeroThere },
  unpromoted: ["condition"],
  check: checkCondition,
  inplace: false,
  method: false,
});

function checkFill(values: readonly unknown[], common: DType): void {
  const [, mask, value] = values as [Tensor, Tensor, TensorLike];
  if (mask.dtype.kind !== BOOL) throw new RuntimeError(`masked_fill_ only supports boolean masks, but got mask with dtype ${mask.dtype.title}`.replace("masked_fill_ only supports boolean masks, but got mask with dtype", "masked_fill only supports boolean masks, but got dtype"));
  if (value instanceof Tensor) {
    if (value._sizes.length > 0) {
      throw new RuntimeError(`masked_fill only supports a 0-dimensional value tensor, but got tensor with ${value._sizes.length} dimension(s).`);
    }
    return;
  }
  const from = kindDefault(scalarKind(value));
  if (!can_cast(from, common)) throw new RuntimeError(`value cannot be converted to type ${common.title} without overflow`);
}

const filled: Formula = ({ self, mask, value }) => self.masked_fill(mask, value);
const unmaskedGrad: Formula = ({ grad, mask }) => grad.masked_fill(mask, 0);

/** `value` where `mask` holds, `self` elsewhere; `value` is a number or a 0-dim tensor. */
export const masked_fill: InplaceOp<[self: Tensor, mask: Tensor, value: TensorLike]> = overloaded(
  {},
  new PointwiseOverload("masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", {
    value: filled, backward: { self: unmaskedGrad }, unpromoted: ["mask"], check: checkFill, numbers: false,
  }),
  new PointwiseOverload("masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", {
    value: filled,
    backward: { self: unmaskedGrad, value: ({ grad, mask }) => grad.masked_fill(mask.logical_not(), 0) },
    unpromoted: ["mask", "value"], check: checkFill, numbers: false, node: "MaskedFillBackward1",
  }),
);
