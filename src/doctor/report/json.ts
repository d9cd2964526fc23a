import type { Finding } from "../rules/rule.ts";

/** Findings as JSON, for other programs. */
export function jsonReport(findings: readonly Finding[]): string {
  return `${JSON.stringify({ findings: findings.map(({ fix: { text, edits }, ...rest }) => ({ ...rest, fix: { text, edits } })) }, null, 2)}\n`;
}
