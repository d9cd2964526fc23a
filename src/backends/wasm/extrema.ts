/** Running extrema of floats with their positions, in WASM. */
import { float32, type DType } from "../../tensor/dtype.ts";
import { Assembler } from "./assembler.ts";
import { compileKernel, features, type Kernel } from "./engine.ts";
import { f32, f64, whileTrue, type FloatType } from "./gemm-code.ts";
import { compileFold, runLanes, scanFields, type Field, type Fold } from "./scan.ts";

/** Lanes in a vector: the largest or smallest elements, the last of equals; a NaN stays, and the last of several counts. */
const runningExtremum = (type: FloatType, largest: boolean) => (a: Assembler, field: Field): Fold => {
  const integers = type.lanes === 4 ? "i32x4" : "i64x2";
  const blend = features.relaxed ? (`${integers}.relaxed_laneselect` as const) : "v128.bitselect";
  const [best, where, position, mask, one, worst] = Array.from({ length: 6 }, () => a.local("v128"));
  const place = a.local("i32");
  const spread = (value: number): Assembler => (type.lanes === 4 ? a.i32(value) : a.i64(BigInt(value))).op(`${integers}.splat`);
  a[type.name](largest ? -Infinity : Infinity).op(`${type.shape}.splat`).set(worst);
  spread(1).set(one);
  return {
    begin() {
      a.get(worst).set(best);
      spread(0).tee(where).set(position);
    },
    take(value) {
      a.get(value).get(best).op(`${type.shape}.${largest ? "ge" : "le"}`).get(value).get(value).op(`${type.shape}.ne`).op("v128.or").set(mask);
      a.get(value).get(best).get(mask).op(blend).set(best);
      a.get(position).get(where).get(mask).op(blend).set(where);
      a.get(position).get(one).op(`${integers}.add`).set(position);
      return best;
    },
    store(output, all, lane) {
      const extended = (half: "low" | "high"): Assembler => (type.lanes === 2 ? a.get(where) : a.get(where).op(`i64x2.extend_${half}_i32x4_u`));
      field("positions").get(output); field("output").op("i32.sub").i32(type.bytes === 4 ? 1 : 0).op("i32.shl").op("i32.add").set(place).get(place);
      if (!all) {
        extended(lane < 2 ? "low" : "high").storeLane(64, lane & 1);
        return;
      }
      extended("low").memory("v128.store");
      if (type.lanes === 4) a.get(place).get(where).op("i64x2.extend_high_i32x4_u").memory("v128.store", 16);
    },
  };
};

/** Vectors of a lane that are looked at together. */
const VECTORS = 4;

/** Along each lane, whose elements lie side by side: most vectors hold nothing better than what was found before. A unit is a lane. */
function compileAlong(type: FloatType, largest: boolean): Kernel {
  const a = new Assembler(3);
  const [parameters, unit, to] = [0, 1, 2];
  const field: Field = (name) => a.get(parameters).memory("i32.load", scanFields[name]);
  const [input, output, place, k, n, at, last] = Array.from({ length: 7 }, () => a.local("i32"));
  const [best, value] = [a.local(type.name), a.local(type.name)];
  const [bests, vector, better, places] = Array.from({ length: 4 }, () => a.local("v128"));
  const order = largest ? "ge" : "le";
  const elements = VECTORS * type.lanes;
  const advance = (count: number): void => {
    a.get(input).i32(count * type.bytes).op("i32.add").set(input).get(output).i32(count * type.bytes).op("i32.add").set(output);
    a.get(place).i32(8 * count).op("i32.add").set(place);
  };
  /** The elements up to the one of the number in `last`. */
  const oneByOne = (): void => {
    whileTrue(a, () => a.get(k).get(last).op("i32.ne"), () => {
      a.get(input).memory(`${type.name}.load`).tee(value).get(best).op(`${type.name}.${order}`).get(value).get(value).op(`${type.name}.ne`).op("i32.or").when(() => {
        a.get(value).set(best).get(k).set(at);
      });
      a.get(output).get(best).memory(`${type.name}.store`).get(place).get(at).op("i64.extend_i32_u").memory("i64.store");
      advance(1);
      a.get(k).i32(1).op("i32.add").set(k);
    });
  };
  const block = (): void => {
    a.get(best).op(`${type.shape}.splat`).set(bests);
    for (let v = 0; v < VECTORS; v++) {
      a.get(input).memory("v128.load", 16 * v).tee(vector).get(bests).op(`${type.shape}.${order}`).get(vector).get(vector).op(`${type.shape}.ne`).op("v128.or");
      if (v > 0) a.get(better).op("v128.or");
      a.set(better);
    }
    a.get(better).op("v128.any_true").choose(() => {
      a.get(k).i32(elements).op("i32.add").set(last);
      oneByOne();
    }, () => {
      a.get(at).op("i64.extend_i32_u").op("i64x2.splat").set(places);
      for (let v = 0; v < VECTORS; v++) a.get(output).get(bests).memory("v128.store", 16 * v);
      for (let v = 0; v < elements / 2; v++) a.get(place).get(places).memory("v128.store", 16 * v);
      advance(elements);
      a.get(k).i32(elements).op("i32.add").set(k);
    });
  };
  field("n").set(n);
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    field("input").get(unit); field("inputAcross").op("i32.mul").op("i32.add").set(input);
    field("output").get(unit); field("outputAcross").op("i32.mul").op("i32.add").set(output);
    field("positions").get(unit).get(n).op("i32.mul").i32(8).op("i32.mul").op("i32.add").set(place);
    a[type.name](largest ? -Infinity : Infinity).set(best).i32(0).tee(at).set(k);
    whileTrue(a, () => a.get(n).get(k).op("i32.sub").i32(elements).op("i32.ge_s"), block);
    a.get(n).set(last);
    oneByOne();
    a.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: a }] });
}

const kernels = new Map<string, Kernel>();

/**
 * The running extrema, with their positions as int64s, of lanes whose elements lie `step` elements apart and which start `across`
 * elements apart. Where the step is 1, lanes lie one after another.
 */
export function runningExtrema(dtype: DType, largest: boolean, n: number, lanes: number, step: number, across: number, input: number, output: number, positions: number): void {
  const type = dtype === float32 ? f32 : f64;
  const key = `${type.name} ${largest} ${step === 1}`;
  let kernel = kernels.get(key);
  if (kernel === undefined) kernels.set(key, (kernel = step === 1 ? compileAlong(type, largest) : compileFold(type, runningExtremum(type, largest))));
  const [along, next] = [step * type.bytes, across * type.bytes];
  runLanes(kernel, step === 1 ? 1 : type.lanes, { input, output, positions, inputStep: along, outputStep: along, inputAcross: next, outputAcross: next, n, lanes, folds: 0 });
}
