/** The process in which the doctor runs a program: `node agent.js ORDER`, where ORDER is a JSON file; see {@link Order}. */
import { readFileSync, writeFileSync } from "node:fs";
import { observe } from "../dispatch/observer.ts";
import { Recording } from "../doctor/session.ts";
import type { Reason } from "../doctor/trace/reason.ts";
import { Watch } from "../doctor/trace/watch.ts";
import type { Overlay } from "./hooks.ts";
import { start } from "./program.ts";
import { reportUncaught } from "./report.ts";

/** What the agent is to do. */
export interface Order {
  readonly tier: "watch" | "record";
  readonly path: string;
  readonly args: readonly string[];
  /** Sources that stand in for files. */
  readonly overlay: Overlay;
  /** Compare gradients with central differences? */
  readonly check: boolean;
  /** Where the answer goes: reasons as JSON, or the trace. */
  readonly answer: string;
}

/** What watching gives. */
export interface Watched {
  readonly reasons: readonly Reason[];
  /** Did an error end the program? */
  readonly failed: boolean;
}

const order = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Order;
let failure: unknown = null;

function watchUntilExit(): void {
  const watch = new Watch();
  observe(watch);
  process.on("exit", () => {
    watch.finish(failure);
    writeFileSync(order.answer, JSON.stringify({ reasons: [...watch.reasons], failed: failure !== null } satisfies Watched));
  });
}

function recordUntilExit(): void {
  const recording = new Recording({ read: (file) => order.overlay[file] ?? readFileSync(file, "utf8"), check: order.check });
  recording.start();
  process.on("exit", () => writeFileSync(order.answer, recording.finish(failure).toString()));
}

process.on("uncaughtException", (error: unknown) => {
  failure = error ?? new Error(String(error));
  reportUncaught(error);
});
if (order.tier === "watch") watchUntilExit();
else recordUntilExit();
await start(order.path, order.args, order.overlay);
