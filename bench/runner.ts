/** Processes that each time the cases of one library. A line of JSON goes in, a line of JSON comes back. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";

/** What a runner is asked: the time of so many calls of a case, or its own largest resident memory. */
export type Request = { readonly name: string; readonly calls: number } | { readonly peak: true };
/** Nanoseconds per call, bytes, or why there is no answer. */
export interface Answer {
  readonly ns?: number;
  readonly bytes?: number;
  readonly missing?: string;
}

export interface Runner {
  readonly title: string;
  /** What the library says of itself when it is ready. */
  readonly version: string;
  ask(request: Request): Promise<Answer>;
  stop(): void;
}

/** Starts a library's process; null where the library is not there. */
export async function startRunner(title: string, command: readonly string[], env: Record<string, string> = {}): Promise<Runner | null> {
  const child = spawn(command[0]!, command.slice(1), { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "ignore"] }) as unknown as ChildProcessWithoutNullStreams;
  child.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const { done, value } = await lines.next();
    return done === true ? null : JSON.parse(value as string);
  };
  const ready = (await read()) as { version: string } | null;
  if (ready === null) return null;
  return {
    title,
    version: ready.version,
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return ((await read()) as Answer | null) ?? { missing: "the process ended" };
    },
    stop: () => child.stdin.end(),
  };
}
