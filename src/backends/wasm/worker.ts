/** The threads beside the main one: their program, and how the platform starts them. */
import { heap } from "../../tensor/heap.ts";
import { nodeModule } from "../../tensor/platform.ts";

/**
 * Words (Int32) of the control block, through which the main thread and the workers talk. Words that are written while
 * others are being read have cache lines of their own.
 */
export const words = {
  /** Counts the jobs; workers wait for it to change. */
  sequence: 0,
  /** Workers that may be reading the job: while there are any it does not change. */
  active: 16,
  /** Does the job take workers in? */
  open: 32,
  /** The job: into how many ranges its units are cut, one for each thread, which kernel, and the arguments of `parallelFor`. */
  ranges: 33,
  kernel: 34,
  moduleAt: 35,
  moduleBytes: 36,
  parameters: 37,
  units: 38,
  grain: 39,
  /** A worker's kernel has thrown. */
  failed: 40,
  /** How far the units of the first range have been taken; those of the others follow, a cache line each. */
  taken: 48,
  line: 16,
} as const;
/** Each costs memory and a place in the system's queue. */
export const MOST_WORKERS = 63;
export const controlBytes = (words.taken + words.line * (MOST_WORKERS + 1)) * 4;

/** Who comes for work takes one part in so many of what is left of a range: the last pieces are small. */
export const PIECES = 4;

/**
 * Looks at the control word before a thread goes to sleep, some nanoseconds each. Waking up takes twenty microseconds, and the one who
 * wakes loses seven: a worker looks twice as long where looking has paid, and half as long where it slept all the same, but never shorter than what
 * lies between two kernels of a small training step. The main thread waits for the last pieces, which are short unless the system has interrupted them.
 */
export const spins = { least: 1 << 13, most: 1 << 15, last: 1 << 13 } as const;

/**
 * What a worker runs; it stands alone, so that it survives any bundler. A worker enters a job before it looks whether
 * the job is open, and the main thread closes the job before it looks for workers inside: one of them sees the other.
 */
const program = `
const work = ({ memory, control: at, index, words: w, pieces, spins }) => {
  const control = new Int32Array(memory.buffer, at);
  const kernels = new Map();
  const kernelOfJob = () => {
    let run = kernels.get(control[w.kernel]);
    if (run === undefined) {
      const bytes = new Uint8Array(memory.buffer, control[w.moduleAt] >>> 0, control[w.moduleBytes]).slice();
      run = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { m: memory }, f: {} }).exports.run;
      kernels.set(control[w.kernel], run);
    }
    return run;
  };
  const takePieces = (run) => {
    const parameters = control[w.parameters];
    const units = control[w.units] >>> 0;
    const grain = control[w.grain];
    const ranges = control[w.ranges];
    for (let i = 1; i <= ranges; i++) {
      const range = (index + i) % ranges;
      const taken = w.taken + w.line * range;
      const end = Math.floor((units * (range + 1)) / ranges);
      for (;;) {
        const from = Atomics.load(control, taken) >>> 0;
        if (from >= end) break;
        const to = Math.min(from + grain * Math.ceil((end - from) / grain / pieces), end);
        if (Atomics.compareExchange(control, taken, from, to) >>> 0 === from) run(parameters, from, to, index + 1);
      }
    }
  };
  const awaitJob = (seen, patience) => {
    for (let spin = 0; spin < patience; spin++) if (Atomics.load(control, w.sequence) !== seen) return true;
    Atomics.wait(control, w.sequence, seen);
    return false;
  };
  let patience = spins.least;
  for (let seen = 0; ; ) {
    patience = awaitJob(seen, patience) ? Math.min(2 * patience, spins.most) : Math.max(patience >> 1, spins.least);
    seen = Atomics.load(control, w.sequence);
    Atomics.add(control, w.active, 1);
    try {
      if (Atomics.load(control, w.open) === 1 && index + 1 < control[w.ranges]) takePieces(kernelOfJob());
    } catch {
      Atomics.store(control, w.failed, 1);
    }
    if (Atomics.sub(control, w.active, 1) === 1) Atomics.notify(control, w.active);
  }
};`;

const nodeProgram = `${program}\nwork(require("node:worker_threads").workerData);`;
const webProgram = `${program}\nonmessage = ({ data }) => work(data);`;

/** As much of Node's modules and of a page's globals as is used here. */
interface NodeWorker {
  on(event: "error", listener: () => void): void;
  unref(): void;
}
interface NodeThreads {
  Worker: new (program: string, options: object) => NodeWorker;
}
interface Platform {
  Worker?: new (url: string) => { postMessage(data: unknown, transfer: object[]): void };
  Blob?: new (parts: string[], options: { type: string }) => object;
  URL?: { createObjectURL?: (blob: object) => string };
  navigator?: { hardwareConcurrency?: number };
}
const platform = globalThis as unknown as Platform;

/** Processors that this process may use; 1 where nothing tells. */
export function processors(): number {
  return platform.navigator?.hardwareConcurrency ?? nodeModule<{ availableParallelism(): number }>("node:os")?.availableParallelism() ?? 1;
}

/** Starts the worker of this index on its way; false where the platform refuses. Until it runs, it takes part in no job. */
export function startWorker(index: number, control: number): boolean {
  const data = { memory: heap.memory, control, index, words, pieces: PIECES, spins };
  try {
    const node = nodeModule<NodeThreads>("node:worker_threads");
    if (node !== undefined) {
      // Neither the program's flags nor its environment, which may preload modules.
      const worker = new node.Worker(nodeProgram, { eval: true, workerData: data, execArgv: [], env: {} });
      worker.on("error", () => {});
      worker.unref();
      return true;
    }
    const { Worker, Blob, URL } = platform;
    if (Worker === undefined || Blob === undefined || URL?.createObjectURL === undefined) return false;
    new Worker(URL.createObjectURL(new Blob([webProgram], { type: "text/javascript" }))).postMessage(data, []);
    return true;
  } catch {
    return false;
  }
}
