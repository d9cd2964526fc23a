/** Overwriting a tensor with one value. */
import { KernelOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp, type Op } from "../../dispatch/op.ts";
import { refuseInternalOverlap } from "../../dispatch/iterate.ts";
import { RuntimeError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "./copy.ts";
import { emptyLike, fillChecked, fillWith } from "./fill.ts";

type Scalar = number | bigint | boolean;

declare module "../../tensor/tensor.ts" {
  interface Tensor {
    /** Overwrites every element with a number or with a 0-dim tensor. */
    fill_(value: Tensor | Scalar): Tensor;
  }
}

const zeros = ({ grad }: { grad: Tensor }): Tensor => fillWith(emptyLike(grad, null), 0);
const total = ({ grad }: { grad: Tensor }): Tensor => grad.sum();

/** A number may be written to elements that share memory: all are the same. */
function overwrite(self: Tensor, value: Scalar): void {
  fillChecked(self, value);
}

function overwriteBy(self: Tensor, value: Tensor): void {
  if (value._sizes.length > 0) throw new RuntimeError(`fill_ only supports 0-dimension value tensor but got tensor with ${value._sizes.length} dimensions.`);
  refuseInternalOverlap(self);
  writeInto(self, value);
}

const inFresh = <V>(write: (self: Tensor, value: V) => void) => (self: Tensor, value: V): Tensor => {
  const out = emptyLike(self, null);
  write(out, value);
  return out;
};

/** A tensor in the sizes and dtype of `self`, every element of which is `value`: a number or a 0-dim tensor. */
export const fill: FunctionOp<[self: Tensor, value: Tensor | Scalar], { value?: Tensor | Scalar }> = makeOp(
  "fill",
  [
    new KernelOverload("fill.Tensor(Tensor self, Tensor value) -> Tensor", { forward: inFresh(overwriteBy), backward: { self: zeros, value: total }, node: "FillBackward1" }),
    new KernelOverload("fill.Scalar(Tensor self, Scalar value) -> Tensor", { forward: inFresh(overwrite), backward: { self: zeros } }),
    new KernelOverload("fill.Tensor(Tensor self, Tensor value) -> Tensor", {
      forward: inFresh(overwriteBy), inplace: overwriteBy, backward: { self: zeros, value: total }, node: "FillBackward3",
    }),
    new KernelOverload("fill.Scalar(Tensor self, Scalar value) -> Tensor", { forward: inFresh(overwrite), inplace: overwrite, backward: { self: zeros }, node: "FillBackward2" }),
  ],
  false,
) as unknown as typeof fill;

const zeroing = new KernelOverload("zero(Tensor self) -> Tensor", {
  forward: (self: Tensor) => fillWith(emptyLike(self, null), 0),
  inplace: (self: Tensor) => overwrite(self, 0),
  backward: { self: zeros },
});

/** Overwrites every element with 0. */
export const zero_: Op<[self: Tensor]> = makeOp("zero_", [{ signature: zeroing.signature, call: (values) => zeroing.inplace!(values) }], true) as unknown as typeof zero_;
