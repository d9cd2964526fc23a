/** Copies elements from place to place in the heap, bit for bit. */
import type { PointwiseKernel } from "../../ir/kernel.ts";
import { heap } from "../../tensor/heap.ts";
import type { Sizes } from "../../tensor/layout.ts";
import { runPointwise, type Operand } from "../loop.ts";

/** Below this many elements a loop is quicker than a call of copyWithin. */
const SHORT = 16;

/** Copies a stretch; `words` gives the heap as integers of which `perElement` make an element. */
function mover(itemsize: number, perElement: number, words: () => Uint8Array | Int16Array | Int32Array): PointwiseKernel {
  const wordSize = itemsize / perElement;
  return (n, at, step) => {
    const dense = step[0] === itemsize;
    if (dense && step[1] === itemsize && n >= SHORT) {
      heap.u8.copyWithin(at[0], at[1], at[1] + n * itemsize);
      return;
    }
    const data = words();
    let to = at[0] / wordSize;
    let from = at[1] / wordSize;
    if (dense && step[1] === 0 && perElement === 1) {
      data.fill(data[from], to, to + n);
      return;
    }
    const [toStep, fromStep] = [step[0] / wordSize, step[1] / wordSize];
    for (let i = 0; i < n; i++, to += toStep, from += fromStep) {
      data[to] = data[from];
      if (perElement === 2) data[to + 1] = data[from + 1];
    }
  };
}

const movers: Record<number, PointwiseKernel> = {
  1: mover(1, 1, () => heap.u8),
  2: mover(2, 1, () => heap.i16),
  4: mover(4, 1, () => heap.i32),
  8: mover(8, 2, () => heap.i32), // not as doubles, which need not keep the bits of a NaN
};

/** Copies elements of `itemsize` bytes over all indices of `sizes`, along the memory order of the target. */
export function moveElements(sizes: Sizes, itemsize: number, to: Operand, from: Operand): void {
  const order = [...sizes.keys()].sort((a, b) => to.strides[b] - to.strides[a] || a - b);
  const ordered = (list: Sizes): number[] => order.map((d) => list[d]);
  runPointwise(movers[itemsize], ordered(sizes), [
    { address: to.address, strides: ordered(to.strides) },
    { address: from.address, strides: ordered(from.strides) },
  ]);
}
