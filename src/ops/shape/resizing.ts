/** Changes of a tensor's own sizes and storage: `resize_`, `set_` and their kin. */
import { alternatives, composite } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { gradMode } from "../../autograd/grad-mode.ts";
import { NotImplementedNode } from "../../autograd/node.ts";
import { bumpVersion, checkInplace, gradientNode, renewAccumulator, requiresGrad, setHistory } from "../../autograd/variable.ts";
import { RuntimeError } from "../../errors.ts";
import { Storage } from "../../tensor/heap.ts";
import { typeMetaName } from "../../tensor/dtype.ts";
import { contiguousStrides, sameSizes, listText, numelOf, type Sizes } from "../../tensor/layout.ts";
import { isInference, type Tensor } from "../../tensor/tensor.ts";
import { bytesWithin } from "./view-geometry.ts";

type Size = readonly number[];

/** Enlarges a storage where such a tensor would not fit. */
function makeRoom(storage: Storage, sizes: Sizes, strides: Sizes, offset: number, itemsize: number): void {
  const needed = bytesWithin(sizes, strides, offset, itemsize);
  if (needed > storage.nbytes) storage.grow(needed);
}

/** Gives `self` other sizes in row-major order from where it begins; elements that are new are not set. */
export function resizeTo(self: Tensor, sizes: Sizes): Tensor {
  const count = numelOf(sizes);
  if (count >= 2 ** 63 || sizes.some((s) => s < 0)) throw new RuntimeError("numel: integer multiplication overflow");
  if (count * self.dtype.itemsize >= 2 ** 63) throw new RuntimeError(`Storage size calculation overflowed with sizes=${listText(sizes)}`);
  if (sameSizes(self._sizes, sizes)) return self;
  const strides = contiguousStrides(sizes);
  makeRoom(self._storage, sizes, strides, self._offset, self.dtype.itemsize);
  self._setGeometry(sizes.slice(), strides, self._offset);
  bumpVersion(self);
  return self;
}

function refuseGradient(self: Tensor): void {
  if (requiresGrad(self) && !isInference()) throw new RuntimeError("cannot resize variables that require grad");
}

/**
 * Gives this tensor other sizes; its storage grows where it must, and new elements are not set.
 *
 * @throws RuntimeError where `self` requires grad.
 * @example
 * torch.arange(4).resize_(2).tolist(); // [0, 1]
 */
export const resize_: Op<[self: Tensor, size: Size], { memory_format?: unknown }> = composite(
  "resize_(Tensor self, int[] size, *, Any memory_format=None) -> Tensor",
  (self: Tensor, sizes: Sizes) => {
    refuseGradient(self);
    return resizeTo(self, sizes);
  },
);

/**
 * Gives this tensor the sizes of `the_template`.
 *
 * @throws RuntimeError where `self` requires grad.
 * @example
 * torch.resize_as_(torch.arange(4), torch.zeros(2)).tolist(); // [0, 1]
 */
export const resize_as_: Op<[self: Tensor, the_template: Tensor], { memory_format?: unknown }> = composite(
  "resize_as_(Tensor self, Tensor the_template, *, Any memory_format=None) -> Tensor",
  (self: Tensor, template: Tensor) => {
    refuseGradient(self);
    return resizeTo(self, template._sizes);
  },
);

/** Makes `self` share `storage`; PyTorch has no gradient for it. */
function setTo(self: Tensor, source: Tensor | null, storage: Storage, { sizes, strides, offset }: { sizes: Sizes; strides: Sizes; offset: number }): Tensor {
  const recording = gradMode.enabled && [self, source].some((t) => t !== null && requiresGrad(t));
  checkInplace(self, recording);
  if (source !== null && source.dtype !== self.dtype) {
    throw new RuntimeError(`Could not set tensor of type ${typeMetaName(source.dtype)} to a tensor of type ${typeMetaName(self.dtype)}`);
  }
  const node = recording ? new NotImplementedNode("set_", [self, source].map((t) => (t === null ? null : gradientNode(t)))) : null;
  makeRoom(storage, sizes, strides, offset, self.dtype.itemsize);
  self._storage = storage;
  self._setGeometry(sizes, strides, offset);
  bumpVersion(self);
  if (node !== null) setHistory(self, node);
  else if (self._meta !== null && self._meta.accumulator !== null) renewAccumulator(self);
  return self;
}

const nothing = { sizes: [0], strides: [1], offset: 0 };

/**
 * Makes this tensor share the storage of `source`, with its sizes and strides or with those given; without a source it becomes empty.
 *
 * @throws RuntimeError where the dtypes differ, or `self` is a leaf that requires grad.
 * @example
 * torch.zeros(1).set_(torch.ones(2)).tolist(); // [1, 1]
 */
export const set_: Op<[self: Tensor, source?: Tensor, storage_offset?: number, size?: Size, stride?: Size]> = alternatives({
  "set_(Tensor self) -> Tensor": (self: Tensor) => setTo(self, null, new Storage(0), nothing),
  "set_.source_Tensor(Tensor self, Tensor source) -> Tensor": (self: Tensor, source: Tensor) =>
    setTo(self, source, source._storage, { sizes: source._sizes, strides: source._strides, offset: source._offset }),
  "set_.source_Tensor_storage_offset(Tensor self, Tensor source, int storage_offset, int[] size, int[] stride=[]) -> Tensor": (
    self: Tensor,
    source: Tensor,
    offset: number,
    sizes: Sizes,
    strides: Sizes,
  ) => setTo(self, source, source._storage, { sizes, strides: strides.length === sizes.length ? strides : contiguousStrides(sizes), offset }),
});
