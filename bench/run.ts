/** Prints the bench: leafgrad beside PyTorch, TensorFlow.js and jax-js. README.md says how to read it. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { multiplyAddPeak } from "./peak.ts";
import { rows, type Row } from "./rows.ts";
import { startRunner, type Runner } from "./runner.ts";
import { printSizes } from "./size.ts";

const { values: options } = parseArgs({
  options: { rows: { type: "string", default: "" }, rounds: { type: "string", default: "9" }, ms: { type: "string", default: "40" } },
});
const wanted = new RegExp(options.rows);
const rounds = Number(options.rounds);
const roundMs = Number(options.ms);

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const node = process.execPath;
const python = process.env["LEAFGRAD_PYTHON"] ?? place("../.venv-oracle/bin/python");

/** The columns: title, command. The first is what the ratios are of. */
function columns(): (readonly [title: string, command: readonly string[]])[] {
  const ours = (threads: number): string[] => [node, place("../dist/cli/main.js"), "run", place("leafgrad.ts"), String(threads)];
  const pytorch = (threads: number): string[] => [python, place("pytorch.py"), String(threads)];
  if (!existsSync(place("node_modules"))) {
    console.log("installing TensorFlow.js and jax-js under bench/");
    spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: place("."), stdio: "ignore" });
  }
  return [
    ["leafgrad", ours(1)],
    ["2 threads", ours(2)],
    ...(existsSync(python) ? ([["PyTorch", pytorch(1)], ["2 threads", pytorch(2)]] as const) : []),
    ["tfjs", [node, place("tfjs.mjs")]],
    ["jax-js", [node, place("jax.mjs")]],
  ];
}

/** Programs that print the milliseconds that an import takes in a process of its own; "" where there is nothing to say. */
const imports: readonly (readonly [title: string, command: readonly string[]])[] = [
  ["leafgrad", [node, ...timing(`await import(${JSON.stringify(new URL("../dist/index.js", import.meta.url))})`)]],
  ["PyTorch", [python, "-c", "import time; t = time.perf_counter(); import torch; print((time.perf_counter() - t) * 1000)"]],
  ["tfjs", [node, ...timing('const require = process.getBuiltinModule("module").createRequire(process.cwd() + "/"); require("@tensorflow/tfjs"); require("@tensorflow/tfjs-backend-wasm")')]],
  ["jax-js", [node, ...timing('await import("@jax-js/jax")')]],
];

function timing(load: string): string[] {
  return ["--input-type=module", "-e", `const t = performance.now(); ${load}; console.log(performance.now() - t)`];
}

function printImports(): void {
  const cells = imports.map(([title, command]) => {
    const times = Array.from({ length: 5 }, () => Number(spawnSync(command[0]!, command.slice(1), { cwd: place(".") }).stdout));
    return `${title} ${times[0]! > 0 ? `${median(times).toFixed(0)} ms` : "-"}`;
  });
  console.log(`\ntime to import: ${cells.join(", ")}`);
}

const median = (values: readonly number[]): number => values.toSorted((p, q) => p - q)[values.length >> 1]!;

/** Engines compile what has run often, more than once: before that nothing is timed. */
const warmUpMs = 500;

/** How many calls fill a round; the first calls warm the case up. Null where the library does not have it. */
async function callsPerRound(runner: Runner, name: string): Promise<number | null> {
  let calls = 1;
  for (let spent = 0; ; ) {
    const { ns } = await runner.ask({ name, calls });
    if (ns === undefined) return null;
    const ms = (ns * calls) / 1e6;
    spent += ms;
    if (ms < roundMs / 2) calls *= 2;
    else if (spent >= warmUpMs) return Math.max(1, Math.round((calls * roundMs) / ms));
  }
}

/** Median nanoseconds per call of each runner; they take turns round by round, so that a busy moment meets all of them. */
async function measure(runners: readonly Runner[], { name }: Row): Promise<(number | null)[]> {
  const calls: (number | null)[] = [];
  for (const runner of runners) calls.push(await callsPerRound(runner, name));
  const times: number[][] = runners.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, runner] of runners.entries()) {
      if (calls[i] === null) continue;
      const { ns } = await runner.ask({ name, calls: calls[i]! });
      if (ns !== undefined) times[i]!.push(ns);
    }
  }
  return times.map((list) => (list.length === 0 ? null : median(list)));
}

function timeText(ns: number): string {
  if (ns < 1e4) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

/** Times of each library, then how many times as long each takes as leafgrad with one thread and, in brackets, with two. */
function printRow(row: Row, times: readonly (number | null)[], peak: number): void {
  const [one, two] = [times[0] ?? null, times[1] ?? null];
  const cells = times.map((ns, i) => {
    if (ns === null) return "-";
    if (i < 2 || one === null || two === null) return timeText(ns);
    return `${timeText(ns)} ${(ns / one).toFixed(2)} (${(ns / two).toFixed(2)})`;
  });
  const rate = row.flops === undefined || one === null ? "" : `${(row.flops / one).toFixed(1)} GFLOP/s, ${((100 * row.flops) / one / peak).toFixed(0)}% of peak`;
  console.log(`${row.name.padEnd(34)}${cells.map((cell, i) => cell.padStart(i < 2 ? 12 : 24)).join("")}  ${rate}`.trimEnd());
}

/** Largest resident memory of a process that runs one step over and over, without awaiting within a round. */
async function printMemory(row: Row): Promise<void> {
  const cells: string[] = [];
  for (const [title, command] of columns()) {
    const runner = await startRunner(title, command);
    const ns = runner === null ? null : await callsPerRound(runner, row.name);
    if (runner === null || ns === null) cells.push("-");
    else {
      await runner.ask({ name: row.name, calls: ns * 50 });
      const { bytes } = await runner.ask({ peak: true });
      cells.push(`${(bytes! / 2 ** 20).toFixed(0)} MiB`);
    }
    runner?.stop();
  }
  console.log(`${row.name.padEnd(34)}${cells.map((cell, i) => cell.padStart(i < 2 ? 12 : 24)).join("")}`);
}

const started = await Promise.all(columns().map(([title, command]) => startRunner(title, command)));
const runners = started.filter((runner) => runner !== null);
const header = `${"".padEnd(34)}${runners.map(({ title }, i) => title.padStart(i < 2 ? 12 : 24)).join("")}`;

console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores`);
console.log(`${[...new Set(runners.map(({ version }) => version))].join(", ")}`);
console.log(`medians of ${rounds} rounds of ${roundMs} ms; behind a time: how many times leafgrad's with one thread (with two)\n`);
console.log(header);
let group = "";
for (const row of rows) {
  if (!wanted.test(row.name)) continue;
  if (row.group !== group) console.log(`\n${(group = row.group)}`);
  const peak = row.flops === undefined ? 0 : multiplyAddPeak();
  printRow(row, await measure(runners, row), peak);
}
printImports();
printSizes();
for (const runner of runners) runner.stop();
if (rows.some((row) => row.memory === true && wanted.test(row.name))) {
  console.log(`\npeak memory of the loop\n${header}`);
  for (const row of rows) if (row.memory === true && wanted.test(row.name)) await printMemory(row);
}
