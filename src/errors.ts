/** Errors and warnings, named as Python names them so that PyTorch's texts keep their class. */

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

function errorClass(name: string, base: ErrorClass = Error): ErrorClass {
  const named = class extends base {};
  Object.defineProperty(named, "name", { value: name });
  Object.defineProperty(named.prototype, "name", { value: name, configurable: true, writable: true });
  return named;
}

/** What PyTorch raises for most refusals; the message is PyTorch's own text. */
export class RuntimeError extends errorClass("RuntimeError") {}
/** A matrix of which a decomposition or an inverse does not exist: torch.linalg.LinAlgError. */
export class LinAlgError extends errorClass("LinAlgError", RuntimeError) {}
/** An index or a dimension out of range. */
export class IndexError extends errorClass("IndexError") {}
/** An argument of the right type with a value that cannot be taken. */
export class ValueError extends errorClass("ValueError") {}
/** A combination of op and dtype for which PyTorch has no kernel. */
export class NotImplementedError extends errorClass("NotImplementedError") {}

/** What PyTorch's Python code asserts. */
export class AssertionError extends errorClass("AssertionError") {}

export type WarningCategory = "UserWarning" | "FutureWarning" | "DeprecationWarning";
export type WarningHandler = (message: string, category: WarningCategory) => void;

const shown = new Set<string>();
let handler: WarningHandler | null = null;

/** Python's default filter shows a warning once; so does this, once per text. */
export function warn(message: string, category: WarningCategory = "UserWarning"): void {
  if (handler !== null) return handler(message, category);
  const text = `${category}: ${message}`;
  if (shown.has(text)) return;
  shown.add(text);
  console.warn(text);
}

/**
 * Hands every warning to `next` instead of printing it; `null` restores printing, and each text prints anew.
 * Returns the handler that was in place.
 */
export function setWarningHandler(next: WarningHandler | null): WarningHandler | null {
  const previous = handler;
  handler = next;
  if (next === null) shown.clear();
  return previous;
}

/** The valid name nearest to `name`, for messages about a misspelt one; null where none is near. */
export function nearest(name: string, valid: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.ceil(name.length / 2)) + 1;
  for (const candidate of valid) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + cost));
    }
    row = next;
  }
  return row[b.length]!;
}
