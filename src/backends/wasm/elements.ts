/** How elements of each dtype lie in memory and in vectors: integers of up to 32 bits in i32 lanes, bools as masks. */
import { BOOL, bool, float32, float64, int16, int32, int64, int8, uint8, type DType } from "../../tensor/dtype.ts";
import type { Assembler } from "./assembler.ts";
import type { Lanes, LaneType, Vector } from "./vector.ts";

/** An operation or a cast that vectors do not do; the caller falls back to the reference backend. */
export class Unsupported extends Error {}

export const isNarrow = (dtype: DType): boolean => dtype === int8 || dtype === int16 || dtype === uint8;
/** Integers of up to 32 bits live in i32 lanes. */
export const inI32 = (dtype: DType): boolean => dtype === int32 || isNarrow(dtype);

/** The lanes that hold values of a dtype; a mask is as wide as the lanes of its kernel. */
export function laneTypeOf(dtype: DType, lanes: Lanes): LaneType {
  if (dtype === float32) return "f32";
  if (dtype === float64) return "f64";
  if (dtype === int64) return "i64";
  if (dtype === bool && lanes !== 4) return lanes === 2 ? "i64" : "i8";
  return "i32";
}

/** The lanes of consecutive elements as they are loaded, before they are unpacked. */
export const rawTypeOf = (dtype: DType): LaneType => (dtype.itemsize < 4 ? "i32" : laneTypeOf(dtype, 4));

type Bits = 8 | 16 | 32 | 64;
const bitsOf = (dtype: DType): Bits => (dtype.itemsize * 8) as Bits;

/** Loads consecutive elements from the address on the stack. */
export function loadVector(a: Assembler, dtype: DType, lanes: Lanes, offset: number): void {
  const bytes = dtype.itemsize * lanes;
  a.memory(bytes === 16 ? "v128.load" : bytes === 8 ? "v128.load64_zero" : bytes === 4 ? "v128.load32_zero" : "v128.load16_splat", offset);
}

/** Loads one element from the address on the stack into every place. */
export function loadSplat(a: Assembler, dtype: DType): void {
  const splat = { 8: "v128.load8_splat", 16: "v128.load16_splat", 32: "v128.load32_splat", 64: "v128.load64_splat" } as const;
  a.memory(splat[bitsOf(dtype)]);
}

/** Loads one element: address and vector are on the stack. */
export function loadOne(a: Assembler, dtype: DType, place: number): void {
  a.loadLane(bitsOf(dtype), place);
}

/** Stores consecutive elements: address and packed vector are on the stack. */
export function storeVector(a: Assembler, dtype: DType, lanes: Lanes, offset: number): void {
  const bytes = dtype.itemsize * lanes;
  if (bytes === 16) a.memory("v128.store", offset);
  else a.storeLane((bytes * 8) as Bits, 0, offset);
}

/** Stores one element of the packed vector on the stack. */
export function storeOne(a: Assembler, dtype: DType, place: number): void {
  a.storeLane(bitsOf(dtype), place);
}

/** Lanes out of elements as they lie in memory. */
export function unpack(raw: Vector, dtype: DType): Vector {
  if (dtype.itemsize >= 4) return raw;
  if (raw.graph.lanes === 16) return raw.as("i8").neg();
  if (dtype === int16) return raw.op("i32x4.extend_low_i16x8_s", "i32");
  if (dtype === int8) return raw.op("i16x8.extend_low_i8x16_s", "i32").op("i32x4.extend_low_i16x8_s", "i32");
  const words = raw.op("i16x8.extend_low_i8x16_u", "i32").op("i32x4.extend_low_i16x8_u", "i32");
  return dtype === uint8 ? words : widenMask(words.neg());
}

/** Elements as they lie in memory, in the low bytes, out of lanes. */
export function pack(value: Vector, dtype: DType): Vector {
  const { lanes } = value.graph;
  if (lanes === 16) return value.and(1);
  if (dtype === bool) return value.and(1).shuffle(lowBytes(1, lanes, lanes === 2 ? 8 : 4));
  return dtype.itemsize >= 4 ? value : value.shuffle(lowBytes(dtype.itemsize, lanes, 4));
}

const lowBytes = (width: number, lanes: Lanes, stride: number): number[] =>
  Array.from({ length: 16 }, (_, i) => (i < lanes * width ? Math.floor(i / width) * stride + (i % width) : 0));

const lowWords = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];
/** The low words of two 64-bit lanes, in the low lanes. */
export const narrow = (x: Vector): Vector => x.shuffle(lowWords, "i32");

/** A mask of i32 lanes, as wide as the kernel's lanes. */
export function widenMask(mask: Vector): Vector {
  return mask.graph.lanes === 2 && mask.type === "i32" ? mask.op("i64x2.extend_low_i32x4_s", "i64") : mask;
}

/** A mask as wide as the lanes of `type`. */
export function maskFor(mask: Vector, type: LaneType): Vector {
  return mask.type === "i64" && (type === "f32" || type === "i32") ? narrow(mask) : mask;
}

/** Brings i32 lanes back into the range of a narrower integer. */
export function wrapNarrow(x: Vector, dtype: DType): Vector {
  if (dtype === uint8) return x.and(255);
  if (!isNarrow(dtype)) return x;
  const bits = 32 - 8 * dtype.itemsize;
  return x.shiftLeft(bits).shiftRight(bits);
}

/** Is the constant one that lanes of the dtype can hold? */
export function holdsConstant(value: number, dtype: DType): boolean {
  if (dtype.kind === BOOL || dtype === float32 || dtype === float64) return true;
  return Number.isSafeInteger(value) && (dtype === int64 || value === (value | 0));
}
