/** Which dtype an op computes in (c10::result_type): dimensioned tensors outrank 0-dim ones, and those outrank numbers. */
import { BOOL, FLOAT, get_default_dtype, kindDefault, promote_types, scalarKind, type DType } from "../tensor/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";

export type TensorOrNumber = Tensor | number | bigint | boolean;

function combine(higher: DType | null, lower: DType | null): DType | null {
  if (higher === null || lower === null) return higher ?? lower;
  if (higher.kind === FLOAT) return higher;
  return higher.kind === BOOL || lower.kind === FLOAT ? promote_types(higher, lower) : higher;
}

const join = (a: DType | null, b: DType): DType => (a === null ? b : promote_types(a, b));

/** The common dtype of operands; null where there is none. Among numbers alone those that are tensors keep their precision. */
export function resultDtype(operands: readonly unknown[]): DType | null {
  let dims: DType | null = null;
  let zero: DType | null = null;
  let numbers: DType | null = null;
  let exact: DType | null = null;
  for (const operand of operands) {
    if (operand instanceof Tensor) {
      if (operand._wrapped) {
        numbers = join(numbers, operand.dtype.kind === FLOAT ? get_default_dtype() : operand.dtype);
        exact = join(exact, operand.dtype);
      } else if (operand._sizes.length > 0) dims = join(dims, operand.dtype);
      else zero = join(zero, operand.dtype);
    } else if (typeof operand === "number" || typeof operand === "bigint" || typeof operand === "boolean") {
      numbers = join(numbers, kindDefault(scalarKind(operand)));
    }
  }
  if (dims === null && zero === null && exact !== null) return promote_types(exact, numbers!);
  return combine(dims, combine(zero, numbers));
}

/** The common dtype of the values at `positions`, with the frequent case of tensors of one float dtype first. */
export function commonDtype(values: readonly unknown[], positions: readonly number[]): DType {
  let dtype: DType | null = null;
  for (let i = 0; i < positions.length; i++) {
    const operand = values[positions[i]];
    if (!(operand instanceof Tensor) || operand._wrapped) continue;
    if (dtype === null) dtype = operand.dtype;
    else if (dtype !== operand.dtype) return resultDtype(positions.map((p) => values[p]))!;
  }
  if (dtype !== null && dtype.kind === FLOAT) return dtype;
  return resultDtype(positions.map((p) => values[p]))!;
}
