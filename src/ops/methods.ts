/** Puts every op on Tensor, in types and at run time, and hands the engine its own few operations. */
import { installAutograd, type TensorAutograd } from "../autograd/tensor-autograd.ts";
import { ops } from "../autograd/engine-ops.ts";
import { installMethods, writeOut, type Methods } from "../dispatch/op.ts";
import { sameSizes, type Sizes } from "../tensor/layout.ts";
import { emptyStrided, Tensor } from "../tensor/tensor.ts";
import * as arithmetic from "./arithmetic.ts";
import { asStridedBackward } from "./as-strided.ts";
import * as comparison from "./comparison.ts";
import { clone, contiguous, writeInto } from "./copy.ts";
import * as copying from "./copy.ts";
import * as creationMethods from "./creation-methods.ts";
import { filled, scalarTensorOf } from "./fill.ts";
import * as pointwise from "./pointwise.ts";
import { installReading, type Reading } from "./reading.ts";
import * as reduction from "./reduction.ts";
import * as shape from "./shape.ts";
import * as shapeMethods from "./shape-methods.ts";
import * as tensorMethods from "./tensor-methods.ts";

declare module "../tensor/tensor.ts" {
  interface Tensor
    extends TensorAutograd,
      Reading,
      Methods<typeof pointwise>,
      Methods<typeof arithmetic>,
      Methods<typeof comparison>,
      Methods<{ clone: typeof clone }>,
      Methods<typeof reduction>,
      Methods<typeof shape>,
      Methods<typeof shapeMethods>,
      Methods<typeof creationMethods>,
      Methods<typeof tensorMethods> {}
}

installAutograd();
installReading();
installMethods(pointwise, arithmetic, comparison, { clone: copying.clone }, reduction, shape, shapeMethods, creationMethods, tensorMethods);

Object.assign(ops, {
  add: (a: Tensor, b: Tensor) => a.add(b),
  addInplace: (a: Tensor, b: Tensor) => void a.add_(b),
  sumToSize: (grad: Tensor, sizes: Sizes) => grad.sum_to_size(sizes),
  to: (grad, dtype) => grad.to(dtype),
  clone: (grad) => clone(grad),
  contiguous,
  detach: (tensor) => new Tensor(tensor._storage, tensor._sizes, tensor._strides, tensor._offset, tensor.dtype, tensor._counter),
  asStrided: (self, sizes, strides, offset) => shape.as_strided(self, sizes, strides, offset),
  asStridedBackward,
  copyInto: (self, source) => self.copy_(source),
  emptyStrided: (sizes, strides, dtype) => emptyStrided(sizes, strides, dtype),
  scalarTensor: scalarTensorOf,
  full: filled,
  stack: (tensors) => tensors[0],
  hasNaN: (tensor) => tensor.isnan().sum().item() !== 0,
} satisfies typeof ops);

writeOut.into = (out, result) => {
  if (!sameSizes(out._sizes, result._sizes)) out._setGeometry(result._sizes, result._strides, 0);
  return writeInto(out, result);
};
