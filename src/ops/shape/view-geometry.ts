/** Where views lie in the memory of their tensor: sizes, strides and offset, with PyTorch's refusals. */
import type { View } from "../../dispatch/define.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { inferSize, listText, viewStrides, wrapDim, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** `self[start:end:step]` along `dim`; the bounds may be negative, and are clamped as Python clamps them. */
export function sliceGeometry(self: Tensor, dim: number, start: number | null, end: number | null, step: number): View {
  if (self._sizes.length === 0) throw new IndexError("slice() cannot be applied to a 0-dim tensor.");
  const d = wrapDim(dim, self._sizes.length);
  if (step <= 0) throw new RuntimeError("slice step must be positive");
  const size = self._sizes[d];
  const within = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + size : bound, 0), size);
  const first = within(start ?? 0);
  const last = Math.max(within(end ?? size), first);
  return {
    sizes: self._sizes.with(d, Math.ceil((last - first) / step)),
    strides: self._strides.with(d, self._strides[d] * step),
    offset: self._offset + first * self._strides[d],
  };
}

/** Where a stretch of `length` indices of `dim` starts, counted from 0. */
export function narrowStart(self: Tensor, dim: number, start: number, length: number): number {
  if (self._sizes.length === 0) throw new RuntimeError("narrow() cannot be applied to a 0-dim tensor.");
  const size = self._sizes[wrapDim(dim, self._sizes.length)];
  if (start < -size || start > size) throw new IndexError(`start out of range (expected to be in range of [${-size}, ${size}], but got ${start})`);
  const first = start < 0 ? start + size : start;
  if (length < 0 || first > size - length) throw new RuntimeError(`start (${first}) + length (${length}) exceeds dimension size (${size}).`);
  return first;
}

/** The same elements as `size`, in which one size may be -1. */
export function viewGeometry(self: Tensor, size: Sizes): View {
  const sizes = inferSize(size, self._numel);
  const strides = viewStrides(self._sizes, self._strides, sizes);
  if (strides === null) {
    throw new RuntimeError(
      "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
    );
  }
  return { sizes, strides, offset: self._offset };
}

/** What lies at `index` along `dim`, without that dimension. */
export function selectGeometry(self: Tensor, dim: number, index: number): View {
  const { _sizes: sizes, _strides: strides } = self;
  if (sizes.length === 0) throw new IndexError("select() cannot be applied to a 0-dim tensor.");
  const d = wrapDim(dim, sizes.length);
  const size = sizes[d];
  if (index < -size || index >= size) {
    throw new IndexError(`select(): index ${index} out of range for tensor of size ${listText(sizes)} at dimension ${d}`);
  }
  return { sizes: sizes.toSpliced(d, 1), strides: strides.toSpliced(d, 1), offset: self._offset + (index < 0 ? index + size : index) * strides[d] };
}

/** Two different dimensions, wrapped. */
export function wrapPlane(ndim: number, dim1: number, dim2: number): [number, number] {
  const plane: [number, number] = [wrapDim(dim1, ndim), wrapDim(dim2, ndim)];
  if (plane[0] === plane[1]) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
  return plane;
}

/** The diagonal of the plane (dim1, dim2), `offset` above the main one; it becomes the last dimension. */
export function diagonalGeometry(self: Tensor, offset: number, dim1: number, dim2: number): View {
  const { _sizes: sizes, _strides: strides } = self;
  const [a, b] = wrapPlane(sizes.length, dim1, dim2);
  const length = Math.max(offset >= 0 ? Math.min(sizes[a], sizes[b] - offset) : Math.min(sizes[a] + offset, sizes[b]), 0);
  const start = length === 0 ? 0 : offset >= 0 ? offset * strides[b] : -offset * strides[a];
  const others = [...sizes.keys()].filter((d) => d !== a && d !== b);
  return {
    sizes: [...others.map((d) => sizes[d]), length],
    strides: [...others.map((d) => strides[d]), strides[a] + strides[b]],
    offset: self._offset + start,
  };
}

/** Windows of `size` elements along `dimension`, `step` apart; they lie along a new last dimension. */
export function windowGeometry(self: Tensor, dimension: number, size: number, step: number): View {
  const ndim = self._sizes.length;
  const d = wrapDim(dimension, ndim);
  const length = ndim === 0 ? 1 : self._sizes[d];
  if (size < 0) throw new RuntimeError(`size is ${size} but must be >= 0`);
  if (size > length) throw new RuntimeError(`maximum size for tensor at dimension ${d} is ${length} but size is ${size}`);
  if (step <= 0) throw new RuntimeError(`step is ${step} but must be > 0`);
  if (ndim === 0) return { sizes: [size], strides: [1], offset: self._offset };
  const count = Math.floor((length - size) / step) + 1;
  return { sizes: [...self._sizes.with(d, count), size], strides: [...self._strides.with(d, self._strides[d] * step), self._strides[d]], offset: self._offset };
}

/** Any sizes and strides within the storage of `self`. */
export function stridedGeometry(self: Tensor, sizes: Sizes, strides: Sizes, storageOffset: number | null): View {
  const offset = storageOffset ?? self._offset;
  if (sizes.length !== strides.length) throw new RuntimeError("mismatch in length of strides and shape");
  if (strides.some((s) => s < 0)) throw new RuntimeError(`as_strided: Negative strides are not supported at the moment, got strides: ${listText(strides)}`);
  if (offset < 0) throw new RuntimeError(`Tensor: invalid storage offset ${offset}`);
  if (sizes.some((s) => s < 0)) throw new RuntimeError(`Storage size calculation overflowed with sizes=${listText(sizes)} and strides=${listText(strides)}`);
  const needed = bytesWithin(sizes, strides, offset, self.dtype.itemsize);
  if (needed > self._storage.nbytes) {
    throw new RuntimeError(
      `setStorage: sizes ${listText(sizes)}, strides ${listText(strides)}, storage offset ${offset}, and itemsize ${self.dtype.itemsize} requiring a storage size of ${needed} are out of bounds for storage of size ${self._storage.nbytes}`,
    );
  }
  return { sizes: sizes.slice(), strides: strides.slice(), offset };
}

/** How many bytes a storage needs to hold such a tensor. */
export function bytesWithin(sizes: Sizes, strides: Sizes, offset: number, itemsize: number): number {
  return sizes.includes(0) ? 0 : (sizes.reduce((last, s, d) => last + (s - 1) * strides[d], offset) + 1) * itemsize;
}

/** `view` of memory as a tensor that autograd does not know as a view. */
export function part(of: Tensor, { sizes, strides, offset }: View): Tensor {
  return of._aliased(sizes, strides, offset);
}
