import type { Finding, Rule } from "./rules/rule.ts";
import { rules } from "./rules/index.ts";
import type { Trace } from "./trace/trace.ts";

/** What all rules find in a trace, most certain first. */
export function examine(trace: Trace): Finding[] {
  return rules
    .toSorted((a, b) => b.certainty - a.certainty)
    .flatMap((rule) => findingsOf(rule, trace))
    .toSorted((a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"));
}

function findingsOf({ id, severity, detect }: Rule, trace: Trace): Finding[] {
  return detect(trace).map((found) => ({
    rule: id, severity, where: null, victim: null, tensor: null, elements: [], equation: null, path: [], norms: [], ...found, proof: null,
  }));
}
