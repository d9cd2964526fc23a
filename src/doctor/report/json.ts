import type { Finding } from "../rules/rule.ts";

/** Findings as JSON, for other programs. */
export function jsonReport(findings: readonly Finding[]): string {
  return `${JSON.stringify({ findings }, null, 2)}\n`;
}
