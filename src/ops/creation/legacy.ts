/** The constructors of PyTorch's first years: `torch.FloatTensor(2, 3)`, `torch.LongTensor([1, 2])`, `torch.Tensor(2, 3)`. */
import { RuntimeError, ValueError, warn } from "../../errors.ts";
import { bool, float32, float64, get_default_dtype, int16, int32, int64, int8, set_default_dtype, typeMetaName, uint8, type DType } from "../../tensor/dtype.ts";
import { listText } from "../../tensor/layout.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { typeText } from "../../schema/arguments.ts";
import { fromData, type TensorData } from "./fill.ts";

/** Sizes of a tensor that is not set, or the data, or a tensor of the dtype, which is shared. With or without `new`. */
interface Constructor {
  (...sizes: number[]): Tensor;
  (data: TensorData): Tensor;
  new (...sizes: number[]): Tensor;
  new (data: TensorData): Tensor;
}

/** The constructor of tensors of one dtype. */
export interface LegacyConstructor extends Constructor {
  readonly dtype: DType;
  /** Is it a tensor of that dtype? */
  [Symbol.hasInstance](value: unknown): boolean;
}

export function construct(dtype: DType, given: readonly unknown[]): Tensor {
  const [first] = given;
  if (first instanceof Tensor) return shared(first, dtype);
  if (Array.isArray(first) || ArrayBuffer.isView(first)) return fromData(first as TensorData, dtype);
  return emptyTensor(given.length === 0 ? [0] : given.map((size, i) => sizeOf(size, i, given)), dtype);
}

function ofDtype(dtype: DType): LegacyConstructor {
  // No arrow, for that could not be called with `new`.
  function constructor(...given: unknown[]): Tensor {
    return construct(dtype, given);
  }
  return Object.defineProperties(constructor, {
    dtype: { value: dtype },
    [Symbol.hasInstance]: { value: (t: unknown) => t instanceof Tensor && t.dtype === dtype },
  }) as unknown as LegacyConstructor;
}

/** Tensors of the default dtype, and of any tensor an alias. */
const constructDefault = (given: readonly unknown[]): Tensor => construct(given[0] instanceof Tensor ? given[0].dtype : get_default_dtype(), given);

type TensorType = Tensor;
/** The class of tensors, for `instanceof`; and, with or without `new`, the constructor of those of the default dtype. */
const TensorType: Constructor & { readonly prototype: Tensor } = /* @__PURE__ */ new Proxy(Tensor, {
  apply: (_target, _self, given) => constructDefault(given),
  construct: (_target, given) => constructDefault(given),
}) as never;
export { TensorType as Tensor };

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

const tensorTypes = new Map([float32, float64, int64, int32, int16, int8, uint8, bool].map((dtype) => [`torch.${dtype.title}Tensor`, dtype]));

/** The dtype of tensors that a constructor makes, or that are called by its name. */
export function dtypeOfType(type: LegacyConstructor | string): DType {
  const dtype = typeof type === "string" ? tensorTypes.get(type) : type.dtype;
  if (dtype === undefined) throw new ValueError(`invalid type: '${String(type)}'`);
  return dtype;
}

/** Deprecated: `set_default_dtype` by a constructor, or by its name. */
export function set_default_tensor_type(type: LegacyConstructor | string): void {
  warn("torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and torch.set_default_device() as alternatives.");
  set_default_dtype(dtypeOfType(type));
}
