/** What a kernel is told at a call: addresses, steps and scalars, written to a block of the heap. */
import { bool, float32, float64, int16, int32, int64, int8, type DType } from "../../tensor/dtype.ts";
import { fixedBytes, heap } from "../../tensor/heap.ts";
import type { Expr } from "../../ir/expr.ts";
import { toInt64 } from "../reference/math.ts";
import type { Assembler } from "./assembler.ts";
import { Unsupported } from "./elements.ts";
import { nodesOf } from "./translate.ts";

/** An operand or a number that an expression reads. */
export interface Leaf {
  readonly index: number;
  readonly dtype: DType;
}

/** Sixteen operands at 16 bytes: address, step, outer step, and with the first the length of a row; then sixteen scalars at 8 bytes. */
const block = fixedBytes(384);
const operandBytes = 16;
const rowLengthAt = 12;
const scalarsAt = 256;
const most = 16;

/** The inputs or the scalars of expressions, in order. */
export function leavesOf(exprs: readonly Expr[], tag: "input" | "scalar"): Leaf[] {
  const found = new Map<number, DType>();
  for (const expr of exprs) {
    for (const { kind, dtype } of nodesOf(expr)) {
      if (kind.tag !== tag) continue;
      if ((found.get(kind.index) ?? dtype) !== dtype) throw new Unsupported(`${tag} ${kind.index} as two dtypes`);
      found.set(kind.index, dtype);
    }
  }
  if (found.size >= most) throw new Unsupported(`${found.size} of ${tag}`);
  return [...found].map(([index, dtype]) => ({ index, dtype })).sort((x, y) => x.index - y.index);
}

/** Where the parameters lie: what every kernel is called with. */
export const blockAddress = (): number => block;

/** Tells where the k-th operand starts and how it advances. */
export function writeOperand(k: number, address: number, step: number, outerStep = 0): void {
  const at = (block + operandBytes * k) >>> 2;
  heap.i32[at] = address;
  heap.i32[at + 1] = step;
  heap.i32[at + 2] = outerStep;
}

/** How an operand advances within a row: by its size, not at all, or by any other step. */
export type Advance = "contiguous" | "splat" | "strided";
const advances: readonly Advance[] = ["contiguous", "splat", "strided"];

/** How the operand that is `fromLast`-last advances in a layout that `writeOperands` gave. */
export const advanceIn = (layout: number, fromLast: number): Advance => advances[Math.floor(layout / 3 ** fromLast) % 3];

/** Where the operands of a kernel are found in the lists of a call, and the sizes of their elements. */
export interface Places {
  readonly place: readonly number[];
  readonly itemsize: readonly number[];
}

export function placesOf(out: DType, inputs: readonly Leaf[]): Places {
  return { place: [0, ...inputs.map(({ index }) => index + 1)], itemsize: [out.itemsize, ...inputs.map(({ dtype }) => dtype.itemsize)] };
}

/**
 * Tells where operands start and how they advance in `outer` rows of `inner` elements. Returns the layout, a number of one
 * ternary digit for each operand. What a kernel of this layout does not read is left out: calls on small tensors are many.
 */
export function writeOperands({ place, itemsize }: Places, at: readonly number[], step: readonly number[], outerStep: readonly number[], inner: number, outer: number): number {
  const words = heap.i32;
  let word = block >>> 2;
  words[word + 3] = inner;
  let layout = 0;
  for (let k = 0; k < place.length; k++, word += 4) {
    const i = place[k];
    const by = step[i];
    words[word] = at[i];
    layout *= 3;
    if (by !== itemsize[k]) {
      layout += by === 0 ? 1 : 2;
      words[word + 1] = by;
    }
    if (outer > 1) words[word + 2] = outerStep[i];
  }
  return layout;
}

/** The layout of inputs that advance by their size or not at all, and -1 if an operand advances otherwise; the output's digit is 0. */
export function layoutOf({ place, itemsize }: Places, step: readonly number[]): number {
  if (step[0] !== itemsize[0]) return -1;
  let layout = 0;
  for (let k = 1; k < place.length; k++) {
    const by = step[place[k]];
    layout *= 3;
    if (by === itemsize[k]) continue;
    if (by !== 0) return -1;
    layout++;
  }
  return layout;
}

/** Tells the numbers, each as the lanes of its dtype hold it, from the address `start` on. */
export function writeScalars(scalars: readonly Leaf[], values: readonly (number | bigint)[], start = block + scalarsAt): void {
  for (let k = 0; k < scalars.length; k++) {
    const { index, dtype } = scalars[k];
    const at = start + 8 * k;
    const value = values[index];
    if (dtype === float32) heap.f32[at >>> 2] = Number(value);
    else if (dtype === float64) heap.f64[at >>> 3] = Number(value);
    else if (dtype === int64) heap.i64[at >>> 3] = typeof value === "number" ? toInt64(value) : value;
    else if (dtype === bool) heap.i64[at >>> 3] = Number(value) === 0 ? 0n : -1n;
    else heap.i32[at >>> 2] = wrapped(Number(value), dtype);
  }
}

function wrapped(value: number, dtype: DType): number {
  if (dtype === int32) return value | 0;
  if (dtype === int16) return (value << 16) >> 16;
  return dtype === int8 ? (value << 24) >> 24 : value & 255;
}

export type OperandField = "address" | "step" | "outerStep";
const offsets: Record<OperandField, number> = { address: 0, step: 4, outerStep: 8 };

/** Reads what the k-th operand was told; `parameters` is the local with the block's address. */
export function readOperand(a: Assembler, parameters: number, k: number, field: OperandField): void {
  a.get(parameters).memory("i32.load", operandBytes * k + offsets[field]);
}

/** Reads how many elements a row has. */
export function readRowLength(a: Assembler, parameters: number): void {
  a.get(parameters).memory("i32.load", rowLengthAt);
}

/** Reads the k-th scalar into every lane; scalars lie from `offset` on in the block. */
export function readScalar(a: Assembler, parameters: number, k: number, dtype: DType, offset = scalarsAt): void {
  a.get(parameters).memory(dtype.itemsize === 8 || dtype === bool ? "v128.load64_splat" : "v128.load32_splat", offset + 8 * k);
}
