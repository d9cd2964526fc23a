/** Starting a program of the user's, with this package as its `leafgrad`. */
import { statSync } from "node:fs";
import module from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "./command.ts";
import type { Overlay } from "./hooks.ts";

export const extensions = [".ts", ".mts", ".js", ".mjs"];

/** The path of a program; `command` is who asks, for the texts of refusals. */
export function runnable(file: string, command: string): string {
  const path = resolve(file);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`${command}: no such file: ${file}`);
  if (!stats.isFile()) throw new UsageError(`${command}: not a file: ${file}`);
  if (!extensions.includes(extname(path))) {
    throw new UsageError(`${command}: cannot run ${file}; a program ends in ${extensions.join(", ")}`);
  }
  return path;
}

/** What Node 22.15 and later have, and the types of Node 20 lack. */
interface NewerModule {
  registerHooks?(hooks: object): void;
  /** Runs the program that process.argv names as Node's own main module, so that `import.meta.main` holds in it. */
  runMain(): void;
}

/** Makes the process look as if Node had been given the program, and runs it. `overlay` stands in for files, by path. */
export async function start(path: string, args: readonly string[], overlay: Overlay = {}): Promise<void> {
  process.argv.splice(1, process.argv.length, path, ...args);
  process.setSourceMapsEnabled(true);
  // The user's own line may lie below more frames of the library than V8's ten.
  Error.stackTraceLimit = 100;
  const { registerHooks, runMain } = module as unknown as NewerModule;
  if (registerHooks === undefined) {
    // Here hooks live in a thread of their own, and Node's own start does not ask them. Each module that they are asked
    // about costs a round trip, which the library's own modules are spared by being there already.
    await import("../index.ts");
    module.register("./dist/cli/hooks.js", import.meta.resolve("leafgrad/package.json"), { data: overlay });
    await import(pathToFileURL(path).href);
  } else {
    const hooks = await import("./hooks.ts");
    hooks.initialize(overlay);
    registerHooks(hooks);
    runMain();
  }
}
