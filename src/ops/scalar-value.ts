/** Numbers as values of a dtype. */
import { RuntimeError } from "../errors.ts";
import { FLOAT, type DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { filled } from "./fill.ts";

export type Scalar = number | bigint | boolean;

/** What C calls the dtypes, with the least and the greatest value that converts (c10::overflows). */
const ranges: Record<string, readonly [name: string, least: number, greatest: number]> = {
  uint8: ["uint8_t", -255, 255],
  int8: ["int8_t", -128, 127],
  int16: ["int16_t", -32768, 32767],
  int32: ["int", -(2 ** 31), 2 ** 31 - 1],
  int64: ["int64_t", -(2 ** 63), 2 ** 63],
  float32: ["float", -3.4028234663852886e38, 3.4028234663852886e38],
};

/** Refuses a number that `dtype` cannot hold, in the words of c10::Scalar. */
export function checkConvertible(value: Scalar, dtype: DType): void {
  if (!(dtype.name in ranges)) return;
  const [name, least, greatest] = ranges[dtype.name];
  const number = Number(value);
  if (dtype.kind === FLOAT && !Number.isFinite(number)) return;
  if (!(number >= least && number <= greatest)) throw new RuntimeError(`value cannot be converted to type ${name} without overflow`);
}

/** A number as a 0-dim tensor of `dtype`; fractions are cut off for an integer one. */
export function scalarAs(value: Scalar, dtype: DType): Tensor {
  checkConvertible(value, dtype);
  return filled([], value, dtype);
}
