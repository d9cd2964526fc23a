/** Filling a tensor element by element in the order in which its elements lie, as PyTorch's serial kernels do. */
import { refuseInternalOverlap } from "../../dispatch/iterate.ts";
import { channelsLastStrides, isChannelsLast, isNonOverlappingAndDense, sameSizes } from "../../tensor/layout.ts";
import { viewTyped, type ElementArray } from "../../tensor/read.ts";
import { emptyStrided, emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy, writeInto } from "./copy.ts";
import { emptyLike } from "./fill.ts";

/** Lets `fill` write the elements of `self`, which it gets in memory order; nothing happens where there are none. */
export function fillInMemoryOrder(self: Tensor, fill: (elements: ElementArray) => void): void {
  refuseInternalOverlap(self);
  const { _sizes: sizes, _strides: strides, _numel: numel } = self;
  if (numel === 0) return;
  if (isNonOverlappingAndDense(sizes, strides)) return fill(viewTyped(self._aliased([numel], [1], self._offset)));
  const inOrder = orderedAs(self, self);
  const filled = emptyTensor(inOrder._sizes, self.dtype);
  fill(viewTyped(filled));
  writeInto(inOrder, filled);
}

/** The elements of `t`, which has the sizes of `self`, copied in the order in which the elements of `self` lie. */
export function readInMemoryOrder(t: Tensor, self: Tensor): ElementArray {
  return viewTyped(contiguousCopy(orderedAs(t, self))).slice();
}

/** The same memory with the dimensions from the slowest of `self` to its fastest. */
function orderedAs(t: Tensor, self: Tensor): Tensor {
  const order = [...self._sizes.keys()].sort((a, b) => self._strides[b] - self._strides[a]);
  return t._aliased(order.map((d) => t._sizes[d]), order.map((d) => t._strides[d]), t._offset);
}

/** `t` in the memory order of `like`, with the channels innermost where they are so there. */
export function inFormatOf(like: Tensor, t: Tensor): Tensor {
  if (like._contiguous || !isChannelsLast(like._sizes, like._strides)) return t;
  return writeInto(emptyStrided(t._sizes, channelsLastStrides(t._sizes), t.dtype), t);
}

/** `t`, which has the sizes of `like`, as `empty_like` would lay it out. */
export function inOrderOf(like: Tensor, t: Tensor): Tensor {
  if (sameSizes(like._strides, t._strides)) return t;
  return writeInto(emptyLike(like, t.dtype), t);
}
