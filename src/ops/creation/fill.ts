/** New tensors out of sizes, numbers and arrays, unrecorded: what factories and gradients are made with. */
import { requiresGrad } from "../../autograd/variable.ts";
import { fused } from "../../dispatch/fused.ts";
import { resultStrides } from "../../dispatch/iterate.ts";
import { RuntimeError, ValueError, warn } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { typeText } from "../../schema/arguments.ts";
import {
  bool, checkFits, DType, FLOAT, float32, float64, get_default_dtype, INT, int16, int32, int64, int8, kindDefault, promote_types, scalarKind, uint8,
} from "../../tensor/dtype.ts";
import { isNonOverlappingAndDense, listText, type Sizes } from "../../tensor/layout.ts";
import { readElement, viewTyped } from "../../tensor/read.ts";
import { emptyStrided, emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { contiguous_format, writeInto, type MemoryFormat } from "./copy.ts";

const constant: Formula = ({ value }) => value;

/** Sizes, refused where one is negative. */
export function checkSizes(sizes: Sizes): Sizes {
  const negative = sizes.find((s) => s < 0);
  if (negative !== undefined) throw new RuntimeError(`Trying to create tensor with negative dimension ${negative}: ${listText(sizes)}`);
  return sizes.map(Number);
}

/** An unset tensor with the strides given, which must be sound. */
export function strided(size: Sizes, stride: Sizes, dtype: DType): Tensor {
  if (size.length !== stride.length) {
    throw new RuntimeError(`dimensionality of sizes (${size.length}) must match dimensionality of strides (${stride.length})`);
  }
  const sizes = checkSizes(size);
  if (stride.some((s) => s < 0)) throw new RuntimeError(`Storage size calculation overflowed with sizes=${listText(sizes)} and strides=${listText(stride)}`);
  return emptyStrided(sizes, stride, dtype);
}

/** A new tensor filled with one value. */
export function filled(sizes: Sizes, value: number | bigint | boolean, dtype: DType): Tensor {
  return fillWith(emptyTensor(checkSizes(sizes), dtype), value);
}

/** Overwrites `out` with one value; unrecorded. */
export function fillWith(out: Tensor, value: number | bigint | boolean): Tensor {
  fused(constant).run([value], out.dtype, out.dtype, out);
  return out;
}

/** The same, refused where the dtype cannot hold the value. */
export function fillChecked(out: Tensor, value: number | bigint | boolean): Tensor {
  checkFits(value, out.dtype);
  return fillWith(out, value);
}

/** A 0-dim tensor of the dtype that the number has in arithmetic. */
export function scalarTensorOf(value: number | bigint | boolean): Tensor {
  const kind = scalarKind(value);
  return filled([], value, kind === FLOAT ? float64 : kindDefault(kind));
}

/** An unset tensor with the sizes, dtype and, unless a format is given, memory order of another. */
export function emptyLike(self: Tensor, dtype: DType | null, format: MemoryFormat | null = null): Tensor {
  if (format === contiguous_format) return emptyTensor(self._sizes, dtype ?? self.dtype);
  const dense = isNonOverlappingAndDense(self._sizes, self._strides);
  return emptyStrided(self._sizes, dense ? self._strides : resultStrides(self._sizes, [self]), dtype ?? self.dtype);
}

export type NestedArray = number | bigint | boolean | Tensor | readonly NestedArray[];
export type NumericArray = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | BigInt64Array;
export type TensorData = NestedArray | NumericArray;

const typedDtypes: [new (n: number) => NumericArray, DType][] = [
  [Float32Array, float32], [Float64Array, float64], [Int8Array, int8], [Int16Array, int16], [Int32Array, int32], [Uint8Array, uint8], [BigInt64Array, int64],
];

type Item = number | bigint | boolean;

/** The shape of nested arrays, their numbers in row-major order, and the dtypes of these. */
function flatten(data: NestedArray, dtype: DType | null): { sizes: number[]; values: Item[]; dtypes: Set<DType> } {
  const sizes: number[] = [];
  for (let level: NestedArray = data; Array.isArray(level); level = level[0] as NestedArray) {
    sizes.push(level.length);
    if (level.length === 0) break;
  }
  const values: Item[] = [];
  const dtypes = new Set<DType>();
  let last = "";
  const visit = (item: NestedArray, depth: number): void => {
    if (Array.isArray(item)) {
      if (depth >= sizes.length) throw wrongItem(item, dtype ?? get_default_dtype());
      if (item.length !== sizes[depth]) throw new ValueError(`expected sequence of length ${sizes[depth]} at dim ${depth} (got ${item.length})`);
      for (const inner of item) visit(inner, depth + 1);
    } else if (depth < sizes.length) {
      throw new TypeError("not a sequence");
    } else if (item instanceof Tensor) {
      if (item._numel !== 1) throw oneElementError(item);
      if (requiresGrad(item)) {
        warn("Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using tensor.detach() first.");
      }
      dtypes.add(item.dtype);
      values.push(readElement(item, item._offset));
    } else {
      if (typeof item !== last) {
        if (typeof item === "string" && depth > 0 && values.length === 0) throw new ValueError("too many dimensions 'str'");
        const isNumber = ["number", "bigint", "boolean"].includes(typeof item);
        if (!isNumber && dtype !== null && (depth > 0 || typeof item !== "string")) throw wrongItem(item, dtype);
        dtypes.add(itemDtype(item));
        last = typeof item;
      }
      values.push(item as Item);
    }
  };
  visit(data, 0);
  return { sizes, values, dtypes };
}

function oneElementError({ dtype }: Tensor): Error {
  if (dtype.kind === FLOAT) return new ValueError("only one element tensors can be converted to Python scalars");
  return new TypeError("only integer tensors of a single element can be converted to an index");
}

/** What Python says of an object that is no number of the kind. */
function wrongItem(item: unknown, dtype: DType): TypeError {
  const type = typeText(item);
  return new TypeError(dtype.kind === FLOAT ? `must be real number, not ${type}` : `'${type}' object cannot be interpreted as an integer`);
}

/** Numbers count as the default dtype, bigints as int64, booleans as bool. */
function itemDtype(item: unknown): DType {
  switch (typeof item) {
    case "number":
      return get_default_dtype();
    case "bigint":
      return int64;
    case "boolean":
      return bool;
    case "string":
      throw new TypeError("new(): invalid data type 'str'");
    default:
      throw new RuntimeError(`Could not infer dtype of ${typeText(item)}`);
  }
}

/** A tensor of the numbers in nested arrays or in a typed array. */
export function fromData(data: TensorData, dtype: DType | null): Tensor {
  if (data instanceof Tensor) {
    warn(
      "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
    );
    return writeInto(emptyLike(data, dtype), data);
  }
  const typed = typedDtypes.find(([type]) => data instanceof type);
  if (typed !== undefined) {
    const source = emptyTensor([(data as NumericArray).length], typed[1]);
    (viewTyped(source) as { set(values: unknown): void }).set(data);
    return dtype === null || dtype === typed[1] ? source : writeInto(emptyTensor(source._sizes, dtype), source);
  }
  const { sizes, values, dtypes } = flatten(data as NestedArray, dtype);
  const out = emptyTensor(sizes, dtype ?? (dtypes.size === 0 ? get_default_dtype() : [...dtypes].reduce(promote_types)));
  store(out, values);
  return out;
}

function store(out: Tensor, values: readonly Item[]): void {
  const { dtype } = out;
  if (dtype.kind === INT) for (const v of values) checkFits(v, dtype, dtype.name);
  const data = viewTyped(out);
  const n = values.length;
  if (data instanceof BigInt64Array) for (let i = 0; i < n; i++) data[i] = wholeOf(values[i]);
  else if (dtype === bool) for (let i = 0; i < n; i++) data[i] = values[i] || values[i] !== values[i] ? 1 : 0;
  else for (let i = 0; i < n; i++) data[i] = Number(values[i]);
}

const wholeOf = (value: Item): bigint => (typeof value === "bigint" ? value : BigInt(Math.trunc(Number(value))));
