import { bool, FLOAT, kindDefault, promote_types, scalarKind, type DType } from "../tensor/dtype.ts";
import type { KernelArithmetic, RoundingMode } from "./arithmetic.ts";

export type UnaryName =
  | "neg" | "abs" | "sign" | "floor" | "ceil" | "round" | "trunc" | "sqrt" | "rsqrt" | "reciprocal"
  | "exp" | "exp2" | "log" | "log2" | "log10" | "log1p" | "expm1" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan"
  | "sinh" | "cosh" | "tanh" | "asinh" | "acosh" | "atanh" | "sigmoid" | "erf" | "erfc"
  | "erfinv" | "lgamma" | "digamma" | "i0" | "i1" | "isnan" | "signbit" | "logical_not" | "bitwise_not";
export type BinaryName =
  | "add" | "sub" | "mul" | "div" | "pow" | "fmod" | "remainder" | "atan2" | "hypot" | "copysign" | "maximum" | "minimum" | "fmax" | "fmin" | "polygamma" | "nextafter" | "gcd"
  | "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "logical_and" | "logical_or" | "logical_xor"
  | "bitwise_and" | "bitwise_or" | "bitwise_xor" | "bitwise_left_shift" | "bitwise_right_shift" | "floor_divide" | "trunc_divide";

/**
 * A node of a typed scalar expression: what one element of a kernel's output is.
 * `input i` is the element of the i-th tensor; `scalar i` the i-th number given at each call; `folded` what a reduction
 * has come to after its last element; `row i` the value of the i-th fold of a row program.
 */
export type ExprKind =
  | { readonly tag: "input" | "scalar" | "row"; readonly index: number }
  | { readonly tag: "constant"; readonly value: number }
  | { readonly tag: "folded" }
  | { readonly tag: "cast"; readonly of: Expr }
  | { readonly tag: "unary"; readonly name: UnaryName; readonly of: Expr }
  | { readonly tag: "binary"; readonly name: BinaryName; readonly left: Expr; readonly right: Expr }
  | { readonly tag: "select"; readonly condition: Expr; readonly yes: Expr; readonly no: Expr };

type Operand = Expr | number;

/** An expression builder: `x.mul(2).exp()` builds the tree that a backend compiles. */
export class Expr implements KernelArithmetic<Expr> {
  readonly kind: ExprKind;
  readonly dtype: DType;
  constructor(kind: ExprKind, dtype: DType) {
    this.kind = kind;
    this.dtype = dtype;
  }
  static input(index: number, dtype: DType): Expr {
    return new Expr({ tag: "input", index }, dtype);
  }
  static scalar(index: number, dtype: DType): Expr {
    return new Expr({ tag: "scalar", index }, dtype);
  }
  static constant(value: number, dtype: DType): Expr {
    return new Expr({ tag: "constant", value }, dtype);
  }
  static folded(dtype: DType): Expr {
    return new Expr({ tag: "folded" }, dtype);
  }
  static row(index: number, dtype: DType): Expr {
    return new Expr({ tag: "row", index }, dtype);
  }

  /** This value as another dtype. */
  to(dtype: DType): Expr {
    if (dtype === this.dtype) return this;
    if (this.kind.tag === "constant") return Expr.constant(dtype === bool ? Number(this.kind.value !== 0) : this.kind.value, dtype);
    return new Expr({ tag: "cast", of: this }, dtype);
  }

  neg(): Expr { return unary("neg", this); }
  abs(): Expr { return unary("abs", this); }
  sign(): Expr { return unary("sign", this); }
  sgn(): Expr { return this.sign(); }
  floor(): Expr { return unary("floor", this); }
  ceil(): Expr { return unary("ceil", this); }
  round(): Expr { return unary("round", this); }
  trunc(): Expr { return unary("trunc", this); }
  sqrt(): Expr { return floating("sqrt", this); }
  rsqrt(): Expr { return floating("rsqrt", this); }
  reciprocal(): Expr { return floating("reciprocal", this); }
  exp(): Expr { return floating("exp", this); }
  exp2(): Expr { return floating("exp2", this); }
  log(): Expr { return floating("log", this); }
  log2(): Expr { return floating("log2", this); }
  log10(): Expr { return floating("log10", this); }
  log1p(): Expr { return floating("log1p", this); }
  expm1(): Expr { return floating("expm1", this); }
  sin(): Expr { return floating("sin", this); }
  cos(): Expr { return floating("cos", this); }
  tan(): Expr { return floating("tan", this); }
  asin(): Expr { return floating("asin", this); }
  acos(): Expr { return floating("acos", this); }
  atan(): Expr { return floating("atan", this); }
  sinh(): Expr { return floating("sinh", this); }
  cosh(): Expr { return floating("cosh", this); }
  tanh(): Expr { return floating("tanh", this); }
  asinh(): Expr { return floating("asinh", this); }
  acosh(): Expr { return floating("acosh", this); }
  atanh(): Expr { return floating("atanh", this); }
  sigmoid(): Expr { return floating("sigmoid", this); }
  erf(): Expr { return floating("erf", this); }
  erfc(): Expr { return floating("erfc", this); }
  erfinv(): Expr { return floating("erfinv", this); }
  lgamma(): Expr { return floating("lgamma", this); }
  digamma(): Expr { return floating("digamma", this); }
  polygamma(n: number): Expr { return binary("polygamma", asFloat(this), n); }
  i0(): Expr { return floating("i0", this); }
  i1(): Expr { return floating("i1", this); }
  isnan(): Expr { return new Expr({ tag: "unary", name: "isnan", of: this }, bool); }
  signbit(): Expr { return new Expr({ tag: "unary", name: "signbit", of: this }, bool); }
  bitwise_not(): Expr { return unary("bitwise_not", this); }
  logical_not(): Expr { return new Expr({ tag: "unary", name: "logical_not", of: this.to(bool) }, bool); }
  add(other: Operand): Expr { return binary("add", this, other); }
  sub(other: Operand): Expr { return binary("sub", this, other); }
  mul(other: Operand): Expr { return binary("mul", this, other); }
  div(other: Operand, options?: RoundingMode): Expr {
    if (options !== undefined) return binary(options.rounding_mode === "floor" ? "floor_divide" : "trunc_divide", this, other);
    const left = asFloat(this);
    return binary("div", left, typeof other === "number" ? Expr.constant(other, left.dtype) : asFloat(other));
  }
  pow(exponent: Operand): Expr {
    const simpler = typeof exponent === "number" ? simplePower(this, exponent) : null;
    return simpler ?? binary("pow", this, exponent);
  }
  fmod(other: Operand): Expr { return binary("fmod", this, other); }
  remainder(other: Operand): Expr { return binary("remainder", this, other); }
  atan2(other: Expr): Expr { return binary("atan2", asFloat(this), asFloat(other)); }
  hypot(other: Expr): Expr { return binary("hypot", asFloat(this), asFloat(other)); }
  nextafter(other: Expr): Expr { return binary("nextafter", this, other); }
  gcd(other: Expr): Expr { return binary("gcd", this, other); }
  copysign(other: Expr): Expr { return binary("copysign", asFloat(this), asFloat(other)); }
  maximum(other: Operand): Expr { return binary("maximum", this, other); }
  minimum(other: Operand): Expr { return binary("minimum", this, other); }
  fmax(other: Operand): Expr { return binary("fmax", this, other); }
  fmin(other: Operand): Expr { return binary("fmin", this, other); }
  bitwise_and(other: Operand): Expr { return binary("bitwise_and", this, other); }
  bitwise_or(other: Operand): Expr { return binary("bitwise_or", this, other); }
  bitwise_xor(other: Operand): Expr { return binary("bitwise_xor", this, other); }
  bitwise_left_shift(other: Operand): Expr { return binary("bitwise_left_shift", this, other); }
  bitwise_right_shift(other: Operand): Expr { return binary("bitwise_right_shift", this, other); }
  eq(other: Operand): Expr { return compare("eq", this, other); }
  ne(other: Operand): Expr { return compare("ne", this, other); }
  lt(other: Operand): Expr { return compare("lt", this, other); }
  le(other: Operand): Expr { return compare("le", this, other); }
  gt(other: Operand): Expr { return compare("gt", this, other); }
  ge(other: Operand): Expr { return compare("ge", this, other); }
  logical_and(other: Expr): Expr { return compare("logical_and", this.to(bool), other.to(bool)); }
  logical_or(other: Expr): Expr { return compare("logical_or", this.to(bool), other.to(bool)); }
  logical_xor(other: Expr): Expr { return compare("logical_xor", this.to(bool), other.to(bool)); }
  where(condition: Expr, other: Operand): Expr { return select(condition, this, other); }
  masked_fill(mask: Expr, value: Operand): Expr {
    return typeof value === "number" ? select(mask, Expr.constant(value, this.dtype), this) : select(mask, value.to(this.dtype), this);
  }
}

/** The powers that PyTorch computes without pow; they differ from it in special cases: the root of -∞ is NaN. */
function simplePower(x: Expr, exponent: number): Expr | null {
  switch (exponent) {
    case 1:
      return x;
    case 2:
      return x.mul(x);
    case 3:
      return x.mul(x).mul(x);
    case 0.5:
      return x.sqrt();
    case -0.5:
      return x.rsqrt();
    case -1:
      return x.dtype.kind === FLOAT ? x.reciprocal() : null;
    case -2:
      return x.dtype.kind === FLOAT ? x.mul(x).reciprocal() : null;
    default:
      return null;
  }
}

function asFloat(x: Expr): Expr {
  return x.dtype.kind === FLOAT ? x : x.to(kindDefault(FLOAT));
}

function unary(name: UnaryName, x: Expr): Expr {
  return new Expr({ tag: "unary", name, of: x }, x.dtype);
}

function floating(name: UnaryName, x: Expr): Expr {
  return unary(name, asFloat(x));
}

/** Brings two operands to one dtype; a constant takes the other's unless it is a fraction among integers. */
function unify(a: Expr, b: Operand): [Expr, Expr] {
  if (typeof b === "number") {
    const dtype = scalarKind(b) > a.dtype.kind ? kindDefault(scalarKind(b)) : a.dtype;
    return [a.to(dtype), Expr.constant(b, dtype)];
  }
  const dtype = promote_types(a.dtype, b.dtype);
  return [a.to(dtype), b.to(dtype)];
}

function binary(name: BinaryName, a: Expr, b: Operand): Expr {
  const [left, right] = unify(a, b);
  return new Expr({ tag: "binary", name, left, right }, left.dtype);
}

function compare(name: BinaryName, a: Expr, b: Operand): Expr {
  const [left, right] = unify(a, b);
  return new Expr({ tag: "binary", name, left, right }, bool);
}

function select(condition: Expr, a: Expr, b: Operand): Expr {
  const [yes, no] = unify(a, b);
  return new Expr({ tag: "select", condition: condition.to(bool), yes, no }, yes.dtype);
}
