import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";
import { extensions, runnable, start } from "./program.ts";
import { reportUncaught } from "./report.ts";

/** `leafgrad run FILE`: a program, wherever it lies, with this package as its `leafgrad`. */
export const run: Command = {
  summary: "run a TypeScript or JavaScript program",
  help: `Usage: leafgrad run FILE [arguments]

Runs FILE, a program in TypeScript or JavaScript (${extensions.join(", ")}). In it, and in the files that
it imports, "leafgrad" is this package, wherever they lie. The program finds its arguments in
process.argv, as under node. Types are removed, not checked.

An uncaught error prints its message, then the line of the program that raised it, then the
stack; the exit status is 1.
`,
  async run([file, ...args]) {
    if (file === undefined) throw new UsageError("run: no file given; see leafgrad run --help");
    if (file.startsWith("-")) throw new UsageError(`run: unknown option "${file}"; see leafgrad run --help`);
    const path = runnable(file, "run");
    process.on("uncaughtException", reportUncaught);
    await start(path, args);
  },
};
