/** Sums, means, products and counts, over all elements or over some dimensions. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { composite, kernel, KernelOverload } from "../../dispatch/define.ts";
import { exactDtype, type OutRule } from "../../dispatch/out.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import type { Op } from "../../dispatch/op.ts";
import { foldedCount, Reducer, reductionDims, unfolded, wrapDims } from "../../dispatch/reduce.ts";
import { RuntimeError } from "../../errors.ts";
import { bool, FLOAT, int64, uint8, type DType } from "../../tensor/dtype.ts";
import { wrapDim, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { productOfOthers } from "./recurrence.ts";

export type Dims = number | readonly number[] | null;
interface KeepOptions {
  dim?: Dims;
  keepdim?: boolean;
}
interface DimOptions extends KeepOptions {
  dtype?: DType | null;
}
/** A reduction over all elements, or over one or more dimensions. */
type Reduction = Op<[self: Tensor, dim?: Dims, keepdim?: boolean], DimOptions>;

/** Integers and bools are summed and multiplied as int64. */
const widened = (self: Tensor, dtype: DType | null): DType => dtype ?? (self.dtype.kind === FLOAT ? self.dtype : int64);

const sums = new Reducer("sum");

/**
 * The sum of all elements, or over `dim`, as `dtype`; integers and bools are summed as int64.
 *
 * @throws IndexError where a dimension is out of range; RuntimeError where one is given twice.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).sum(0).tolist(); // [4, 6]
 */
export const sum: Reduction = overloaded(
  {},
  new KernelOverload("sum(Tensor self, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dtype: DType | null) => sums.run([self], null, false, widened(self, dtype), widened(self, dtype)),
    backward: { self: ({ grad, self_sizes }) => grad.expand(self_sizes) },
    takesOut: false,
  }),
  new KernelOverload("sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dim: Sizes | null, keepdim: boolean, dtype: DType | null) =>
      sums.run([self], reductionDims(dim, self._sizes.length), keepdim, widened(self, dtype), widened(self, dtype)),
    backward: { self: ({ grad, self_sizes, dim, keepdim }) => unfolded(grad, self_sizes, dim, keepdim).expand(self_sizes) },
    node: "SumBackward1",
    outRule: { ...exactDtype, setsDtype: true },
  }),
);

const sumsOfNumbers = new Reducer("sum", ({ self }) => self.masked_fill(self.isnan(), 0));

/** The sum of the elements that are not NaN. */
export const nansum: Reduction = kernel("nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", {
  forward: (self: Tensor, dim: Sizes | null, keepdim: boolean, dtype: DType | null) =>
    sumsOfNumbers.run([self], reductionDims(dim, self._sizes.length), keepdim, widened(self, dtype), widened(self, dtype)),
  backward: {
    self: ({ grad, self, dim, keepdim }) => unfolded(grad, self._sizes, dim, keepdim).expand(self._sizes).mul(self.isnan().logical_not()),
  },
  outRule: { ...exactDtype, setsDtype: true },
});

const means = new Reducer("sum", ({ self }) => self, ({ folded, count }) => folded.div(count));

function meanDtype(self: Tensor, dtype: DType | null): DType {
  const out = dtype ?? self.dtype;
  if (out.kind === FLOAT) return out;
  const what = dtype === null ? "Input" : "Optional";
  throw new RuntimeError(`mean(): could not infer output dtype. ${what} dtype must be either a floating point or complex dtype. Got: ${out.title}`);
}

/**
 * The mean of all elements, or over `dim`.
 *
 * @throws RuntimeError where the tensor is not of a float dtype and none is given.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).mean(1).tolist(); // [1.5, 3.5]
 */
export const mean: Reduction = overloaded(
  {},
  new KernelOverload("mean(Tensor self, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dtype: DType | null) => {
      const out = meanDtype(self, dtype);
      return means.run([self, self._numel], null, false, out, out);
    },
    backward: { self: ({ grad, self_sizes }) => grad.expand(self_sizes).div(foldedCount(self_sizes, null)) },
    outRule: {},
  }),
  new KernelOverload("mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dim: Sizes | null, keepdim: boolean, dtype: DType | null) => {
      const out = meanDtype(self, dtype);
      return means.run([self, foldedCount(self._sizes, dim)], reductionDims(dim, self._sizes.length), keepdim, out, out);
    },
    backward: { self: ({ grad, self_sizes, dim, keepdim }) => unfolded(grad, self_sizes, dim, keepdim).expand(self_sizes).div(foldedCount(self_sizes, dim)) },
    node: "MeanBackward1",
    outRule: {},
  }),
);

/** The mean of the elements that are not NaN. */
export const nanmean: Reduction = composite(
  "nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
  (self: Tensor, dim: Sizes | null, keepdim: boolean, dtype: DType | null) => {
    if (self.dtype.kind !== FLOAT) throw new RuntimeError(`nanmean(): expected input to have floating point or complex dtype but got ${self.dtype.title}`);
    const count = self.detach().isnan().logical_not().sum(dim, keepdim);
    return nansum(self, dim, keepdim, { dtype }).div(count);
  },
);

const products = new Reducer("prod");

/** The gradient without a division where an element is zero, so that it is exact there too; two zeros make all of it zero. */
function prodBackward(grad: Tensor, self: Tensor, result: Tensor): Tensor {
  if (self._sizes.length === 0) return grad;
  const factors = self.to(grad.dtype);
  const zeros = Number(factors.eq(0).sum().item());
  if (zeros === 0) return grad.mul(result.div(factors));
  if (zeros > 1 && !gradMode.enabled) return filled(self._sizes, 0, grad.dtype);
  return productOfOthers(grad, factors.reshape(-1), 0).reshape(self._sizes);
}

function prodDimBackward(grad: Tensor, self: Tensor, dim: number, keepdim: boolean, result: Tensor): Tensor {
  if (self._sizes.length === 0) return grad;
  const factors = self.to(grad.dtype);
  const full = unfolded(grad, self._sizes, dim, keepdim);
  if (!factors.eq(0).any().item()) return full.mul(unfolded(result, self._sizes, dim, keepdim).div(factors));
  return productOfOthers(full, factors, wrapDim(dim, self._sizes.length));
}

/** The product of all elements, or over one dimension; its gradient is exact where elements are zero. */
export const prod: Op<[self: Tensor, dim?: number, keepdim?: boolean], { dim?: number; keepdim?: boolean; dtype?: DType | null }> = overloaded(
  {},
  new KernelOverload("prod(Tensor self, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dtype: DType | null) => products.run([self], null, false, widened(self, dtype), widened(self, dtype)),
    backward: { self: ({ grad, self, result }) => prodBackward(grad, self, result) },
    takesOut: false,
  }),
  new KernelOverload("prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", {
    forward: (self: Tensor, dim: number, keepdim: boolean, dtype: DType | null) =>
      products.run([self], wrapDims([dim], self._sizes.length), keepdim, widened(self, dtype), widened(self, dtype)),
    backward: { self: ({ grad, self, dim, keepdim, result }) => prodDimBackward(grad, self, dim, keepdim, result) },
    node: "ProdBackward1",
    outRule: { ...exactDtype, setsDtype: true },
  }),
);

const counts = new Reducer("sum", ({ self }) => self.ne(0));

/** How many elements are not zero, in all or over `dim`; int64. */
export const count_nonzero: Op<[self: Tensor, dim?: Dims], { dim?: Dims }> = kernel("count_nonzero.dim_IntList(Tensor self, int[1]? dim=None) -> Tensor", {
  forward: (self: Tensor, dim: Sizes | null) => counts.run([self], reductionDims(dim, self._sizes.length), false, self.dtype, int64),
});

/** A fold of truth values; uint8 stays uint8, every other dtype gives bool. An empty list of dimensions folds nothing. */
function truthFold(name: "any" | "all"): Op<[self: Tensor, dim?: Dims, keepdim?: boolean], KeepOptions> {
  const reducer = new Reducer(name, ({ self }) => self.ne(0));
  const over = (self: Tensor, dims: readonly number[] | null, keepdim: boolean): Tensor =>
    reducer.run([self], dims === null ? null : wrapDims(dims, self._sizes.length), keepdim, self.dtype, self.dtype === uint8 ? uint8 : bool);
  const outRule: OutRule = {
    dtype: () => {},
    refuses(out) {
      if (out.dtype !== bool && out.dtype !== uint8) throw new RuntimeError(`${name} only supports bool tensor for result, got: ${out.dtype.title}`);
    },
  };
  return overloaded(
    {},
    new KernelOverload(`${name}(Tensor self) -> Tensor`, { forward: (self: Tensor) => over(self, null, false), outRule }),
    new KernelOverload(`${name}.dims(Tensor self, int[1]? dim=None, bool keepdim=False) -> Tensor`, { forward: over, outRule }),
  );
}

/** Is any element different from zero, of all or over `dim`? */
export const any: Op<[self: Tensor, dim?: Dims, keepdim?: boolean], KeepOptions> = truthFold("any");
/** Are all elements different from zero, of all or over `dim`? */
export const all: Op<[self: Tensor, dim?: Dims, keepdim?: boolean], KeepOptions> = truthFold("all");
