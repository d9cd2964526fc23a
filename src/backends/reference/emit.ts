/** Writes IR expressions as JavaScript: float32 through Math.fround, int64 as BigInt, the rest as numbers. */
import { bool, FLOAT, float32, int16, int32, int64, int8, uint8, type DType } from "../../tensor/dtype.ts";
import type { BinaryName, Expr, UnaryName } from "../../ir/expr.ts";

/** The heap view that holds elements of a dtype, and the shift from bytes to elements. */
export function viewOf(dtype: DType): { name: string; shift: number } {
  switch (dtype) {
    case uint8:
    case bool:
      return { name: "u8", shift: 0 };
    case int8:
      return { name: "i8", shift: 0 };
    case int16:
      return { name: "i16", shift: 1 };
    case int32:
      return { name: "i32", shift: 2 };
    case int64:
      return { name: "i64", shift: 3 };
    default:
      return dtype === float32 ? { name: "f32", shift: 2 } : { name: "f64", shift: 3 };
  }
}

/** Brings the result of number arithmetic back into the range of `dtype`. */
export function wrap(dtype: DType, text: string): string {
  switch (dtype) {
    case float32:
      return `fround(${text})`;
    case uint8:
      return `((${text})&255)`;
    case int8:
      return `((${text})<<24>>24)`;
    case int16:
      return `((${text})<<16>>16)`;
    case int32:
      return `((${text})|0)`;
    case int64:
      return `BigInt.asIntN(64,${text})`;
    default:
      return `(${text})`;
  }
}

export function literal(value: number, dtype: DType): string {
  if (dtype === int64) return `${BigInt(Math.trunc(value))}n`;
  const rounded = dtype === float32 ? Math.fround(value) : value;
  return Object.is(rounded, -0) ? "-0" : String(rounded);
}

/** Converts the value `text` of dtype `from` to dtype `to`. */
export function cast(text: string, from: DType, to: DType): string {
  if (from === to) return text;
  if (to === bool) return `(${text}!==${from === int64 ? "0n" : "0"}?1:0)`;
  if (to.kind === FLOAT) return wrap(to, from === int64 ? `Number(${text})` : text);
  if (to === int64) return from.kind === FLOAT ? `m.toInt64(${text})` : `BigInt(${text})`;
  if (from.kind === FLOAT && to !== uint8) return wrap(to, `m.toInt32(${text})`);
  return wrap(to, from === int64 ? `Number(BigInt.asIntN(32,${text}))` : text);
}

const plainMath: Partial<Record<UnaryName, string>> = {
  floor: "Math.floor", ceil: "Math.ceil", trunc: "Math.trunc", round: "m.roundHalfEven",
  sqrt: "Math.sqrt", exp: "Math.exp", exp2: "m.exp2", log: "Math.log", log2: "Math.log2", log10: "Math.log10",
  log1p: "Math.log1p", expm1: "Math.expm1", sin: "Math.sin", cos: "Math.cos", tan: "Math.tan", asin: "Math.asin",
  acos: "Math.acos", atan: "Math.atan", sinh: "Math.sinh", cosh: "Math.cosh", tanh: "Math.tanh", asinh: "Math.asinh",
  acosh: "Math.acosh", atanh: "Math.atanh", erf: "m.erf", erfc: "m.erfc",
  erfinv: "m.erfinv", lgamma: "m.lgamma", digamma: "m.digamma", i0: "m.i0", i1: "m.i1",
};
const wholeAlready = new Set<UnaryName>(["floor", "ceil", "trunc", "round"]);

function unary(name: UnaryName, x: string, dtype: DType): string {
  const zero = dtype === int64 ? "0n" : "0";
  switch (name) {
    case "logical_not":
      return `(${x}?0:1)`;
    case "isnan":
      return dtype.kind === FLOAT ? `(${x}!==${x}?1:0)` : "0";
    case "neg":
      return wrap(dtype, `-${x}`);
    case "abs":
      return dtype === int64 ? wrap(dtype, `${x}<0n?-${x}:${x}`) : wrap(dtype, `Math.abs(${x})`);
    case "sign":
      if (dtype === int64) return `(${x}>0n?1n:${x}<0n?-1n:0n)`;
      return `(${x}>0?1:${x}<0?-1:0)`;
    case "signbit":
      return dtype.kind === FLOAT ? `(${x}<0||Object.is(${x},-0)?1:0)` : `(${x}<${zero}?1:0)`;
    case "bitwise_not":
      return dtype === bool ? `(${x}^1)` : wrap(dtype, `~${x}`);
    case "rsqrt":
      return wrap(dtype, `1/${dtype === float32 ? `fround(Math.sqrt(${x}))` : `Math.sqrt(${x})`}`);
    case "reciprocal":
      return wrap(dtype, `1/${x}`);
    case "sigmoid":
      return wrap(dtype, `1/(1+Math.exp(-${x}))`);
    default:
      if (dtype.kind !== FLOAT && wholeAlready.has(name)) return x;
      return wrap(dtype, `${plainMath[name]}(${x})`);
  }
}

const comparisons: Partial<Record<BinaryName, string>> = { eq: "===", ne: "!==", lt: "<", le: "<=", gt: ">", ge: ">=" };
const infix: Partial<Record<BinaryName, string>> = { add: "+", sub: "-", mul: "*", div: "/", bitwise_and: "&", bitwise_or: "|", bitwise_xor: "^" };

function binary(name: BinaryName, a: string, b: string, dtype: DType): string {
  if (comparisons[name]) return `(${a}${comparisons[name]}${b}?1:0)`;
  if (dtype === bool) return boolBinary(name, a, b);
  if (dtype === int32 && name === "mul") return `Math.imul(${a},${b})`;
  if (infix[name]) return wrap(dtype, `${a}${infix[name]}${b}`);
  const isBig = dtype === int64;
  switch (name) {
    case "maximum":
    case "minimum": {
      if (isBig) return `(${a}${name === "maximum" ? ">" : "<"}${b}?${a}:${b})`;
      return `Math.${name === "maximum" ? "max" : "min"}(${a},${b})`;
    }
    case "pow":
      if (dtype.kind === FLOAT) return wrap(dtype, `m.pow(${a},${b})`);
      return isBig ? wrap(dtype, `m.integerPow(${a},${b})`) : wrap(dtype, `Number(BigInt.asIntN(32,m.integerPow(BigInt(${a}),BigInt(${b}))))`);
    case "fmax":
    case "fmin":
      return dtype.kind === FLOAT ? `m.${name}(${a},${b})` : binary(name === "fmax" ? "maximum" : "minimum", a, b, dtype);
    case "atan2":
    case "hypot":
      return wrap(dtype, `Math.${name}(${a},${b})`);
    case "polygamma":
      return wrap(dtype, `m.polygamma(${a},${b})`);
    case "nextafter":
      return `m.nextafter${dtype === float32 ? "f" : ""}(${a},${b})`;
    case "gcd":
      return wrap(dtype, isBig ? `m.bigGcd(${a},${b})` : `m.gcd(${a},${b})`);
    case "copysign":
      return `m.copysign(${a},${b})`;
    case "bitwise_left_shift":
    case "bitwise_right_shift":
      return shift(name, a, b, dtype);
    case "fmod":
      return dtype.kind === FLOAT ? wrap(dtype, `${a}%${b}`) : wrap(dtype, `${a}%m.divisor(${b})`);
    case "remainder":
      if (isBig) return `m.bigRemainder(${a},${b})`;
      return wrap(dtype, dtype.kind === FLOAT ? `m.remainder(${a},${b})` : `m.remainder(${a},m.divisor(${b}))`);
    case "floor_divide":
      if (isBig) return `m.bigFloorDivide(${a},${b})`;
      return wrap(dtype, dtype.kind === FLOAT ? `m.floorDivide(${a},${b})` : `Math.floor(${a}/m.divisor(${b}))`);
    case "trunc_divide":
      if (isBig) return `(${a}/m.divisor(${b}))`;
      return wrap(dtype, dtype.kind === FLOAT ? `Math.trunc(${wrap(dtype, `${a}/${b}`)})` : `Math.trunc(${a}/m.divisor(${b}))`);
    default:
      throw new Error(`no reference code for ${name}`);
  }
}

/** A shift by a negative count, or by all bits, shifts every bit out. */
function shift(name: "bitwise_left_shift" | "bitwise_right_shift", a: string, b: string, dtype: DType): string {
  const suffix = dtype === int64 ? "n" : "";
  const bits = dtype.itemsize * 8;
  if (name === "bitwise_left_shift") return `(${b}<0||${b}>=${bits}?0${suffix}:${wrap(dtype, `${a}<<${b}`)})`;
  const last = dtype === uint8 ? bits : bits - 1;
  return `(${a}>>(${b}<0||${b}>=${last}?${last}${suffix}:${b}))`;
}

/** Bool arithmetic: + is or, * is and. */
function boolBinary(name: BinaryName, a: string, b: string): string {
  switch (name) {
    case "add":
    case "maximum":
    case "fmax":
    case "logical_or":
    case "bitwise_or":
      return `(${a}|${b})`;
    case "mul":
    case "minimum":
    case "fmin":
    case "logical_and":
    case "bitwise_and":
      return `(${a}&${b})`;
    case "sub":
    case "logical_xor":
    case "bitwise_xor":
      return `(${a}^${b})`;
    case "pow":
      return `(${b}?${a}:1)`;
    default:
      throw new Error(`no reference code for ${name} of bool`);
  }
}

const leafTags = new Set(["constant", "scalar", "input", "folded", "row"]);

/** Statements that compute `expr`, and the name of the value; every shared node is computed once. */
export function emit(expr: Expr): { lines: string[]; value: string } {
  const lines: string[] = [];
  const names = new Map<Expr, string>();
  const visit = (e: Expr): string => {
    const known = names.get(e);
    if (known !== undefined) return known;
    const text = write(e, visit);
    if (leafTags.has(e.kind.tag)) {
      names.set(e, text);
      return text;
    }
    const name = `v${names.size}`;
    lines.push(`const ${name}=${text};`);
    names.set(e, name);
    return name;
  };
  return { value: visit(expr), lines };
}

function write(e: Expr, visit: (e: Expr) => string): string {
  const { kind } = e;
  switch (kind.tag) {
    case "input":
      return `x${kind.index}`;
    case "scalar":
      return `c${kind.index}`;
    case "folded":
      return "acc";
    case "row":
      return `r${kind.index}`;
    case "constant":
      return e.dtype === bool ? String(Number(kind.value !== 0)) : `(${literal(kind.value, e.dtype)})`;
    case "cast":
      return cast(visit(kind.of), kind.of.dtype, e.dtype);
    case "unary":
      return unary(kind.name, visit(kind.of), kind.of.dtype);
    case "binary":
      return binary(kind.name, visit(kind.left), visit(kind.right), kind.left.dtype);
    case "select":
      return `(${visit(kind.condition)}?${visit(kind.yes)}:${visit(kind.no)})`;
  }
}

/** The inputs and scalars that an expression reads, by index. */
export function leaves(expr: Expr): { inputs: Map<number, DType>; scalars: Map<number, DType> } {
  const found = { inputs: new Map<number, DType>(), scalars: new Map<number, DType>() };
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    const { kind } = e;
    if (kind.tag === "input") found.inputs.set(kind.index, e.dtype);
    else if (kind.tag === "scalar") found.scalars.set(kind.index, e.dtype);
    else if (kind.tag === "cast" || kind.tag === "unary") visit(kind.of);
    else if (kind.tag === "binary") [kind.left, kind.right].forEach(visit);
    else if (kind.tag === "select") [kind.condition, kind.yes, kind.no].forEach(visit);
  };
  visit(expr);
  return found;
}

export function zeroOf(dtype: DType): string {
  return dtype === int64 ? "0n" : "0";
}
