/** Writing elements to places that index tensors and masks name. */
import { kernel, KernelOverload } from "../../dispatch/define.ts";
import { refuseInternalOverlap, refuseOverlap, refusePartialOverlap } from "../../dispatch/iterate.ts";
import { makeOp, type InplaceOp } from "../../dispatch/op.ts";
import { IndexError, RuntimeError, warn } from "../../errors.ts";
import { bool, int64, uint8 } from "../../tensor/dtype.ts";
import { broadcastSizes, isExpandable, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy, expandError, preservingCopy, writeInto } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { dimensioned, expandedTo, offsetsIn, placesOf, positionsOfNonzero, writingForms } from "./index-table.ts";
import { joinAt, scatterInto } from "./scatter-into.ts";

type Scalar = number | bigint | boolean;

const overwriting = writingForms((self: Tensor, dim: number, index: Tensor, src: Tensor | Scalar) => scatterInto(self, dim, index, src, "assign"));

function scatterReducing(self: Tensor, dim: number, index: Tensor, src: Tensor | Scalar, reduce: string): void {
  if (src instanceof Tensor) {
    warn(
      "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future PyTorch release. Use torch.scatter_reduce instead for more reduction options.",
    );
  }
  if (reduce !== "add" && reduce !== "multiply") throw new RuntimeError("reduce argument must be either add or multiply.");
  scatterInto(self, dim, index, src, reduce);
}

const noDerivative = (): never => {
  throw new RuntimeError("derivative for aten::scatter is not implemented");
};

interface ScatterOptions {
  dim?: number;
  index?: Tensor;
  src?: Tensor;
  value?: Scalar;
  reduce?: "add" | "multiply";
}

/** `self` with the elements of `src`, or one `value`, written to the places along `dim` that `index` names; of several at one place the last stays. */
export const scatter: InplaceOp<[self: Tensor, dim: number, index: Tensor, src: Tensor | Scalar], ScatterOptions> = makeOp(
  "scatter",
  [
    new KernelOverload("scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", {
      ...overwriting,
      backward: { self: ({ grad, dim, index }) => grad.scatter(dim, index, 0), src: ({ grad, dim, index }) => grad.gather(dim, index) },
    }),
    new KernelOverload("scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", {
      ...overwriting,
      backward: { self: ({ grad, dim, index }) => grad.scatter(dim, index, 0) },
      node: "ScatterBackward1",
    }),
    new KernelOverload("scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor", {
      ...writingForms(scatterReducing), backward: { self: noDerivative, src: noDerivative }, node: "torch::autograd::NotImplemented",
    }),
    new KernelOverload("scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor", {
      ...writingForms(scatterReducing), backward: { self: noDerivative }, node: "torch::autograd::NotImplemented",
    }),
  ],
  true,
) as unknown as typeof scatter;

/** `self` with the elements of `src` added to the places along `dim` that `index` names. */
export const scatter_add: InplaceOp<[self: Tensor, dim: number, index: Tensor, src: Tensor], { dim?: number; index?: Tensor; src?: Tensor }> = kernel(
  "scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
  {
    ...writingForms((self: Tensor, dim: number, index: Tensor, src: Tensor) => scatterInto(self, dim, index, src, "add")),
    backward: { self: ({ grad }) => grad, src: ({ grad, dim, index }) => grad.gather(dim, index) },
  },
);

function putElements(self: Tensor, index: Tensor, source: Tensor, accumulate: boolean): void {
  if (index.dtype !== int64) throw new RuntimeError(`put_(): Expected a long tensor for index, but got ${index.dtype.title}`);
  if (self.dtype !== source.dtype) {
    throw new RuntimeError(`put_(): self and source expected to have the same dtype, but got self.dtype = ${self.dtype.title} and source.dtype = ${source.dtype.title}`);
  }
  if (index._numel !== source._numel) {
    throw new IndexError(`put_(): Expected source and index to have the same number of elements, but got source.numel() = ${source._numel}, index.numel() = ${index._numel}`);
  }
  if (self._numel === 0 && index._numel > 0) throw new IndexError("put_(): Tried to put elements into an empty tensor");
  refuseInternalOverlap(self);
  refuseOverlap(self, index);
  refuseOverlap(self, source);
  const offsets = placesOf(self, index, dimensioned(source).strides);
  joinAt(self, offsets, source, accumulate ? "add" : "assign");
}

/** `self`, read as one row, with the elements of `source` written or added where `index` (int64) names. */
export const put: InplaceOp<[self: Tensor, index: Tensor, source: Tensor, accumulate?: boolean], { accumulate?: boolean }> = kernel(
  "put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor",
  {
    ...writingForms(putElements, preservingCopy),
    backward: {
      // PyTorch saves `source` for its sizes, in both gradients.
      self: ({ grad, index, source, accumulate }) => (accumulate ? grad : grad.put(index, filled(source._sizes, 0, grad.dtype), false)),
      source: ({ grad, index, source }) => grad.take(index).reshape_as(source),
    },
  },
);

function scatterMasked(self: Tensor, mask: Tensor, source: Tensor): void {
  if (!isExpandable(mask._sizes, self._sizes)) throw expandError(mask._sizes, self._sizes, mask.dtype);
  refuseInternalOverlap(self);
  refusePartialOverlap(self, source);
  const offsets = offsetsIn(self, positionsOfNonzero(expandedTo(mask, self._sizes)));
  if (offsets.length > source._numel) throw new RuntimeError("Number of elements of source < number of ones in mask");
  const row = source._contiguous ? source : contiguousCopy(source);
  joinAt(self, offsets, row._aliased([offsets.length], [1], row._offset), "assign");
}

function checkMasked(self: Tensor, mask: Tensor, source: Tensor): void {
  if (self.dtype !== source.dtype) throw new RuntimeError(`masked_scatter: expected self and source to have same dtypes but got${self.dtype.title} and ${source.dtype.title}`);
  if (mask.dtype === uint8) warn("masked_scatter_ received a mask with dtype torch.uint8, this behavior is now deprecated,please use a mask with dtype torch.bool instead.");
  if (mask.dtype !== bool) throw new RuntimeError(`masked_scatter_ only supports boolean masks, but got mask with dtype ${mask.dtype.title}`);
}

/** `self` with the first elements of `source`, in order, written where `mask` (bool) holds. */
export const masked_scatter: InplaceOp<[self: Tensor, mask: Tensor, source: Tensor], { mask?: Tensor; source?: Tensor }> = kernel(
  "masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor",
  {
    forward: (self: Tensor, mask: Tensor, source: Tensor) => {
      const sizes = broadcastSizes(mask._sizes, self._sizes);
      checkMasked(self, mask, source);
      const out = writeInto(emptyTensor(sizes, self.dtype), self);
      scatterMasked(out, mask, source);
      return out;
    },
    inplace: (self: Tensor, mask: Tensor, source: Tensor) => {
      checkMasked(self, mask, source);
      scatterMasked(self, mask, source);
    },
    backward: {
      self: ({ grad, mask }) => grad.masked_fill(mask, 0),
      source: ({ grad, mask, source_sizes }) => masked_scatter_backward(grad, mask, source_sizes),
    },
  },
);

/** What `mask` selects of a gradient, then zeros, in the sizes of the source. */
const masked_scatter_backward = kernel<(grad: Tensor, mask: Tensor, sizes: Sizes) => Tensor>(
  "masked_scatter_backward(Tensor grad_output, Tensor mask, int[] sizes) -> Tensor",
  {
    forward: (grad: Tensor, mask: Tensor, sizes: Sizes) => {
      const out = filled(sizes, 0, grad.dtype);
      const selected = grad.masked_select(mask);
      return selected._numel === 0 ? out : (writeInto(out._aliased([selected._numel], [1], 0), selected), out);
    },
    backward: { grad_output: ({ grad, mask, grad_output_sizes }) => filled(grad_output_sizes, 0, grad.dtype).masked_scatter(mask, grad) },
  },
);
