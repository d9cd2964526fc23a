/** How elements of each dtype lie in a vector: loads, stores and casts for kernels of two or four lanes. */
import { BOOL, bool, FLOAT, float32, float64, int16, int32, int64, int8, uint8, type DType } from "../../tensor/dtype.ts";
import type { Assembler } from "./assembler.ts";

/** Lanes a step: two where a 64-bit type takes part, else four. Narrower types then fill the low lanes. */
export type Lanes = 2 | 4;

/** A cast or an operation that vectors do not do; the caller falls back to the reference backend. */
export class Unsupported extends Error {}

const bytesOf = (picked: readonly number[]): number[] => Array.from({ length: 16 }, (_, i) => picked[i] ?? 0);
const lowBytes = (width: number, lanes: Lanes, stride: number): number[] =>
  bytesOf(Array.from({ length: lanes * width }, (_, i) => Math.floor(i / width) * stride + (i % width)));

/** Widens the low bytes or half-words on the stack to i32 lanes. */
function widen(a: Assembler, dtype: DType): void {
  if (dtype === int16) a.op("i32x4.extend_low_i16x8_s");
  else if (dtype === int8) a.op("i16x8.extend_low_i8x16_s").op("i32x4.extend_low_i16x8_s");
  else a.op("i16x8.extend_low_i8x16_u").op("i32x4.extend_low_i16x8_u");
}

/** A stored 0/1 byte, widened to i32 lanes, as a mask. */
function toMask(a: Assembler, lanes: Lanes): void {
  a.op("i32x4.neg");
  if (lanes === 2) a.op("i64x2.extend_low_i32x4_s");
}

function finishLoad(a: Assembler, dtype: DType, lanes: Lanes): void {
  if (dtype.itemsize >= 4) return;
  widen(a, dtype);
  if (dtype === bool) toMask(a, lanes);
}

/** Loads consecutive elements from the address on the stack. */
export function loadVector(a: Assembler, dtype: DType, lanes: Lanes): void {
  const bytes = dtype.itemsize * lanes;
  a.memory(bytes === 16 ? "v128.load" : bytes === 8 ? "v128.load64_zero" : bytes === 4 ? "v128.load32_zero" : "v128.load16_splat");
  finishLoad(a, dtype, lanes);
}

/** Loads one element into every lane. */
export function loadSplat(a: Assembler, dtype: DType, lanes: Lanes): void {
  const { itemsize } = dtype;
  a.memory(itemsize === 8 ? "v128.load64_splat" : itemsize === 4 ? "v128.load32_splat" : itemsize === 2 ? "v128.load16_splat" : "v128.load8_splat");
  finishLoad(a, dtype, lanes);
}

/** Packs lanes of the value on the stack as they lie in memory. */
function pack(a: Assembler, dtype: DType, lanes: Lanes, temporary: number): void {
  if (dtype === bool) {
    const stride = lanes === 2 ? 8 : 4;
    a.i32(1).op("i32x4.splat").op("v128.and").tee(temporary).get(temporary).shuffle(lowBytes(1, lanes, stride));
  } else if (dtype.itemsize < 4) {
    a.tee(temporary).get(temporary).shuffle(lowBytes(dtype.itemsize, lanes, 4));
  }
}

/** Stores consecutive elements: address and value are on the stack. */
export function storeVector(a: Assembler, dtype: DType, lanes: Lanes, temporary: number): void {
  pack(a, dtype, lanes, temporary);
  const bytes = dtype.itemsize * lanes;
  if (bytes === 16) a.memory("v128.store");
  else a.storeLane((bytes * 8) as 16 | 32 | 64, 0);
}

/** Stores the first lane alone. */
export function storeElement(a: Assembler, dtype: DType, lanes: Lanes, temporary: number): void {
  pack(a, dtype, lanes, temporary);
  a.storeLane((dtype.itemsize * 8) as 8 | 16 | 32 | 64, 0);
}

const isNarrow = (dtype: DType): boolean => dtype === int8 || dtype === int16 || dtype === uint8;
/** Integers of up to 32 bits live in i32 lanes. */
export const inI32 = (dtype: DType): boolean => dtype === int32 || isNarrow(dtype);

/** Brings i32 lanes back into the range of a narrower integer. */
export function wrapNarrow(a: Assembler, dtype: DType): void {
  if (dtype === uint8) a.i32(255).op("i32x4.splat").op("v128.and");
  else if (isNarrow(dtype)) {
    const bits = dtype === int8 ? 24 : 16;
    a.i32(bits).op("i32x4.shl").i32(bits).op("i32x4.shr_s");
  }
}

/** Takes the low words of two 64-bit lanes. */
function narrowLanes(a: Assembler, temporary: number): void {
  a.tee(temporary).get(temporary).shuffle([0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
}

/** Casts the vector on the stack. */
export function castVector(a: Assembler, from: DType, to: DType, lanes: Lanes, temporary: number): void {
  if (from === to) return;
  if (to.kind === BOOL) return toBool(a, from, lanes);
  if (from.kind === BOOL) return fromBool(a, to, lanes, temporary);
  if (from === float32 && to === float64) a.op("f64x2.promote_low_f32x4");
  else if (from === float64 && to === float32) a.op("f32x4.demote_f64x2_zero");
  else if (inI32(from) && to === float32) a.op("f32x4.convert_i32x4_s");
  else if (inI32(from) && to === float64) a.op("f64x2.convert_low_i32x4_s");
  else if (inI32(from) && to === int64) a.op("i64x2.extend_low_i32x4_s");
  else if (from === int64 && inI32(to)) {
    narrowLanes(a, temporary);
    wrapNarrow(a, to);
  } else if (inI32(from) && inI32(to)) wrapNarrow(a, to);
  else if (from === int64 && to.kind === FLOAT) int64ToFloat(a, to, temporary);
  else throw new Unsupported(`${from.name} to ${to.name}`);
}

function int64ToFloat(a: Assembler, to: DType, temporary: number): void {
  a.set(temporary).get(temporary).lane("i64x2.extract_lane", 0).op("f64.convert_i64_s").op("f64x2.splat");
  a.get(temporary).lane("i64x2.extract_lane", 1).op("f64.convert_i64_s").lane("f64x2.replace_lane", 1);
  if (to === float32) a.op("f32x4.demote_f64x2_zero");
}

function toBool(a: Assembler, from: DType, lanes: Lanes): void {
  if (from === float32) a.f32(0).op("f32x4.splat").op("f32x4.ne");
  else if (from === float64) return void a.f64(0).op("f64x2.splat").op("f64x2.ne");
  else if (from === int64) return void a.i64(0n).op("i64x2.splat").op("i64x2.ne");
  else a.i32(0).op("i32x4.splat").op("i32x4.ne");
  if (lanes === 2) a.op("i64x2.extend_low_i32x4_s");
}

function fromBool(a: Assembler, to: DType, lanes: Lanes, temporary: number): void {
  if (to === float64) a.f64(1).op("f64x2.splat").op("v128.and");
  else if (to === int64) a.i64(1n).op("i64x2.splat").op("v128.and");
  else {
    if (lanes === 2) narrowLanes(a, temporary);
    if (to === float32) a.f32(1).op("f32x4.splat").op("v128.and");
    else a.i32(1).op("i32x4.splat").op("v128.and");
  }
}
