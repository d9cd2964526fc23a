/** The written exceptions of an oracle test: they carry a reason, and an entry that is no longer needed is an error. */
import { readFileSync } from "node:fs";
import type { Identity } from "./fixture.ts";

export type LeftOut = {
  op: string;
  /** Absent: every variant, dtype, sample or check. */
  variant?: string;
  dtype?: string;
  i?: number | number[];
  /** One check of the case (`grad2`, `inplace`, …) while its others still count. */
  what?: string;
  reason: string;
};

export const readLeftOut = (file: string): LeftOut[] =>
  JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as LeftOut[];

export function matches(entry: LeftOut, id: Identity): boolean {
  return (
    entry.op === id.op &&
    (entry.variant === undefined || entry.variant === id.variant) &&
    (entry.dtype === undefined || entry.dtype === id.dtype) &&
    (entry.i === undefined || [entry.i].flat().includes(id.i))
  );
}

/** What became of the cases, for the line printed at the end. */
export class Tally {
  cases = 0;
  passed = 0;
  readonly leftOut = new Map<string, number>();

  leave(reason: string): void {
    this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + 1);
  }
  toString(): string {
    const reasons = [...this.leftOut].sort((a, b) => b[1] - a[1]);
    const total = reasons.reduce((sum, [, n]) => sum + n, 0);
    return [`${this.cases} cases run, ${this.passed} passed, ${total} left out`, ...reasons.map(([reason, n]) => `  ${n}: ${reason}`)].join("\n");
  }
}
