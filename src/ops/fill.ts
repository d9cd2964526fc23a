/** New tensors out of sizes, numbers and arrays, unrecorded: what factories and gradients are made with. */
import { fused } from "../dispatch/fused.ts";
import { resultStrides } from "../dispatch/iterate.ts";
import { RuntimeError, ValueError, warn } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { typeText } from "../schema/arguments.ts";
import {
  BOOL, bool, DType, FLOAT, float32, float64, get_default_dtype, int16, int32, int64, int8, kindDefault, scalarKind, uint8, type Kind,
} from "../tensor/dtype.ts";
import { isNonOverlappingAndDense, listText, type Sizes } from "../tensor/layout.ts";
import { readElement, viewTyped } from "../tensor/read.ts";
import { emptyStrided, emptyTensor, Tensor } from "../tensor/tensor.ts";
import { writeInto } from "./copy.ts";

const constant: Formula = ({ value }) => value;

/** Sizes, refused where one is negative. */
export function checkSizes(sizes: Sizes): Sizes {
  const negative = sizes.find((s) => s < 0);
  if (negative !== undefined) throw new RuntimeError(`Trying to create tensor with negative dimension ${negative}: ${listText(sizes)}`);
  return sizes.map(Number);
}

/** A new tensor filled with one value. */
export function filled(sizes: Sizes, value: number | bigint | boolean, dtype: DType): Tensor {
  return fillWith(emptyTensor(checkSizes(sizes), dtype), value);
}

/** Overwrites `out` with one value; unrecorded. */
export function fillWith(out: Tensor, value: number | bigint | boolean): Tensor {
  const converted = out.dtype === bool ? Number(value) !== 0 : value;
  fused(constant).run([converted], out.dtype, out.dtype, out);
  return out;
}

/** A 0-dim tensor of the dtype that the number has in arithmetic. */
export function scalarTensorOf(value: number | bigint | boolean): Tensor {
  const kind = scalarKind(value);
  return filled([], value, kind === FLOAT ? float64 : kindDefault(kind));
}

/** An unset tensor with the sizes, dtype and memory order of another. */
export function emptyLike(self: Tensor, dtype: DType | null): Tensor {
  const dense = isNonOverlappingAndDense(self._sizes, self._strides);
  return emptyStrided(self._sizes, dense ? self._strides : resultStrides(self._sizes, [self]), dtype ?? self.dtype);
}

export type NestedArray = number | bigint | boolean | Tensor | readonly NestedArray[];
export type NumericArray = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | BigInt64Array;
export type TensorData = NestedArray | NumericArray;

const typedDtypes: [new (n: number) => NumericArray, DType][] = [
  [Float32Array, float32], [Float64Array, float64], [Int8Array, int8], [Int16Array, int16], [Int32Array, int32], [Uint8Array, uint8], [BigInt64Array, int64],
];

/** The shape of nested arrays, and their numbers in row-major order. */
function flatten(data: NestedArray): { sizes: number[]; values: (number | bigint | boolean)[]; dtypes: Set<DType> } {
  const sizes: number[] = [];
  for (let level: NestedArray = data; Array.isArray(level); level = level[0] as NestedArray) {
    sizes.push(level.length);
    if (level.length === 0) break;
  }
  const values: (number | bigint | boolean)[] = [];
  const dtypes = new Set<DType>();
  const visit = (item: NestedArray, depth: number): void => {
    if (item instanceof Tensor) {
      if (item._numel !== 1) throw new ValueError("only one element tensors can be converted to Python scalars");
      dtypes.add(item.dtype);
      values.push(readElement(item, item._offset));
    } else if (Array.isArray(item)) {
      if (depth >= sizes.length || item.length !== sizes[depth]) {
        throw new ValueError(`expected sequence of length ${sizes[depth] ?? 0} at dim ${depth} (got ${item.length})`);
      }
      for (const inner of item) visit(inner, depth + 1);
    } else if (depth < sizes.length) {
      throw new TypeError("not a sequence");
    } else if (typeof item !== "number" && typeof item !== "bigint" && typeof item !== "boolean") {
      throw new RuntimeError(`Could not infer dtype of ${typeText(item)}`);
    } else {
      values.push(item);
    }
  };
  visit(data, 0);
  return { sizes, values, dtypes };
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
  const { sizes, values, dtypes } = flatten(data as NestedArray);
  const out = emptyTensor(sizes, dtype ?? inferDtype(values, dtypes));
  store(out, values);
  return out;
}

function inferDtype(values: readonly (number | bigint | boolean)[], dtypes: Set<DType>): DType {
  if (dtypes.size === 1) return [...dtypes][0];
  let kind: Kind = BOOL;
  let bigints = values.length > 0;
  for (const v of values) {
    if (typeof v === "number") return get_default_dtype();
    if (typeof v === "bigint") kind = scalarKind(v);
    else bigints = false;
  }
  if (values.length === 0) return get_default_dtype();
  return bigints || kind !== BOOL ? int64 : bool;
}

function store(out: Tensor, values: readonly (number | bigint | boolean)[]): void {
  const data = viewTyped(out);
  if (data instanceof BigInt64Array) {
    values.forEach((v, i) => {
      if (typeof v === "number" && !Number.isFinite(v)) throw new ValueError(`cannot convert float ${Number.isNaN(v) ? "NaN" : "infinity"} to integer`);
      data[i] = typeof v === "bigint" ? v : BigInt(Math.trunc(Number(v)));
    });
  } else if (out.dtype === bool) {
    values.forEach((v, i) => (data[i] = v ? 1 : 0));
  } else {
    values.forEach((v, i) => (data[i] = Number(v)));
  }
}
