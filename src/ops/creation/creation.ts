/** Factories: tensors made out of sizes, numbers and arrays. */
import { composite, factory, factoryOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError, ValueError, warn } from "../../errors.ts";
import type { Device } from "../../tensor/device.ts";
import { get_default_dtype, kindDefault, scalarKind, type DType } from "../../tensor/dtype.ts";
import type { Sizes } from "../../tensor/layout.ts";
import { emptyStrided, emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { writeInto, type MemoryFormat } from "./copy.ts";
import { checkSizes, emptyLike, fillChecked, filled, fillWith, fromData, strided, type TensorData } from "./fill.ts";

/** Named parameters of every factory. */
export interface TensorOptions {
  dtype?: DType | null;
  requires_grad?: boolean;
  device?: Device | string | null;
  layout?: unknown;
  pin_memory?: boolean;
}

export type Size = readonly number[];
type SizeFactory = FunctionOp<[size: Size], TensorOptions & { size?: Size }> & ((...sizes: number[]) => Tensor) & ((...args: [...number[], TensorOptions]) => Tensor);

const sized = (name: string, body: (sizes: Sizes, dtype: DType | null) => Tensor): SizeFactory =>
  factory(`${name}(int[] size, *, ScalarType? dtype=None) -> Tensor`, body) as SizeFactory;

/** A tensor of zeros. */
export const zeros: SizeFactory = sized("zeros", (size, dtype) => {
  if (size.some((s) => s < 0)) throw new RuntimeError("zeros: Dimension size must be non-negative.");
  return filled(size, 0, dtype ?? get_default_dtype());
});
/** A tensor of ones. */
export const ones: SizeFactory = sized("ones", (size, dtype) => filled(size, 1, dtype ?? get_default_dtype()));
/** A tensor whose elements are not set; here they are whatever the heap holds. */
export const empty: SizeFactory = sized("empty", (size, dtype) => emptyTensor(checkSizes(size), dtype ?? get_default_dtype()));

interface LikeOptions extends TensorOptions {
  memory_format?: MemoryFormat | null;
}
type Like = FunctionOp<[self: Tensor], LikeOptions>;

const like = (name: string, body: (self: Tensor, dtype: DType | null, format: MemoryFormat | null) => Tensor): Like =>
  factory(`${name}(Tensor self, *, ScalarType? dtype=None, MemoryFormat? memory_format=None) -> Tensor`, body, { takesOut: false }) as Like;

/** Zeros in the sizes and dtype of `self`. */
export const zeros_like: Like = like("zeros_like", (self, dtype, format) => fillWith(emptyLike(self, dtype, format), 0));
/** Ones in the sizes and dtype of `self`. */
export const ones_like: Like = like("ones_like", (self, dtype, format) => fillWith(emptyLike(self, dtype, format), 1));
/** An unset tensor in the sizes and dtype of `self`. */
export const empty_like: Like = like("empty_like", emptyLike);

type Scalar = number | bigint | boolean;

function fullDtype(value: Scalar, dtype: DType | null): DType {
  if (dtype !== null) return dtype;
  return typeof value === "number" ? get_default_dtype() : kindDefault(scalarKind(value));
}

/** A tensor filled with `fill_value`; a number gives the default dtype, a bigint int64, a boolean bool. */
export const full: FunctionOp<[size: Size, fill_value: Scalar | Tensor], TensorOptions> = factory(
  "full(int[] size, Scalar fill_value, *, ScalarType? dtype=None) -> Tensor",
  (size: Sizes, value: Scalar, dtype: DType | null) => fillChecked(emptyTensor(checkSizes(size), fullDtype(value, dtype)), value),
);

/** A tensor in the sizes and dtype of `self`, filled with `fill_value`. */
export const full_like: FunctionOp<[self: Tensor, fill_value: Scalar | Tensor], LikeOptions> = factory(
  "full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, MemoryFormat? memory_format=None) -> Tensor",
  (self: Tensor, value: Scalar, dtype: DType | null, format: MemoryFormat | null) => fillChecked(emptyLike(self, dtype, format), value),
  { takesOut: false },
);

/** A 0-dim tensor. */
export const scalar_tensor: FunctionOp<[s: Scalar], TensorOptions> = factory(
  "scalar_tensor(Scalar s, *, ScalarType? dtype=None) -> Tensor",
  (value: Scalar, dtype: DType | null) => fillChecked(emptyTensor([], dtype ?? get_default_dtype()), value),
  { takesOut: false },
);

/** An unset tensor with the strides given. */
export const empty_strided: FunctionOp<[size: Size, stride: Size], TensorOptions> = factory(
  "empty_strided(int[] size, int[] stride, *, ScalarType? dtype=None) -> Tensor",
  (size: Sizes, stride: Sizes, dtype: DType | null) => strided(size, stride, dtype ?? get_default_dtype()),
  { takesOut: false },
);

/** An unset tensor whose dimensions lie in memory in the order of `physical_layout`, outermost first. */
export const empty_permuted: FunctionOp<[size: Size, physical_layout: Size], TensorOptions> = factory(
  "empty_permuted(int[] size, int[] physical_layout, *, ScalarType? dtype=None) -> Tensor",
  (size: Sizes, order: Sizes, dtype: DType | null) => {
    const ndim = size.length;
    if (order.length !== ndim) {
      throw new RuntimeError(
        `Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = ${ndim} is not equal to len(physical_layout) = ${order.length}`,
      );
    }
    order.forEach((d, i) => {
      if (d < 0 || d >= ndim) {
        throw new RuntimeError(`Dimension out of range (expected to be between 0 and ${ndim - 1}, but got ${d} at index ${i}).  NB: negative dims not currently supported; file an issue if you want it.`);
      }
      if (order.indexOf(d) !== i) throw new RuntimeError("Duplicate dim not allowed");
    });
    const stride = new Array<number>(ndim);
    let step = 1;
    for (const d of order.toReversed()) {
      stride[d] = step;
      step *= Math.max(size[d], 1);
    }
    return emptyStrided(checkSizes(size), stride, dtype ?? get_default_dtype());
  },
  { takesOut: false },
);

function identity(n: number, m: number, dtype: DType | null): Tensor {
  if (n < 0) throw new RuntimeError(`n must be greater or equal to 0, got ${n}`);
  if (m < 0) throw new RuntimeError(`m must be greater or equal to 0, got ${m}`);
  const out = filled([n, m], 0, dtype ?? get_default_dtype());
  fillWith(out._aliased([Math.min(n, m)], [m + 1], 0), 1);
  return out;
}

/** The identity matrix, n × m. */
export const eye: FunctionOp<[n: number, m?: number], TensorOptions & { m?: number }> = makeOp(
  "eye",
  [
    factoryOverload("eye(int n, *, ScalarType? dtype=None) -> Tensor", (n: number, dtype: DType | null) => identity(n, n, dtype)),
    factoryOverload("eye.m(int n, int m, *, ScalarType? dtype=None) -> Tensor", identity),
  ],
  false,
) as typeof eye;

/**
 * A tensor of the given data: nested arrays of numbers (the default dtype), of bigints (int64), of booleans (bool),
 * or a typed array (its own dtype). The data are copied.
 *
 * @throws ValueError where the arrays are ragged.
 * @example
 * const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
 */
export const tensor: FunctionOp<[data: TensorData], TensorOptions> = factory("tensor(Any data, *, ScalarType? dtype=None) -> Tensor", fromData, { takesOut: false });

/** The same as `tensor`, but `data` that is a tensor of the dtype already is returned as it is. */
export const as_tensor: FunctionOp<[data: TensorData], TensorOptions> = factory(
  "as_tensor(Any data, *, ScalarType? dtype=None) -> Tensor",
  (data: TensorData, dtype: DType | null) =>
    data instanceof Tensor ? (dtype === null || dtype === data.dtype ? data : writeInto(emptyLike(data, dtype), data)) : fromData(data, dtype),
  { takesOut: false },
);

interface AsArrayOptions extends TensorOptions {
  copy?: boolean | null;
}

/**
 * `obj` as a tensor: a tensor of the dtype already is returned as it is unless `copy` says otherwise, and data are copied.
 *
 * @throws ValueError where `copy` is false, and `obj` is no tensor or has another dtype.
 */
export const asarray: FunctionOp<[obj: TensorData], AsArrayOptions> = composite(
  "asarray(Any obj, *, ScalarType? dtype=None, Device? device=None, bool? copy=None, bool? requires_grad=None) -> Tensor",
  (obj: TensorData, dtype: DType | null, _device: unknown, copy: boolean | null, requires: boolean | null) => {
    if (!(obj instanceof Tensor)) {
      if (copy === false) throw new ValueError("can't alias arbitrary sequence into a tensor.");
      return fromData(obj, dtype).requires_grad_(requires ?? false);
    }
    if (requires === null && obj.requires_grad) {
      warn("torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass requires_grad=False explicitly to get the old behavior and silence this warning.");
    }
    const wanted = dtype ?? obj.dtype;
    if (copy === false && wanted !== obj.dtype) throw new ValueError(`can't alias tensor with dtype '${obj.dtype.title}' into dtype '${wanted.title}'.`);
    const result = obj.to(wanted, { copy: copy === true });
    const keeps = requires ?? obj.requires_grad;
    if (!result.is_leaf) return keeps ? result : result.detach();
    return result.requires_grad_(keeps);
  },
  { method: false, takesOut: false },
);
