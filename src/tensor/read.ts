/** Elements of a tensor as JavaScript values. */
import { RuntimeError } from "../errors.ts";
import { bool, float32, float64, int16, int32, int64, int8, type DType } from "./dtype.ts";
import { heap } from "./heap.ts";
import type { Tensor } from "./tensor.ts";

export type ElementArray = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | BigInt64Array;

/** The heap as an array of `dtype`; element i lies at byte i · itemsize. Valid until the next allocation. */
export function heapAs(dtype: DType): ElementArray {
  switch (dtype) {
    case float32:
      return heap.f32;
    case float64:
      return heap.f64;
    case int64:
      return heap.i64;
    case int32:
      return heap.i32;
    case int16:
      return heap.i16;
    case int8:
      return heap.i8;
    default:
      return heap.u8;
  }
}

/** So many elements from a byte address on, in place; valid until the next allocation. */
export function elementsAt(dtype: DType, address: number, count: number): ElementArray {
  const start = address / dtype.itemsize;
  return heapAs(dtype).subarray(start, start + count);
}

/** The elements of a contiguous tensor, in place; valid until the next allocation. */
export function viewTyped(contiguous: Tensor): ElementArray {
  return elementsAt(contiguous.dtype, contiguous._address, contiguous._numel);
}

/** The elements of a contiguous int64 tensor as 32-bit words, two each: reading them as 64-bit numbers would make a bigint of each. */
export function wordsOf(contiguous: Tensor): Int32Array {
  const start = contiguous._address / 4;
  return heap.i32.subarray(start, start + 2 * contiguous._numel);
}

/** The element at `offset`, counted in elements from the start of the storage. */
export function readElement(t: Tensor, offset: number): number | bigint | boolean {
  const at = t._storage.address / t.dtype.itemsize + offset;
  const value = heapAs(t.dtype)[at];
  return t.dtype === bool ? value !== 0 : value;
}

/** The one element of a tensor; an int64 as a bigint. */
export function onlyElement(t: Tensor): number | bigint | boolean {
  if (t._numel !== 1) throw new RuntimeError(`a Tensor with ${t._numel} elements cannot be converted to Scalar`);
  return readElement(t, t._offset);
}

/** An int64 as a number, refused where it would lose digits. */
export function exactNumber(value: number | bigint | boolean): number | boolean {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new RuntimeError(`the int64 value ${value} does not fit a JavaScript number exactly; use itemBigInt() or toTypedArray()`);
  }
  return number;
}

export type NestedList = number | boolean | NestedList[];

/** All elements as nested lists. */
export function toList(t: Tensor): NestedList {
  const visit = (dim: number, offset: number): NestedList => {
    if (dim === t._sizes.length) return exactNumber(readElement(t, offset));
    return Array.from({ length: t._sizes[dim] }, (_, i) => visit(dim + 1, offset + i * t._strides[dim]));
  };
  return visit(0, t._offset);
}
