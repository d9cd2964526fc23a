import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { examine } from "../doctor/examine.ts";
import { proved } from "../doctor/proof/proof.ts";
import { htmlReport, pageOf } from "../doctor/report/html/html.ts";
import { jsonReport } from "../doctor/report/json.ts";
import { textReport } from "../doctor/report/text.ts";
import type { Finding } from "../doctor/rules/rule.ts";
import { Trace } from "../doctor/trace/trace.ts";
import type { Order, Watched } from "./agent.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";
import { runnable } from "./program.ts";
import { styleFor } from "./terminal.ts";

/** Repairs of more findings than this are shown without a proof. */
const proofs = 12;

/** `leafgrad doctor FILE`: what is wrong with the gradients of a program. */
export const doctor: Command = {
  summary: "run a program and explain what is wrong with its gradients",
  help: `Usage: leafgrad doctor FILE [options] [-- arguments of the program]
       leafgrad doctor TRACE.ndjson [options]

Runs FILE under watch. Where something goes wrong it runs it again, recording everything, and
prints its findings: the guilty line, the arithmetic at the element where it happened, a repair,
and what running the repaired program showed. No file is changed.

Options:
  --html FILE     write a page for the browser: findings, source, graph, norms, memory
  --json FILE     write the findings as JSON ("-": print them instead)
  --trace FILE    write the events, one JSON object a line

The exit status is 0 without findings, 1 with, and 2 where the program cannot be run.
`,
  async run(args) {
    const { file, html, json, trace: traceFile, rest } = parsed(args);
    const { trace, findings, failed } = file.endsWith(".ndjson") ? ofTrace(file) : await ofProgram(runnable(file, "doctor"), rest, traceFile !== undefined || html !== undefined);
    if (traceFile !== undefined && trace !== null) writeFileSync(traceFile, trace.toString());
    if (html !== undefined && trace !== null) writeFileSync(html, page(trace, findings, file));
    if (json !== undefined && json !== "-") writeFileSync(json, jsonReport(findings));
    if (json === "-") process.stdout.write(jsonReport(findings));
    else if (findings.length > 0 || !failed) process.stdout.write(`\n${textReport(findings, terminal())}`);
    if (failed && findings.length === 0) process.stderr.write("leafgrad: doctor: an error ended the program, and no rule explains it\n");
    process.exitCode = findings.length > 0 ? 1 : failed ? 2 : 0;
  },
};

interface Examined {
  readonly trace: Trace | null;
  readonly findings: readonly Finding[];
  /** An error ended the program. */
  readonly failed: boolean;
}

function parsed(args: string[]): { file: string; html?: string | undefined; json?: string | undefined; trace?: string | undefined; rest: string[] } {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  try {
    const { values, positionals } = parseArgs({ args: own, allowPositionals: true, options: { html: { type: "string" }, json: { type: "string" }, trace: { type: "string" } } });
    const [file, ...more] = positionals;
    if (file === undefined) throw new UsageError("doctor: no file given; see leafgrad doctor --help");
    if (more.length > 0) throw new UsageError(`doctor: one file at a time; arguments of the program come after "--"`);
    return { ...values, file, rest: end < 0 ? [] : args.slice(end + 1) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`doctor: ${(error as Error).message}`);
  }
}

function terminal(): Parameters<typeof textReport>[1] {
  return {
    style: styleFor(process.stdout),
    width: Math.min(process.stdout.columns ?? 100, 120),
    path: shortPath,
  };
}

function shortPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") ? file : short;
}

function page(trace: Trace, findings: readonly Finding[], program: string): string {
  const template = readFileSync(new URL("../inspector/page.html", import.meta.url), "utf8");
  return htmlReport(template, pageOf(trace, findings, { program, path: shortPath }));
}

function ofTrace(file: string): Examined {
  if (!existsSync(file)) throw new UsageError(`doctor: no such file: ${file}`);
  let trace: Trace;
  try {
    trace = Trace.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`doctor: cannot read ${file}: ${(error as Error).message}`);
  }
  return { trace, findings: examine(trace), failed: trace.error !== null };
}

async function ofProgram(path: string, args: readonly string[], wantsTrace: boolean): Promise<Examined> {
  const folder = mkdtempSync(join(tmpdir(), "leafgrad-doctor-"));
  const run = agentIn(folder, path, args);
  try {
    const watched = JSON.parse((await run({ tier: "watch" })) ?? '{ "reasons": [], "failed": true }') as Watched;
    if (watched.reasons.length === 0 && !wantsTrace) return { trace: null, findings: [], failed: watched.failed };
    const trace = traceOf(await run({ tier: "record" }));
    if (trace === null) return { trace, findings: [], failed: true };
    const rerun = async (sources: ReadonlyMap<string, string>): Promise<Trace | null> => traceOf(await run({ tier: "record", check: true, overlay: Object.fromEntries(sources) }));
    const findings: Finding[] = [];
    for (const finding of examine(trace)) findings.push(findings.length < proofs ? await proved(finding, trace, rerun) : finding);
    return { trace, findings, failed: watched.failed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const traceOf = (text: string | null): Trace | null => (text === null ? null : Trace.parse(text));

/** Runs the program in a process of its own; the first run alone is seen and heard. Gives the agent's answer, null where there is none. */
function agentIn(folder: string, path: string, args: readonly string[]): (order: Pick<Order, "tier"> & Partial<Order>) => Promise<string | null> {
  let runs = 0;
  return (order) => {
    const name = join(folder, String(runs++));
    const answer = `${name}.answer`;
    writeFileSync(`${name}.json`, JSON.stringify({ path, args, overlay: {}, check: false, answer, ...order } satisfies Order));
    const agent = fileURLToPath(new URL("./agent.js", import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, agent, `${name}.json`], { stdio: order.tier === "watch" ? "inherit" : "ignore" });
    return new Promise((resolve, reject) => {
      child.on("error", reject).on("close", () => resolve(existsSync(answer) ? readFileSync(answer, "utf8") : null));
    });
  };
}
