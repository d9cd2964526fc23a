/** A scalar that remembers how it was computed: a formula evaluated on it yields its arithmetic as text. */
import * as math from "../../backends/reference/math.ts";
import * as special from "../../backends/reference/special.ts";
import type { KernelArithmetic, RoundingMode } from "../../ir/arithmetic.ts";

type Operand = Traced | number;

/** How a call is written: between its operands, or as a function. `rank` is how tightly it binds. */
interface Notation {
  readonly infix?: string;
  readonly rank: number;
}

const notations: Record<string, Notation> = {
  or: { infix: " or ", rank: 1 }, and: { infix: " and ", rank: 1 },
  eq: { infix: " = ", rank: 2 }, ne: { infix: " ≠ ", rank: 2 }, lt: { infix: " < ", rank: 2 }, le: { infix: " ≤ ", rank: 2 }, gt: { infix: " > ", rank: 2 }, ge: { infix: " ≥ ", rank: 2 },
  add: { infix: " + ", rank: 3 }, sub: { infix: " - ", rank: 3 },
  neg: { infix: "-", rank: 4 },
  mul: { infix: "·", rank: 5 }, div: { infix: "/", rank: 5 },
  pow: { infix: "^", rank: 6 },
};

export class Traced implements KernelArithmetic<Traced> {
  readonly value: number;
  /** The function, or the name of a value; constants have none. */
  readonly name: string | null;
  readonly operands: readonly Traced[];
  private readonly toDtype: (x: number) => number;

  private constructor(value: number, name: string | null, operands: readonly Traced[], round: (x: number) => number) {
    this.value = round(value);
    this.name = name;
    this.operands = operands;
    this.toDtype = round;
  }

  /** A named value; `round` brings results into the dtype of the computation. */
  static named(name: string, value: number, round: (x: number) => number): Traced {
    return new Traced(value, name, [], round);
  }
  /** A number. The constant 1 that stands for a gradient vanishes from products. */
  static constant(value: number, round: (x: number) => number): Traced {
    return new Traced(value, null, [], round);
  }

  /** The innermost step that made a value which is not finite out of finite ones; this very value if there is none. */
  get origin(): Traced {
    const bad = this.operands.find(({ value }) => !Number.isFinite(value));
    return bad === undefined || bad.operands.length === 0 ? this : bad.origin;
  }

  /** The factor that makes a value zero. */
  get zeroFactor(): Traced {
    const [a, b] = this.operands;
    if (this.name === "mul") {
      // A factor that is known by name tells more than the gradient, which may be zero for many reasons.
      const zeros = [a, b].filter(({ value }) => value === 0).map((factor) => factor.zeroFactor);
      return zeros.find(({ name }) => name !== "grad") ?? zeros[0] ?? this;
    }
    if (this.name === "div" || this.name === "neg") return a.zeroFactor;
    return this.name === "select" ? a : this;
  }

  /** How many steps it took. */
  get size(): number {
    return this.operands.reduce((sum, operand) => sum + operand.size, this.operands.length > 0 ? 1 : 0);
  }

  /** The arithmetic, with names or with numbers at the leaves. */
  text(show: (leaf: Traced) => string): string {
    return this.write(show, 0);
  }
  private write(show: (leaf: Traced) => string, outer: number): string {
    const { name, operands } = this;
    if (name === null || operands.length === 0) return numberIn(show(this), outer);
    // The arithmetic of one element is that of the branch which it takes.
    if (name === "select") return operands[operands[0].value !== 0 ? 1 : 2].write(show, outer);
    const notation = notations[name];
    if (notation === undefined) return `${name}(${operands.map((o) => o.write(show, 0)).join(", ")})`;
    const inner = operands.map((o, i) => o.write(show, name === "pow" && i > 0 && o.operands.length === 0 ? 0 : notation.rank + (i > 0 || name === "pow" ? 1 : 0)));
    let text = inner.join(notation.infix ?? "");
    if (name === "neg") text = inner[0].startsWith("-") ? `-(${inner[0]})` : `-${inner[0]}`;
    return notation.rank < outer ? `(${text})` : text;
  }

  private of(other: Operand): Traced {
    return typeof other === "number" ? Traced.constant(other, this.toDtype) : other;
  }
  private unary(name: string, f: (x: number) => number): Traced {
    return new Traced(f(this.value), name, [this], this.toDtype);
  }
  private binary(name: string, other: Operand, f: (x: number, y: number) => number): Traced {
    const right = this.of(other);
    return new Traced(f(this.value, right.value), name, [this, right], this.toDtype);
  }
  private test(name: string, other: Operand, f: (x: number, y: number) => boolean): Traced {
    return this.binary(name, other, (x, y) => Number(f(x, y)));
  }

  neg(): Traced { return this.unary("neg", (x) => -x); }
  abs(): Traced { return this.unary("abs", Math.abs); }
  sign(): Traced { return this.unary("sign", Math.sign); }
  sgn(): Traced { return this.sign(); }
  floor(): Traced { return this.unary("floor", Math.floor); }
  ceil(): Traced { return this.unary("ceil", Math.ceil); }
  round(): Traced { return this.unary("round", math.roundHalfEven); }
  trunc(): Traced { return this.unary("trunc", Math.trunc); }
  sqrt(): Traced { return this.unary("sqrt", Math.sqrt); }
  rsqrt(): Traced { return this.unary("rsqrt", (x) => 1 / Math.sqrt(x)); }
  reciprocal(): Traced { return this.of(1).div(this); }
  exp(): Traced { return this.unary("exp", Math.exp); }
  exp2(): Traced { return this.unary("exp2", math.exp2); }
  log(): Traced { return this.unary("log", Math.log); }
  log2(): Traced { return this.unary("log2", Math.log2); }
  log10(): Traced { return this.unary("log10", Math.log10); }
  log1p(): Traced { return this.unary("log1p", Math.log1p); }
  expm1(): Traced { return this.unary("expm1", Math.expm1); }
  sin(): Traced { return this.unary("sin", Math.sin); }
  cos(): Traced { return this.unary("cos", Math.cos); }
  tan(): Traced { return this.unary("tan", Math.tan); }
  asin(): Traced { return this.unary("asin", Math.asin); }
  acos(): Traced { return this.unary("acos", Math.acos); }
  atan(): Traced { return this.unary("atan", Math.atan); }
  sinh(): Traced { return this.unary("sinh", Math.sinh); }
  cosh(): Traced { return this.unary("cosh", Math.cosh); }
  tanh(): Traced { return this.unary("tanh", Math.tanh); }
  asinh(): Traced { return this.unary("asinh", Math.asinh); }
  acosh(): Traced { return this.unary("acosh", Math.acosh); }
  atanh(): Traced { return this.unary("atanh", Math.atanh); }
  sigmoid(): Traced { return this.unary("sigmoid", (x) => 1 / (1 + Math.exp(-x))); }
  erf(): Traced { return this.unary("erf", math.erf); }
  erfc(): Traced { return this.unary("erfc", math.erfc); }
  erfinv(): Traced { return this.unary("erfinv", special.erfinv); }
  lgamma(): Traced { return this.unary("lgamma", special.lgamma); }
  digamma(): Traced { return this.unary("digamma", special.digamma); }
  polygamma(n: number): Traced { return this.binary("polygamma", n, special.polygamma); }
  i0(): Traced { return this.unary("i0", special.i0); }
  i1(): Traced { return this.unary("i1", special.i1); }
  isnan(): Traced { return this.unary("isnan", (x) => Number(Number.isNaN(x))); }
  signbit(): Traced { return this.unary("signbit", (x) => Number(x < 0 || Object.is(x, -0))); }
  logical_not(): Traced { return this.unary("not", (x) => Number(x === 0)); }
  bitwise_not(): Traced { return this.unary("bitwise_not", (x) => ~x); }
  add(other: Operand): Traced { return this.binary("add", other, (x, y) => x + y); }
  sub(other: Operand): Traced { return this.binary("sub", other, (x, y) => x - y); }
  mul(other: Operand): Traced {
    const right = this.of(other);
    if (isUnit(this)) return right;
    if (isUnit(right)) return this;
    // A constant is written before what it multiplies.
    return right.name === null && this.name !== null ? right.binary("mul", this, (x, y) => x * y) : this.binary("mul", right, (x, y) => x * y);
  }
  div(other: Operand, options?: RoundingMode): Traced {
    if (options === undefined) return isUnit(this.of(other)) ? this : this.binary("div", other, (x, y) => x / y);
    return options.rounding_mode === "floor" ? this.binary("floor_divide", other, math.floorDivide) : this.binary("trunc_divide", other, (x, y) => Math.trunc(x / y));
  }
  pow(exponent: Operand): Traced { return this.binary("pow", exponent, power); }
  fmod(other: Operand): Traced { return this.binary("fmod", other, (x, y) => x % y); }
  remainder(other: Operand): Traced { return this.binary("remainder", other, math.remainder); }
  atan2(other: Traced): Traced { return this.binary("atan2", other, Math.atan2); }
  hypot(other: Traced): Traced { return this.binary("hypot", other, (x, y) => Math.hypot(x, y)); }
  nextafter(other: Traced): Traced { return this.binary("nextafter", other, special.nextafter); }
  gcd(other: Traced): Traced { return this.binary("gcd", other, math.gcd); }
  copysign(other: Traced): Traced { return this.binary("copysign", other, math.copysign); }
  maximum(other: Operand): Traced { return this.binary("max", other, (x, y) => Math.max(x, y)); }
  minimum(other: Operand): Traced { return this.binary("min", other, (x, y) => Math.min(x, y)); }
  fmax(other: Operand): Traced { return this.binary("fmax", other, math.fmax); }
  fmin(other: Operand): Traced { return this.binary("fmin", other, math.fmin); }
  eq(other: Operand): Traced { return this.test("eq", other, (x, y) => x === y); }
  ne(other: Operand): Traced { return this.test("ne", other, (x, y) => x !== y); }
  lt(other: Operand): Traced { return this.test("lt", other, (x, y) => x < y); }
  le(other: Operand): Traced { return this.test("le", other, (x, y) => x <= y); }
  gt(other: Operand): Traced { return this.test("gt", other, (x, y) => x > y); }
  ge(other: Operand): Traced { return this.test("ge", other, (x, y) => x >= y); }
  logical_and(other: Traced): Traced { return this.test("and", other, (x, y) => x !== 0 && y !== 0); }
  logical_or(other: Traced): Traced { return this.test("or", other, (x, y) => x !== 0 || y !== 0); }
  logical_xor(other: Traced): Traced { return this.test("xor", other, (x, y) => (x !== 0) !== (y !== 0)); }
  bitwise_and(other: Traced): Traced { return this.binary("bitwise_and", other, (x, y) => x & y); }
  bitwise_or(other: Traced): Traced { return this.binary("bitwise_or", other, (x, y) => x | y); }
  bitwise_xor(other: Traced): Traced { return this.binary("bitwise_xor", other, (x, y) => x ^ y); }
  bitwise_left_shift(other: Traced): Traced { return this.binary("shift_left", other, (x, y) => x * 2 ** y); }
  bitwise_right_shift(other: Traced): Traced { return this.binary("shift_right", other, (x, y) => Math.floor(x / 2 ** y)); }
  where(condition: Traced, other: Operand): Traced { return select(condition, this, this.of(other), this.toDtype); }
  masked_fill(mask: Traced, value: Operand): Traced { return select(mask, this.of(value), this, this.toDtype); }

  static select(condition: Traced, yes: Traced, no: Traced, round: (x: number) => number): Traced {
    return new Traced(condition.value !== 0 ? yes.value : no.value, "select", [condition, yes, no], round);
  }
}

const select = Traced.select;

/** The 1 that stands for a gradient when a slope is wanted. */
const unitName = "1";
function isUnit({ name, value }: Traced): boolean {
  return name === unitName && value === 1;
}

/** The gradient of which a formula gives the slope alone. */
export function unitGradient(round: (x: number) => number): Traced {
  return Traced.named(unitName, 1, round);
}

/** The powers that PyTorch computes as roots differ from pow: the root of -∞ is NaN. */
function power(x: number, y: number): number {
  if (y === 0.5) return Math.sqrt(x);
  return y === -0.5 ? 1 / Math.sqrt(x) : math.pow(x, y);
}

/** A negative number that something binds to is put in parentheses. */
function numberIn(text: string, outer: number): string {
  return outer > notations.mul.rank && text.startsWith("-") ? `(${text})` : text;
}
