/** Planes with zeros around them, in WASM. */
import { heap, Storage } from "../../tensor/heap.ts";
import type { Padding } from "../reference/padding.ts";
import { Assembler } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { whileTrue } from "./gemm-code.ts";
import { parallelFor } from "./threads.ts";

/** Bytes at which the parameters lie in the block, all but the planes and rows in bytes; `start` is where rows begin in a target plane. */
const fields = { source: 0, target: 4, inner: 8, outerStep: 12, innerStep: 16, rows: 20, row: 24, rowStep: 28, targetRow: 32, targetPlane: 36, start: 40 } as const;
/** Bytes that are worth a thread's while. */
const GRAIN = 1 << 16;

const block = new Storage(44);
const kernels = new Map<number, Kernel>();

/** Copies planes of elements of 4 or 8 bytes from one address to another. */
export function padPlanes(itemsize: number, p: Padding, source: number, target: number): void {
  const [plane, row] = [p.height * p.width * itemsize, p.columns * itemsize];
  const values: Record<keyof typeof fields, number> = {
    source, target, inner: p.planes[1], outerStep: p.steps[0] * itemsize, innerStep: p.steps[1] * itemsize, rows: p.rows, row, rowStep: p.rowStep * itemsize,
    targetRow: p.width * itemsize, targetPlane: plane, start: (p.top * p.width + p.left) * itemsize,
  };
  for (const name of Object.keys(fields) as (keyof typeof fields)[]) heap.i32[(block.address + fields[name]) >>> 2] = values[name];
  let kernel = kernels.get(itemsize);
  if (kernel === undefined) kernels.set(itemsize, (kernel = compile(itemsize)));
  parallelFor(kernel, block.address, p.planes[0] * p.planes[1], Math.ceil(GRAIN / plane));
}

/** Compiles the kernel, of which a unit is a plane. */
function compile(itemsize: number): Kernel {
  const a = new Assembler(3);
  const [parameters, unit, to] = [0, 1, 2];
  const field = (name: keyof typeof fields): Assembler => a.get(parameters).memory("i32.load", fields[name]);
  const [from, into, rows, row, at, read, write] = Array.from({ length: 7 }, () => a.local("i32"));
  const copyVector = (): void => void a.get(into).get(at).op("i32.add").get(from).get(at).op("i32.add").memory("v128.load").memory("v128.store");
  const [load, store] = itemsize === 4 ? (["i32.load", "i32.store"] as const) : (["i64.load", "i64.store"] as const);
  /** A row of at least a vector: the last one begins so early that it ends with the row. */
  const byVectors = (): void => {
    whileTrue(a, () => a.get(at).i32(16).op("i32.add").get(row).op("i32.lt_s"), () => {
      copyVector();
      a.get(at).i32(16).op("i32.add").set(at);
    });
    a.get(row).i32(16).op("i32.sub").set(at);
    copyVector();
  };
  const byElements = (): void => whileTrue(a, () => a.get(at).get(row).op("i32.lt_s"), () => {
    a.get(into).get(at).op("i32.add").get(from).get(at).op("i32.add").memory(load).memory(store);
    a.get(at).i32(itemsize).op("i32.add").set(at);
  });
  field("row").set(row);
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    field("source").get(unit); field("inner").op("i32.div_u"); field("outerStep").op("i32.mul").op("i32.add");
    a.get(unit); field("inner").op("i32.rem_u"); field("innerStep").op("i32.mul").op("i32.add").set(read);
    field("target").get(unit); field("targetPlane").op("i32.mul").op("i32.add").tee(write).i32(0); field("targetPlane").memoryFill();
    a.get(read).set(from).get(write); field("start").op("i32.add").set(into);
    field("rows").set(rows);
    whileTrue(a, () => a.get(rows), () => {
      a.i32(0).set(at).get(row).i32(16).op("i32.ge_s").choose(byVectors, byElements);
      a.get(from); field("rowStep").op("i32.add").set(from).get(into); field("targetRow").op("i32.add").set(into);
      a.get(rows).i32(1).op("i32.sub").set(rows);
    });
    a.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}
