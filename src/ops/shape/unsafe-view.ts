/** What `reshape` and composites are made of besides `view`; the graph shows them by their names. */
import { kernel, view } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import type { Sizes } from "../../tensor/layout.ts";
import { newCounter, Tensor } from "../../tensor/tensor.ts";
import { viewGeometry } from "./view-geometry.ts";

/** The elements of a fresh tensor, which nobody else holds, as `size`; unlike a view it has a version of its own. */
export const _unsafe_view: FunctionOp<[self: Tensor, size: readonly number[]]> = kernel("_unsafe_view(Tensor self, int[] size) -> Tensor", {
  forward: (self: Tensor, size: Sizes) => {
    const { sizes, strides, offset } = viewGeometry(self, size);
    return new Tensor(self._storage, sizes, strides, offset, self.dtype, newCounter());
  },
  backward: { self: ({ grad, self_sizes }) => grad.reshape(self_sizes) },
  method: false,
});

/** The view by which `reshape` reads a tensor that is not row-major; `stride` is known to fit. */
export const _reshape_alias: FunctionOp<[self: Tensor, size: readonly number[], stride: readonly number[]]> = view(
  "_reshape_alias(Tensor self, int[] size, int[] stride) -> Tensor",
  {
    view: (self: Tensor, sizes: Sizes, strides: Sizes) => ({ sizes, strides, offset: self._offset }),
    backward: ({ grad, self_sizes }) => grad.reshape(self_sizes),
    method: false,
  },
);
