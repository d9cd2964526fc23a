/** The arithmetic of one element, from the formulas of the op itself. */
import { PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { AnyOp } from "../../dispatch/op.ts";
import type { TensorOrNumber } from "../../dispatch/promote.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { isPlainObject } from "../../schema/arguments.ts";
import { float32 } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { num, type Equation } from "./events.ts";
import { Traced, unitGradient } from "./traced.ts";
import { elementIn } from "./values.ts";

/** A call of a pointwise op: which of its overloads took it, and the values in schema order. */
export interface PointwiseCall {
  readonly overload: PointwiseOverload;
  readonly values: readonly unknown[];
}

/** The pointwise overload that a call went to; null for any other op. */
export function pointwiseCall(op: AnyOp, args: readonly unknown[], inplace: boolean): PointwiseCall | null {
  const last = args[args.length - 1];
  const hasNamed = typeof last === "object" && last !== null && !(last instanceof Tensor) && isPlainObject(last);
  const positional = hasNamed ? args.slice(0, -1) : args.slice();
  while (positional.length > 0 && positional[positional.length - 1] === undefined) positional.pop();
  for (const overload of op.overloads) {
    if (inplace && overload.inplace === undefined) continue;
    const values = overload.signature.match(positional, hasNamed ? (last as Record<string, unknown>) : null);
    if (values !== null) return overload instanceof PointwiseOverload ? { overload, values } : null;
  }
  return null;
}

/** What a formula reads, by name; `ids` gives the tensors their numbers. */
export interface Operands {
  readonly values: Readonly<Record<string, TensorOrNumber>>;
  readonly indices: readonly number[];
}

type Round = (x: number) => number;
const candidates = [1, 0.5, 0, 2];

/** The element of a tensor at `indices` of the shape that it is broadcast to; a number is itself. */
export function elementAt(value: TensorOrNumber, indices: readonly number[]): number {
  return value instanceof Tensor ? (elementIn(value, indices) ?? NaN) : Number(value);
}

const roundingOf = (values: readonly unknown[]): Round => (values.some((v) => v instanceof Tensor && v.dtype === float32) ? Math.fround : (x) => x);

function tracedValues({ values, indices }: Operands, round: Round): Record<string, Traced> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const element = elementAt(value, indices);
      return [name, value instanceof Tensor ? Traced.named(name, element, round) : Traced.constant(element, round)];
    }),
  );
}

function evaluate(formula: Formula, values: Record<string, Traced>, round: Round): Traced {
  const result = formula(values);
  return typeof result === "number" ? Traced.constant(result, round) : result;
}

/** A gradient formula at one element, for tracing a zero. */
export function gradientAt(formula: Formula, operands: Operands): Traced {
  const round = roundingOf(Object.values(operands.values));
  return evaluate(formula, tracedValues(operands, round), round);
}

/** A number as a person writes it. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(num(value));
  if (value === 0) return "0";
  const short = Number(value.toPrecision(4));
  // 1.0000002 is no 1.
  return String(Number.isInteger(short) ? Number(value.toPrecision(8)) : short);
}

const byName = (leaf: Traced): string => leaf.name ?? shortNumber(leaf.value);
const byValue = (leaf: Traced): string => shortNumber(leaf.value);

/** Formulas longer than this are shown at the step that went wrong alone. */
const longest = 7;

function shown(traced: Traced): Pick<Equation, "symbolic" | "numeric" | "value" | "step" | "function" | "operands"> {
  const { origin } = traced;
  const part = traced.size > longest ? origin : traced;
  return {
    symbolic: part.text(byName), numeric: part.text(byValue), value: num(part.value),
    step: origin.text(byValue), function: origin.name ?? "", operands: origin.operands.map(({ value }) => num(value)),
  };
}

/** The equation of an output element of a pointwise call. */
export function forwardEquation({ overload, values }: PointwiseCall, indices: readonly number[], idOf: (t: Tensor) => number, before: (t: Tensor) => TensorOrNumber): Equation {
  const formula = overload.formulaOf(overload.definition.value, values);
  const { positions } = overload.schema;
  const operands = Object.fromEntries(formula.names.map((name) => [name, values[positions.get(name)!] as TensorOrNumber]));
  const round = roundingOf(values);
  const read = Object.fromEntries(Object.entries(operands).map(([name, v]) => [name, v instanceof Tensor ? before(v) : v]));
  const traced = tracedValues({ values: read, indices }, round);
  for (const [name, v] of Object.entries(operands)) if (v instanceof Tensor) traced[name] = Traced.named(name, elementAt(read[name], indices), round);
  const result = evaluate(formula.formula, traced, round);
  return {
    ...shown(result), grad: null, slope: null,
    names: namesOf(operands, traced, idOf),
    safe: safeOperand(formula.formula, null, traced, round),
  };
}

/** The equation of a gradient: its formula with the gradient that arrives, and its slope without. */
export function backwardEquation(formula: Formula, operands: Operands, call: PointwiseCall | null, idOf: (t: Tensor) => number): Equation {
  const round = roundingOf(Object.values(operands.values));
  const traced = tracedValues(operands, round);
  const result = evaluate(formula, traced, round);
  const slope = evaluate(formula, { ...traced, grad: unitGradient(round) }, round);
  const wrong = Number.isFinite(slope.value) ? result : slope;
  return {
    ...shown(wrong), grad: num(traced.grad.value), slope: num(slope.value),
    names: namesOf(operands.values, traced, idOf),
    safe: call === null ? null : safeInput(formula, call, operands.indices),
  };
}

function namesOf(values: Readonly<Record<string, TensorOrNumber>>, traced: Record<string, Traced>, idOf: (t: Tensor) => number): Equation["names"] {
  return Object.entries(values).map(([name, v]) => ({ name, tensor: v instanceof Tensor && name !== "grad" ? idOf(v) : null, value: num(traced[name].value) }));
}

/** Which input of the call another number would mend, its gradient included. */
function safeInput(gradient: Formula, { overload, values }: PointwiseCall, indices: readonly number[]): Equation["safe"] {
  const { formula, names } = overload.formulaOf(overload.definition.value, values);
  const round = roundingOf(values);
  const operands = Object.fromEntries(names.map((name) => [name, values[overload.schema.positions.get(name)!] as TensorOrNumber]));
  return safeOperand(formula, gradient, tracedValues({ values: operands, indices }, round), round);
}

/** Which side of a bad number is bad too: below 0 for a root, above 1 for an inverse sine. */
function sideOf(isBad: (x: number) => boolean, bad: number): "eq" | "le" | "ge" {
  return isBad(bad - 0.01) ? "le" : isBad(bad + 0.01) ? "ge" : "eq";
}

/** Numbers beyond which all are bad are looked for up to here. */
const farthest = 1e12;

/** Where the domain ends, going from a good number in a direction; null where it does not. */
function endOf(isBad: (x: number) => boolean, good: number, direction: 1 | -1): number | null {
  let [inside, outside] = [good, good + direction * farthest];
  if (!isBad(outside)) return null;
  for (let i = 0; i < 120; i++) {
    const middle = (inside + outside) / 2;
    if (isBad(middle)) outside = middle;
    else inside = middle;
  }
  // Halving comes near to 0 and not there.
  return Math.abs(outside) < 1e-12 ? 0 : Number(outside.toPrecision(6));
}

function safeOperand(value: Formula, gradient: Formula | null, traced: Record<string, Traced>, round: Round): Equation["safe"] {
  for (const [name, operand] of Object.entries(traced)) {
    if (operand.name === null) continue;
    for (const good of candidates) {
      const changed = { ...traced, [name]: Traced.named(name, good, round) };
      const result = evaluate(value, changed, round);
      if (!Number.isFinite(result.value)) continue;
      const isBad = (x: number): boolean => !Number.isFinite(evaluate(value, { ...traced, [name]: Traced.named(name, x, round) }, round).value);
      const side = sideOf(isBad, operand.value);
      const safe = { name, bad: num(operand.value), good, side, min: endOf(isBad, good, -1), max: endOf(isBad, good, 1) };
      if (gradient === null) return safe;
      const slope = evaluate(gradient, { ...changed, result, grad: Traced.named("grad", 1, round) }, round);
      if (Number.isFinite(slope.value)) return safe;
    }
  }
  return null;
}
