import { defaultGenerator } from "../random/generator.ts";
import { examine } from "./examine.ts";
import type { Finding, Proof } from "./rules/rule.ts";
import { record, repeated, watch, whenThere, type Ended, type Watched } from "./session.ts";
import type { Trace } from "./trace/trace.ts";
import type { Reason } from "./trace/reason.ts";

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

/** A callback cannot be run again with another source: names of the scope around it are out of reach. */
const unproved: Proof = { verified: false, before: {}, after: {}, text: "not tried: diagnose cannot run a callback with another source; leafgrad doctor FILE runs the repaired program" };

/**
 * Runs `program` under watch, which costs little. Where something goes wrong it runs it once more, from the same state of
 * the random stream, and records everything; so `program` should make what it changes. Its errors are reported, not thrown.
 * Of an asynchronous program the report is a promise; what else runs while it awaits is watched with it.
 *
 * @example
 * const { findings } = diagnose(() => torch.tensor([0], { requires_grad: true }).sqrt().sum().backward());
 */
export function diagnose<P extends () => unknown>(program: P, options: DiagnoseOptions = {}): Ended<P, Report> {
  const state = defaultGenerator.get_state();
  return whenThere<Watched, Report>(watch(program) as Watched, ({ reasons, error }) => {
    if (reasons.length === 0) return { findings: [], reasons, trace: null, error: null };
    return whenThere<Trace, Report>(repeated(() => record(program, options) as Trace, state), (trace) => ({ findings: examine(trace).map(told), reasons, trace, error }));
  }) as Ended<P, Report>;
}

const told = (finding: Finding): Finding => (finding.fix.edits.length === 0 ? finding : { ...finding, proof: unproved });
