import { observed as observedGraph, type GraphObserver } from "../autograd/observer.ts";
import type { AnyOp } from "./op.ts";

/**
 * Sees each call of an op, nested ones too: `enter` before, `leave` after with the result, `fail` if it threw.
 * The arguments are those of the call; an observer that wants versions or call sites reads them there.
 * What happens in the graph is told to the same observer.
 */
export interface Observer extends GraphObserver {
  enter(op: AnyOp, args: readonly unknown[], inplace: boolean): void;
  leave(op: AnyOp, args: readonly unknown[], inplace: boolean, result: unknown): void;
  fail(op: AnyOp, args: readonly unknown[], inplace: boolean, error: unknown): void;
}

/** The attached observer; dispatch tests this one field per call. Attached by `observe` alone, so it sees ops too. */
export const observed = observedGraph as { by: Observer | null };

/** Attaches `observer` (null: none) and returns the one before. */
export function observe(observer: Observer | null): Observer | null {
  const previous = observed.by;
  observed.by = observer;
  return previous;
}
