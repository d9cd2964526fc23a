/** Sorted elements, and the largest and smallest of them. */
import { commonest, sortLanes } from "../../backends/reference/sort.ts";
import { lanesOf } from "../../backends/reference/lanes.ts";
import { selectLanes } from "../../backends/selection.ts";
import { composite, CompositeOverload, kernel, KernelOverload } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { exactDtype, sameDtype } from "../../dispatch/out.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { reducedSizes } from "../../dispatch/reduce.ts";
import { BOOL, int64 } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import { viewTyped, wordsOf } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { clone, rowMajor } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { inOrderOf } from "../creation/memory-order.ts";
import { placed, type ValuesAndIndices } from "./order-statistics.ts";

interface SortOptions {
  dim?: number;
  descending?: boolean;
  stable?: boolean | null;
}

function sorted(self: Tensor, dim: number, descending: boolean): [Tensor, Tensor] {
  const d = wrapDim(dim, self._sizes.length);
  const input = rowMajor(self);
  const [values, positions] = [emptyTensor(self._sizes, self.dtype), emptyTensor(self._sizes, int64)];
  if (self._numel > 0) sortLanes(viewTyped(input), lanesOf(self._sizes, d), descending, viewTyped(values), wordsOf(positions));
  return [inOrderOf(self, values), inOrderOf(self, positions)];
}

const plainSort = new KernelOverload("sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)", {
  forward: sorted,
  backward: { self: ({ grad, self_sizes, dim, indices }) => placed(grad, indices, self_sizes, dim, true) },
});
const stableSort = new KernelOverload("sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)", {
  forward: (self: Tensor, _stable: boolean | null, dim: number, descending: boolean) => sorted(self, dim, descending),
  backward: { self: ({ grad, self_sizes, dim, indices }) => placed(grad, indices, self_sizes, dim, true) },
  node: "SortBackward1",
});

/**
 * The elements along `dim` in rising (or falling) order, as `[values, indices]`. Equals keep their order; NaN is the largest.
 *
 * @throws IndexError where `dim` is out of range.
 * @example
 * const { values, indices } = torch.tensor([3, 1, 2]).sort(); // values [1, 2, 3], indices [1, 2, 0]
 */
export const sort: Op<[self: Tensor, dim?: number, descending?: boolean], SortOptions, ValuesAndIndices> = overloaded({}, stableSort, plainSort);

/** The positions of the elements along `dim` in rising (or falling) order; equals keep their order. */
export const argsort: Op<[self: Tensor, dim?: number, descending?: boolean], SortOptions> = overloaded(
  {},
  new CompositeOverload("argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor", (self: Tensor, dim: number, descending: boolean) =>
    (plainSort.call([self, dim, descending]) as readonly Tensor[])[1],
  ),
  new CompositeOverload("argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor", (self: Tensor, stable: boolean, dim: number, descending: boolean) =>
    (stableSort.call([self, stable, dim, descending]) as readonly Tensor[])[1],
  ),
);

/** The elements in rising order along the first dimension. */
export const msort: Op<[self: Tensor]> = composite("msort(Tensor self) -> Tensor", (self: Tensor) => sort(self, 0)[0], { outRule: exactDtype });

interface TopkOptions {
  k?: number;
  dim?: number;
  largest?: boolean;
  sorted?: boolean;
}

/**
 * The `k` largest (or smallest) elements along `dim`, from the largest down (the smallest up), as `[values, indices]`. They are
 * sorted whether `sorted` or not. NaN is the largest.
 *
 * @throws RuntimeError where there are less than `k`, or the dtype is bool.
 * @example
 * const { values, indices } = torch.tensor([3, 1, 2]).topk(2); // values [3, 2], indices [0, 2]
 */
export const topk: Op<[self: Tensor, k: number, dim?: number, largest?: boolean, sorted?: boolean], TopkOptions, ValuesAndIndices> = kernel(
  "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)",
  {
    forward: (self: Tensor, k: number, dim: number, largest: boolean) => {
      const d = wrapDim(dim, self._sizes.length);
      const lanes = lanesOf(self._sizes, d);
      if (k < 0 || k > lanes.n) throw new RuntimeError("selected index k out of range");
      if (self.dtype.kind === BOOL) throw new RuntimeError("topk does not support bool dtypes on CPU");
      const input = rowMajor(self);
      if (self._sizes.length === 0) return [clone(self), filled([], 0, int64)]; // even for k = 0
      const sizes = self._sizes.map((size, i) => (i === d ? k : size));
      const [values, positions] = [emptyTensor(sizes, self.dtype), emptyTensor(sizes, int64)];
      if (values._numel > 0) selectLanes(self.dtype, input._address, lanes, k, largest, values._address, positions._address);
      return [values, positions];
    },
    backward: { self: ({ grad, self_sizes, dim, indices }) => placed(grad, indices, self_sizes, dim, true) },
  },
);

/** The most frequent element along `dim`, the smallest of several, and the last position that holds it, as `[values, indices]`. */
export const mode: Op<[self: Tensor, dim?: number, keepdim?: boolean], { dim?: number; keepdim?: boolean }, ValuesAndIndices> = kernel(
  "mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
  {
    outRule: sameDtype((out, result, index) => `expected scalar type '${result.title}' but got '${out.title}' for ${index === 0 ? "values" : "indices"} output`),
    forward: (self: Tensor, dim: number, keepdim: boolean) => {
      const d = wrapDim(dim, self._sizes.length);
      if (self._sizes.length > 0 && self._sizes[d] === 0) throw new IndexError(`mode(): Expected reduction dim ${d} to have non-zero size.`);
      const sizes = reducedSizes(self._sizes, self._sizes.length === 0 ? [] : [d], keepdim);
      const input = rowMajor(self);
      const [values, positions] = [emptyTensor(sizes, self.dtype), emptyTensor(sizes, int64)];
      if (self._numel > 0) commonest(viewTyped(input), lanesOf(self._sizes, d), viewTyped(values), wordsOf(positions));
      return [values, positions];
    },
    backward: { self: ({ grad, self_sizes, dim, keepdim, indices }) => placed(grad, indices, self_sizes, dim, keepdim) },
  },
);
