/** Picking elements by index tensors and masks into a new tensor. */
import { gather as gatherElements } from "../../backends/reference/gather.ts";
import { composite, CompositeOverload, kernel } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp, type Op } from "../../dispatch/op.ts";
import { exactDtype, sameDtype } from "../../dispatch/out.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { bool, int64 } from "../../tensor/dtype.ts";
import { broadcastSizes, contiguousStrides, listText, wrapDim, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "../creation/copy.ts";
import { zeros_like } from "../creation/creation.ts";
import { filled } from "../creation/fill.ts";
import { alongTable, dimensioned, elementStart, expandedTo, isIndexDtype, nonzeroRows, offsetsIn, offsetTable, placesOf, positionsOfNonzero, tableAlong, vectorPositions } from "./index-table.ts";

declare module "../../tensor/tensor.ts" {
  interface Tensor {
    /** A row of coordinates for each element that is not zero; `as_tuple` gives the columns. */
    nonzero(options?: { as_tuple?: false }): Tensor;
    nonzero(options: { as_tuple: true }): readonly Tensor[];
  }
}

function copyThrough(self: Tensor, dim: number, out: Tensor, offsets: Uint32Array, positions: Sizes): Tensor {
  const { sizes, strides } = dimensioned(out);
  gatherElements(self.dtype, sizes, alongTable(self, dim, offsets, positions), { start: elementStart(out), strides });
  return out;
}

function selectIndices(self: Tensor, dim: number, index: Tensor): Tensor {
  const ndim = self._sizes.length;
  const d = wrapDim(dim, ndim);
  if (index._sizes.length > 1) throw new IndexError("index_select(): Index is supposed to be a vector");
  if (ndim === 0 && index._numel !== 1) throw new RuntimeError(`index_select(): Index to scalar can have only 1 value, got ${index._numel} value(s)`);
  if (!isIndexDtype(index.dtype)) throw new RuntimeError("index_select(): Expected dtype int32 or int64 for index");
  const size = self._sizes[d] ?? 1;
  if (ndim > 1 && size === 0 && index._numel > 0) throw new RuntimeError("index_select(): self indexing axis dim should be positive");
  const strange = ndim > 1 && (d === 1 || self._numel === 0);
  const offsets = offsetTable(index, size, self._strides[d] ?? 1, false, (entry) =>
    strange ? new RuntimeError(`INDICES element is out of DATA bounds, id=${entry} axis_dim=${size}`) : new IndexError("index out of range in self"));
  const out = emptyTensor(self._sizes.map((s, i) => (i === d ? index._numel : s)), self.dtype);
  return copyThrough(self, d, out, offsets, vectorPositions(ndim, d));
}

/**
 * The entries of `dim` that `index`, a vector of int64 or int32, names, in its order.
 *
 * @example
 * torch.tensor([[1, 2], [3, 4]]).index_select(0, torch.tensor([1n])) // tensor([[3., 4.]])
 */
export const index_select: Op<[self: Tensor, dim: number, index: Tensor], { dim?: number; index?: Tensor }> = kernel(
  "index_select(Tensor self, int dim, Tensor index) -> Tensor",
  {
    forward: selectIndices,
    outRule: { ...sameDtype(() => "index_select(): self and result must have the same scalar type"), apart: true },
    backward: { self: ({ grad, self_sizes, dim, index }) => filled(self_sizes, 0, grad.dtype).index_add_(dim, index, grad) },
  },
);

function gatherAlong(self: Tensor, dim: number, index: Tensor): Tensor {
  const d = wrapDim(dim, self._sizes.length);
  if (index._numel === 0) return emptyTensor(index._sizes, self.dtype);
  if (!isIndexDtype(index.dtype)) throw new RuntimeError("gather(): Expected dtype int32/int64 for index");
  const [from, to] = [dimensioned(self), dimensioned(index)];
  if (from.sizes.length !== to.sizes.length) throw new RuntimeError("Index tensor must have the same number of dimensions as input tensor");
  to.sizes.forEach((size, i) => {
    if (i === d || size <= from.sizes[i]) return;
    throw new RuntimeError(`Size does not match at dimension ${i} expected index ${listText(index._sizes)} to be no larger than self ${listText(self._sizes)} apart from dimension ${d}`);
  });
  const positions = contiguousStrides(to.sizes);
  const offsets = tableAlong(self, d, index, [positions, from.strides]);
  return copyThrough(self, d, emptyTensor(index._sizes, self.dtype), offsets, positions);
}

interface GatherOptions {
  dim?: number;
  index?: Tensor;
  sparse_grad?: boolean;
}

/** For each element of `index` (int64 or int32) the element of `self` at its place, but at that position of `dim`. */
export const gather: Op<[self: Tensor, dim: number, index: Tensor], GatherOptions> = kernel(
  "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
  {
    forward: gatherAlong,
    outRule: { ...exactDtype, apart: true },
    // PyTorch saves `self` for its sizes, so that a write to it is refused here too.
    backward: { self: ({ grad, self, dim, index }) => filled(self._sizes, 0, grad.dtype).scatter_add_(dim, index, grad) },
  },
);

/** `gather` after broadcasting `self` and `indices` along the other dimensions; without `dim`, over all elements. */
export const take_along_dim: Op<[self: Tensor, indices: Tensor, dim?: number | null], { dim?: number | null; indices?: Tensor }> = composite(
  "take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor",
  (self: Tensor, indices: Tensor, dim: number | null) => {
    if (dim === null) return self.view(-1).gather(0, indices.view(-1));
    const [a, b] = [self._sizes.length, indices._sizes.length];
    if (a !== b) {
      throw new RuntimeError(`torch.take_along_dim(): input and indices should have the same number of dimensions, but got ${a} dimensions for input, and ${b} dimensions for indices`);
    }
    if (indices.dtype !== int64) throw new RuntimeError(`torch.take_along_dim(): dtype of indices should be Long but got ${indices.dtype.title}`);
    if (a === 0) throw new IndexError("Dimension specified as 0 but tensor has no dimensions");
    const d = wrapDim(dim, a);
    const withSize = (sizes: Sizes, size: number): Sizes => sizes.map((s, i) => (i === d ? size : s));
    const wanted = indices.broadcast_to(broadcastSizes(withSize(self._sizes, indices._sizes[d]), indices._sizes));
    // Any integer names a place here: they go round and round.
    return self.broadcast_to(broadcastSizes(withSize(indices._sizes, self._sizes[d]), self._sizes)).gather(d, wanted.remainder(self._sizes[d]));
  },
  { outRule: { ...exactDtype, apart: true } },
);

/** The elements of `self`, read as one row, that `index` (int64) names. */
export const take: Op<[self: Tensor, index: Tensor], { index?: Tensor }> = kernel("take(Tensor self, Tensor index) -> Tensor", {
  forward: (self: Tensor, index: Tensor) => {
    if (index.dtype !== int64) throw new RuntimeError(`take(): Expected a long tensor for index, but got ${index.dtype.title}`);
    if (self._numel === 0 && index._numel > 0) throw new IndexError("take(): tried to take from an empty tensor");
    const offsets = placesOf(self, index, contiguousStrides(dimensioned(index).sizes));
    return pick(self, offsets, emptyTensor(index._sizes, self.dtype));
  },
  backward: { self: ({ grad, self, index }) => zeros_like(self).put_(index, grad, true) },
  outRule: {
    ...sameDtype((out, result) => `take(): self and out expected to have the same dtype, but got self.dtype = ${result.title} and out.dtype = ${out.title}`),
    apart: true,
  },
});

/** Fills `out`, contiguous, with the elements at `offsets`. */
function pick(self: Tensor, offsets: Uint32Array, out: Tensor): Tensor {
  const from = { start: elementStart(self), strides: [0], offsets, positions: [1] };
  gatherElements(self.dtype, [offsets.length], from, { start: elementStart(out), strides: [1] });
  return out;
}

/** The elements of `self` where `mask` (bool) holds, both broadcast, as one row. */
export const masked_select: Op<[self: Tensor, mask: Tensor], { mask?: Tensor }> = kernel("masked_select(Tensor self, Tensor mask) -> Tensor", {
  forward: (self: Tensor, mask: Tensor) => {
    if (mask.dtype !== bool) throw new RuntimeError("masked_select: expected BoolTensor for mask");
    const sizes = broadcastSizes(mask._sizes, self._sizes);
    const from = expandedTo(self, sizes);
    const offsets = offsetsIn(from, positionsOfNonzero(expandedTo(mask, sizes)));
    return pick(from, offsets, emptyTensor([offsets.length], self.dtype));
  },
  backward: {
    self: ({ grad, self, mask }) => zeros_like(expandedTo(self, broadcastSizes(self._sizes, mask._sizes)), { dtype: grad.dtype }).masked_scatter_(mask, grad),
  },
  outRule: { ...sameDtype(() => "masked_select(): self and result must have the same scalar type"), apart: true },
});

/** A row of coordinates for each element that is not zero; with `as_tuple`, one vector of coordinates for each dimension. */
export const nonzero: FunctionOp<[self: Tensor], { as_tuple?: false }> & ((self: Tensor, options: { as_tuple: true }) => readonly Tensor[]) = makeOp(
  "nonzero",
  [
    new CompositeOverload(
      "nonzero(Tensor self, *, bool as_tuple=False) -> Tensor",
      (self: Tensor, asTuple: boolean) => {
        if (!asTuple) return nonzeroRows(self);
        return nonzeroRows(self._sizes.length === 0 ? expandedTo(self, [1]) : self).unbind(1);
      },
      { outRule: { ...sameDtype((out, result) => `nonzero: Expected out tensor to have scalar type ${result.title} but got scalar type${out.title}`), apart: true } },
    ),
  ],
  true,
) as unknown as typeof nonzero;

/** The same as `nonzero`: a row of coordinates for each element that is not zero. */
export const argwhere: Op<[self: Tensor]> = composite("argwhere(Tensor self) -> Tensor", (self: Tensor) => nonzeroRows(self));

/** The first `size` rows of `nonzero`; rows that are missing hold `fill_value`. */
export const nonzero_static: Op<[self: Tensor], { size: number; fill_value?: number }> = composite(
  "nonzero_static(Tensor self, *, int size, int fill_value=-1) -> Tensor",
  (self: Tensor, size: number, fill: number) => {
    if (size < 0) throw new RuntimeError("nonzero_static: 'size' must be an non-negative integer");
    const rows = nonzeroRows(self);
    const out = filled([size, self._sizes.length], fill, int64);
    const n = Math.min(size, rows._sizes[0]);
    writeInto(out._aliased([n, self._sizes.length], out._strides, 0), rows._aliased([n, self._sizes.length], rows._strides, 0));
    return out;
  },
);
