/** How PyTorch's C++ writes dtypes and numbers in its texts. */
import type { DType, DTypeName } from "../tensor/dtype.ts";

const names: Record<DTypeName, string> = {
  float32: "float", float64: "double", int64: "long int", int32: "int", int16: "short int", int8: "signed char", uint8: "unsigned char", bool: "bool",
};

/** The C++ type of a dtype's elements. */
export const typeName = (dtype: DType): string => names[dtype.name];

/** A double as a stream prints it: with six significant digits. */
export function numberText(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  const [digits, power] = x.toExponential(5).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(Number(x.toPrecision(6)));
  return `${Number(digits)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
