/** Views of a part of a tensor along one dimension. */
import { alternatives, kernel, view } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { INT } from "../../tensor/dtype.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { slice } from "./slicing.ts";
import { narrowStart, part, selectGeometry } from "./view-geometry.ts";

/**
 * A view of what lies at `index` along `dim`, without that dimension.
 *
 * @throws IndexError where `dim` or `index` is out of range.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).select(0, -1).tolist(); // [3, 4]
 */
export const select: Op<[self: Tensor, dim: number, index: number]> = view("select.int(Tensor self, int dim, int index) -> Tensor", {
  view: selectGeometry,
  backward: ({ grad, self_sizes, dim, index }) => select_backward(grad, self_sizes, dim, index),
});

/** `grad` at one index of zeros. */
const select_backward: FunctionOp<[grad_output: Tensor, input_sizes: Sizes, dim: number, index: number]> = kernel(
  "select_backward(Tensor grad_output, int[] input_sizes, int dim, int index) -> Tensor",
  {
    forward: (grad: Tensor, sizes: Sizes, dim: number, index: number) => {
      const out = filled(sizes, 0, grad.dtype);
      writeInto(part(out, selectGeometry(out, dim, index)), grad);
      return out;
    },
    backward: { grad_output: ({ grad, dim, index }) => select(grad, dim, index) },
  },
);

function narrowed(self: Tensor, dim: number, start: number, length: number): Tensor {
  if (self._sizes.length > 0 && length < 0) throw new RuntimeError("narrow(): length must be non-negative.");
  const first = narrowStart(self, dim, start, length);
  return slice(self, dim, first, first + length, 1);
}

/**
 * A view of `length` indices of `dim` from `start` on.
 *
 * @throws IndexError where `dim` or `start` is out of range; RuntimeError where the stretch ends beyond the dimension.
 * @example
 * torch.arange(6).narrow(0, 2, 3).tolist(); // [2, 3, 4]
 */
export const narrow: Op<[self: Tensor, dim: number, start: number | Tensor, length: number], { dim?: number; start?: number | Tensor; length?: number }> = alternatives({
  "narrow(Tensor self, int dim, int start, int length) -> Tensor": narrowed,
  "narrow.Tensor(Tensor self, int dim, Tensor start, int length) -> Tensor": (self: Tensor, dim: number, start: Tensor, length: number) => {
    if (start._sizes.length !== 0 || start.dtype.kind !== INT) throw new RuntimeError("start must be an 0-dim integral Tensor.");
    return narrowed(self, dim, Number(start.itemBigInt()), length);
  },
});
