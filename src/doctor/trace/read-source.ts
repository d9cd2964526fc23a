/** The text of a file of the program, in Node; null where there are no files. */
export function readSource(file: string): string | null {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  // Asked for at run time, so that nothing here needs Node.
  const fs = process?.getBuiltinModule?.("node:fs") as { readFileSync(path: string, encoding: string): string } | undefined;
  try {
    return fs?.readFileSync(file, "utf8") ?? null;
  } catch {
    return null;
  }
}
