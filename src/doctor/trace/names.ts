/** What a program calls a value: the variable, the property or the place in a list that it was assigned to where it was made. */
import type { Place } from "./events.ts";
import { commaSeparated, enclosing, expressionAt, isInClassBody, positionOf, skipBack, type Span } from "./source.ts";

/**
 * The name of what stands at `expression`; null where it is part of something larger. Of an expression that gives several
 * values, `output` says which.
 */
export function assignedName(source: string, { start, end }: Span, output = 0): string | null {
  if (!/^(\s*\.requires_grad_\([^()]*\))?\s*(;|,|\n|\}|\]|$)/.test(source.slice(end, end + 60))) return null;
  return nameBefore(source, start, output);
}

/** Does a function return what stands at `expression`? */
export function isReturned(source: string, { start, end }: Span): boolean {
  return /(\breturn|=>)\s*$/.test(source.slice(0, start)) && /^(\s*\.requires_grad_\([^()]*\))?\s*[;,)}\n]/.test(source.slice(end, end + 60));
}

/**
 * What the object that a call site makes is called: `a` of `a = new Linear(2)`. `isWithin`: that is in a class's body, so that an object
 * around it is made, too. Null where nothing is constructed.
 */
export function constructed(source: string, { line, column }: Place): { owner: string | null; isWithin: boolean } | null {
  const at = positionOf(source, line, column);
  const expression = expressionAt(source, line, column);
  if (expression === null) return null;
  if (expression.text.startsWith("new ")) return { owner: assignedName(source, expression), isWithin: isInClassBody(source, at) };
  // Fields are made where their class is named, or its constructor.
  return /^(class|constructor|super)\b/.test(expression.text) ? { owner: null, isWithin: true } : null;
}

/** The name of the value that begins at a position. */
function nameBefore(source: string, start: number, output: number): string | null {
  const before = source.slice(Math.max(0, start - 300), start);
  const target = /(?:\b(?:const|let|var|public|private|protected|readonly|static|override)\s+|(?:^|[;{}\n])\s*)([\w$]+(?:\.[\w$]+|\[(?:\d+|"[^"]*")\])*)\s*(?::[^=;\n]+)?=\s*$/.exec(before)?.[1];
  if (target !== undefined) return target;
  const pattern = /\b(?:const|let|var)\s+([[{][^=;]*[\]}])\s*(?::[^=;\n]+)?=\s*$/.exec(before)?.[1];
  if (pattern !== undefined) return partOf(pattern, output);
  const open = enclosing(source, start);
  if (open < 0) return null;
  return source[open] === "{" ? propertyIn(source, open, start) : source[open] === "[" ? placeIn(source, open, start) : null;
}

/** `b` is output 1 of `[a, b]`; of `{ values, indices: i }`, `i` is what ops give second. */
function partOf(pattern: string, output: number): string | null {
  const inner = pattern.slice(1, -1);
  if (/[[{(]/.test(inner)) return null;
  const parts = inner.split(",").map((part) => part.trim());
  if (pattern.startsWith("[")) return /^[\w$]+/.exec(parts[output] ?? "")?.[0] ?? null;
  const key = ["values", "indices"][output];
  for (const part of parts) {
    const [name, alias] = part.split(/\s*:\s*/);
    if (name === key) return alias ?? name;
  }
  return null;
}

/** `params.w` is the value of `w` in `const params = { w: … }`; only `w` where the object has no name. */
function propertyIn(source: string, open: number, start: number): string | null {
  const key = /[{,]\s*(?:([\w$]+)|"([^"]+)")\s*:\s*$/.exec(source.slice(open, start));
  if (key === null) return null;
  const [, word, quoted] = key;
  const owner = nameBefore(source, open, 0);
  return owner === null ? (word ?? quoted) : `${owner}${word === undefined ? `["${quoted}"]` : `.${word}`}`;
}

/** `params[1]` is the second value of `const params = [ … ]`, and `b` that of `const [a, b] = [ … ]`. */
function placeIn(source: string, open: number, start: number): string | null {
  const previous = source[skipBack(source, open) - 1];
  // A bracket after a value is an index.
  if (previous === undefined || /[\w$)\]]/.test(previous)) return null;
  const index = commaSeparated(source, open + 1, start).length;
  const isList = /\b(?:const|let|var)\s+\[[^=;]*\]\s*(?::[^=;\n]+)?=\s*$/.test(source.slice(Math.max(0, open - 300), open));
  const owner = nameBefore(source, open, index);
  return owner === null || isList ? owner : `${owner}[${index}]`;
}
