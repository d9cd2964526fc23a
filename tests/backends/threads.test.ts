import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as torch from "leafgrad";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Kernel } from "../../src/backends/wasm/engine.ts";
import { parallelFor, workersStarted } from "../../src/backends/wasm/threads.ts";
import { fixedBytes, heap } from "../../src/tensor/heap.ts";
import { ensureBuilt, root, type Outcome } from "../cli/cli.ts";
import { affine, failing, meeting } from "./kernels.ts";

const most = 1 << 20;
const data = fixedBytes(4 * most);
const parameters = fixedBytes(16);
heap.i32[parameters / 4] = data;

const elements = (n: number): Int32Array => heap.i32.subarray(data / 4, data / 4 + n);

/** What the kernel makes of the numbers from 0 on. */
function results(kernel: Kernel, n: number, grain: number): Int32Array {
  elements(n).forEach((_, i, all) => (all[i] = i));
  parallelFor(kernel, parameters, n, grain);
  return elements(n).slice();
}

const threadsAtFirst = torch.get_num_threads();
afterEach(() => torch.set_num_threads(threadsAtFirst));

test("no worker is started before one is needed", () => {
  torch.set_num_threads(2);
  parallelFor(affine(), parameters, 1000, 1000);
  parallelFor({ run: () => {}, module: null }, parameters, 1000, 1);
  expect(torch.ones(3).add(1).sum().item()).toBe(6);
  torch.set_num_threads(1);
  parallelFor(affine(), parameters, 1000, 1);
  expect(workersStarted()).toBe(0);
});

test("two threads run at once, and it takes no turn of the event loop to start the second", () => {
  torch.set_num_threads(2);
  const kernel = meeting();
  const until = Date.now() + 60_000;
  do {
    elements(2).fill(0);
    parallelFor(kernel, parameters, 2, 1);
  } while ((elements(2)[0] !== 2 || elements(2)[1] !== 2) && Date.now() < until);
  expect([...elements(2)]).toEqual([2, 2]);
});

describe("any number of threads runs each unit once", () => {
  const kernel = affine();
  test.each([1, 2, 4])("%i threads", (threads) => {
    torch.set_num_threads(threads);
    for (const [n, grain] of [[0, 1], [1, 1], [2, 1], [7, 3], [1000, 1], [4097, 64], [most, 1000], [most - 1, 1]] as const) {
      for (let round = 0; round < 5; round++) {
        expect(results(kernel, n, grain).findIndex((x, i) => x !== 4 * i)).toBe(-1);
      }
    }
    expect(workersStarted()).toBeGreaterThanOrEqual(threads - 1);
  });
});

test("many kernels in turn, and memory that grows between them", () => {
  torch.set_num_threads(4);
  for (let round = 0; round < 200; round++) {
    const far = fixedBytes(round % 50 === 0 ? heap.memory.buffer.byteLength : 64);
    heap.i32[parameters / 4] = far;
    heap.i32.fill(1, far / 4, far / 4 + 16);
    parallelFor(affine(), parameters, 16, 1);
    expect([...heap.i32.subarray(far / 4, far / 4 + 16)]).toEqual(Array.from({ length: 16 }, (_, i) => 3 + i));
  }
  heap.i32[parameters / 4] = data;
});

test("a kernel that fails is an error, and the threads go on", () => {
  torch.set_num_threads(3);
  const kernel = failing();
  for (let round = 0; round < 20; round++) {
    expect(() => parallelFor(kernel, parameters, 100, 1)).toThrow();
    expect(results(affine(), 100, 1)[99]).toBe(4 * 99);
  }
});

test("the number of threads", () => {
  expect(threadsAtFirst).toBeGreaterThanOrEqual(1);
  expect(threadsAtFirst).toBeLessThanOrEqual(8);
  torch.set_num_threads(3);
  expect(torch.get_num_threads()).toBe(3);
  expect(() => torch.set_num_threads(0)).toThrow();
  expect(torch.get_num_threads()).toBe(3);
});

describe("where no worker can be started", () => {
  test.each([
    ["the engine refuses", () => ({ Worker: function () { throw new Error("refused"); } })],
    ["Node is too old to ask", undefined],
    ["the worker ends at once", () => ({ Worker: class { on(): void {} unref(): void {} } })],
  ])("%s", async (_, getBuiltinModule) => {
    vi.resetModules();
    vi.stubGlobal("process", { ...process, getBuiltinModule });
    const fresh = await import("../../src/backends/wasm/threads.ts");
    const { fixedBytes: bytes, heap: own } = await import("../../src/tensor/heap.ts");
    const { affine: make } = await import("./kernels.ts");
    fresh.setThreadCount(2);
    const block = bytes(16);
    own.i32[block / 4] = bytes(400);
    fresh.parallelFor(make(), block, 100, 1);
    expect(own.i32[own.i32[block / 4]! / 4 + 99]).toBe(99);
    vi.unstubAllGlobals();
  });
});

describe("a process with workers", () => {
  beforeAll(ensureBuilt);

  /** Runs a program in which two threads have met; killed when it does not end. */
  function run(then: string): Promise<Outcome> {
    const at = (path: string): string => JSON.stringify(pathToFileURL(join(root, path)).href);
    const program = `
      import { parallelFor, setThreadCount, workersStarted } from ${at("dist/modules/backends/wasm/threads.js")};
      import { fixedBytes, heap } from ${at("dist/modules/tensor/heap.js")};
      import { compileKernel } from ${at("dist/modules/backends/wasm/engine.js")};
      import { Assembler } from ${at("dist/modules/backends/wasm/assembler.js")};
      const body = new Assembler(3);
      const kernel = compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body }] });
      setThreadCount(3);
      for (let i = 0; i < 100; i++) parallelFor(kernel, fixedBytes(16), 100, 1);
      console.log(workersStarted());
      ${then}`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { timeout: 60_000, killSignal: "SIGKILL" });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += String(text)));
    child.stderr.on("data", (text) => (stderr += String(text)));
    return new Promise((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
  }

  test("ends by itself", async () => {
    expect(await run("")).toEqual({ status: 0, stdout: "2\n", stderr: "" });
  });
  test("ends later by itself", async () => {
    expect(await run("setTimeout(() => console.log('later'), 100);")).toEqual({ status: 0, stdout: "2\nlater\n", stderr: "" });
  });
  test("ends with process.exit", async () => {
    expect(await run("process.exit(7);")).toEqual({ status: 7, stdout: "2\n", stderr: "" });
  });
  test("ends with an error that nobody catches", async () => {
    const { status, stderr } = await run("throw new Error('nobody catches this');");
    expect(status).toBe(1);
    expect(stderr).toContain("nobody catches this");
  });
});
