import { statSync } from "node:fs";
import module from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";
import { reportUncaught } from "./report.ts";

const extensions = [".ts", ".mts", ".js", ".mjs"];

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
    const path = runnable(file);
    process.argv.splice(1, process.argv.length, path, ...args);
    process.on("uncaughtException", reportUncaught);
    process.setSourceMapsEnabled(true);
    // The user's own line may lie below more frames of the library than V8's ten.
    Error.stackTraceLimit = 100;
    await start(path);
  },
};

function runnable(file: string): string {
  const path = resolve(file);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`run: no such file: ${file}`);
  if (!stats.isFile()) throw new UsageError(`run: not a file: ${file}`);
  if (!extensions.includes(extname(path))) {
    throw new UsageError(`run: cannot run ${file}; a program ends in ${extensions.join(", ")}`);
  }
  return path;
}

/** What Node 22.15 and later have, and the types of Node 20 lack. */
interface NewerModule {
  registerHooks?(hooks: object): void;
  /** Runs the program that process.argv names as Node's own main module, so that `import.meta.main` holds in it. */
  runMain(): void;
}

async function start(path: string): Promise<void> {
  const { registerHooks, runMain } = module as unknown as NewerModule;
  if (registerHooks === undefined) {
    // Here hooks live in a thread of their own, and Node's own start does not ask them. Each module that they are asked
    // about costs a round trip, which the library's own modules are spared by being there already.
    await import("../index.ts");
    module.register("./hooks.js", import.meta.url);
    await import(pathToFileURL(path).href);
  } else {
    registerHooks(await import("./hooks.ts"));
    runMain();
  }
}
