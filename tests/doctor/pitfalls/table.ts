/**
 * The table of docs/guide/doctor.md: each pitfall, what the doctor says and what PyTorch says.
 * `node tests/doctor/pitfalls/table.ts` writes it there, with a Node that runs TypeScript.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { families } from "./index.ts";
import type { Pitfall } from "./pitfall.ts";

interface Answer {
  readonly says: "error" | "warning" | "anomaly mode" | null;
  readonly text?: string;
  readonly right?: boolean;
}

const { answers } = JSON.parse(readFileSync(new URL("./pytorch.json", import.meta.url), "utf8")) as { answers: Record<string, Answer> };

function pytorch({ says, text, right }: Answer): string {
  if (says === null) return "nothing";
  return `${says}, ${right ? "at the line" : "**not** at the line"}: ${text!.length > 70 ? `${text!.slice(0, 68)}…` : text!}`;
}

function row({ name, rule, proved }: Pitfall): string {
  return `| ${name} | ${rule}${proved ? ", proved" : ""} | ${pytorch(answers[name])} |`;
}

export function pitfallTable(): string {
  const all = Object.values(families).flat();
  const count = (is: (answer: Answer) => boolean): number => all.filter(({ name }) => is(answers[name])).length;
  const [right, wrong] = [count((a) => a.right === true), count((a) => a.right === false)];
  return `
Of ${all.length} pitfalls, PyTorch names the guilty line in ${right}, another or none in ${wrong}, and says nothing in ${all.length - right - wrong}. The doctor names it in all,
is silent on the same program without the fault, and proves its repair in ${all.filter(({ proved }) => proved).length}.

| pitfall | the doctor | PyTorch |
| --- | --- | --- |
${all.map(row).join("\n")}

`;
}

if (process.argv[1] === import.meta.filename) {
  const guide = new URL("../../../docs/guide/doctor.md", import.meta.url);
  writeFileSync(guide, readFileSync(guide, "utf8").replace(/(<!-- pitfalls: begin -->\n)[^]*(<!-- pitfalls: end -->)/, (_, begin: string, end: string) => begin + pitfallTable() + end));
}
