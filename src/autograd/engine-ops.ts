import type { DType } from "../tensor/dtype.ts";
import type { Sizes } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The few operations that the engine itself performs; the op table hands them over when it is installed. */
export interface EngineOps {
  add(a: Tensor, b: Tensor): Tensor;
  /** a += b, unrecorded. */
  addInplace(a: Tensor, b: Tensor): void;
  sumToSize(grad: Tensor, sizes: Sizes): Tensor;
  to(grad: Tensor, dtype: DType): Tensor;
  clone(grad: Tensor): Tensor;
  /** A copy in row-major order. */
  contiguousClone(grad: Tensor): Tensor;
  detach(tensor: Tensor): Tensor;
  asStrided(self: Tensor, sizes: Sizes, strides: Sizes, offset: number): Tensor;
  asStridedBackward(grad: Tensor, base: Geometry, view: Geometry): Tensor;
  copyInto(self: Tensor, source: Tensor): Tensor;
  emptyLike(self: Tensor, dtype: DType): Tensor;
  emptyStrided(sizes: Sizes, strides: Sizes, dtype: DType): Tensor;
  /** A number as a 0-dim tensor of the dtype that its kind has in arithmetic. */
  scalarTensor(value: number | bigint | boolean): Tensor;
  full(sizes: Sizes, value: number, dtype: DType): Tensor;
  stack(tensors: readonly Tensor[]): Tensor;
  hasNaN(tensor: Tensor): boolean;
}

export const ops = {} as EngineOps;

/** How a tensor lies in its storage. */
export interface Geometry {
  sizes: Sizes;
  strides: Sizes;
  offset: number;
}

export function geometryOf(tensor: Tensor): Geometry {
  return { sizes: tensor._sizes, strides: tensor._strides, offset: tensor._offset };
}
