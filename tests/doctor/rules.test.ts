import { describe, expect, test } from "vitest";
import { rules } from "../../src/doctor/rules/index.ts";
import { diagnoseText, provedFindings } from "./program.ts";

/** Rules whose repair is a matter of judgement, so that it is not made by the doctor. */
const unproved = new Set(["flat-function", "hook-changes-gradient", "nonfinite-value", "unused-input"]);

describe.each(rules.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  test("its bad example triggers it and only it, at a line of the program", () => {
    const { findings } = diagnoseText(rule.bad);
    expect(findings.map((finding) => finding.rule)).toEqual([id]);
    expect(findings[0]).toMatchObject({ severity: rule.severity, culprit: { file: "/program.ts" } });
    expect(rule.bad.split("\n")[findings[0].culprit!.line - 1].slice(findings[0].culprit!.column - 1)).toMatch(/^\w/);
  });

  test("the repair of its bad example is proved, where it is mechanical", async () => {
    const [{ proof }] = await provedFindings(rule.bad);
    if (unproved.has(id)) expect(proof).toBeNull();
    else expect(proof).toMatchObject({ verified: true, text: expect.stringContaining("re-ran with the fix") as string });
  });

  test("the whole doctor is silent on its good example", () => {
    expect(diagnoseText(rule.good).findings).toEqual([]);
  });
});
