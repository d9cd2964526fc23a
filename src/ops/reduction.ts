/** Sums, means, extrema and their like, over all elements or over some dimensions. */
import { KernelOverload } from "../dispatch/define.ts";
import { overloaded } from "../dispatch/pointwise.ts";
import type { Op } from "../dispatch/op.ts";
import { Reducer, reductionDims, unfolded } from "../dispatch/reduce.ts";
import { RuntimeError } from "../errors.ts";
import { FLOAT, int64, type DType } from "../tensor/dtype.ts";
import type { Sizes } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";

export type Dims = number | readonly number[] | null;
interface DimOptions {
  dim?: Dims;
  keepdim?: boolean;
  dtype?: DType | null;
}

const sumReducer = new Reducer("sum");

function sumOver(self: Tensor, dim: readonly number[] | null, keepdim: boolean, dtype: DType | null): Tensor {
  const out = dtype ?? (self.dtype.kind === FLOAT ? self.dtype : int64);
  return sumReducer.run(self, reductionDims(dim, self._sizes.length), keepdim, out, out);
}

/** The sum of all elements, or over `dim`; integers and bools are summed as int64. */
export const sum: Op<[self: Tensor, dim?: Dims, keepdim?: boolean], DimOptions> = overloaded(
  {},
  new KernelOverload("sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dtype: DType | null) => sumOver(self, null, false, dtype),
    backward: { self: ({ grad, self_sizes }) => grad.expand(self_sizes) },
  }),
  new KernelOverload("sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", {
    forward: sumOver,
    backward: { self: ({ grad, self_sizes, dim, keepdim }) => unfolded(grad, self_sizes, dim, keepdim).expand(self_sizes) },
    node: "SumBackward1",
  }),
);

function meanOver(self: Tensor, dim: readonly number[] | null, keepdim: boolean, dtype: DType | null): Tensor {
  const out = dtype ?? self.dtype;
  if (out.kind !== FLOAT) {
    const what = dtype === null ? "could not infer output dtype. Input dtype" : "could not infer output dtype. Optional dtype";
    throw new RuntimeError(`mean(): ${what} must be either a floating point or complex dtype. Got: ${out.title}`);
  }
  const dims = reductionDims(dim, self._sizes.length);
  return sumReducer.run(self, dims, keepdim, out, out).div(dims.reduce((n, d) => n * self._sizes[d], 1));
}

const countOf = (sizes: Sizes, dim: readonly number[] | null): number => reductionDims(dim, sizes.length).reduce((n, d) => n * sizes[d], 1);

/** The mean of all elements, or over `dim`. */
export const mean: Op<[self: Tensor, dim?: Dims, keepdim?: boolean], DimOptions> = overloaded(
  {},
  new KernelOverload("mean(Tensor self, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dtype: DType | null) => meanOver(self, null, false, dtype),
    backward: { self: ({ grad, self_sizes }) => grad.expand(self_sizes).div(countOf(self_sizes, null)) },
  }),
  new KernelOverload("mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", {
    forward: meanOver,
    backward: {
      self: ({ grad, self_sizes, dim, keepdim }) => unfolded(grad, self_sizes, dim, keepdim).expand(self_sizes).div(countOf(self_sizes, dim)),
    },
    node: "MeanBackward1",
  }),
);
