/** Reads the user's source around a call site; a few rules of JavaScript's syntax are enough. */

import type { Place } from "./events.ts";

/** A stretch of a source, in characters. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A call, or the reading of a property. */
export interface Expression extends Span {
  /** Where the called name stands. */
  readonly name: number;
  readonly text: string;
  /** What stands before the dot: `x` in `x.pow(0.5)`. */
  readonly receiver: Span | null;
  /** What stands between the parentheses. */
  readonly arguments: readonly Span[];
}

const openers: Record<string, string> = { ")": "(", "]": "[", "}": "{" };
const isWord = (c: string | undefined): boolean => c !== undefined && /[\w$]/.test(c);

/** The position of a line and column, both counted from 1. */
export function positionOf(source: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) start = source.indexOf("\n", start) + 1;
  return start + column - 1;
}

/** A place as the key of a map; the same for all calls whose place is unknown. */
export const placeKey = (place: Place | null): string => (place === null ? "" : `${place.file}:${place.line}:${place.column}`);

/** Line and column of a position. */
export function placeAt(source: string, position: number): { line: number; column: number } {
  const before = source.slice(0, position).split("\n");
  return { line: before.length, column: before[before.length - 1].length + 1 };
}

/** The call or property whose name stands at a call site. */
export function expressionAt(text: string, line: number, column: number): Expression | null {
  const source = withoutComments(text);
  let at = positionOf(source, line, column);
  // Of a name that is a keyword, as in x.var(0), V8 gives the parenthesis.
  if (source[at] === "(") while (isWord(source[at - 1])) at--;
  // Of an assignment it gives the sign.
  if (source[at] === "=") for (at = skipBack(source, at); isWord(source[at - 1]); at--);
  if (!isWord(source[at])) return null;
  let nameEnd = at;
  while (isWord(source[nameEnd])) nameEnd++;
  // Of an object that is made it gives the keyword.
  if (source.slice(at, nameEnd) === "new") for (nameEnd = skipForward(source, nameEnd); isWord(source[nameEnd]) || source[nameEnd] === "."; nameEnd++);
  const dot = skipBack(source, at);
  const receiver = source[dot - 1] === "." ? { start: primaryStart(source, dot - 1), end: trimEnd(source, source[dot - 2] === "?" ? dot - 2 : dot - 1) } : null;
  const open = skipForward(source, nameEnd);
  const end = source[open] === "(" ? closing(source, open) + 1 : nameEnd;
  const start = receiver?.start ?? at;
  return { start, end, name: at, text: source.slice(start, end).replace(/\s+/g, " ").replace(/ \./g, "."), receiver, arguments: source[open] === "(" ? commaSeparated(source, open + 1, end - 1) : [] };
}

let blanked = { from: "", to: "" };

/** The source with its comments blanked, so that every other character stays in its place. */
function withoutComments(source: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/.*/g;
  // One source is asked about many times in a row.
  if (blanked.from !== source) blanked = { from: source, to: source.replace(token, (part) => (part.startsWith("/") ? part.replace(/[^\n]/g, " ") : part)) };
  return blanked.to;
}

/** The line of a source, without comments and the space around it. */
export function lineText(source: string, line: number): string {
  return withoutComments(source).split("\n")[line - 1]?.trim() ?? "";
}

/** The statement around a position, where it is alone on a line that ends with its semicolon; without the space around it. */
export function statementAt(source: string, position: number): Span | null {
  const first = source.lastIndexOf("\n", position - 1) + 1;
  const next = source.indexOf("\n", position);
  const line = withoutComments(source).slice(first, next < 0 ? source.length : next);
  const text = line.trim();
  const start = first + line.length - line.trimStart().length;
  return /^(?!else|do\b|return|\})/.test(text) && isOne(text) ? { start, end: start + text.length } : null;
}

/** What the innermost braces around a position enclose; null where there are none. */
export function blockAround(text: string, position: number): Span | null {
  const source = withoutComments(text);
  let open = enclosing(source, position);
  while (open >= 0 && source[open] !== "{") open = enclosing(source, open);
  return open < 0 ? null : { start: open, end: closing(source, open) };
}

/** Is a position in the body of a class, and in none of its methods? */
export function isInClassBody(text: string, position: number): boolean {
  const block = blockAround(text, position);
  return block !== null && /\bclass\b[^{}()]*$/.test(withoutComments(text).slice(0, block.start));
}

/** Of the innermost loop whose braces are around a position, where it begins and where its body does; null where none is. */
export function loopAround(text: string, position: number): { start: number; body: number } | null {
  const source = withoutComments(text);
  for (let open = enclosing(source, position); open >= 0; open = enclosing(source, open)) {
    if (source[open] !== "{") continue;
    const end = skipBack(source, open);
    const head = source[end - 1] === ")" ? opening(source, end - 1) : end;
    const keyword = /\b(for|while|do)\s*$/.exec(source.slice(0, head));
    if (keyword !== null) return { start: keyword.index, body: open + 1 };
    // What a function does is repeated by whoever calls it.
    if (/=>\s*$/.test(source.slice(0, end)) || /\bfunction\b[^{}]*$/.test(source.slice(Math.max(0, head - 80), head))) return null;
  }
  return null;
}

/** Is it one statement, with all its brackets? */
function isOne(text: string): boolean {
  const open: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"' || c === "'" || c === "`") i = stringEnd(text, i);
    else if ("([{".includes(c)) open.push(c);
    else if (c in openers && open.pop() !== openers[c]) return false;
    else if (c === ";" && open.length === 0) return i === text.length - 1;
  }
  return false;
}

/** Where the primary expression begins that ends before `end`: `a.b(c)[d]!`. */
function primaryStart(source: string, end: number): number {
  let at = end;
  for (;;) {
    at = skipBack(source, at);
    const c = source[at - 1];
    if (c === "!" || c === "?") at--;
    else if (c === ")" || c === "]") {
      at = opening(source, at - 1);
      if (!isWord(source[at - 1]) && ![")", "]", "!"].includes(source[at - 1])) return at;
    } else if (isWord(c)) {
      while (isWord(source[at - 1])) at--;
      const before = skipBack(source, at);
      if (source[before - 1] !== ".") return at;
      at = before - 1;
    } else return at;
  }
}

export function skipBack(source: string, at: number): number {
  let i = at;
  while (i > 0 && /\s/.test(source[i - 1])) i--;
  return i;
}

function skipForward(source: string, at: number): number {
  let i = at;
  while (i < source.length && /\s/.test(source[i])) i++;
  return i;
}

const trimEnd = skipBack;

/** The bracket that the one at `at` closes. */
function opening(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i >= 0; i--) {
    if (source[i] in openers) depth++;
    else if ("([{".includes(source[i]) && --depth === 0) return i;
  }
  return 0;
}

/** The bracket that closes the one at `at`; strings are passed over. */
export function closing(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length; i++) {
    const c = source[i];
    if (c === '"' || c === "'" || c === "`") i = stringEnd(source, i);
    else if ("([{".includes(c)) depth++;
    else if (c in openers && --depth === 0) return i;
  }
  return source.length - 1;
}

function stringEnd(source: string, at: number): number {
  let i = at + 1;
  while (i < source.length && source[i] !== source[at]) i += source[i] === "\\" ? 2 : 1;
  return i;
}

/** The bracket that is open at a position; -1 where none is. */
export function enclosing(source: string, at: number): number {
  let depth = 0;
  for (let i = at - 1; i >= 0; i--) {
    if (source[i] in openers) depth++;
    else if ("([{".includes(source[i]) && depth-- === 0) return i;
  }
  return -1;
}

/** What commas separate between two positions, without the space around it. */
export function commaSeparated(source: string, from: number, to: number): Span[] {
  const spans: Span[] = [];
  let start = from;
  for (let i = from; i <= to; i++) {
    if (i < to && "([{".includes(source[i])) i = closing(source, i);
    else if (i < to && "\"'`".includes(source[i])) i = stringEnd(source, i);
    else if (i === to || source[i] === ",") {
      const span = { start: skipForward(source, start), end: skipBack(source, i) };
      if (span.end > span.start) spans.push(span);
      start = i + 1;
    }
  }
  return spans;
}
