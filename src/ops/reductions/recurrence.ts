/** What the gradients of sums and products along a dimension are made of; none of it has a name in PyTorch. */
import { kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { Scanner } from "../../dispatch/scan.ts";
import { lanesOf, type FloatArray } from "../../backends/reference/lanes.ts";
import { recurrenceLanes } from "../../backends/reference/recurrence.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor, writeInto } from "../creation/copy.ts";
import { filled, fillWith } from "../creation/fill.ts";

const sums = new Scanner("sum");

/** The sum of each element and all after it along `dim` (wrapped): the adjoint of `cumsum`. */
export const suffixSum: FunctionOp<[self: Tensor, dim: number]> = kernel("suffix_sum(Tensor self, int dim) -> Tensor", {
  forward: (self: Tensor, dim: number) => sums.run(self, dim, self.dtype, { backwards: true }),
  backward: { self: ({ grad, dim }) => grad.cumsum(dim) },
  method: false,
});

/** The elements moved by one along `dim`, towards the end for `by` 1 or the start for -1; the freed places are `fill`. */
export const shifted: FunctionOp<[self: Tensor, dim: number, by: 1 | -1, fill: number]> = kernel("shifted(Tensor self, int dim, int by, float fill) -> Tensor", {
  forward: (self: Tensor, dim: number, by: 1 | -1, fill: number) => {
    const out = filled(self._sizes, fill, self.dtype);
    const place = (t: Tensor, first: number): Tensor =>
      t._aliased(t._sizes.map((s, d) => (d === dim ? s - 1 : s)), t._strides, t._offset + first * t._strides[dim]);
    if (self._sizes[dim] > 1) writeInto(place(out, by === 1 ? 1 : 0), place(self, by === 1 ? 0 : 1));
    return out;
  },
  backward: { self: ({ grad, dim, by }) => shifted(grad, dim, -by as 1 | -1, 0) },
  method: false,
});

/**
 * Along `dim`, y[k] = self[k] + factor[k] · y[k - 1]; `backwards`, its adjoint y[k] = self[k] + factor[k + 1] · y[k + 1].
 * No division is in it, so that gradients of products made with it are exact where factors are zero.
 */
export const recurrence: FunctionOp<[self: Tensor, factor: Tensor, dim: number, backwards: boolean]> = kernel(
  "recurrence(Tensor self, Tensor factor, int dim, bool backwards) -> Tensor",
  {
    forward: (self: Tensor, factor: Tensor, dim: number, backwards: boolean) => {
      const out = emptyTensor(self._sizes, self.dtype);
      const inputs = [rowMajor(self), rowMajor(factor, self.dtype)];
      const [a, b] = inputs.map((t) => viewTyped(t) as FloatArray);
      recurrenceLanes(a, b, viewTyped(out) as FloatArray, lanesOf(self._sizes, dim), backwards);
      return out;
    },
    backward: {
      self: ({ grad, factor, dim, backwards }) => recurrence(grad, factor, dim, !backwards),
      factor: ({ grad, factor, dim, backwards, result }) => {
        const through = recurrence(grad, factor, dim, !backwards);
        return backwards ? shifted(through, dim, 1, 0).mul(result) : through.mul(shifted(result, dim, 1, 0));
      },
    },
    method: false,
  },
);

const exactProductBackward = (grad: Tensor, self: Tensor, dim: number, result: Tensor): Tensor => shifted(result, dim, 1, 1).mul(recurrence(grad, self, dim, true));

/** Gradient of the running products `result` of `self` along `dim` (wrapped); without a division where an element is zero. */
export function runningProductBackward(grad: Tensor, self: Tensor, dim: number, result: Tensor): Tensor {
  if (self.eq(0).any().item()) return exactProductBackward(grad, self, dim, result);
  return suffixSum(grad.mul(result), dim).div(self);
}

/** The product of all other elements along `dim` (wrapped), times `grad`, which has size 1 there. */
export function productOfOthers(grad: Tensor, self: Tensor, dim: number): Tensor {
  const last = filled(self._sizes.map((s, d) => (d === dim ? s : 1)), 0, grad.dtype);
  fillWith(last._aliased([1], [1], last._numel - 1), 1);
  return exactProductBackward(last.mul(grad), self, dim, self.cumprod(dim));
}
