/** What the rules on births of NaN and Inf share: which births are theirs, and a finding out of one. */
import type { BirthEvent, OpEvent, PoisonEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { culpritOf, editOf, equationText, harmfulBirths, headline, pathText, whereBorn } from "./describe.ts";
import type { Edit, Found, Fix } from "./rule.ts";

export interface BirthWords {
  /** After the equation: what made it so. */
  because?: (trace: Trace, birth: BirthEvent) => string;
  fix: (trace: Trace, birth: BirthEvent, op: OpEvent | null) => Fix;
}

/** A finding for each birth that did harm and that `mine` claims. */
export function findBirths(trace: Trace, mine: (birth: BirthEvent, trace: Trace) => boolean, words: BirthWords): Found[] {
  return harmfulBirths(trace).filter(({ birth }) => mine(birth, trace)).map(({ birth, poison }) => foundBirth(trace, birth, poison, words));
}

function foundBirth(trace: Trace, birth: BirthEvent, poison: PoisonEvent, { because, fix }: BirthWords): Found {
  const { backward, node, op } = whereBorn(trace, birth);
  const equation = birth.equation === null ? null : arithmetic(trace, birth, op);
  const name = op === null ? "" : op.name;
  return {
    ...headline(trace, birth, poison),
    culprit: op === null ? null : culpritOf(trace, op),
    where: birth.phase === "backward" ? `in the backward of ${name}` : `in the forward of ${name}`,
    tensor: birth.tensor === null ? null : trace.nameOf(birth.tensor),
    equation,
    why: [equation ?? `${name} gave ${birth.kind} for input that is finite`, because?.(trace, birth) ?? ""].filter((part) => part !== "").join("; "),
    path: pathText(trace, backward, node, poison.what === "grad" ? poison.tensor : null),
    fix: fix(trace, birth, op),
  };
}

function arithmetic(trace: Trace, birth: BirthEvent, op: OpEvent | null): string {
  const text = equationText(trace, birth.equation!);
  const isSlope = birth.equation!.slope !== null && typeof birth.equation!.slope !== "number";
  return isSlope && birth.phase === "backward" && op !== null ? `d(${trace.callText(trace.userOp(op))})/d${birth.tensor === null ? "x" : trace.nameOf(birth.tensor)} = ${text}` : text;
}

/**
 * The edit that hides the bad element from an op: `x.pow(0.5)` becomes `x.masked_fill(x.eq(0), 1).pow(0.5)`. None where the
 * operand is not written as a receiver, or its name cannot be read twice.
 */
export function guardEdits(trace: Trace, birth: BirthEvent, op: OpEvent | null): Edit[] {
  const safe = birth.equation?.safe ?? null;
  const place = op?.within === null ? op.place : null;
  const expression = trace.expression(place);
  if (safe === null || typeof safe.bad !== "number" || expression === null || place === null) return [];
  const span = operandSpan(trace, expression, place.file, safe.name);
  if (span === null) return [];
  const operand = trace.textOf(span, place.file);
  if (/_\(|rand|dropout/.test(operand)) return [];
  return [editOf(trace, place.file, span, `${operand}.masked_fill(${operand}.${safe.side}(${safe.bad}), ${safe.good})`)];
}

/** Where the operand called `name` is written: before the dot, or among the arguments. */
export function operandSpan(trace: Trace, expression: NonNullable<ReturnType<Trace["expression"]>>, file: string, name: string): { start: number; end: number } | null {
  const { receiver } = expression;
  const isMethod = receiver !== null && !/^(torch|F)(\.|$)/.test(trace.textOf(receiver, file));
  if (name === "self") return isMethod ? receiver : (expression.arguments[0] ?? null);
  if (name === "other" || name === "exponent") return expression.arguments[isMethod ? 0 : 1] ?? null;
  return null;
}

/** How an operand is written; `x` where that cannot be told. */
export function operandText(trace: Trace, birth: BirthEvent, op: OpEvent | null, name: string): string {
  const place = op === null ? null : trace.userOp(op).place;
  const expression = trace.expression(place);
  const span = expression === null ? null : operandSpan(trace, expression, place!.file, name);
  return span === null ? (birth.tensor === null ? "x" : trace.nameOf(birth.tensor)) : trace.textOf(span, place!.file);
}

/** The edit that keeps the operand of an op within bounds: `x.log()` becomes `x.clamp({ min: 1e-12 }).log()`. */
export function clampEdits(trace: Trace, op: OpEvent | null, bounds: string): Edit[] {
  const place = op?.within === null && !op.inplace ? op.place : null;
  const expression = trace.expression(place);
  if (expression === null || place === null) return [];
  const span = operandSpan(trace, expression, place.file, "self");
  return span === null ? [] : [editOf(trace, place.file, span, `${trace.textOf(span, place.file)}.clamp(${bounds})`)];
}

const overflowing = new Set(["exp", "exp2", "expm1", "sinh", "cosh"]);
const logarithms = new Set(["log", "log2", "log10", "log1p"]);

/** What made an element go wrong; each kind is one rule's. */
export function kindOf({ phase, equation, kind }: BirthEvent): "zero times infinity" | "infinite slope" | "logarithm" | "division" | "root" | "overflow" | "other" {
  if (equation === null) return "other";
  const { slope, grad, function: name, operands: [first, second] } = equation;
  if (phase === "backward" && slope !== null && typeof slope !== "number") return grad === 0 ? "zero times infinity" : "infinite slope";
  if (logarithms.has(name) && typeof first === "number" && first <= 0) return "logarithm";
  if (name === "div" && second === 0) return "division";
  if ((name === "sqrt" || name === "rsqrt" || name === "pow") && typeof first === "number" && first < 0) return "root";
  return overflowing.has(name) && kind === "inf" ? "overflow" : "other";
}
