import { defaultGenerator } from "../random/generator.ts";
import { examine } from "./examine.ts";
import type { Finding } from "./rules/rule.ts";
import { record, repeated, watch } from "./session.ts";
import type { Trace } from "./trace/trace.ts";
import type { Reason } from "./trace/watch.ts";

export interface Report {
  /** Most certain first; empty where nothing is wrong. */
  readonly findings: readonly Finding[];
  /** Why the program was run again; empty where it was not. */
  readonly reasons: readonly Reason[];
  /** What was recorded; null where watching found nothing. */
  readonly trace: Trace | null;
  /** What the program threw; null where it returned. */
  readonly error: unknown;
}

export interface DiagnoseOptions {
  /** The text of a file of the program, for names and repairs; by default it is read where there are files. */
  read?: (file: string) => string | null;
}

/**
 * Runs `program` under watch, which costs little. Where something goes wrong it runs it once more, from the same state of
 * the random stream, and records everything; so `program` should make what it changes. Its errors are reported, not thrown.
 *
 * @throws TypeError where the program is asynchronous.
 * @example
 * const { findings } = diagnose(() => torch.tensor([0], { requires_grad: true }).sqrt().sum().backward());
 */
export function diagnose(program: () => unknown, options: DiagnoseOptions = {}): Report {
  const state = defaultGenerator.get_state();
  const { reasons, error } = watch(program);
  if (reasons.length === 0) return { findings: [], reasons, trace: null, error: null };
  const trace = repeated(() => record(program, options), state);
  return { findings: examine(trace), reasons, trace, error };
}
