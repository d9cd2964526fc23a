/** Sees N-dimensional operands as rows: some dimensions index the rows, the others a row's elements. */
import type { RowKernel, RowShape } from "../ir/rows.ts";
import { Storage } from "../tensor/heap.ts";
import type { Sizes } from "../tensor/layout.ts";
import { coalesce, forEachIndex, type Operand } from "./loop.ts";

/** Dimensions in the order of memory, as the first operand that tells lies in it: the widest steps first. */
function inMemoryOrder(dims: readonly number[], operands: readonly Operand[]): number[] {
  return [...dims].sort((d, e) => {
    for (const { strides } of operands) if (strides[d] !== 0 && strides[e] !== 0 && strides[d] !== strides[e]) return strides[e] - strides[d];
    return d - e;
  });
}

function merged(dims: readonly number[], sizes: Sizes, operands: readonly Operand[]): { sizes: number[]; strides: number[][] } {
  const order = inMemoryOrder(dims, operands);
  return coalesce(order.map((d) => sizes[d]), operands.map(({ strides }) => order.map((d) => strides[d])));
}

/**
 * Calls `run` with rows of the elements along `dims`. Every operand has a stride, in bytes, for each dimension: 0 where
 * it does not advance. At most two dimensions may remain of `dims` after merging; returns false where more do.
 */
export function forEachRows(sizes: Sizes, dims: readonly number[], operands: readonly Operand[], run: (shape: RowShape, at: number[]) => void): boolean {
  const elements = merged(dims, sizes, operands);
  if (elements.sizes.length > 2) return false;
  const rows = merged(sizes.flatMap((_, d) => (dims.includes(d) ? [] : [d])), sizes, operands);
  const shape = { sizes: [1, 1, 1, 1], steps: new Array<number>(4 * operands.length).fill(0) };
  for (const [part, first] of [[rows, 0], [elements, 2]] as const) {
    for (let place = 1; place >= 0 && part.sizes.length > 0; place--) {
      shape.sizes[first + place] = part.sizes.pop()!;
      part.strides.forEach((s, q) => (shape.steps[4 * q + first + place] = s.pop()!));
    }
  }
  const at = operands.map((o) => o.address);
  forEachIndex(rows.sizes, rows.strides, at, () => run(shape, at));
  return true;
}

/** A reduction in three kernels: all at once; stretches of rows, into accumulators; and the fold of those. */
export interface ReductionKernels {
  readonly whole: RowKernel;
  readonly partial: RowKernel;
  /** Its operands are the accumulators and the result. */
  readonly combined: RowKernel;
  /** Bytes of an accumulator. */
  readonly itemsize: number;
}

/** Fewer rows than these are cut into stretches of so many elements, wherever they are computed. */
const FEW = 16;
const STRETCH = 1 << 14;

/** Folds each row into an element of the last operand. A few long rows are cut into stretches, which are folded in order. */
export function reduceRows(kernels: ReductionKernels, shape: RowShape, at: readonly number[], scalars: readonly (number | bigint)[]): void {
  const { sizes, steps } = shape;
  const cut = sizes[2] > 1 ? 2 : 3;
  const length = cut === 3 ? STRETCH : Math.max(1, Math.floor(STRETCH / sizes[3]));
  const count = Math.floor(sizes[cut] / length);
  if (sizes[0] > 1 || sizes[1] >= FEW || count < 2) return kernels.whole(shape, at, scalars);
  const rows = sizes[1];
  const rest = sizes[cut] - count * length;
  const bytes = rows * kernels.itemsize;
  const scratch = Storage.beside(bytes * (count + 1));
  const result = at.length - 1;
  const parts = (stretches: number, elements: number, first: number): void => {
    const part = { sizes: [stretches, ...sizes.slice(1)], steps: steps.slice() };
    part.sizes[cut] = elements;
    for (let q = 0; q < at.length; q++) part.steps[4 * q] = steps[4 * q + cut] * length;
    part.steps.splice(4 * result, 4, bytes, kernels.itemsize, 0, 0);
    const starts = at.map((address, q) => (q === result ? scratch.address + first * bytes : address + first * part.steps[4 * q]));
    kernels.partial(part, starts, scalars);
  };
  parts(count, length, 0);
  if (rest > 0) parts(1, rest, count);
  const folded = { sizes: [1, rows, 1, count + (rest > 0 ? 1 : 0)], steps: [0, kernels.itemsize, 0, bytes, ...steps.slice(4 * result)] };
  kernels.combined(folded, [scratch.address, at[result]], scalars);
}
