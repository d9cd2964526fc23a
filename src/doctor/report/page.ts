import type { Rule } from "../rules/rule.ts";

/** A rule's page: why, what to do, and its two examples. */
export function rulePage({ id, title, severity, why, fix, bad, good }: Rule): string {
  const code = (text: string): string => text.trimEnd().split("\n").map((line) => (line === "" ? "" : `    ${line}`)).join("\n");
  return `${title}\n${"=".repeat(title.length)}\n${id}, ${severity}\n\n${why}\n\n${fix}\n\nWith the fault:\n\n${code(bad)}\n\nWithout it:\n\n${code(good)}\n`;
}
