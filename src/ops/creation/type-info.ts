/** Facts about dtypes, and mathematical constants. */
import { resultDtype } from "../../dispatch/promote.ts";
import type { TensorLike } from "../../dispatch/op.ts";
import { FLOAT, float32, get_default_dtype, INT, int64, uint8, type DType } from "../../tensor/dtype.ts";

export { can_cast } from "../../tensor/dtype.ts";

export const pi: number = Math.PI;
export const e: number = Math.E;
export const inf: number = Infinity;
export const nan: number = NaN;
/** A new dimension of size 1, as an index. */
export const newaxis: null = null;

/** The dtype of the result of arithmetic between two operands. */
export function result_type(input: TensorLike, other: TensorLike): DType {
  return resultDtype([input, other])!;
}

export interface FloatInfo {
  readonly bits: number;
  /** The step from 1 to the next number. */
  readonly eps: number;
  readonly max: number;
  readonly min: number;
  /** The least positive number of full precision; `smallest_normal` is the same. */
  readonly tiny: number;
  readonly smallest_normal: number;
  /** Of how many decimal digits every number keeps, the last one. */
  readonly resolution: number;
  readonly dtype: string;
}

/** The range and the precision of a floating-point dtype, of the default one if none is given. */
export function finfo(dtype: DType = get_default_dtype()): FloatInfo {
  if (dtype.kind !== FLOAT) throw new TypeError(`torch.finfo() requires a floating point input type. Use torch.iinfo to handle '${String(dtype)}'`);
  const single = dtype === float32;
  const max = single ? 3.4028234663852886e38 : Number.MAX_VALUE;
  const tiny = single ? 2 ** -126 : 2 ** -1022;
  return { bits: dtype.itemsize * 8, eps: single ? 2 ** -23 : 2 ** -52, max, min: -max, tiny, smallest_normal: tiny, resolution: single ? 1e-6 : 1e-15, dtype: dtype.name };
}

export interface IntegerInfo {
  readonly bits: number;
  /** A bigint for int64. */
  readonly max: number | bigint;
  readonly min: number | bigint;
  readonly dtype: string;
}

/** The range of an integer dtype. */
export function iinfo(dtype: DType): IntegerInfo {
  if (dtype.kind !== INT) throw new TypeError(`torch.iinfo() requires an integer input type. Use torch.finfo to handle '${String(dtype)}'`);
  const bits = dtype.itemsize * 8;
  if (dtype === int64) return { bits, max: 2n ** 63n - 1n, min: -(2n ** 63n), dtype: dtype.name };
  return dtype === uint8 ? { bits, max: 255, min: 0, dtype: dtype.name } : { bits, max: 2 ** (bits - 1) - 1, min: -(2 ** (bits - 1)), dtype: dtype.name };
}
