/** Writes IR expressions as vector instructions. */
import { BOOL, bool, FLOAT, float32, float64, int64, type DType } from "../../tensor/dtype.ts";
import type { BinaryName, Expr, UnaryName } from "../../ir/expr.ts";
import type { Assembler, Opcode } from "./assembler.ts";
import { castVector, inI32, type Lanes, Unsupported, wrapNarrow } from "./lanes.ts";

/** Where the values that do not change in the loop are kept. */
export interface Invariants {
  scalar(index: number, dtype: DType): number;
  constant(value: number, dtype: DType): number;
}

const prefix = (dtype: DType): "f32x4" | "f64x2" | "i64x2" | "i32x4" =>
  dtype === float32 ? "f32x4" : dtype === float64 ? "f64x2" : dtype === int64 ? "i64x2" : "i32x4";

const op = (dtype: DType, name: string): Opcode => `${prefix(dtype)}.${name}` as Opcode;

/** The kernel's lanes for an expression and what it is stored as. */
export function lanesOf(expr: Expr, out: DType): Lanes {
  const seen = new Set<Expr>();
  const wide = (e: Expr): boolean => {
    if (seen.has(e)) return false;
    seen.add(e);
    return e.dtype.itemsize === 8 || children(e).some(wide);
  };
  return out.itemsize === 8 || wide(expr) ? 2 : 4;
}

export function children(e: Expr): readonly Expr[] {
  const { kind } = e;
  switch (kind.tag) {
    case "cast":
    case "unary":
      return [kind.of];
    case "binary":
      return [kind.left, kind.right];
    case "select":
      return [kind.condition, kind.yes, kind.no];
    default:
      return [];
  }
}

/** Writes code that computes expressions; each shared node is computed once and kept in a local. */
export class Emitter {
  readonly a: Assembler;
  readonly lanes: Lanes;
  private readonly inputs: ReadonlyMap<number, number>;
  private readonly invariants: Invariants;
  private readonly known = new Map<Expr, number>();
  private readonly temporary: number;

  constructor(a: Assembler, lanes: Lanes, inputs: ReadonlyMap<number, number>, invariants: Invariants, temporary: number) {
    this.a = a;
    this.lanes = lanes;
    this.inputs = inputs;
    this.invariants = invariants;
    this.temporary = temporary;
  }

  /** The local that holds the value of `e`. */
  value(e: Expr): number {
    const known = this.known.get(e);
    if (known !== undefined) return known;
    const local = this.leaf(e) ?? this.compute(e);
    this.known.set(e, local);
    return local;
  }

  private leaf({ kind, dtype }: Expr): number | null {
    if (kind.tag === "input") return this.inputs.get(kind.index)!;
    if (kind.tag === "scalar") return this.invariants.scalar(kind.index, dtype);
    if (kind.tag === "constant") return this.invariants.constant(kind.value, dtype);
    return null;
  }

  private compute(e: Expr): number {
    const { a } = this;
    const { kind } = e;
    if (kind.tag === "cast") {
      const from = this.value(kind.of);
      a.get(from);
      castVector(a, kind.of.dtype, e.dtype, this.lanes, this.temporary);
    } else if (kind.tag === "unary") {
      this.unary(kind.name, this.value(kind.of), kind.of.dtype);
    } else if (kind.tag === "binary") {
      const left = this.value(kind.left);
      const right = this.value(kind.right);
      this.binary(kind.name, left, right, kind.left.dtype);
    } else if (kind.tag === "select") {
      const condition = this.value(kind.condition);
      const yes = this.value(kind.yes);
      const no = this.value(kind.no);
      this.select(condition, yes, no, e.dtype);
    } else {
      throw new Unsupported(kind.tag);
    }
    return this.keep();
  }

  /** The value on the stack in a new local. */
  keep(): number {
    const local = this.a.local("v128");
    this.a.set(local);
    return local;
  }

  constant(value: number, dtype: DType): number {
    return this.invariants.constant(value, dtype);
  }

  /** A mask has the width of the kernel's lanes; values of the other width need it resized. */
  private select(condition: number, yes: number, no: number, dtype: DType): void {
    const { a } = this;
    a.get(yes).get(no).get(condition);
    if (this.lanes === 2 && dtype.itemsize < 8 && dtype !== bool) {
      a.get(condition).shuffle([0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
    }
    a.op("v128.bitselect");
  }

  private binary(name: BinaryName, x: number, y: number, dtype: DType): void {
    const { a } = this;
    if (name in compared) return this.compare(compared[name]!, x, y, dtype);
    if (dtype.kind === BOOL) return this.logic(name, x, y);
    switch (name) {
      case "add":
      case "sub":
      case "mul":
        a.get(x).get(y).op(op(dtype, name));
        return wrapNarrow(a, dtype);
      case "div":
        if (dtype.kind !== FLOAT) break;
        return void a.get(x).get(y).op(op(dtype, "div"));
      case "maximum":
      case "minimum":
        return this.extremum(name, x, y, dtype);
      case "trunc_divide":
        if (dtype.kind !== FLOAT) break;
        return void a.get(x).get(y).op(op(dtype, "div")).op(op(dtype, "trunc"));
      case "bitwise_and":
        return void a.get(x).get(y).op("v128.and");
      case "bitwise_or":
        return void a.get(x).get(y).op("v128.or");
      case "bitwise_xor":
        return void a.get(x).get(y).op("v128.xor");
    }
    throw new Unsupported(`${name} of ${dtype.name}`);
  }

  private extremum(name: "maximum" | "minimum", x: number, y: number, dtype: DType): void {
    const short = name === "maximum" ? "max" : "min";
    if (dtype.kind === FLOAT) this.a.get(x).get(y).op(op(dtype, short));
    else if (inI32(dtype)) this.a.get(x).get(y).op(op(dtype, `${short}_s`));
    else this.a.get(x).get(y).get(x).get(y).op(name === "maximum" ? "i64x2.gt_s" : "i64x2.lt_s").op("v128.bitselect");
  }

  private compare(name: string, x: number, y: number, dtype: DType): void {
    const { a } = this;
    a.get(x).get(y);
    if (dtype.kind === BOOL) {
      // Masks are 0 or -1, so that "less" among bools is "greater" among lanes.
      const reversed: Record<string, string> = { lt: "gt_s", gt: "lt_s", le: "ge_s", ge: "le_s" };
      return void a.op(`${this.lanes === 2 ? "i64x2" : "i32x4"}.${reversed[name] ?? name}` as Opcode);
    }
    const signed = dtype.kind !== FLOAT && name !== "eq" && name !== "ne" ? "_s" : "";
    a.op(op(dtype, name + signed));
    if (this.lanes === 2 && dtype.itemsize < 8) a.op("i64x2.extend_low_i32x4_s");
  }

  private logic(name: BinaryName, x: number, y: number): void {
    const { a } = this;
    a.get(x).get(y);
    if (name === "add" || name === "maximum" || name === "logical_or" || name === "bitwise_or") a.op("v128.or");
    else if (name === "mul" || name === "minimum" || name === "logical_and" || name === "bitwise_and") a.op("v128.and");
    else if (name === "sub" || name === "logical_xor" || name === "bitwise_xor") a.op("v128.xor");
    else throw new Unsupported(`${name} of bool`);
  }

  private unary(name: UnaryName, x: number, dtype: DType): void {
    const { a } = this;
    if (name === "logical_not") return void a.get(x).op("v128.not");
    if (name === "isnan") {
      if (dtype.kind !== FLOAT) throw new Unsupported("isnan of integers");
      return this.compare("ne", x, x, dtype);
    }
    if (dtype.kind === FLOAT) return this.floatUnary(name, x, dtype);
    if (name === "floor" || name === "ceil" || name === "trunc" || name === "round") return void a.get(x);
    if (dtype.kind === BOOL || (name !== "neg" && name !== "abs")) throw new Unsupported(`${name} of ${dtype.name}`);
    a.get(x).op(op(dtype, name));
    wrapNarrow(a, dtype);
  }

  private floatUnary(name: UnaryName, x: number, dtype: DType): void {
    const { a } = this;
    const one = (): number => this.constant(1, dtype);
    switch (name) {
      case "neg":
      case "abs":
      case "sqrt":
      case "floor":
      case "ceil":
      case "trunc":
        return void a.get(x).op(op(dtype, name));
      case "round":
        return void a.get(x).op(op(dtype, "nearest"));
      case "reciprocal":
        return void a.get(one()).get(x).op(op(dtype, "div"));
      case "rsqrt":
        return void a.get(one()).get(x).op(op(dtype, "sqrt")).op(op(dtype, "div"));
      case "sign": {
        const zero = this.constant(0, dtype);
        a.get(one()).get(x).get(zero).op(op(dtype, "gt")).op("v128.and");
        return void a.get(one()).get(x).get(zero).op(op(dtype, "lt")).op("v128.and").op(op(dtype, "sub"));
      }
      default:
        throw new Unsupported(name);
    }
  }
}

const compared: Partial<Record<BinaryName, string>> = { eq: "eq", ne: "ne", lt: "lt", le: "le", gt: "gt", ge: "ge" };
