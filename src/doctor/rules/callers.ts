/** Follows what an op is given through the parameters of the functions around it, to the call that had it in its hands. */
import type { OpEvent, Place, ReadEvent } from "../trace/events.ts";
import { commaSeparated, enclosing, placeKey, type Span } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { culpritAt, editOf } from "./describe.ts";
import { operandsOf } from "./operands.ts";
import type { Culprit, Edit } from "./rule.ts";

/** A call, and what stands among its arguments. */
export interface Origin {
  readonly place: Place;
  readonly argument: Span;
  /** Where the operand itself stands, and not a list that holds it. */
  readonly single: { readonly file: string; readonly span: Span };
}

const blocks = new Set(["if", "for", "while", "switch", "catch"]);

/** Where a name at a position is a parameter of the function around it: which one, and is it that and no part of it? */
function parameterAt(source: string, position: number, name: string): { index: number; isWhole: boolean } | null {
  for (let at = position; at >= 0; ) {
    const open = enclosing(source, at);
    const before = source.slice(0, source[open] === "{" ? open : at);
    const header = source[open] === "{" ? /([\w$]*)\s*\(([^()]*)\)\s*(?::[^;{}()]*)?(?:=>)?\s*$/.exec(before) : /()\(([^()]*)\)\s*(?::[^=;{}]*)?=>[^;{}]*$/.exec(before.slice(open + 1));
    if (header !== null && !blocks.has(header[1])) {
      const list = commaSeparated(header[2], 0, header[2].length).map(({ start, end }) => header[2].slice(start, end));
      const index = list.findIndex((text) => new RegExp(`^(?:[\\[{][^\\]}]*)?(?<![\\w$.])${name.replaceAll("$", "\\$&")}(?![\\w$])`).test(text));
      return index < 0 ? null : { index, isWhole: !/^[[{]/.test(list[index]) };
    }
    at = open;
  }
  return null;
}

/** Where an operand of an op came from: its own call, or the outermost one that handed it on as an argument. */
export function originOf(trace: Trace, op: OpEvent, operand: Span): Origin {
  let place = op.place!;
  let argument = operand;
  let single = { file: place.file, span: operand };
  for (const caller of op.callers) {
    const name = trace.textOf(argument, place.file).replace(/!$/, "");
    const parameter = /^[A-Za-z_$][\w$]*$/.test(name) ? parameterAt(trace.sources.get(place.file)!, argument.start, name) : null;
    const given = parameter === null ? undefined : trace.expression(caller)?.arguments[parameter.index];
    if (given === undefined) break;
    // What is inside a list or an object can be changed no further out.
    if (parameter!.isWhole && single.span === argument) single = { file: caller.file, span: given };
    [place, argument] = [caller, given];
  }
  return { place, argument, single };
}

/** The call at a place to blame that led to an op or a reading, or is its own. */
export function culpritOfCall(trace: Trace, place: Place | null, event: OpEvent | ReadEvent): Culprit | null {
  return culpritAt(trace, place, place === event.place ? textOf(trace, event) : undefined);
}

/** The op as it is written, or the assignment that resets a gradient. */
function textOf(trace: Trace, event: OpEvent | ReadEvent): string | undefined {
  if (event.event === "op") return trace.callText(event);
  const text = trace.expression(event.place)?.text;
  return text === undefined || event.how !== "reset" ? text : `${text} = null`;
}

/** Where something happened, and the calls that led to it. */
type Way = Pick<OpEvent, "place" | "callers">;

/** The two calls at which two ways part: where one function went both, its own calls of what leads to them. */
export function apart(one: Way, other: Way): [Place | null, Place | null] {
  const [left, right] = [one, other].map(({ place, callers }) => (place === null ? [] : [place, ...callers]).toReversed());
  const at = left.findIndex((place, i) => placeKey(place) !== placeKey(right[i] ?? null));
  return at < 0 ? [one.place, other.place] : [left[at], right[at] ?? other.place];
}

/** Where those operands of an op came from that are one of some tensors. */
export function originsOf(trace: Trace, op: OpEvent, tensors: readonly number[]): Origin[] {
  const operands = operandsOf(trace, op);
  return op.arguments.flatMap((a, i) => ("tensor" in a && tensors.includes(a.tensor) && operands[i] !== undefined ? [originOf(trace, op, operands[i])] : []));
}

/** `h.detach()` in place of `h`, once where several ops are given it. */
export function detached(trace: Trace, origins: readonly Origin[]): Edit[] {
  const places = new Map(origins.map(({ single: { file, span } }) => [`${file}:${span.end}`, { file, span }]));
  return [...places.values()].map(({ file, span }) => editOf(trace, file, span, detachedText(trace.textOf(span, file))));
}

/** `h.detach()`; of `h ?? 0`, which may be no tensor, `h?.detach() ?? 0`. */
export function detachedText(text: string): string {
  const either = /^([\w$.!]+)\s*\?\?\s*(.*)$/s.exec(text);
  if (either !== null) return `${either[1]}?.detach() ?? ${either[2]}`;
  return /^[\w$.!]+$|\)$|\]$/.test(text) ? `${text}.detach()` : `(${text}).detach()`;
}
