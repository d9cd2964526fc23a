/** Views and rearrangements. */
import { view } from "../dispatch/define.ts";
import type { InplaceOp } from "../dispatch/op.ts";
import { RuntimeError } from "../errors.ts";
import { listText, type Sizes } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { asStridedBackward } from "./as-strided.ts";

type Size = readonly number[];
/** A view with any sizes, strides and offset over the same storage. */
export const as_strided: InplaceOp<[self: Tensor, size: Size, stride: Size, storage_offset?: number | null], { storage_offset?: number | null }> = view(
  "as_strided(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
  {
    view: (self: Tensor, size: Sizes, stride: Sizes, offset: number | null) => {
      checkStrided(self, size, stride, offset ?? self._offset);
      return { sizes: size.slice(), strides: stride.slice(), offset: offset ?? self._offset };
    },
    backward: ({ grad, self_sizes, self_strides, self_offset, size, stride, storage_offset }) =>
      asStridedBackward(grad, { sizes: self_sizes, strides: self_strides, offset: self_offset }, { sizes: size, strides: stride, offset: storage_offset ?? self_offset }),
    inplaceNode: "AsStridedBackward1",
  },
);

function checkStrided(self: Tensor, size: Sizes, stride: Sizes, offset: number): void {
  if (size.length !== stride.length) throw new RuntimeError("mismatch in length of strides and shape");
  if (stride.some((s) => s < 0)) throw new RuntimeError(`as_strided: Negative strides are not supported at the moment, got strides: ${listText(stride)}`);
  if (offset < 0) throw new RuntimeError(`Tensor: invalid storage offset ${offset}`);
  if (size.includes(0)) return;
  const last = size.reduce((n, s, i) => n + (s - 1) * stride[i], offset) + 1;
  const { itemsize } = self.dtype;
  if (last * itemsize > self._storage.nbytes) {
    throw new RuntimeError(
      `setStorage: sizes ${listText(size)}, strides ${listText(stride)}, storage offset ${offset}, and itemsize ${itemsize} requiring a storage size of ${last * itemsize} are out of bounds for storage of size ${self._storage.nbytes}`,
    );
  }
}
