/** Index tensors made ready for the routines that move elements. */
import { addOffsets, coordinates, nonzeroPositions, stridedOffsets, wordsAt, type TableWalk } from "../../backends/reference/gather.ts";
import { coalesce, forEachIndex } from "../../backends/loop.ts";
import { memoryOrder } from "../../dispatch/iterate.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { int32, int64, type DType } from "../../tensor/dtype.ts";
import { heap } from "../../tensor/heap.ts";
import { expandedStrides, type Sizes } from "../../tensor/layout.ts";
import { heapAs, viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy } from "../creation/copy.ts";

/** Address of the first element, counted in elements: where `heapAs(dtype)` has it, until the next allocation. */
export function elementStart(t: Tensor): number {
  return t._address / t.dtype.itemsize;
}

const wordsAtAddress = (address: number, numel: number): Int32Array => heap.i32.subarray(address / 4, address / 4 + 2 * numel);

/** The entries of an integer tensor in row-major order, as int64 of two words each. Valid until the next allocation. */
export function wordsOf(index: Tensor): Int32Array {
  const plain = index.dtype === int64 && index._contiguous ? index : contiguousCopy(index, int64);
  return wordsAtAddress(plain._address, plain._numel);
}

/** How far each entry leads along a dimension of `size` with `stride`; `complain` makes the error for one out of range. */
export function offsetTable(index: Tensor, size: number, stride: number, wrap: boolean, complain: (entry: number) => Error): Uint32Array {
  const offsets = new Uint32Array(index._numel);
  const words = wordsOf(index);
  const bad = addOffsets(words, size, stride, wrap, offsets);
  if (bad >= 0) throw complain(wordsAt(words, bad));
  return offsets;
}

export const isIndexDtype = (dtype: DType): boolean => dtype === int64 || dtype === int32;

/** Sizes and strides; a 0-dim tensor counts as one dimension of size 1. */
export function dimensioned(t: Tensor): { sizes: number[]; strides: number[] } {
  return t._sizes.length === 0 ? { sizes: [1], strides: [1] } : { sizes: [...t._sizes], strides: [...t._strides] };
}

/** The walk in which `offsets` take the place of a dimension of `self`. */
export function alongTable(self: Tensor, dim: number, offsets: Uint32Array, positions: Sizes): TableWalk {
  const { strides } = dimensioned(self);
  strides[dim] = 0;
  return { start: elementStart(self), strides, offsets, positions };
}

/** Steps through a table of one entry for each index of `dim`. */
export function vectorPositions(ndim: number, dim: number): number[] {
  return Array.from({ length: Math.max(ndim, 1) }, (_, d) => (d === dim ? 1 : 0));
}

/**
 * The table of an index tensor that names places along `dim`, one for each of its elements. `operands`: the steps of the
 * tensors that PyTorch's loop goes over besides, 0 along `dim` where the index leads.
 */
export function tableAlong(self: Tensor, dim: number, index: Tensor, operands: readonly Sizes[]): Uint32Array {
  const { sizes, strides } = dimensioned(self);
  const complain = (): RuntimeError => {
    const met = entryMet(index, (entry) => entry < 0 || entry >= sizes[dim], operands, dim);
    return new RuntimeError(`index ${met!.entry} is out of bounds for dimension ${dim} with size ${sizes[dim]}`);
  };
  return offsetTable(index, sizes[dim], strides[dim], false, complain);
}

/** Checks entries that count through all elements of `self`, and gives the places that they name; `beside`: the steps of the tensor that is read or written along. */
export function placesOf(self: Tensor, index: Tensor, beside: Sizes): Uint32Array {
  const { _numel: numel } = self;
  const complain = (): IndexError => {
    const met = entryMet(index, (entry) => entry < -numel || entry >= numel, [beside]);
    return new IndexError(`out of range: tried to access index ${met!.entry} on a tensor of ${numel} elements.`);
  };
  return offsetsIn(self, offsetTable(index, numel, 1, true, complain));
}

/**
 * The entry of `index` that PyTorch's loop meets first of those that are bad: it goes over dimensions as `operands` and
 * the index lie in memory (TensorIterator), with `dim` inside all others if it is the last, else inside all but the innermost.
 * `turn` tells when it was met.
 */
export function entryMet(index: Tensor, isBad: (entry: number) => boolean, operands: readonly Sizes[], dim: number | null = null): { entry: number; turn: number } | null {
  const { sizes, strides } = dimensioned(index);
  const walked = dim === null ? sizes : sizes.with(dim, 1);
  const steps = [...operands, strides];
  const order = memoryOrder(walked, steps).reverse();
  const loop = coalesce(order.map((d) => walked[d]), steps.map((s) => order.map((d) => s[d])));
  const step = loop.strides[operands.length];
  if (dim !== null) {
    const place = dim === sizes.length - 1 ? step.length : Math.max(step.length - 1, 0);
    loop.sizes.splice(place, 0, sizes[dim]);
    step.splice(place, 0, strides[dim]);
  }
  const entries = heapAs(index.dtype);
  const at = [elementStart(index)];
  let [turn, met]: [number, { entry: number; turn: number } | null] = [0, null];
  forEachIndex(loop.sizes, [step], at, () => {
    const entry = Number(entries[at[0]]);
    if (met === null && isBad(entry)) met = { entry, turn };
    turn++;
  });
  return met;
}

/** `t` as if it had larger sizes; unrecorded. */
export function expandedTo(t: Tensor, sizes: Sizes): Tensor {
  return t._aliased(sizes, expandedStrides(t._sizes, t._strides, sizes), t._offset);
}

/** Row-major positions of the elements that are not zero. */
export function positionsOfNonzero(t: Tensor): Uint32Array {
  return nonzeroPositions(viewTyped(t._contiguous ? t : contiguousCopy(t)));
}

/** How far from its first element the elements of `t` lie that stand at row-major `positions`. */
export function offsetsIn(t: Tensor, positions: Uint32Array): Uint32Array {
  return t._contiguous ? positions : stridedOffsets(positions, t._sizes, t._strides);
}

/** A row of coordinates for each element of `t` that is not zero, in order; in memory the columns lie one after another. */
export function nonzeroRows(t: Tensor): Tensor {
  const positions = positionsOfNonzero(t);
  const columns = emptyTensor([t._sizes.length, positions.length], int64);
  coordinates(positions, t._sizes, wordsAtAddress(columns._address, columns._numel));
  return columns._aliased([positions.length, t._sizes.length], [1, positions.length], 0);
}

/** The columns of `nonzeroRows`, one index tensor for each dimension. */
export function coordinatesOfNonzero(t: Tensor): Tensor[] {
  const rows = nonzeroRows(t);
  return t._sizes.map((_, d) => rows._aliased([rows._sizes[0]], [1], d * rows._sizes[0]));
}

/** Both forms of an op that overwrites part of `self`: into a copy, and into `self` itself. */
export function writingForms<R extends unknown[]>(write: (self: Tensor, ...rest: R) => void, copy: (self: Tensor) => Tensor = contiguousCopy) {
  return {
    forward: (self: Tensor, ...rest: R): Tensor => {
      const out = copy(self);
      write(out, ...rest);
      return out;
    },
    inplace: write,
  };
}
