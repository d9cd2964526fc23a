/**
 * Python's `x[…]`, entry by entry: what can be a view becomes one, tensors are left for the index ops
 * (torch/csrc/autograd/python_variable_indexing.cpp, aten/src/ATen/TensorIndexing.h).
 */
import { forget } from "../../autograd/variable.ts";
import { IndexError, ValueError } from "../../errors.ts";
import { bool, FLOAT, int64, uint8 } from "../../tensor/dtype.ts";
import { onlyElement } from "../../tensor/read.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { ellipsis, Slice, type Entry } from "./index-spec.ts";
import { select } from "../shape/selecting.ts";
import { unsqueeze } from "../shape/shape.ts";
import { slice } from "../shape/slicing.ts";

/** A view, and the index tensors that are still to be applied to it; without any, the view is the answer. */
export interface Applied {
  view: Tensor;
  tensors: (Tensor | null)[];
}

/** Applies all but the index tensors. A lone slice is a view even where it takes all, unless `writing`. */
export function applyIndex(self: Tensor, entries: readonly Entry[], writing: boolean): Applied {
  const lone = entries.length === 1 ? entries[0] : null;
  if (typeof lone === "number") return { view: selected(self, 0, lone, 0), tensors: [] };
  if (lone instanceof Slice) return { view: sliced(self, 0, lone, writing), tensors: [] };
  const specified = entries.reduce((n: number, entry) => n + dimensionsOf(entry), 0);
  const ndim = self._sizes.length;
  if (specified > ndim) throw new IndexError(`too many indices for tensor of dimension ${ndim}`);
  let view = self;
  const advance = (next: Tensor): void => {
    if (view !== self && view !== next) forget(view);
    view = next;
  };
  // A mask is one entry of the index list, but takes up as many dimensions as it has.
  let dim = 0;
  let slot = 0;
  const tensors: (Tensor | null)[] = [];
  const pass = (dims: number): void => {
    dim += dims;
    slot += dims;
  };
  const record = (index: Tensor): void => {
    while (tensors.length < slot) tensors.push(null);
    tensors[slot++] = index;
    dim += isMask(index) ? index._sizes.length : 1;
  };
  try {
    entries.forEach((entry, position) => {
      if (typeof entry === "number") advance(selected(view, dim, entry, position));
      else if (entry instanceof Slice) {
        advance(sliced(view, dim, entry, true));
        pass(1);
      } else if (entry === ellipsis) pass(ndim - specified);
      else if (entry === null) {
        advance(unsqueeze(view, dim));
        pass(1);
      } else if (typeof entry === "boolean") {
        advance(unsqueeze(view, dim));
        record(allOrNothing(entry));
      } else if (entry._sizes.length > 0 || entry.dtype.kind === FLOAT) record(entry);
      else if (isMask(entry)) {
        advance(unsqueeze(view, dim));
        record(allOrNothing(Number(onlyElement(entry)) !== 0));
      } else advance(selected(view, dim, Number(onlyElement(entry)), position));
    });
  } catch (error) {
    if (view !== self) forget(view);
    throw error;
  }
  return { view, tensors };
}

const isMask = (index: Tensor): boolean => index.dtype === bool || index.dtype === uint8;

/** How many dimensions of the indexed tensor an entry takes up. */
function dimensionsOf(entry: Entry): number {
  if (entry instanceof Tensor) return isMask(entry) ? entry._sizes.length : 1;
  return typeof entry === "number" || entry instanceof Slice ? 1 : 0;
}

/** The index of a new dimension of size 1 that keeps it or empties it. */
function allOrNothing(keep: boolean): Tensor {
  return keep ? filled([1], 0, int64) : emptyTensor([0], int64);
}

function selected(view: Tensor, dim: number, index: number, position: number): Tensor {
  const { _sizes: sizes } = view;
  if (index === 0 && dim === 0 && sizes.length === 0) {
    throw new IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number");
  }
  const size = sizes[dim] ?? 0;
  if (index < -size || index >= size) throw new IndexError(`index ${index} is out of bounds for dimension ${position} with size ${size}`);
  return select(view, dim, index);
}

function sliced(view: Tensor, dim: number, { start, stop, step }: Slice, skipWhole: boolean): Tensor {
  if (step === 0) throw new ValueError("slice step cannot be zero");
  if (step !== null && step < 0) throw new ValueError("step must be greater than zero");
  const takesAll = view._sizes.length > 0 && (start ?? 0) === 0 && (stop ?? Infinity) >= view._sizes[dim] && (step ?? 1) === 1;
  return takesAll && skipWhole ? view : slice(view, dim, start, stop, step ?? 1);
}
