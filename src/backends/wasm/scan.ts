/** Running folds of floats in WASM, as many lanes at a time as a vector holds. */
import { float32, FLOAT } from "../../tensor/dtype.ts";
import { heap, Storage } from "../../tensor/heap.ts";
import type { ScanKernel } from "../../ir/kernel.ts";
import type { Scan } from "../../ir/reduction.ts";
import { Assembler } from "./assembler.ts";
import { Unsupported } from "./elements.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { f32, f64, whileTrue, type FloatType } from "./gemm-code.ts";
import { parallelFor } from "./threads.ts";

/**
 * Bytes at which the parameters lie in the block: where the elements and the results start, how far on they go along a lane (`step`)
 * and to the next of the `lanes` lanes (`across`), and where the positions of extrema go, which lie as the results do.
 */
export const scanFields = { input: 0, output: 4, inputStep: 8, outputStep: 12, inputAcross: 16, outputAcross: 20, n: 24, lanes: 28, positions: 32 } as const;
/** Elements that are worth a thread's while. */
const GRAIN = 1 << 14;

const block = new Storage(36);

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

/** Compiles a running sum or product of one lane, which is one unit. */
function compileLane(type: FloatType, name: "sum" | "prod"): Kernel {
  const a = new Assembler(3);
  const field: Field = (which) => a.get(0).memory("i32.load", scanFields[which]);
  const [input, output, inputStep, outputStep, left] = Array.from({ length: 5 }, () => a.local("i32"));
  const sum = a.local("f64");
  ([["input", input], ["output", output], ["inputStep", inputStep], ["outputStep", outputStep], ["n", left]] as const).forEach(([which, local]) => {
    field(which);
    a.set(local);
  });
  a.f64(name === "sum" ? 0 : 1).set(sum);
  whileTrue(a, () => a.get(left), () => {
    a.get(input).memory(`${type.name}.load`);
    if (type.bytes === 4) a.op("f64.promote_f32");
    a.get(sum).op(name === "sum" ? "f64.add" : "f64.mul").set(sum).get(output).get(sum);
    if (type.bytes === 4) a.op("f32.demote_f64");
    a.memory(`${type.name}.store`);
    a.get(input).get(inputStep).op("i32.add").set(input).get(output).get(outputStep).op("i32.add").set(output);
    a.get(left).i32(1).op("i32.sub").set(left);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

/** Runs a kernel of which a unit is a group of lanes. */
export function runLanes(kernel: Kernel, group: number, values: Record<keyof typeof scanFields, number>): void {
  for (const name of Object.keys(scanFields) as (keyof typeof scanFields)[]) heap.i32[(block.address + scanFields[name]) >>> 2] = values[name];
  parallelFor(kernel, block.address, Math.ceil(values.lanes / group), Math.ceil(GRAIN / (group * values.n)));
}

/** Compiles a running sum or product of floats of one dtype; throws Unsupported for others. */
export function compileScan({ name, map, dtype }: Scan): ScanKernel {
  if (dtype.kind !== FLOAT || map.kind.tag !== "input" || map.dtype !== dtype || (name !== "sum" && name !== "prod")) throw new Unsupported(`running ${name}`);
  const type = dtype === float32 ? f32 : f64;
  const [one, many] = [compileLane(type, name), compileFold(type, runningFold(type, name))];
  return (n, lanes, at, step, across) => {
    runLanes(lanes === 1 ? one : many, lanes === 1 ? 1 : type.lanes, {
      input: at[1], output: at[0], inputStep: step[1], outputStep: step[0], inputAcross: across[1], outputAcross: across[0], n, lanes, positions: 0,
    });
  };
}
