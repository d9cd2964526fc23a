import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process that times PyTorch's side of a bench, case by case. */
export interface PyTorch {
  readonly version: string;
  /** Nanoseconds per call over so many calls. */
  time(name: string, calls: number): Promise<number>;
  stop(): void;
}

/** Starts pytorch.py under the Python that LEAFGRAD_PYTHON names, or .venv-oracle's; null where it has no PyTorch. */
export async function startPyTorch(): Promise<PyTorch | null> {
  const python = process.env["LEAFGRAD_PYTHON"] ?? fileURLToPath(new URL("../.venv-oracle/bin/python", import.meta.url));
  if (!existsSync(python)) return null;
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done === true) return null;
  return {
    version: first.value,
    async time(name, calls) {
      child.stdin.write(`${JSON.stringify({ name, calls })}\n`);
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`pytorch.py ended in the case "${name}"`);
      return Number(value);
    },
    stop: () => child.stdin.end(),
  };
}
