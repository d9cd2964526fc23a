/** Casts between dtypes. */
import { BOOL, float32, float64, int64, uint8, type DType } from "../../tensor/dtype.ts";
import { inI32, laneTypeOf, maskFor, narrow, Unsupported, widenMask, wrapNarrow } from "./elements.ts";
import type { ScalarFunction } from "./scalar-function.ts";
import type { Vector } from "./vector.ts";

/** `x` of dtype `from` as dtype `to`. */
export function castVector(x: Vector, from: DType, to: DType): Vector {
  if (from === to) return x;
  if (to.kind === BOOL) return widenMask(x.ne(0));
  if (from.kind === BOOL) return fromMask(x, to);
  if (from === float32 && to === float64) return x.op("f64x2.promote_low_f32x4", "f64");
  if (from === float64 && to === float32) return x.op("f32x4.demote_f64x2_zero", "f32");
  if (from.itemsize < 8 && from !== float32) return fromI32(x, to);
  if (from === int64) return to === float64 || to === float32 ? fromI64(x, to) : wrapNarrow(narrow(x), to);
  if (to === int64) return (from === float32 ? x.op("f64x2.promote_low_f32x4", "f64") : x).eachLane(toI64);
  return wrapNarrow(to === uint8 ? modulo32(x) : toI32(x), to);
}

function fromMask(mask: Vector, to: DType): Vector {
  const type = laneTypeOf(to, mask.graph.lanes);
  return maskFor(mask, type).as(type).and(1);
}

function fromI32(x: Vector, to: DType): Vector {
  if (to === float32) return x.op("f32x4.convert_i32x4_s", "f32");
  if (to === float64) return x.op("f64x2.convert_low_i32x4_s", "f64");
  if (to === int64) return x.op("i64x2.extend_low_i32x4_s", "i64");
  if (!inI32(to)) throw new Unsupported(`int32 to ${to.name}`);
  return wrapNarrow(x, to);
}

const toF64: ScalarFunction = {
  name: "i64 to f64", parameters: ["i64"], result: "f64",
  write: (a, [x]) => void a.get(x).op("f64.convert_i64_s"),
};

function fromI64(x: Vector, to: DType): Vector {
  const double = x.eachLane(toF64);
  return to === float64 ? double : double.op("f32x4.demote_f64x2_zero", "f32");
}

/** What an integer becomes that is too large, and NaN: on x86, the least one. */
const toI64: ScalarFunction = {
  name: "f64 to i64", parameters: ["f64"], result: "i64",
  write: (a, [x]) => void a.get(x).op("i64.trunc_sat_f64_s").i64(-(2n ** 63n)).get(x).f64(2 ** 63).op("f64.lt").op("select"),
};

function toI32(x: Vector): Vector {
  const inRange = x.lt(2 ** 31);
  if (x.type === "f32") return inRange.select(x.op("i32x4.trunc_sat_f32x4_s", "i32"), -(2 ** 31));
  return narrow(inRange).select(x.op("i32x4.trunc_sat_f64x2_s_zero", "i32"), -(2 ** 31));
}

/** The truncated value modulo 2³², as JavaScript has it; 0 for NaN and infinities. */
function modulo32(x: Vector): Vector {
  const whole = x.trunc();
  const rest = whole.sub(whole.mul(2 ** -32).trunc().mul(2 ** 32));
  const magnitude = rest.abs().op(x.type === "f32" ? "i32x4.trunc_sat_f32x4_u" : "i32x4.trunc_sat_f64x2_u_zero", "i32");
  const negative = rest.lt(0);
  return (x.type === "f32" ? negative : narrow(negative)).select(magnitude.neg(), magnitude);
}
