/** Running folds in WASM: of floats as many lanes at a time as a vector holds, else one by one. */
import { bool, FLOAT, float32, float64, int16, int32, int64, int8, uint8, type DType } from "../../tensor/dtype.ts";
import { heap, Storage } from "../../tensor/heap.ts";
import type { ScanKernel } from "../../ir/kernel.ts";
import type { Scan } from "../../ir/reduction.ts";
import { Assembler, type Opcode } from "./assembler.ts";
import { Unsupported } from "./elements.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { f32, f64, whileTrue, type FloatType } from "./gemm-code.ts";
import { Scratch } from "./scratch.ts";
import { parallelFor } from "./threads.ts";

/**
 * Bytes at which the parameters lie in the block: where the elements and the results start, how far on they go along a lane (`step`)
 * and to the next of the `lanes` lanes (`across`), and where the positions of extrema go, which lie
 * as the results do, or what is folded of lanes in blocks.
 */
export const scanFields = { input: 0, output: 4, inputStep: 8, outputStep: 12, inputAcross: 16, outputAcross: 20, n: 24, lanes: 28, positions: 32, folds: 36 } as const;
/** Elements that are worth a thread's while. */
const GRAIN = 1 << 14;

const block = new Storage(40);
const scratch = new Scratch();

/** What a running fold does, in code. */
export interface Fold {
  /** A group of lanes begins. */
  begin(): void;
  /** Takes the next element of each lane in; leaves the results in a local, and returns it. */
  take(value: number): number;
  /** Stores what else there is, for all lanes side by side or for the one at the address. */
  store?(output: number, all: boolean, lane: number): void;
}

export type Field = (name: keyof typeof scanFields) => Assembler;

/** Compiles a running fold; a unit is a group of lanes. Where the last one lacks lanes, the last lane stands in for them. */
export function compileFold(type: FloatType, make: (a: Assembler, field: Field) => Fold): Kernel {
  const a = new Assembler(3);
  const [parameters, unit, to] = [0, 1, 2];
  const field: Field = (name) => a.get(parameters).memory("i32.load", scanFields[name]);
  const fold = make(a, field);
  const bits = type.bytes === 4 ? 32 : 64;
  const lanes = Array.from({ length: type.lanes }, () => ({ input: a.local("i32"), output: a.local("i32") }));
  const [left, lane] = [a.local("i32"), a.local("i32")];
  const value = a.local("v128");
  const along = (all: boolean): void => {
    const moving = all ? lanes.slice(0, 1) : lanes;
    whileTrue(a, () => a.get(left), () => {
      if (all) a.get(lanes[0].input).memory("v128.load").set(value);
      else lanes.forEach(({ input }, l) => a.get(input).get(value).loadLane(bits, l).set(value));
      const result = fold.take(value);
      if (all) a.get(lanes[0].output).get(result).memory("v128.store");
      else lanes.forEach(({ output }, l) => a.get(output).get(result).storeLane(bits, l));
      moving.forEach(({ output }, l) => fold.store?.(output, all, l));
      moving.forEach(({ input, output }) => {
        a.get(input); field("inputStep").op("i32.add").set(input).get(output); field("outputStep").op("i32.add").set(output);
      });
      a.get(left).i32(1).op("i32.sub").set(left);
    });
  };
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    lanes.forEach(({ input, output }, l) => {
      a.get(unit).i32(type.lanes).op("i32.mul").i32(l).op("i32.add").tee(lane); field("lanes").i32(1).op("i32.sub").get(lane);
      field("lanes").op("i32.lt_s").op("select").set(lane);
      field("input").get(lane); field("inputAcross").op("i32.mul").op("i32.add").set(input);
      field("output").get(lane); field("outputAcross").op("i32.mul").op("i32.add").set(output);
    });
    field("n").set(left);
    fold.begin();
    isSideBySide(a, type, field, unit);
    a.choose(() => along(true), () => along(false));
    a.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

/** Leaves on the stack whether the lanes of the unit are all there and lie side by side. */
function isSideBySide(a: Assembler, type: FloatType, field: Field, unit: number): void {
  field("inputAcross").i32(type.bytes).op("i32.eq"); field("outputAcross").i32(type.bytes).op("i32.eq").op("i32.and");
  a.get(unit).i32(1).op("i32.add").i32(type.lanes).op("i32.mul"); field("lanes").op("i32.le_s").op("i32.and");
}

/** Sums or products, in float64 whatever the type. */
const runningFold = (type: FloatType, name: "sum" | "prod") => (a: Assembler): Fold => {
  const [low, high, result, start] = Array.from({ length: 4 }, () => a.local("v128"));
  const op = name === "sum" ? "f64x2.add" : "f64x2.mul";
  const [upper, joined] = [[8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]];
  a.f64(name === "sum" ? 0 : 1).op("f64x2.splat").set(start);
  return {
    begin: () => void a.get(start).tee(low).set(high),
    take(value) {
      if (type.bytes === 8) {
        a.get(low).get(value).op(op).set(low);
        return low;
      }
      a.get(low).get(value).op("f64x2.promote_low_f32x4").op(op).tee(low).op("f32x4.demote_f64x2_zero");
      a.get(high).get(value).get(value).shuffle(upper).op("f64x2.promote_low_f32x4").op(op).tee(high).op("f32x4.demote_f64x2_zero");
      a.shuffle(joined).set(result);
      return result;
    },
  };
};

/** Loads of elements as the 64-bit numbers that are folded: floats as float64, others as int64. */
const loads: ReadonlyMap<DType, readonly Opcode[]> = new Map<DType, readonly Opcode[]>([
  [float32, ["f32.load", "f64.promote_f32"]], [float64, ["f64.load"]], [int64, ["i64.load"]], [int32, ["i64.load32_s"]],
  [int16, ["i64.load16_s"]], [int8, ["i64.load8_s"]], [uint8, ["i64.load8_u"]], [bool, ["i64.load8_u"]],
]);

/** What folds the next element: `take` reads it at an address and stores the result at another, with the folded value in a local. */
interface Step {
  readonly number: "i64" | "f64";
  begin(folded: number): void;
  take(input: number, output: number, folded: number): void;
}

function stepOf(a: Assembler, source: DType, target: DType, name: "sum" | "prod"): Step {
  const number = target === int64 ? "i64" : "f64";
  const [load, ...widen] = loads.get(source)!;
  return {
    number,
    begin(folded) {
      if (number === "i64") a.i64(name === "sum" ? 0n : 1n).set(folded);
      else a.f64(name === "sum" ? 0 : 1).set(folded);
    },
    take(input, output, folded) {
      a.get(input).memory(load);
      widen.forEach((op) => a.op(op));
      a.get(folded).op(`${number}.${name === "sum" ? "add" : "mul"}`).set(folded).get(output).get(folded);
      if (target === float32) a.op("f32.demote_f64");
      a.memory(target === float32 ? "f32.store" : `${number}.store`);
    },
  };
}

/** Compiles a running sum or product along one lane after another, of which each is a unit. */
function compileLanes(source: DType, target: DType, name: "sum" | "prod"): Kernel {
  const a = new Assembler(3);
  const [unit, to] = [1, 2];
  const field: Field = (which) => a.get(0).memory("i32.load", scanFields[which]);
  const [input, output, inputStep, outputStep, left] = Array.from({ length: 5 }, () => a.local("i32"));
  const step = stepOf(a, source, target, name);
  const folded = a.local(step.number);
  field("inputStep").set(inputStep); field("outputStep").set(outputStep);
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    field("input").get(unit); field("inputAcross").op("i32.mul").op("i32.add").set(input);
    field("output").get(unit); field("outputAcross").op("i32.mul").op("i32.add").set(output);
    field("n").set(left);
    step.begin(folded);
    whileTrue(a, () => a.get(left), () => {
      step.take(input, output, folded);
      a.get(input).get(inputStep).op("i32.add").set(input).get(output).get(outputStep).op("i32.add").set(output);
      a.get(left).i32(1).op("i32.sub").set(left);
    });
    a.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

/** Lanes that lie side by side and are folded together. */
const BLOCK_LANES = 64;

/** Compiles a running sum or product of blocks of lanes, row by row, so that memory is read in order; the folded values lie at `folds`. */
function compileBlocks(source: DType, target: DType, name: "sum" | "prod"): Kernel {
  const a = new Assembler(3);
  const [unit, to] = [1, 2];
  const field: Field = (which) => a.get(0).memory("i32.load", scanFields[which]);
  const [rowIn, rowOut, input, output, fold, folds, end, left, lane] = Array.from({ length: 9 }, () => a.local("i32"));
  const step = stepOf(a, source, target, name);
  const folded = a.local(step.number);
  const eachFold = (body: () => void): void => {
    a.get(folds).set(fold);
    whileTrue(a, () => a.get(fold).get(end).op("i32.ne"), () => {
      body();
      a.get(fold).get(folded).memory(`${step.number}.store`).get(fold).i32(8).op("i32.add").set(fold);
    });
  };
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    a.get(unit).i32(BLOCK_LANES).op("i32.mul").set(lane);
    field("input").get(lane); field("inputAcross").op("i32.mul").op("i32.add").set(rowIn);
    field("output").get(lane); field("outputAcross").op("i32.mul").op("i32.add").set(rowOut);
    field("folds").get(lane).i32(8).op("i32.mul").op("i32.add").tee(folds);
    field("lanes").get(lane).op("i32.sub").tee(left).i32(BLOCK_LANES).get(left).i32(BLOCK_LANES).op("i32.lt_s").op("select").i32(8).op("i32.mul").op("i32.add").set(end);
    eachFold(() => step.begin(folded));
    field("n").set(left);
    whileTrue(a, () => a.get(left), () => {
      a.get(rowIn).set(input).get(rowOut).set(output);
      eachFold(() => {
        a.get(fold).memory(`${step.number}.load`).set(folded);
        step.take(input, output, folded);
        a.get(input); field("inputAcross").op("i32.add").set(input).get(output); field("outputAcross").op("i32.add").set(output);
      });
      a.get(rowIn); field("inputStep").op("i32.add").set(rowIn).get(rowOut); field("outputStep").op("i32.add").set(rowOut);
      a.get(left).i32(1).op("i32.sub").set(left);
    });
    a.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

/** Runs a kernel of which a unit is a group of lanes. */
export function runLanes(kernel: Kernel, group: number, values: Record<keyof typeof scanFields, number>): void {
  for (const name of Object.keys(scanFields) as (keyof typeof scanFields)[]) heap.i32[(block.address + scanFields[name]) >>> 2] = values[name];
  parallelFor(kernel, block.address, Math.ceil(values.lanes / group), Math.ceil(GRAIN / (group * values.n)));
}

/** How lanes are folded: one after another, in blocks of those that lie side by side, or as many as a vector holds. */
const [LANES, BLOCKS, VECTORS] = [0, 1, 2];

/** Compiles a running sum or product of floats as floats, or of integers and bools as int64; throws Unsupported for others. */
export function compileScan({ name, map, dtype }: Scan): ScanKernel {
  const { tag, of } = map.kind.tag === "cast" ? { tag: map.kind.of.kind.tag, of: map.kind.of.dtype } : { tag: map.kind.tag, of: map.dtype };
  const isExact = dtype.kind === FLOAT ? of.kind === FLOAT && dtype.itemsize >= of.itemsize : dtype === int64 && of.kind !== FLOAT;
  if (tag !== "input" || !isExact || (name !== "sum" && name !== "prod")) throw new Unsupported(`running ${name} of ${of} as ${dtype}`);
  const type = dtype === float32 ? f32 : f64;
  const kernels: (Kernel | undefined)[] = [];
  const vectors = dtype === of && dtype.kind === FLOAT;
  return (n, lanes, at, step, across) => {
    const isAcross = lanes > 1 && Math.abs(across[1]) < Math.abs(step[1]);
    const kind = isAcross ? BLOCKS : lanes > 1 && vectors ? VECTORS : LANES;
    const group = [1, BLOCK_LANES, type.lanes][kind];
    const folds = kind === BLOCKS ? scratch.take(8 * lanes).address : 0;
    kernels[kind] ??= kind === VECTORS ? compileFold(type, runningFold(type, name)) : (kind === BLOCKS ? compileBlocks : compileLanes)(of, dtype, name);
    runLanes(kernels[kind], group, {
      input: at[1], output: at[0], inputStep: step[1], outputStep: step[0], inputAcross: across[1], outputAcross: across[0], n, lanes, positions: 0, folds,
    });
  };
}
