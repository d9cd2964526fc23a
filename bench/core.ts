// Time per call of small operations, beside PyTorch where a Python has it; README.md says how to read the table.
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { startPyTorch, type PyTorch } from "./pytorch.ts";

const rounds = 15;
const roundMs = 25;
const warmUpMs = 300;

/** One call of each case; pytorch.py has the same under the same names. */
const cases: Readonly<Record<string, () => unknown>> = {
  "add": () => a.add(b),
  "add, with grad": () => w.add(b),
  "mul": () => a.mul(b),
  "mul, with grad": () => w.mul(b),
  "exp": () => a.exp(),
  "sum": () => a.sum(),
  "sum, with grad": () => w.sum(),
  "notes' loss, forward": () => torch.no_grad(() => notesLoss(x)),
  "notes' loss, forward + backward": () => backwardOf(notesLoss),
  "improved loss, forward + backward": () =>  backwardOf(improvedLoss),
};

const a = torch.tensor([1, 2]);
const b = torch.tensor([3, 4]);
const w = torch.tensor([1, 2], { requires_grad: true });
const x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], { requires_grad: true });

function notesLoss(x: torch.Tensor): torch.Tensor {
  const mask = x.lt(0.003).float();
  const gamma_x = mask.mul(12.9).mul(x).add(mask.rsub(1).mul(x.pow(0.5)));
  return torch.mean(x.sub(gamma_x).pow(2));
}

function improvedLoss(x: torch.Tensor): torch.Tensor {
  let mask = x.lt(0.003);
  const gamma_x = torch.ones_like(x);
  gamma_x.index_put_([mask], x.index(mask).mul(12.9));
  mask = x.ge(0.003);
  gamma_x.index_put_([mask], x.index(mask).pow(0.5));
  return torch.mean(x.sub(gamma_x).pow(2));
}

function backwardOf(loss: (x: torch.Tensor) => torch.Tensor): void {
  x.grad = null;
  loss(x).backward();
}

/** Nanoseconds per call over so many calls. */
function time(call: () => unknown, calls: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) call();
  return Number(process.hrtime.bigint() - start) / calls;
}

/** Runs a case until the compiler has settled and the heap has its size. */
async function warmUp(call: () => unknown): Promise<void> {
  for (const start = Date.now(); Date.now() - start < warmUpMs; ) {
    time(call, 1000);
    await finalizers();
  }
}

/** Finalizers run between jobs: the memory of a round is given back before the next one. */
function finalizers(): Promise<void> {
  return new Promise(setImmediate);
}

/** How many calls fill a round. */
async function callsPerRound(timer: (calls: number) => number | Promise<number>): Promise<number> {
  let calls = 10;
  for (;;) {
    const ms = ((await timer(calls)) * calls) / 1e6;
    if (ms >= roundMs / 2) return Math.max(1, Math.round((calls * roundMs) / ms));
    calls *= 2;
  }
}

/** Median time of a case here and, round by round in turn with it, in PyTorch. */
async function measure(name: string, pytorch: PyTorch | null): Promise<{ ours: number; theirs: number | null }> {
  const here = (calls: number): number => time(cases[name]!, calls);
  const calls = await callsPerRound(here);
  const theirCalls = pytorch === null ? 0 : await callsPerRound((n) => pytorch.time(name, n));
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(here(calls));
    if (pytorch !== null) theirs.push(await pytorch.time(name, theirCalls));
    await finalizers();
  }
  return { ours: median(ours), theirs: pytorch === null ? null : median(theirs) };
}

function median(values: number[]): number {
  return values.toSorted((p, q) => p - q)[values.length >> 1]!;
}

// All of them first: code that several cases share is compiled for all of them.
for (const call of Object.values(cases)) await warmUp(call);

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
const pytorch = await startPyTorch();
console.log(`leafgrad ${version} on Node ${process.version}; ${pytorch?.version ?? "no PyTorch found (LEAFGRAD_PYTHON)"}`);
console.log(`ns per call, medians of ${rounds} rounds\n`);
console.log(`${"".padEnd(36)}${"leafgrad".padStart(10)}${"PyTorch".padStart(10)}${"ratio".padStart(8)}`);
for (const name of Object.keys(cases)) {
  const { ours, theirs } = await measure(name, pytorch);
  const beside = theirs === null ? ["-", "-"] : [theirs.toFixed(0), (ours / theirs).toFixed(2)];
  console.log(`${name.padEnd(36)}${ours.toFixed(0).padStart(10)}${beside[0]!.padStart(10)}${beside[1]!.padStart(8)}`);
}
pytorch?.stop();
