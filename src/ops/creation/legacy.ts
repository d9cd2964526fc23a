/** The constructors by dtype of PyTorch's first years: `torch.FloatTensor(2, 3)`, `torch.LongTensor([1, 2])`. */
import { RuntimeError } from "../../errors.ts";
import { bool, float32, float64, int16, int32, int64, int8, typeMetaName, uint8, type DType } from "../../tensor/dtype.ts";
import { listText } from "../../tensor/layout.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { typeText } from "../../schema/arguments.ts";
import { fromData, type TensorData } from "./fill.ts";

/** Sizes of a tensor that is not set, or the data, or a tensor of the dtype, which is shared. With or without `new`. */
export interface LegacyConstructor {
  (...sizes: number[]): Tensor;
  (data: TensorData): Tensor;
  new (...sizes: number[]): Tensor;
  new (data: TensorData): Tensor;
}

function ofDtype(dtype: DType): LegacyConstructor {
  return function (...given: unknown[]): Tensor {
    const [first] = given;
    if (first instanceof Tensor) return shared(first, dtype);
    if (Array.isArray(first) || ArrayBuffer.isView(first)) return fromData(first as TensorData, dtype);
    return emptyTensor(given.length === 0 ? [0] : given.map((size, i) => sizeOf(size, i, given)), dtype);
  } as unknown as LegacyConstructor;
}

function sizeOf(size: unknown, position: number, all: readonly unknown[]): number {
  if (typeof size === "number" && Number.isInteger(size)) {
    if (size < 0) throw new RuntimeError(`Trying to create tensor with negative dimension ${size}: ${listText(all as number[])}`);
    return size;
  }
  if (position > 0) throw new TypeError(`new(): argument 'size' failed to unpack the object at pos ${position + 1} with error "type must be tuple of ints,but got ${typeText(size)}"`);
  throw new TypeError(typeof size === "string" ? "new(): invalid data type 'str'" : `new(): data must be a sequence (got ${typeText(size)})`);
}

function shared(t: Tensor, dtype: DType): Tensor {
  if (t.dtype === dtype) return t.detach();
  const options = (d: DType): string =>
    `TensorOptions(dtype=${typeMetaName(d)}, device=cpu, layout=Strided, requires_grad=false (default), pinned_memory=false (default), memory_format=(nullopt))`;
  throw new TypeError(`expected ${options(dtype)} (got ${options(t.dtype)})`);
}

/** Tensors of float32. */
export const FloatTensor: LegacyConstructor = ofDtype(float32);
/** Tensors of float64. */
export const DoubleTensor: LegacyConstructor = ofDtype(float64);
/** Tensors of int64. */
export const LongTensor: LegacyConstructor = ofDtype(int64);
/** Tensors of int32. */
export const IntTensor: LegacyConstructor = ofDtype(int32);
/** Tensors of int16. */
export const ShortTensor: LegacyConstructor = ofDtype(int16);
/** Tensors of int8. */
export const CharTensor: LegacyConstructor = ofDtype(int8);
/** Tensors of uint8. */
export const ByteTensor: LegacyConstructor = ofDtype(uint8);
/** Tensors of bool. */
export const BoolTensor: LegacyConstructor = ofDtype(bool);
