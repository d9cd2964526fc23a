/** Runs kernels on several threads. */
import { fixedBytes, heap } from "../../tensor/heap.ts";
import { RuntimeError } from "../../errors.ts";
import type { Kernel } from "./engine.ts";
import { controlBytes, MOST_WORKERS, PIECES, processors, spins, startWorker, words } from "./worker.ts";

/** More threads than this gain little on kernels that wait for memory. */
const MOST_BY_DEFAULT = 8;

let threads: number | null = null;
let started = 0;
let refused = false;

/** Threads that kernels may run on. */
export function threadCount(): number {
  return (threads ??= heap.shared ? Math.min(processors(), MOST_BY_DEFAULT) : 1);
}

/** Sets how many threads kernels may run on, the main one included. */
export function setThreadCount(count: number): void {
  threads = count;
}

/** Worker threads that were started; for tests. */
export function workersStarted(): number {
  return started;
}

/**
 * Runs the units 0 to `n` of a kernel's work, on several threads where that pays: each begins with an even part, in pieces of
 * multiples of `grain` units and what is left, where `grain` units are worth handing over (some microseconds of work).
 */
export function parallelFor(kernel: Kernel, parameters: number, n: number, grain: number): void {
  if (n < 2 * grain || kernel.module === null || !heap.shared || threadCount() === 1 || !startWorkers(threadCount() - 1)) kernel.run(parameters, 0, n);
  else share(kernel, kernel.module, parameters, n, grain);
}

/** Starts workers until there are `count`; tells whether there are any. */
function startWorkers(count: number): boolean {
  while (started < Math.min(count, MOST_WORKERS) && !refused) {
    if (startWorker(started, controlAddress())) started++;
    else refused = true;
  }
  return started > 0;
}

let controlAt = 0;
let control: Int32Array = new Int32Array(0);

function controlAddress(): number {
  if (controlAt === 0) {
    controlAt = fixedBytes(controlBytes);
    control = new Int32Array(heap.memory.buffer, controlAt, controlBytes / 4);
  }
  return controlAt;
}

/** Where the workers find the module of a kernel. */
interface Published {
  readonly id: number;
  readonly address: number;
}
const published = new WeakMap<Kernel, Published>();
let publishedCount = 0;

function publish(kernel: Kernel, module: Uint8Array): Published {
  let entry = published.get(kernel);
  if (entry === undefined) {
    const address = fixedBytes(module.length);
    heap.u8.set(module, address);
    published.set(kernel, (entry = { id: publishedCount++, address }));
  }
  return entry;
}

/**
 * Opens the job to the workers, takes pieces as they do, and waits for those that are at work. Each thread begins with the range that
 * it had in other kernels, whose memory its caches hold.
 */
function share(kernel: Kernel, module: Uint8Array, parameters: number, n: number, grain: number): void {
  const { id, address } = publish(kernel, module);
  const ranges = Math.min(threadCount(), MOST_WORKERS + 1, Math.floor(n / grain));
  const startOf = (range: number): number => Math.floor((n * range) / ranges);
  control[words.ranges] = ranges;
  control[words.kernel] = id;
  control[words.moduleAt] = address;
  control[words.moduleBytes] = module.length;
  control[words.parameters] = parameters;
  control[words.units] = n;
  control[words.grain] = grain;
  control[words.failed] = 0;
  for (let range = 0; range < ranges; range++) Atomics.store(control, words.taken + words.line * range, startOf(range));
  Atomics.store(control, words.open, 1);
  Atomics.add(control, words.sequence, 1);
  Atomics.notify(control, words.sequence);
  try {
    for (let range = 0; range < ranges; range++) {
      const taken = words.taken + words.line * range;
      const end = startOf(range + 1);
      for (;;) {
        const from = Atomics.load(control, taken) >>> 0;
        if (from >= end) break;
        const to = Math.min(from + grain * Math.ceil((end - from) / grain / PIECES), end);
        if (Atomics.compareExchange(control, taken, from, to) >>> 0 === from) kernel.run(parameters, from, to);
      }
    }
  } finally {
    Atomics.store(control, words.open, 0);
    awaitWorkers();
  }
  if (Atomics.load(control, words.failed) === 1) throw new RuntimeError("a kernel failed on a worker thread");
}

/** The main thread of a page may not sleep. */
let maySleep = true;

function awaitWorkers(): void {
  for (let spin = 0; ; spin++) {
    const active = Atomics.load(control, words.active);
    if (active === 0) return;
    if (spin < spins.last || !maySleep) continue;
    try {
      Atomics.wait(control, words.active, active);
    } catch {
      maySleep = false;
    }
  }
}
