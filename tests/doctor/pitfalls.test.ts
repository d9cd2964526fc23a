import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { families } from "./pitfalls/index.ts";
import { culpritLines, programText } from "./pitfalls/pitfall.ts";
import { diagnoseText, provedFindings } from "./program.ts";
import { pitfallTable } from "./pitfalls/table.ts";

describe.each(Object.entries(families).flatMap(([family, pitfalls]) => pitfalls.map((pitfall) => [family, pitfall.name, pitfall] as const)))("%s: %s", (_, __, pitfall) => {
  const bad = programText(pitfall.bad);

  test("the culprit, the rule, the elements, and the repair proved", async () => {
    const findings = await provedFindings(bad);
    expect(findings.map(({ rule, culprit }) => [rule, culprit?.line])).toEqual(culpritLines(bad).map((line) => [pitfall.rule, line]));
    if (pitfall.elements !== undefined) expect(findings[0].elements).toEqual(pitfall.elements);
    expect(findings[0].proof?.verified ?? false, findings[0].proof?.text).toBe(pitfall.proved);
  });

  test("silence on the good program", () => {
    expect(diagnoseText(programText(pitfall.good)).findings).toEqual([]);
  });
});

test("the table of docs/guide/doctor.md is that of these pitfalls", () => {
  const guide = readFileSync(new URL("../../docs/guide/doctor.md", import.meta.url), "utf8");
  expect(/<!-- pitfalls: begin -->\n([^]*?)<!-- pitfalls: end -->/.exec(guide)?.[1]).toBe(pitfallTable());
});
