/** Puts every op on Tensor, in types and at run time, and hands the engine its own few operations. */
import { installAutograd, type TensorAutograd } from "../autograd/tensor-autograd.ts";
import { ops } from "../autograd/engine-ops.ts";
import { installMethods, type Methods } from "../dispatch/op.ts";
import type { Sizes } from "../tensor/layout.ts";
import { emptyStrided, Tensor } from "../tensor/tensor.ts";
import * as arithmetic from "./arithmetic.ts";
import { asStridedBackward } from "./as-strided.ts";
import * as broadcasting from "./broadcasting.ts";
import * as comparison from "./comparison.ts";
import * as division from "./division.ts";
import * as exponential from "./exponential.ts";
import * as extremes from "./extremes.ts";
import * as logic from "./logic.ts";
import * as power from "./power.ts";
import * as selection from "./selection.ts";
import * as trigonometric from "./trigonometric.ts";
import { clone } from "./copy.ts";
import * as copying from "./copy.ts";
import * as creationMethods from "./creation-methods.ts";
import * as diagonals from "./diagonals.ts";
import { filled, scalarTensorOf } from "./fill.ts";
import * as addProduct from "./add-product.ts";
import * as linalg from "./linalg.ts";
import * as matmul from "./matmul.ts";
import * as ternary from "./ternary.ts";
import * as random from "./random.ts";
import * as randomMethods from "./random-methods.ts";
import * as filling from "./filling.ts";
import * as gathering from "./gathering.ts";
import * as indexWriting from "./index-writing.ts";
import * as indexing from "./indexing.ts";
import * as indexingMethods from "./indexing-methods.ts";
import * as scatterReduce from "./scatter-reduce.ts";
import * as scattering from "./scattering.ts";
import * as pointwise from "./pointwise.ts";
import { stack } from "./joining.ts";
import { installReading, type Reading } from "./reading.ts";
import * as rearranging from "./rearranging.ts";
import * as extrema from "./extrema.ts";
import * as norm from "./norm.ts";
import * as normalization from "./normalization.ts";
import * as reduction from "./reduction.ts";
import * as scan from "./scan.ts";
import * as statistics from "./statistics.ts";
import * as resizing from "./resizing.ts";
import * as selecting from "./selecting.ts";
import * as shape from "./shape.ts";
import * as shapeMethods from "./shape-methods.ts";
import { installShapeProperties, type ShapeProperties } from "./shape-properties.ts";
import * as splitting from "./splitting.ts";
import * as tensorMethods from "./tensor-methods.ts";
import * as viewCopies from "./view-copies.ts";
import * as viewScatter from "./view-scatter.ts";

declare module "../tensor/tensor.ts" {
  interface Tensor
    extends TensorAutograd,
      Reading,
      ShapeProperties,
      Methods<typeof pointwise>,
      Methods<typeof arithmetic>,
      Methods<typeof broadcasting>,
      Methods<typeof comparison>,
      Methods<typeof division>,
      Methods<typeof exponential>,
      Methods<typeof extremes>,
      Methods<typeof logic>,
      Methods<typeof power>,
      Methods<typeof selection>,
      Methods<typeof trigonometric>,
      Methods<typeof diagonals>,
      Methods<typeof rearranging>,
      Methods<typeof resizing>,
      Methods<typeof viewCopies>,
      Methods<typeof viewScatter>,
      Methods<{ clone: typeof clone }>,
      Methods<typeof extrema>,
      Methods<typeof norm>,
      Methods<typeof normalization>,
      Methods<typeof reduction>,
      Methods<typeof scan>,
      Methods<typeof statistics>,
      Methods<typeof selecting>,
      Methods<typeof shape>,
      Methods<typeof shapeMethods>,
      Methods<typeof splitting>,
      Methods<typeof addProduct>,
      Methods<typeof linalg>,
      Methods<typeof matmul>,
      Methods<typeof ternary>,
      Methods<typeof random>,
      Methods<typeof randomMethods>,
      Methods<typeof creationMethods>,
      Methods<typeof filling>,
      Methods<typeof gathering>,
      Methods<typeof indexWriting>,
      Methods<typeof indexing>,
      Methods<typeof indexingMethods>,
      Methods<typeof scatterReduce>,
      Methods<typeof scattering>,
      Methods<typeof tensorMethods> {}
}

installAutograd();
installReading();
installShapeProperties();
installMethods(pointwise, arithmetic, division, exponential, extremes, logic, power, selection, trigonometric, broadcasting, comparison, { clone: copying.clone }, extrema, norm, normalization, reduction, scan, statistics, diagonals, rearranging, resizing, selecting, shape, shapeMethods, splitting, viewCopies, viewScatter, addProduct, linalg, matmul, ternary, random, randomMethods, creationMethods, filling, gathering, indexWriting, indexing, indexingMethods, scatterReduce, scattering, tensorMethods);

Object.assign(ops, {
  add: (a: Tensor, b: Tensor) => a.add(b),
  addInplace: (a: Tensor, b: Tensor) => void a.add_(b),
  sumToSize: (grad: Tensor, sizes: Sizes) => grad.sum_to_size(sizes),
  to: (grad, dtype) => grad.to(dtype),
  clone: (grad) => clone(grad),
  contiguousClone: (grad) => clone(grad, { memory_format: copying.contiguous_format }),
  detach: (tensor) => tensor._aliased(tensor._sizes, tensor._strides, tensor._offset),
  asStrided: (self, sizes, strides, offset) => shape.as_strided(self, sizes, strides, offset),
  asStridedBackward,
  copyInto: (self, source) => self.copy_(source),
  emptyStrided: (sizes, strides, dtype) => emptyStrided(sizes, strides, dtype),
  scalarTensor: scalarTensorOf,
  full: filled,
  stack: (tensors) => stack(tensors),
  hasNaN: (tensor) => tensor.isnan().sum().item() !== 0,
} satisfies typeof ops);
