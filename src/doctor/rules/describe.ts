/** How rules put events into words: places, elements, equations, paths, edits. */
import type { BirthEvent, Equation, Num, OpEvent, Place, PoisonEvent } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import { lineText, placeAt, placeKey, type Span } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { isMetric } from "./metrics.ts";
import { divergenceOf, type Divergence } from "./divergence.ts";
import { operandsOf } from "./operands.ts";
import { isComputedFrom } from "./updates.ts";
import type { Culprit, Edit, Victim } from "./rule.ts";

/** The user's line of an op, or of another call site with the text that stands there. */
export function culpritOf(trace: Trace, op: OpEvent): Culprit | null {
  const user = trace.userOp(op);
  return culpritAt(trace, user.place, trace.callText(user));
}

/** The innermost call that made a leaf and none of the others that its line made; null where it came from nowhere. */
function culpritOfLeaf(trace: Trace, leaf: number): Culprit | null {
  const maker = trace.makerOf(leaf);
  if (maker === null) return null;
  const user = trace.userOp(maker);
  const waysTo = (tensor: number): (Place | null)[] => {
    const { place, callers } = trace.userOp(trace.makerOf(tensor)!);
    return [place, ...callers];
  };
  const others = new Set(trace.siblings(leaf).filter((tensor) => tensor !== leaf).flatMap((tensor) => waysTo(tensor).map(placeKey)));
  const own = waysTo(leaf).find((place) => !others.has(placeKey(place))) ?? user.place;
  return own === user.place ? culpritOf(trace, maker) : culpritAt(trace, own);
}

/** Leaves by the call that made them: those of a layer belong together. */
export function byCulprit(trace: Trace, leaves: readonly number[]): { culprit: Culprit | null; leaves: readonly number[] }[] {
  const made = leaves.map((leaf) => ({ leaf, culprit: culpritOfLeaf(trace, leaf) }));
  const lines = grouped(made, ({ leaf, culprit }) => (culprit === null ? String(leaf) : placeKey(culprit)));
  return [...lines.values()].map((each) => ({ culprit: each[0].culprit, leaves: each.map(({ leaf }) => leaf) }));
}

export function culpritAt(trace: Trace, place: Place | null, text?: string): Culprit | null {
  if (place === null) return null;
  const expression = trace.expression(place);
  const at = expression === null ? place : placeAt(trace.sources.get(place.file)!, expression.name);
  return { file: place.file, ...at, op: text ?? expression?.text ?? lineText(trace.sources.get(place.file) ?? "", place.line) };
}

/** `line 9` of the file that is spoken of, `line 9 of other.ts` elsewhere. */
export function lineOf(place: Pick<Place, "file" | "line"> | null, file?: string): string {
  if (place === null) return "an unknown line";
  return file === undefined || file === place.file ? `line ${place.line}` : `line ${place.line} of ${place.file.replace(/^.*[\\/]/, "")}`;
}

export function elementText(indices: readonly number[] | null): string {
  return indices === null || indices.length === 0 ? "" : `[${indices.join(", ")}]`;
}

/** The names of several tensors, each once. */
export function namesOf(trace: Trace, tensors: readonly number[]): string {
  return [...new Set(tensors.map((tensor) => trace.nameOf(tensor)))].join(", ");
}

/** A number as a person writes it. */
export function numberText(n: Num): string {
  return typeof n === "number" ? String(Number(n.toPrecision(4))) : n;
}

const kinds = { nan: "NaN", inf: "Inf" };

/** What was born, and where it came to light: `NaN in x.grad[0] (1 of 5 elements)`. */
export function headline(trace: Trace, birth: BirthEvent, poison: PoisonEvent): { message: string; victim: Victim; elements: number[][] } {
  const { shape } = trace.tensors.get(poison.tensor)!;
  const { values } = poison;
  const name = victimName(trace, poison);
  const elements = values.nonfinite.map((p) => unravel(p, shape));
  const count = values.nan + values.inf;
  const kind = values.nan > 0 ? "NaN" : kinds[birth.kind];
  const where = count === 1 ? elementText(elements[0]) : "";
  const share = values.numel === 1 ? "" : ` (${count} of ${values.numel} elements)`;
  return { message: `${kind} in ${name}${where}${share}`, victim: { name, count, numel: values.numel }, elements };
}

/** What a birth came to: `x.grad`; where torch's own code asked for a gradient, the variable that holds what it gave. */
export function victimName(trace: Trace, { tensor, what }: PoisonEvent): string {
  const name = trace.nameOf(tensor);
  if (what !== "grad") return name;
  const maker = trace.makerOf(tensor);
  if (maker === null || name !== "a gradient") return `${name}.grad`;
  return trace.variableOf(tensor) ?? name;
}

export function unravel(position: number, shape: readonly number[]): number[] {
  let rest = position;
  return shape.map((_, d) => {
    const below = shape.slice(d + 1).reduce((product, s) => product * s, 1);
    const index = Math.floor(rest / below);
    rest %= below;
    return index;
  });
}

/** Texts longer than this are named by their op, where they stand in an equation. */
const longestOperand = 32;

/** An equation in the program's own names: `0.5·x^-0.5 = 0.5·0^-0.5 = inf`. */
export function equationText(trace: Trace, equation: Equation, op: OpEvent | null): string {
  const parts = [symbolicText(trace, equation, op), equation.numeric, numberText(equation.value)];
  return parts.filter((part, i) => part !== parts[i - 1]).join(" = ");
}

/** The arithmetic in names: what `op` was given is called as it is written there. */
export function symbolicText(trace: Trace, { symbolic, names }: Equation, op: OpEvent | null): string {
  const known = new Map(names.flatMap(({ name, tensor }) => {
    const text = name === "grad" || tensor === null ? null : operandName(trace, tensor, op);
    return text === null ? [] : [[name, text] as const];
  }));
  return symbolic.replace(/[\w$]+/g, (word, at: number) => {
    const text = known.get(word) ?? word;
    // What stands alone in parentheses needs no more.
    const isBound = /^[\w$.]+$/.test(text) || (symbolic[at - 1] === "(" && symbolic[at + word.length] === ")");
    return isBound ? text : `(${text})`;
  });
}

/** What a tensor is called in the user's call of an op: what is written there, if that is short. */
export function operandName(trace: Trace, tensor: number, op: OpEvent | null): string | null {
  const user = op === null ? null : trace.userOp(op);
  const span = user === null ? undefined : operandsOf(trace, user)[user.arguments.findIndex((a) => "tensor" in a && a.tensor === tensor)];
  const written = span === undefined ? null : trace.textOf(span, user!.place!.file).replace(/\s+/g, " ");
  const name = written !== null && written.length <= longestOperand ? written : trace.nameOf(tensor);
  // What the engine made for itself is known by its place in the formula.
  return /^tensor \d+$/.test(name) ? null : name;
}

/** `loss ← mean ← pow ← x`: from the root of a backward through a node to a leaf. */
export function pathText(trace: Trace, backward: number | null, through: number | null, leaf: number | null): string[] {
  const event = backward === null ? undefined : trace.backwards.get(backward);
  const root = event?.nodes[0] ?? null;
  if (event === undefined || root === null || through === null) return [];
  const path = trace.path(root, through, leaf);
  const names = path.map((node) => {
    const { accumulates } = trace.nodes.get(node)!;
    return accumulates === null ? (trace.opOf(node)?.name ?? trace.nodes.get(node)!.name) : trace.nameOf(accumulates);
  });
  const first = event.roots[0] === undefined ? null : trace.variableOf(event.roots[0]);
  return first === null ? names : [first, ...names];
}

/** An edit that replaces a stretch of a file. */
export function editOf(trace: Trace, file: string, { start, end }: Span, text: string): Edit {
  const source = trace.sources.get(file)!;
  return { file, start: placeAt(source, start), end: placeAt(source, end), text };
}

/** Where a call asks for a gradient, to be left out: `, { requires_grad: true }`, or `.requires_grad_()` after it. */
export function askingSpan(trace: Trace, place: Place): Span | null {
  const expression = trace.expression(place);
  if (expression === null) return null;
  const { start, end } = expression;
  const text = trace.textOf({ start, end: end + ".requires_grad_()".length }, place.file);
  const asking = /,?\s*\{\s*requires_grad:\s*true\s*\}|requires_grad:\s*true,\s*|,\s*requires_grad:\s*true|\.requires_grad_\(\)/.exec(text);
  return asking === null ? null : { start: start + asking.index, end: start + asking.index + asking[0].length };
}

/** Births that did harm, in the order of their births, each with the worst place that it came to. */
export function harmfulBirths(trace: Trace): { birth: BirthEvent; poison: PoisonEvent }[] {
  const divergence = divergenceOf(trace);
  const found = new Map<number, { birth: BirthEvent; poison: PoisonEvent }>();
  const worth = { grad: 3, loss: 2, output: 1, read: 1 };
  for (const poison of trace.poisons) {
    for (const number of poison.births) {
      const birth = trace.births.get(number);
      if (birth === undefined || isShown(trace, birth, poison) || isMetric(trace, poison) || (divergence !== null && isEndOf(trace, divergence, birth))) continue;
      const known = found.get(birth.birth);
      if (known === undefined || worth[poison.what] > worth[known.poison.what]) found.set(birth.birth, { birth, poison });
    }
  }
  // One line that goes wrong again and again is told of once.
  const told = new Set<string>();
  return [...found.values()].toSorted((a, b) => a.birth.birth - b.birth.birth).filter(({ birth }) => {
    const op = birth.op === null ? null : trace.ops.get(birth.op)!;
    const place = op === null ? null : trace.userOp(op).place;
    const key = place === null ? String(birth.birth) : placeKey(place);
    if (told.has(key)) return false;
    told.add(key);
    return true;
  });
}

/** Data that came with a NaN may be looked at. */
function isShown(trace: Trace, { op, tensor }: BirthEvent, poison: PoisonEvent): boolean {
  return poison.what === "read" && poison.tensor === tensor && op !== null && trace.ops.get(op)!.inputs.length === 0;
}

/** What training that runs away ends in is no cause. */
function isEndOf(trace: Trace, { leaf, since }: Divergence, birth: BirthEvent): boolean {
  const op = birth.op === null ? undefined : trace.ops.get(birth.op);
  return trace.isBefore(since, birth) && (op === undefined || isComputedFrom(trace, op, new Set([leaf])));
}

/** The backward in which a birth came to light, and the node of its op. */
export function whereBorn(trace: Trace, birth: BirthEvent): { backward: number | null; node: number | null; op: OpEvent | null } {
  const run = birth.run === null ? undefined : trace.runs.get(birth.run);
  const op = birth.op === null ? null : (trace.ops.get(birth.op) ?? null);
  const calls = [...trace.backwards.values()];
  const backward = run?.backward ?? (calls.find((call) => trace.isBefore(birth, call)) ?? calls[0])?.backward ?? null;
  return { backward, node: run?.node ?? op?.node ?? null, op };
}
