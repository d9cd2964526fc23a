import { rulePage } from "../doctor/report/page.ts";
import { rules } from "../doctor/rules/index.ts";
import { nearest } from "../errors.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";

/** `leafgrad explain RULE`: what a rule of the doctor is about. */
export const explain: Command = {
  summary: "tell what a rule of the doctor is about",
  help: `Usage: leafgrad explain RULE

Prints the page of a rule of the doctor: why it happens, what to do, a program that has the fault
and the same program without it. The rules:

${rules.map(({ id, title }) => `  ${id.padEnd(26)}${title}`).join("\n")}
`,
  async run([id]) {
    if (id === undefined) return void process.stdout.write(this.help);
    const rule = rules.find((r) => r.id === id);
    if (rule !== undefined) return void process.stdout.write(rulePage(rule));
    const near = nearest(id, rules.map((r) => r.id));
    throw new UsageError(`explain: no rule is called "${id}"${near === null ? "; see leafgrad explain --help" : `; did you mean ${near}?`}`);
  },
};
