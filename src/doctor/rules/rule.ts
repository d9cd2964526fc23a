/** What a rule is, and what it says. */
import type { Trace } from "../trace/trace.ts";

export type Severity = "error" | "warning";

/** The line of the user's program that is to blame. */
export interface Culprit {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The call as it is written there. */
  readonly op: string;
}

/** What it did harm to. */
export interface Victim {
  /** `x.grad`, `loss`. */
  readonly name: string;
  readonly count: number | null;
  readonly numel: number | null;
}

/** Replaces what stands between two places of a file; line and column count from 1, the end is not included. */
export interface Edit {
  readonly file: string;
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
  readonly text: string;
}

export interface Fix {
  readonly text: string;
  /** Empty where the repair is not mechanical. */
  readonly edits: readonly Edit[];
  /** Repairs to be tried where this one is not proved. */
  readonly others?: readonly Fix[];
}

/** What running the repaired program showed. */
export interface Proof {
  readonly verified: boolean;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  /** Why it is not verified, or what was checked. */
  readonly text: string;
}

/** The norm of the gradient that arrived at a node. */
export interface Norm {
  readonly name: string;
  readonly norm: number;
}

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly culprit: Culprit | null;
  /** Where in a program's life it happened: "in the backward of pow". */
  readonly where: string | null;
  readonly victim: Victim | null;
  readonly tensor: string | null;
  readonly elements: readonly (readonly number[])[];
  readonly equation: string | null;
  readonly why: string;
  /** Names from the loss to the leaf. */
  readonly path: readonly string[];
  /** The norms of the gradient along the path, for a chart; empty where they say nothing. */
  readonly norms: readonly Norm[];
  readonly fix: Fix;
  readonly proof: Proof | null;
}

/** What a rule gives for each thing it finds; the rest is filled in. */
export type Found = Omit<Finding, "rule" | "severity" | "proof" | "where" | "victim" | "tensor" | "elements" | "equation" | "path" | "norms"> &
  Partial<Pick<Finding, "where" | "victim" | "tensor" | "elements" | "equation" | "path" | "norms">>;

export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  /** How sure a finding is, from 0 to 1: findings are shown in this order. */
  readonly certainty: number;
  /** Why it happens and what to do, for the rule's page. */
  readonly why: string;
  readonly fix: string;
  /** A program that has the fault, and the same program without it. */
  readonly bad: string;
  readonly good: string;
  /** The repair is meant to change the loss. */
  readonly changesLoss?: boolean;
  detect(trace: Trace): Found[];
}
