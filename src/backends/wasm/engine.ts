/** What the WebAssembly engine offers, and how modules come to life in it. */
import { heap } from "../../tensor/heap.ts";
import { Assembler, assemble, type WasmModule } from "./assembler.ts";

/** Named here so that users need no DOM library to type-check. */
declare const WebAssembly: {
  validate: (bytes: Uint8Array<ArrayBuffer>) => boolean;
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => { exports: Record<string, (...args: (number | undefined)[]) => void> };
};

function validates(write: (a: Assembler) => void): boolean {
  if (typeof WebAssembly === "undefined") return false;
  const body = new Assembler(0);
  write(body);
  return WebAssembly.validate(assemble({ functions: [{ name: "f", parameters: [], results: ["v128"], body }], memory: { shared: false } }));
}

const zero = (a: Assembler): Assembler => a.f32(0).op("f32x4.splat");

/** Found by validating a small module, never by a version number. */
export const features = {
  /** 128-bit vectors. */
  simd: validates(zero),
  /** Multiply-add in one instruction, and blending by a mask in one. */
  relaxed: validates((a) => [zero, zero, zero].forEach((push) => push(a)) ?? a.op("f32x4.relaxed_madd")),
};

/**
 * A compiled kernel. `run` computes the units `from` to `to` (exclusive) of the work that the block of parameters at the
 * heap address `parameters` describes: what a unit is (an element, a row, a panel) is the kernel's to say. Units do not
 * depend on one another, so several threads may run a kernel on parts of the same work; `thread` tells them apart, and is left out or 0
 * for the main one.
 */
export interface Kernel {
  readonly run: (parameters: number, from: number, to: number, thread?: number) => void;
  /** The module whose function `run` it is, for other threads to make it their own; null where it calls JavaScript. */
  readonly module: Uint8Array<ArrayBuffer> | null;
}

/** Compiles a module that exports a function `run(parameters, from, to)`, or with `thread` as its last parameter. */
export function compileKernel(module: Omit<WasmModule, "memory">, functions: Record<string, unknown> = {}): Kernel {
  const bytes = bytesOf(module);
  return { run: instantiate(bytes, functions), module: (module.imports ?? []).length === 0 ? bytes : null };
}

/** Compiles a module that exports one function, `run`, for the main thread alone. */
export function compileFunction(module: Omit<WasmModule, "memory">, functions: Record<string, unknown> = {}): (...values: number[]) => void {
  return instantiate(bytesOf(module), functions);
}

const bytesOf = (module: Omit<WasmModule, "memory">): Uint8Array<ArrayBuffer> => assemble({ ...module, memory: { shared: heap.shared } });

function instantiate(bytes: Uint8Array<ArrayBuffer>, functions: Record<string, unknown>): (...values: (number | undefined)[]) => void {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { m: heap.memory }, f: functions }).exports.run;
}
