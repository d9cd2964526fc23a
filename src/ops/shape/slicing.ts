/** Views that the torch namespace does not name: what indexing with slices is made of. */
import { kernel, view } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { part, sliceGeometry } from "./view-geometry.ts";

/** The elements from `start` up to, but without, `end` along `dim`, each `step`th. */
export const slice: FunctionOp<[self: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number]> = view(
  "slice(Tensor self, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor",
  {
    view: sliceGeometry,
    backward: ({ grad, self_sizes, dim, start, end, step }) => slice_backward(grad, self_sizes, dim, start, end, step),
    method: false,
  },
);

/** `grad` in the place of a slice in zeros. */
export const slice_backward: FunctionOp<[grad_output: Tensor, input_sizes: Sizes, dim: number, start: number | null, end: number | null, step: number]> = kernel(
  "slice_backward(Tensor grad_output, int[] input_sizes, int dim, int? start, int? end, int step) -> Tensor",
  {
    forward: (grad: Tensor, sizes: Sizes, dim: number, start: number | null, end: number | null, step: number) => {
      const out = filled(sizes, 0, grad.dtype);
      writeInto(part(out, sliceGeometry(out, dim, start, end, step)), grad);
      return out;
    },
    backward: { grad_output: ({ grad, dim, start, end, step }) => slice(grad, dim, start, end, step) },
  },
);

/** A view of all of `self`. */
export const alias: FunctionOp<[self: Tensor]> = view("alias(Tensor self) -> Tensor", {
  view: (self: Tensor) => ({ sizes: self._sizes, strides: self._strides, offset: self._offset }),
  backward: ({ grad }) => grad,
  method: false,
});
