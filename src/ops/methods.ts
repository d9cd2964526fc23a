/** Puts every op on Tensor, in types and at run time, and hands the engine its own few operations. */
import { installAutograd, type TensorAutograd } from "../autograd/tensor-autograd.ts";
import { ops } from "../autograd/engine-ops.ts";
import { installMethods, type Methods } from "../dispatch/op.ts";
import type { Sizes } from "../tensor/layout.ts";
import { emptyStrided, Tensor } from "../tensor/tensor.ts";
import { asStridedBackward } from "./shape/as-strided.ts";
import { clone, contiguous_format } from "./creation/copy.ts";
import { emptyLike, filled, scalarTensorOf } from "./creation/fill.ts";
import * as functions from "./functions.ts";
import { stack } from "./shape/joining.ts";
import * as methodOnly from "./method-only.ts";
import { installReading, type Reading } from "./creation/reading.ts";
import { as_strided } from "./shape/shape.ts";
import { installShapeProperties, type ShapeProperties } from "./shape/shape-properties.ts";

declare module "../tensor/tensor.ts" {
  interface Tensor extends TensorAutograd, Reading, ShapeProperties, Methods<typeof functions>, Methods<typeof methodOnly> {}
}

installAutograd();
installReading();
installShapeProperties();
installMethods(functions, methodOnly);

Object.assign(ops, {
  add: (a: Tensor, b: Tensor) => a.add(b),
  addInplace: (a: Tensor, b: Tensor) => void a.add_(b),
  sumToSize: (grad: Tensor, sizes: Sizes) => grad.sum_to_size(sizes),
  to: (grad, dtype) => grad.to(dtype),
  clone: (grad) => clone(grad),
  contiguousClone: (grad) => clone(grad, { memory_format: contiguous_format }),
  detach: (tensor) => tensor._aliased(tensor._sizes, tensor._strides, tensor._offset),
  asStrided: (self, sizes, strides, offset) => as_strided(self, sizes, strides, offset),
  asStridedBackward,
  copyInto: (self, source) => self.copy_(source),
  emptyLike: (self, dtype) => emptyLike(self, dtype),
  emptyStrided: (sizes, strides, dtype) => emptyStrided(sizes, strides, dtype),
  scalarTensor: scalarTensorOf,
  full: filled,
  stack: (tensors) => stack(tensors),
  hasNaN: (tensor) => tensor.isnan().sum().item() !== 0,
} satisfies typeof ops);
