/** Factories: tensors made out of sizes, numbers and arrays. */
import { factory, factoryOverload } from "../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../dispatch/op.ts";
import { RuntimeError } from "../errors.ts";
import { float32, get_default_dtype, int64, kindDefault, scalarKind, type DType } from "../tensor/dtype.ts";
import type { Sizes } from "../tensor/layout.ts";
import { viewTyped } from "../tensor/read.ts";
import { emptyStrided, emptyTensor, Tensor } from "../tensor/tensor.ts";
import { writeInto } from "./copy.ts";
import { checkSizes, emptyLike, filled, fillWith, fromData, type TensorData } from "./fill.ts";

/** Named parameters of every factory. */
export interface TensorOptions {
  dtype?: DType | null;
  requires_grad?: boolean;
  device?: string | null;
  layout?: unknown;
  pin_memory?: boolean;
}

export type Size = readonly number[];
type SizeFactory = FunctionOp<[size: Size], TensorOptions & { size?: Size }> & ((...sizes: number[]) => Tensor) & ((...args: [...number[], TensorOptions]) => Tensor);

const sized = (name: string, body: (sizes: Sizes, dtype: DType | null) => Tensor): SizeFactory =>
  factory(`${name}(int[] size, *, ScalarType? dtype=None) -> Tensor`, body) as SizeFactory;

/** A tensor of zeros. */
export const zeros: SizeFactory = sized("zeros", (size, dtype) => filled(size, 0, dtype ?? get_default_dtype()));
/** A tensor of ones. */
export const ones: SizeFactory = sized("ones", (size, dtype) => filled(size, 1, dtype ?? get_default_dtype()));
/** A tensor whose elements are not set; here they are whatever the heap holds. */
export const empty: SizeFactory = sized("empty", (size, dtype) => emptyTensor(checkSizes(size), dtype ?? get_default_dtype()));

type Like = FunctionOp<[self: Tensor], TensorOptions & { memory_format?: unknown }>;

const like = (name: string, body: (self: Tensor, dtype: DType | null) => Tensor): Like =>
  factory(`${name}(Tensor self, *, ScalarType? dtype=None) -> Tensor`, body) as Like;

/** Zeros in the sizes and dtype of `self`. */
export const zeros_like: Like = like("zeros_like", (self, dtype) => fillWith(emptyLike(self, dtype), 0));
/** Ones in the sizes and dtype of `self`. */
export const ones_like: Like = like("ones_like", (self, dtype) => fillWith(emptyLike(self, dtype), 1));
/** An unset tensor in the sizes and dtype of `self`. */
export const empty_like: Like = like("empty_like", emptyLike);

function fullDtype(value: number | bigint | boolean, dtype: DType | null): DType {
  if (dtype !== null) return dtype;
  return typeof value === "number" ? get_default_dtype() : kindDefault(scalarKind(value));
}

/** A tensor filled with `fill_value`; a number gives the default dtype, a bigint int64, a boolean bool. */
export const full: FunctionOp<[size: Size, fill_value: number | bigint | boolean | Tensor], TensorOptions> = factory(
  "full(int[] size, Scalar fill_value, *, ScalarType? dtype=None) -> Tensor",
  (size: Sizes, value: number | bigint | boolean, dtype: DType | null) => filled(size, value, fullDtype(value, dtype)),
);

/** A tensor in the sizes and dtype of `self`, filled with `fill_value`. */
export const full_like: FunctionOp<[self: Tensor, fill_value: number | bigint | boolean], TensorOptions> = factory(
  "full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None) -> Tensor",
  (self: Tensor, value: number | bigint | boolean, dtype: DType | null) => fillWith(emptyLike(self, dtype), value),
);

/** A 0-dim tensor. */
export const scalar_tensor: FunctionOp<[s: number | bigint | boolean], TensorOptions> = factory(
  "scalar_tensor(Scalar s, *, ScalarType? dtype=None) -> Tensor",
  (value: number | bigint | boolean, dtype: DType | null) => filled([], value, fullDtype(value, dtype)),
);

/** An unset tensor with the strides given. */
export const empty_strided: FunctionOp<[size: Size, stride: Size], TensorOptions> = factory(
  "empty_strided(int[] size, int[] stride, *, ScalarType? dtype=None) -> Tensor",
  (size: Sizes, stride: Sizes, dtype: DType | null) => {
    if (size.length !== stride.length) throw new RuntimeError(`mismatch in length of strides and shape`);
    return emptyStrided(checkSizes(size), stride, dtype ?? get_default_dtype());
  },
);

type Scalar = number | bigint;

function arangeValues(start: Scalar, end: Scalar, step: Scalar, dtype: DType | null): Tensor {
  const [a, b, s] = [Number(start), Number(end), Number(step)];
  if (s === 0) throw new RuntimeError("step must be nonzero");
  if (!Number.isFinite(a) || !Number.isFinite(b)) throw new RuntimeError(`unsupported range: ${a} -> ${b}`);
  if ((s > 0 && b < a) || (s < 0 && b > a)) throw new RuntimeError("upper bound and lower bound inconsistent with step sign");
  const whole = [start, end, step].every((v) => typeof v === "bigint" || Number.isInteger(v));
  const type = dtype ?? (whole ? int64 : get_default_dtype());
  const out = emptyTensor([Math.ceil((b - a) / s)], type);
  const data = viewTyped(out);
  if (data instanceof BigInt64Array) {
    const [first, by] = [BigInt(Math.trunc(a)), BigInt(Math.trunc(s))];
    for (let i = 0; i < data.length; i++) data[i] = first + by * BigInt(i);
  } else {
    for (let i = 0; i < data.length; i++) data[i] = a + s * i;
  }
  return out;
}

/** Numbers from `start` up to, but without, `end`; int64 if all arguments are whole, else the default dtype. */
export const arange: FunctionOp<[start: Scalar, end?: Scalar, step?: Scalar], TensorOptions & { start?: Scalar; end?: Scalar; step?: Scalar }> = makeOp(
  "arange",
  [
    factoryOverload("arange(Scalar end, *, ScalarType? dtype=None) -> Tensor", (end: Scalar, dtype: DType | null) => arangeValues(0, end, 1, dtype)),
    factoryOverload("arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None) -> Tensor", arangeValues),
  ],
  false,
) as typeof arange;

/** `steps` numbers, evenly spaced, from `start` to `end` with both. */
export const linspace: FunctionOp<[start: Scalar, end: Scalar, steps: number], TensorOptions> = factory(
  "linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None) -> Tensor",
  (start: Scalar, end: Scalar, steps: number, dtype: DType | null) => {
    if (steps < 0) throw new RuntimeError("number of steps must be non-negative");
    const type = dtype ?? get_default_dtype();
    const out = emptyTensor([steps], type);
    const [a, b] = [Number(start), Number(end)];
    const values = linspaceValues(a, b, steps, type);
    const data = viewTyped(out);
    if (data instanceof BigInt64Array) values.forEach((v, i) => (data[i] = BigInt(Math.trunc(v))));
    else values.forEach((v, i) => (data[i] = v));
    return out;
  },
);

/** Both halves are counted from their own end, as PyTorch does, so that the ends are exact. */
function linspaceValues(a: number, b: number, steps: number, dtype: DType): number[] {
  const round = dtype === float32 ? Math.fround : (x: number): number => x;
  const step = round((b - a) / (steps - 1));
  return Array.from({ length: steps }, (_, i) => (steps === 1 ? a : i < steps / 2 ? round(a + round(step * i)) : round(b - round(step * (steps - 1 - i)))));
}

/** The identity matrix, n × m. */
export const eye: FunctionOp<[n: number, m?: number | null], TensorOptions> = factory(
  "eye(int n, int? m=None, *, ScalarType? dtype=None) -> Tensor",
  (n: number, m: number | null, dtype: DType | null) => {
    if (n < 0) throw new RuntimeError(`n must be greater or equal to 0, got ${n}`);
    const columns = m ?? n;
    if (columns < 0) throw new RuntimeError(`m must be greater or equal to 0, got ${columns}`);
    const out = filled([n, columns], 0, dtype ?? get_default_dtype());
    const diagonal = new Tensor(out._storage, [Math.min(n, columns)], [columns + 1], 0, out.dtype, null);
    fillWith(diagonal, 1);
    return out;
  },
);

/**
 * A tensor of the given data: nested arrays of numbers (the default dtype), of bigints (int64), of booleans (bool),
 * or a typed array (its own dtype). The data are copied.
 *
 * @throws ValueError where the arrays are ragged.
 * @example
 * const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
 */
export const tensor: FunctionOp<[data: TensorData], TensorOptions> = factory("tensor(Any data, *, ScalarType? dtype=None) -> Tensor", fromData);

/** The same as `tensor`, but `data` that is a tensor of the dtype already is returned as it is. */
export const as_tensor: FunctionOp<[data: TensorData], TensorOptions> = factory("as_tensor(Any data, *, ScalarType? dtype=None) -> Tensor", (data: TensorData, dtype: DType | null) =>
  data instanceof Tensor ? (dtype === null || dtype === data.dtype ? data : writeInto(emptyLike(data, dtype), data)) : fromData(data, dtype),
);

