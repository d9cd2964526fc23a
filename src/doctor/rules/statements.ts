/** Repairs that move or repeat a statement. Lines stay where they are, so that what is found afterwards can be compared. */
import type { Place } from "../trace/events.ts";
import { positionOf, statementAt, type Span } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { editOf } from "./describe.ts";
import type { Edit } from "./rule.ts";

export interface Statement {
  readonly file: string;
  readonly span: Span;
  readonly text: string;
}

/** The statement of a call site; null where it is not alone on its line. */
export function statementOf(trace: Trace, place: Place | null): Statement | null {
  const source = place === null ? undefined : trace.sources.get(place.file);
  if (place === null || source === undefined) return null;
  return statementIn(trace, place.file, positionOf(source, place.line, place.column));
}

export function statementIn(trace: Trace, file: string, position: number): Statement | null {
  const span = statementAt(trace.sources.get(file)!, position);
  return span === null ? null : { file, span, text: trace.textOf(span, file) };
}

/** Appends to the line of a statement. */
export function followed(trace: Trace, { file, span }: Statement, text: string): Edit {
  return editOf(trace, file, { start: span.end, end: span.end }, ` ${text}`);
}

export function removed(trace: Trace, { file, span }: Statement): Edit {
  return editOf(trace, file, span, "");
}

/** A statement of the line after another. */
export function moved(trace: Trace, statement: Statement | null, after: Statement | null): Edit[] {
  if (statement === null || after === null || statement.file !== after.file || statement.span.start === after.span.start) return [];
  return [removed(trace, statement), followed(trace, after, statement.text)];
}

/** A statement behind that of a call: in the body of the arrow function whose value the call is, and behind the same `if (…)` or `for (…)`. */
export function beside(trace: Trace, place: Place | null, text: string): Edit[] {
  const expression = trace.expression(place);
  if (expression === null) return [];
  const { file } = place!;
  const source = trace.sources.get(file)!;
  const end = /^[^{};]*;/.exec(source.slice(expression.end));
  const isBody = /=>\s*$/.test(source.slice(0, expression.start));
  if (isBody) return [editOf(trace, file, expression, `{ ${source.slice(expression.start, expression.end)}; ${text} }`)];
  if (end === null) return [];
  const at = expression.end + end[0].length;
  if (/(\)|\belse)\s*$/.test(source.slice(0, expression.start))) return [editOf(trace, file, { start: expression.start, end: at }, `{ ${source.slice(expression.start, at)} ${text} }`)];
  return [editOf(trace, file, { start: at, end: at }, ` ${text}`)];
}
