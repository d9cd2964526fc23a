/** What the rules on births of NaN and Inf share: which births are theirs, and a finding out of one. */
import type { BirthEvent, OpEvent, PoisonEvent, Safe } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import type { Trace } from "../trace/trace.ts";
import type { Span } from "../trace/source.ts";
import { culpritOf, editOf, equationText, harmfulBirths, headline, numberText, pathText, whereBorn } from "./describe.ts";
import { rootsAreFinite } from "./leaves.ts";
import { isMethod, operandsOf } from "./operands.ts";
import type { Culprit, Edit, Found, Fix } from "./rule.ts";

export interface BirthWords {
  /** The arithmetic, where no formula gives it. */
  arithmetic?: (trace: Trace, birth: BirthEvent, op: OpEvent) => string;
  /** The call that is to blame, where it is not the op's own. */
  blamed?: (trace: Trace, birth: BirthEvent) => OpEvent | null;
  /** After the equation: what made it so. */
  because?: (trace: Trace, birth: BirthEvent) => string;
  fix: (trace: Trace, birth: BirthEvent, op: OpEvent | null) => Fix;
}

/** A birth that did harm, and the worst place that it came to. */
type Harm = ReturnType<typeof harmfulBirths>[number];

/** A finding for each line with births that did harm and that `mine` claims. */
export function findBirths(trace: Trace, mine: (birth: BirthEvent, trace: Trace) => boolean, words: BirthWords): Found[] {
  const harms = harmfulBirths(trace).filter(({ birth }) => mine(birth, trace));
  const byLine = grouped(harms, ({ birth }) => {
    const culprit = culpritOfBirth(trace, birth, words);
    return culprit === null ? `birth ${birth.birth}` : `${culprit.file}:${culprit.line}`;
  });
  return [...byLine.values()].map((births) => foundBirths(trace, births, words));
}

function culpritOfBirth(trace: Trace, birth: BirthEvent, { blamed }: BirthWords): Culprit | null {
  const op = blamed?.(trace, birth) ?? whereBorn(trace, birth).op;
  return op === null ? null : culpritOf(trace, op);
}

/** The first birth of a line is explained; the others are named, and mended with it. */
function foundBirths(trace: Trace, births: readonly Harm[], words: BirthWords): Found {
  const [{ birth, poison }] = births;
  const { arithmetic, because, blamed, fix } = words;
  const { backward, node, op } = whereBorn(trace, birth);
  const equation = op !== null && arithmetic !== undefined ? arithmetic(trace, birth, op) : birth.equation === null ? null : formulaText(trace, birth, op);
  const name = op === null ? "" : trace.userOp(op).name;
  const culprit = culpritOfBirth(trace, birth, words);
  const likewise = births.map((each) => culpritOfBirth(trace, each.birth, words)?.op).filter((call) => call !== undefined && call !== culprit?.op);
  return {
    ...headline(trace, birth, poison),
    culprit,
    where: whereText(trace, birth, blamed?.(trace, birth) ?? op, node),
    tensor: birth.tensor === null ? null : trace.nameOf(birth.tensor),
    equation,
    why: [
      equation ?? `${name} gave ${birth.kind} for input that is finite`,
      because?.(trace, birth) ?? "",
      isHidden(trace, birth, poison) ? `the loss does not show it, but backward goes through it, where 0·${birth.kind} = nan` : "",
      likewise.length === 0 ? "" : `likewise ${[...new Set(likewise)].join(", ")}`,
    ].filter((part) => part !== "").join("; "),
    path: pathText(trace, backward, node, poison.what === "grad" ? poison.tensor : null),
    fix: together(births.map((each) => fix(trace, each.birth, whereBorn(trace, each.birth).op))),
  };
}

/** Repairs made at once; the first alone where two of them meet in one place. */
function together(fixes: readonly Fix[]): Fix {
  const [first] = fixes;
  const edits = fixes.flatMap((fix) => fix.edits).toSorted((a, b) => a.start.line - b.start.line || a.start.column - b.start.column);
  const isApart = edits.every(({ start, file }, i) => i === 0 || file !== edits[i - 1].file || start.line > edits[i - 1].end.line || start.column >= edits[i - 1].end.column);
  return fixes.length > 1 && isApart ? { text: [...new Set(fixes.map(({ text }) => text))].join("; and "), edits, others: [first, ...(first.others ?? [])] } : first;
}

/** Does what forward made come to light in a gradient alone? */
function isHidden(trace: Trace, { phase, equation }: BirthEvent, { what, values }: PoisonEvent): boolean {
  return phase === "forward" && equation !== null && what === "grad" && values.nan > 0 && rootsAreFinite(trace);
}

/** An op that a backward called is differentiated where it is a part of a second derivative; in a custom Function it is the program's own. */
function whereText(trace: Trace, { phase }: BirthEvent, op: OpEvent | null, node: number | null): string {
  const run = node === null ? null : trace.nodes.get(node)!;
  if (phase === "backward" && run !== null && run.op === null) return `in the backward of ${run.name.replace(/Backward$/, "")}`;
  return `in the ${op !== null && op.run !== null ? "second derivative" : phase} of ${op === null ? "a leaf" : trace.userOp(op).name}`;
}

function formulaText(trace: Trace, birth: BirthEvent, op: OpEvent | null): string {
  const text = equationText(trace, birth.equation!, op);
  const isSlope = birth.equation!.slope !== null && typeof birth.equation!.slope !== "number";
  return isSlope && birth.phase === "backward" && op !== null ? `d(${trace.callText(trace.userOp(op))})/d${differentiatedBy(trace, birth)} = ${text}` : text;
}

function differentiatedBy(trace: Trace, { tensor }: BirthEvent): string {
  const name = tensor === null ? "x" : trace.nameOf(tensor);
  return /^[\w$.]+$/.test(name) ? name : `(${name})`;
}

/** May an operand be evaluated twice? */
const isPure = (operand: string): boolean => !/_\(|rand|dropout/.test(operand);

/**
 * The edit that hides the bad element from an op: `x.pow(0.5)` becomes `x.masked_fill(x.eq(0), 1).pow(0.5)`. None where the
 * operand is not written at the call, or its name cannot be read twice.
 */
export function guardEdits(trace: Trace, birth: BirthEvent, op: OpEvent | null, safe = birth.equation?.safe ?? null): Edit[] {
  const at = badOperand(trace, birth, op);
  if (safe === null || at === null || typeof safe.bad !== "number" || !isPure(at.text)) return [];
  return [editOf(trace, at.file, at.span, guarded(at.text, safe))];
}

/** An operand with its bad elements replaced. */
export function guarded(operand: string, { side, bad, good, min, max }: Safe): string {
  const end = side === "le" ? (min ?? bad) : side === "ge" ? (max ?? bad) : bad;
  return `${operand}.masked_fill(${operand}.${side}(${numberText(end)}), ${good})`;
}

/** The bounds that keep an operand inside of its domain, as the options of clamp. */
export function boundsOf({ equation }: BirthEvent): string {
  const { min = null, max = null } = equation?.safe ?? {};
  const inside = (end: number, margin: number): number => (end === 0 ? Math.sign(margin) * 1e-12 : Number((end + margin * Math.abs(end)).toPrecision(7)));
  const parts = [...(min === null ? [] : [`min: ${inside(min, 1e-6)}`]), ...(max === null ? [] : [`max: ${inside(max, -1e-6)}`])];
  return parts.length === 0 ? "{ min: 1e-12 }" : `{ ${parts.join(", ")} }`;
}

/** The edit that keeps the operand of an op within bounds: `x.log()` becomes `x.clamp({ min: 1e-12 }).log()`. */
export function clampEdits(trace: Trace, birth: BirthEvent, op: OpEvent | null, bounds = boundsOf(birth)): Edit[] {
  const at = badOperand(trace, birth, op);
  return at === null ? [] : [editOf(trace, at.file, at.span, `${at.text}.clamp(${bounds})`)];
}

/** The edit that computes a call of an op on float32 in float64. */
export function widenEdits(trace: Trace, birth: BirthEvent, op: OpEvent | null): Edit[] {
  const at = birth.equation === null || birth.tensor === null || trace.tensors.get(birth.tensor)!.dtype !== "float32" ? null : badOperand(trace, birth, op);
  return at === null ? [] : [editOf(trace, at.file, at.span, `${at.text}.double()`)];
}

/**
 * A norm that has all its derivatives at 0: `x.norm(2, 1)` becomes `x.pow(2).sum(1).clamp({ min: 1e-24 }).sqrt()`. At 0 the bound
 * passes no gradient on, whatever is differentiated.
 */
export function safeNorm(trace: Trace, op: OpEvent | null): Fix {
  const text = "take the norm so that it has all derivatives at 0: x.pow(2).sum().clamp({ min: 1e-24 }).sqrt()";
  const user = op === null ? null : trace.userOp(op);
  const expression = user?.name === "norm" ? trace.expression(user.place) : null;
  if (user === null || expression?.receiver == null || !isMethod(trace, user, expression)) return { text, edits: [] };
  const { file } = user.place!;
  const [order, ...rest] = expression.arguments.map((span) => trace.textOf(span, file));
  if (order !== undefined && order !== "2" && order !== '"fro"') return { text, edits: [] };
  return { text, edits: [editOf(trace, file, expression, `${trace.textOf(expression.receiver, file)}.pow(2).sum(${rest.join(", ")}).clamp({ min: 1e-24 }).sqrt()`)] };
}

/** How an operand is written; `x` where that cannot be told. */
export function operandText(trace: Trace, birth: BirthEvent, op: OpEvent | null): string {
  return badOperand(trace, birth, op)?.text ?? (birth.tensor === null ? "x" : trace.nameOf(birth.tensor));
}

/** The operand to be mended, where the user's own call is that of the op; in second derivatives it is the tensor's place in the call. */
function badOperand(trace: Trace, { equation }: BirthEvent, op: OpEvent | null): { file: string; span: Span; text: string } | null {
  const user = op === null ? null : trace.userOp(op);
  if (user === null || user.inplace) return null;
  const name = equation?.safe?.name ?? "self";
  const tensor = equation?.names.find((n) => n.name === name)?.tensor ?? null;
  const index = user.arguments.findIndex((a) => "tensor" in a && a.tensor === tensor);
  const span = operandsOf(trace, user)[index >= 0 ? index : user === op ? positionOf(name) : -1];
  if (span === undefined) return null;
  const { file } = user.place!;
  return { file, span, text: trace.textOf(span, file) };
}

const positionOf = (name: string): number => (name === "self" ? 0 : name === "other" || name === "exponent" ? 1 : -1);
