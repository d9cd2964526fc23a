/** Elements picked or filled in by a mask. */
import { CompositeOverload } from "../../dispatch/define.ts";
import { rowMajorGradient } from "../../dispatch/fused.ts";
import { broadcastTensors } from "../../dispatch/iterate.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { overloaded, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { FunctionOp, InplaceOp, TensorLike } from "../../dispatch/op.ts";
import { RuntimeError, warn } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { BOOL, checkFits, typeMetaName, uint8, type DType } from "../../tensor/dtype.ts";
import { onlyElement } from "../../tensor/read.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { castTo } from "../creation/copy.ts";
import { mustFit } from "./refusals.ts";

function checkCondition(values: readonly unknown[]): void {
  const { dtype } = values[0] as Tensor;
  if (dtype === uint8) {
    warn("where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future version of PyTorch. Use a boolean condition instead.");
  } else if (dtype.kind !== BOOL) {
    throw new RuntimeError(`where expected condition to be a boolean tensor, but got a tensor with dtype ${dtype.title}`);
  }
}

interface Where {
  (condition: Tensor): readonly Tensor[];
}

/** A number beside a tensor: PyTorch casts the tensor first, in an operation that is recorded, or cuts the graph where the cast does. */
class WhereNumber extends PointwiseOverload {
  override call([condition, ...sides]: unknown[]): Tensor {
    const { common } = this.dtypes([condition, ...sides]);
    return super.call([condition, ...sides.map((side) => (side instanceof Tensor ? castTo(side, common) : side))]);
  }
}

function whereOf(parameters: string, takesOut = false): PointwiseOverload {
  const numbers = parameters.includes("Scalar");
  return new (numbers ? WhereNumber : PointwiseOverload)(`where(Tensor condition, ${parameters}) -> Tensor`, {
    value: ({ condition, self, other }) => self.where(condition, other),
    backward: {
      self: ({ condition, grad }) => grad.where(condition, 0),
      other: ({ condition, grad }) => grad.where(condition.logical_not(), 0),
    },
    unpromoted: ["condition"],
    promoted: ["self", "other"],
    refuse: checkCondition,
    check: mustFit(1, 2),
    numbers: false,
    inplace: false,
    takesOut,
    outRule: sameDtype((out, result) => `Expected out type to be ${result.title} but got ${out.title}`),
  });
}

/** `self` where `condition` holds, `other` elsewhere; with `condition` alone, the indices where it holds, one tensor per dimension. */
export const where: FunctionOp<[condition: Tensor, self: TensorLike, other: TensorLike]> & Where = overloaded(
  { method: false },
  new CompositeOverload(
    "where(Tensor condition) -> Tensor[]",
    (condition: Tensor) => (condition._sizes.length === 0 ? condition.unsqueeze(0) : condition).nonzero().unbind(1),
    { takesOut: false },
  ),
  whereOf("Tensor self, Tensor other", true),
  whereOf("Scalar self, Tensor other"),
  whereOf("Tensor self, Scalar other"),
  whereOf("Scalar self, Scalar other"),
);

/** In place the operands are looked at before the shapes, out of place after them. */
function refuseOperands(values: readonly unknown[], _common: DType, inplace: boolean): void {
  const [self, mask, value] = values as [Tensor, Tensor, TensorLike];
  if (!inplace) broadcastTensors([mask, self]);
  if (value instanceof Tensor && value._sizes.length > 0) {
    throw new RuntimeError(`masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ${value._sizes.length} dimension(s).`);
  }
  if (mask.dtype.kind !== BOOL) throw new RuntimeError(`masked_fill_ only supports boolean masks, but got mask with dtype ${typeMetaName(mask.dtype)}`);
}

function checkFill(values: readonly unknown[], common: DType): void {
  const value = values[2] as TensorLike;
  checkFits(value instanceof Tensor ? onlyElement(value) : value, common);
}

const filled: Formula = ({ self, mask, value }) => self.masked_fill(mask, value);
const unmaskedGrad = rowMajorGradient(({ grad, mask }) => grad.masked_fill(mask, 0));

const filling = { value: filled, refuse: refuseOperands, check: checkFill, writesShared: true, layout: "contiguous", numbers: false, takesOut: false } as const;

/** `value` where `mask` holds, `self` elsewhere; `value` is a number or a 0-dim tensor. */
export const masked_fill: InplaceOp<[self: Tensor, mask: Tensor, value: TensorLike]> = overloaded(
  {},
  new PointwiseOverload("masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", {
    ...filling,
    backward: { self: unmaskedGrad, value: rowMajorGradient(({ grad, mask }) => grad.masked_fill(mask.logical_not(), 0)) },
    unpromoted: ["mask", "value"],
    node: "MaskedFillBackward1",
  }),
  new PointwiseOverload("masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", {
    ...filling,
    backward: { self: unmaskedGrad },
    unpromoted: ["mask"],
  }),
);
