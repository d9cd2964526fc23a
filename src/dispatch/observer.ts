import type { AnyOp } from "./op.ts";

/**
 * Sees each call of an op, nested ones too: `enter` before, `leave` after with the result, `fail` if it threw.
 * The arguments are those of the call; an observer that wants versions or call sites reads them there.
 */
export interface Observer {
  enter(op: AnyOp, args: readonly unknown[], inplace: boolean): void;
  leave(op: AnyOp, args: readonly unknown[], inplace: boolean, result: unknown): void;
  fail(op: AnyOp, args: readonly unknown[], inplace: boolean, error: unknown): void;
}

/** The attached observer; dispatch tests this one field per call. */
export const observed: { by: Observer | null } = { by: null };

/** Attaches `observer` (null: none) and returns the one before. */
export function observe(observer: Observer | null): Observer | null {
  const previous = observed.by;
  observed.by = observer;
  return previous;
}
