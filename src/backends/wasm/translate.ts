/** Turns IR expressions into vector programs. */
import { BOOL, bool, FLOAT, float32, int64, type DType } from "../../tensor/dtype.ts";
import type { BinaryName, Expr, UnaryName } from "../../ir/expr.ts";
import { castVector } from "./casts.ts";
import { holdsConstant, inI32, laneTypeOf, maskFor, Unsupported, widenMask, wrapNarrow } from "./elements.ts";
import { floatBinary, floatUnary } from "./functions.ts";
import { onePlusErf } from "./functions/error-function.ts";
import { expBelow } from "./functions/exponential.ts";
import { integerBinary } from "./integers.ts";
import { maskType, type Graph, type Lanes, type Vector } from "./vector.ts";

function children({ kind }: Expr): readonly Expr[] {
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

/** Each node of an expression once, the operands first. */
export function nodesOf(expr: Expr): Set<Expr> {
  const nodes = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (nodes.has(e)) return;
    children(e).forEach(visit);
    nodes.add(e);
  };
  visit(expr);
  return nodes;
}

/** The lanes of a kernel that computes `expr` and stores it as `out`. */
export function lanesOf(expr: Expr, out: DType): Lanes {
  const used = [out, ...[...nodesOf(expr)].map((e) => e.dtype)];
  if (used.some((dtype) => dtype.itemsize === 8)) return 2;
  return used.every((dtype) => dtype === bool) ? 16 : 4;
}

/** The vector that holds the value of `expr`; `leaf` says what inputs, scalars and folded values are. */
export function translate(expr: Expr, graph: Graph, leaf: (e: Expr) => Vector): Vector {
  const values = new Map<Expr, Vector>();
  for (const e of nodesOf(expr)) values.set(e, translateNode(e, graph, leaf, values));
  return values.get(expr)!;
}

function translateNode(e: Expr, graph: Graph, leaf: (e: Expr) => Vector, values: ReadonlyMap<Expr, Vector>): Vector {
  const { kind, dtype } = e;
  const of = (operand: Expr): Vector => values.get(operand)!;
  switch (kind.tag) {
    case "constant":
      if (!holdsConstant(kind.value, dtype)) throw new Unsupported(`${kind.value} as ${dtype.name}`);
      return graph.constant(dtype.kind === BOOL ? -Number(kind.value !== 0) : kind.value, laneTypeOf(dtype, graph.lanes));
    case "cast":
      return castVector(of(kind.of), kind.of.dtype, dtype);
    case "unary":
      if (kind.name === "exp" && isBelowRow(kind.of)) return expBelow(of(kind.of));
      return unary(kind.name, of(kind.of), kind.of.dtype);
    case "binary": {
      const argument = argumentOfOnePlusErf(e);
      if (argument !== null) return onePlusErf(of(argument));
      return binary(kind.name, of(kind.left), of(kind.right), kind.left.dtype);
    }
    case "select": {
      const yes = of(kind.yes);
      return maskFor(of(kind.condition), yes.type).select(yes, of(kind.no));
    }
    default:
      return leaf(e);
  }
}

/** Is it a difference from a row's value, which is nearly always the row's maximum? */
function isBelowRow({ kind }: Expr): boolean {
  return kind.tag === "binary" && kind.name === "sub" && kind.right.kind.tag === "row";
}

/** The x of a 1 + erf(x) in single precision; null for anything else. */
function argumentOfOnePlusErf({ kind, dtype }: Expr): Expr | null {
  if (dtype !== float32 || kind.tag !== "binary" || kind.name !== "add") return null;
  const [{ kind: left }, { kind: right }] = [kind.left, kind.right];
  return left.tag === "unary" && left.name === "erf" && right.tag === "constant" && right.value === 1 ? left.of : null;
}

function unary(name: UnaryName, x: Vector, dtype: DType): Vector {
  if (name === "logical_not") return x.not();
  if (name === "isnan") return dtype.kind === FLOAT ? widenMask(x.isNaN()) : x.graph.constant(0, laneTypeOf(bool, x.graph.lanes));
  if (name === "signbit") return signbit(x, dtype);
  if (dtype.kind === FLOAT) return floatUnary(name, x);
  switch (name) {
    case "floor":
    case "ceil":
    case "trunc":
    case "round":
      return x;
    case "neg":
      if (dtype.kind === BOOL) break;
      return wrapNarrow(x.neg(), dtype);
    case "abs":
      return dtype.kind === BOOL ? x : wrapNarrow(x.abs(), dtype);
    case "sign":
      if (dtype.kind === BOOL) return x;
      return x.lt(0).sub(x.gt(0));
    case "bitwise_not":
      return dtype.kind === BOOL ? x.not() : wrapNarrow(x.not(), dtype);
  }
  throw new Unsupported(`${name} of ${dtype.name}`);
}

/** Is the sign set? A NaN counts as positive. */
function signbit(x: Vector, dtype: DType): Vector {
  if (dtype.kind === BOOL) return x.constant(0);
  if (dtype.kind !== FLOAT) return widenMask(x.lt(0));
  const negative = x.as(maskType(x.type)).shiftRight(x.type === "f32" ? 31 : 63);
  return widenMask(negative.and(x.eq(x)));
}

const comparisons = new Set<BinaryName>(["eq", "ne", "lt", "le", "gt", "ge"]);

function binary(name: BinaryName, x: Vector, y: Vector, dtype: DType): Vector {
  if (comparisons.has(name)) return compare(name as "eq", x, y, dtype);
  if (dtype.kind === BOOL) return logic(name, x, y);
  switch (name) {
    case "maximum":
      return x.max(y);
    case "minimum":
      return x.min(y);
  }
  if (dtype.kind === FLOAT) return floatBinary(name, x, y);
  switch (name) {
    case "add":
    case "sub":
    case "mul":
      return wrapNarrow(x[name](y), dtype);
    case "fmax":
      return x.max(y);
    case "fmin":
      return x.min(y);
    case "bitwise_and":
      return x.and(y);
    case "bitwise_or":
      return x.or(y);
    case "bitwise_xor":
      return x.xor(y);
    default:
      if (!inI32(dtype) && dtype !== int64) throw new Unsupported(`${name} of ${dtype.name}`);
      return wrapNarrow(integerBinary(name, x, y, dtype), dtype);
  }
}

function compare(name: "eq" | "ne" | "lt" | "le" | "gt" | "ge", x: Vector, y: Vector, dtype: DType): Vector {
  // True is -1 in a mask: among bools, less is greater.
  return dtype.kind === BOOL && name !== "eq" && name !== "ne" ? y[name](x) : widenMask(x[name](y));
}

function logic(name: BinaryName, x: Vector, y: Vector): Vector {
  switch (name) {
    case "add":
    case "maximum":
    case "fmax":
    case "logical_or":
    case "bitwise_or":
      return x.or(y);
    case "mul":
    case "minimum":
    case "fmin":
    case "logical_and":
    case "bitwise_and":
      return x.and(y);
    case "sub":
    case "logical_xor":
    case "bitwise_xor":
      return x.xor(y);
    case "pow":
      return x.or(y.not());
    default:
      throw new Unsupported(`${name} of bool`);
  }
}
