import { RuntimeError } from "../errors.ts";

export type DTypeName = "float32" | "float64" | "int64" | "int32" | "int16" | "int8" | "uint8" | "bool";

/** The order of promotion: any float beats any integer, any integer beats bool. */
export type Kind = 0 | 1 | 2;
export const BOOL: Kind = 0;
export const INT: Kind = 1;
export const FLOAT: Kind = 2;

/** The element type of a tensor: `torch.float32` and its fellows. */
export class DType {
  readonly name: DTypeName;
  /** A small integer that stands for the dtype in kernel keys. */
  readonly code: number;
  readonly kind: Kind;
  /** Size of an element in bytes. */
  readonly itemsize: number;
  /** What PyTorch calls it in error texts: `Float`, `Long`. */
  readonly title: string;

  constructor(name: DTypeName, code: number, kind: Kind, itemsize: number, title: string) {
    this.name = name;
    this.code = code;
    this.kind = kind;
    this.itemsize = itemsize;
    this.title = title;
    Object.freeze(this);
  }
  get is_floating_point(): boolean {
    return this.kind === FLOAT;
  }
  get is_complex(): boolean {
    return false;
  }
  get is_signed(): boolean {
    return this !== bool && this !== uint8;
  }
  toString(): string {
    return `torch.${this.name}`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export const uint8 = new DType("uint8", 0, INT, 1, "Byte");
export const int8 = new DType("int8", 1, INT, 1, "Char");
export const int16 = new DType("int16", 2, INT, 2, "Short");
export const int32 = new DType("int32", 3, INT, 4, "Int");
export const int64 = new DType("int64", 4, INT, 8, "Long");
export const float32 = new DType("float32", 5, FLOAT, 4, "Float");
export const float64 = new DType("float64", 6, FLOAT, 8, "Double");
export const bool = new DType("bool", 7, BOOL, 1, "Bool");

export const dtypes: readonly DType[] = [uint8, int8, int16, int32, int64, float32, float64, bool];

const cppNames: Record<DTypeName, string> = {
  uint8: "uint8_t", int8: "int8_t", int16: "int16_t", int32: "int", int64: "int64_t", float32: "float", float64: "double", bool: "bool",
};
const typeMetaNames: Record<DTypeName, string> = {
  uint8: "unsigned char", int8: "signed char", int16: "short int", int32: "int", int64: "long int", float32: "float", float64: "double", bool: "bool",
};

/** What some of PyTorch's texts call a dtype: `long int`. */
export function typeMetaName(dtype: DType): string {
  return typeMetaNames[dtype.name];
}

/** What some of PyTorch's texts call the tensors of a dtype: `torch.FloatTensor`. */
export function tensorTypeName(dtype: DType): string {
  return dtype === bool ? "CPUBoolType" : `torch.${dtype.title}Tensor`;
}

/** PyTorch's c10::promoteTypes for the dtypes delivered. */
export function promote_types(a: DType, b: DType): DType {
  if (a === b) return a;
  if (a.kind !== b.kind) return a.kind > b.kind ? a : b;
  if (a.kind === FLOAT) return float64;
  if (a === uint8 || b === uint8) {
    const other = a === uint8 ? b : a;
    return other === int8 ? int16 : other;
  }
  return a.itemsize >= b.itemsize ? a : b;
}

/** May a result of dtype `from` be written into a tensor of dtype `to`? (c10::canCast) */
export function can_cast(from: DType, to: DType): boolean {
  return from.kind <= to.kind;
}

let defaultDtype = float32;

/** The dtype of floats created without one; float32 unless `set_default_dtype` changed it. */
export function get_default_dtype(): DType {
  return defaultDtype;
}

/** Sets the dtype of floats created without one: float32 or float64. */
export function set_default_dtype(dtype: DType): void {
  if (dtype.kind !== FLOAT) throw new TypeError("only floating-point types are supported as the default type");
  defaultDtype = dtype;
}

/** The dtype that a JavaScript scalar has in arithmetic: whole numbers count as integers if an int64 can hold them. */
export function scalarKind(value: number | bigint | boolean): Kind {
  if (typeof value === "boolean") return BOOL;
  return typeof value === "bigint" || (Number.isInteger(value) && Math.abs(value) <= 2 ** 63) ? INT : FLOAT;
}

/** The dtype of a scalar of `kind` that meets no tensor of that kind. */
export function kindDefault(kind: Kind): DType {
  return kind === FLOAT ? defaultDtype : kind === INT ? int64 : bool;
}

/** The largest value of each dtype that can overflow. */
const largest: Partial<Record<DTypeName, number>> = {
  uint8: 255, int8: 127, int16: 32767, int32: 2147483647, int64: 2 ** 63, float32: 3.4028234663852886e38,
};

/**
 * Refuses a number that `dtype` cannot hold (c10::checked_convert). Unsigned dtypes take negative integers, which wrap.
 * `name` is what the text calls the dtype.
 */
export function checkFits(value: number | bigint | boolean, dtype: DType, name = cppNames[dtype.name]): void {
  const most = largest[dtype.name];
  if (most === undefined || typeof value === "boolean") return;
  const least = dtype === uint8 ? (scalarKind(value) === FLOAT ? 0 : -most) : -most - 1;
  const size = Math.abs(Number(value));
  const fits = dtype.kind === FLOAT ? !(size > most) || size === Infinity : value >= least && value <= most;
  if (!fits) throw new RuntimeError(`value cannot be converted to type ${name} without overflow`);
}

/** Narrows `dtype` to one that can hold gradients, or throws PyTorch's text. */
export function checkCanRequireGrad(dtype: DType, text: string): void {
  if (dtype.kind !== FLOAT) throw new RuntimeError(text);
}
