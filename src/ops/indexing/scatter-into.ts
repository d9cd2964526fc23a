/** What the ops that write to named places share. */
import { scatter as scatterElements, type Combine } from "../../backends/reference/gather.ts";
import { memoryOrder, refuseInternalOverlap, refuseOverlap } from "../../dispatch/iterate.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { bool } from "../../tensor/dtype.ts";
import { contiguousStrides, listText, sameSizes, wrapDim, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { fillChecked } from "../creation/fill.ts";
import { alongTable, dimensioned, elementStart, isIndexDtype, tableAlong, vectorPositions } from "./index-table.ts";

type Scalar = number | bigint | boolean;

/** What a write of `combine` is called for the dtype: bools are joined by or and and. */
function combineFor(self: Tensor, combine: Combine): Combine {
  if (self.dtype !== bool) return combine;
  return combine === "add" ? "or" : combine === "multiply" ? "and" : combine;
}

/** The checks that all forms of scatter share. */
export function checkScatter(self: Tensor, dim: number, index: Tensor, src: Tensor | null): void {
  if (index._numel > 0 && !isIndexDtype(index.dtype)) throw new RuntimeError("scatter(): Expected dtype int32/int64 for index");
  if (src !== null && src.dtype !== self.dtype) throw new RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype");
  if (index._numel > 0) checkScatterSizes(self, dim, index, src);
  refuseInternalOverlap(self);
  refuseOverlap(self, index);
  if (src !== null) refuseOverlap(self, src);
}

function checkScatterSizes(self: Tensor, dim: number, index: Tensor, src: Tensor | null): void {
  const [into, at, from] = [self, index, src ?? index].map((t) => dimensioned(t).sizes);
  if (at.length !== into.length) throw new RuntimeError("Index tensor must have the same number of dimensions as self tensor");
  if (at.length !== from.length) throw new RuntimeError("Index tensor must have the same number of dimensions as src tensor");
  if (at.every((size, d) => (d === dim || size <= into[d]) && size <= from[d])) return;
  const than = src === null ? "" : ` and to be no larger size than src ${listText(src._sizes)}`;
  throw new RuntimeError(`Expected index ${listText(index._sizes)} to be no larger than self ${listText(self._sizes)} apart from dimension ${dim}${than}`);
}

/** Joins `src` (a tensor, or one value for all) to the places along `dim` that `index` names. */
export function scatterInto(self: Tensor, dim: number, index: Tensor, src: Tensor | Scalar, combine: Combine): void {
  const d = wrapDim(dim, self._sizes.length);
  const source = src instanceof Tensor ? src : null;
  checkScatter(self, d, index, source);
  const value = source ?? fillChecked(emptyTensor([], self.dtype), src as Scalar);
  if (index._numel === 0) return;
  const { sizes } = dimensioned(index);
  const strides = source === null ? sizes.map(() => 0) : dimensioned(source).strides;
  const offsets = tableAlong(self, d, index, [dimensioned(self).strides, strides]);
  const table = alongTable(self, d, offsets, contiguousStrides(sizes));
  scatterElements(self.dtype, sizes, table, { start: elementStart(value), strides }, combineFor(self, combine));
}

/** Joins the entries of `source` along `dim` to those of `self` that `offsets` lead to, one after another. */
export function joinEntries(self: Tensor, dim: number, offsets: Uint32Array, source: Tensor, combine: Combine, alpha: number | bigint = 1): void {
  const { sizes } = dimensioned(self);
  sizes[dim] = offsets.length;
  const { strides } = dimensioned(source);
  const table = alongTable(self, dim, offsets, vectorPositions(self._sizes.length, dim));
  scatterElements(self.dtype, sizes, table, { start: elementStart(source), strides: sizes.map((_, d) => strides[d] ?? 0) }, combineFor(self, combine), alpha);
}

/** The checks that index_add and index_reduce share. */
export function checkIndexed(name: string, self: Tensor, dim: number, index: Tensor, source: Tensor): void {
  const { length } = source._sizes;
  if (index._sizes.length > 1) {
    throw new IndexError(`${name}_(): Index is supposed to be a vector, but got dim: ${index._sizes.length} with type: ${index.dtype.title} and size: ${listText(index._sizes)}`);
  }
  if (!isIndexDtype(index.dtype)) throw new RuntimeError(`${name}_(): Expected dtype int32/int64 for index but got: ${index.dtype.title}`);
  if (self.dtype !== source.dtype) throw new RuntimeError(`${name}_(): self (${self.dtype.title}) and source (${source.dtype.title}) must have the same scalar type`);
  if (dim > 0 && dim >= length) throw new RuntimeError(`${name}_(): Indexing dim ${dim} is out of bounds of the source tensor with dim ${length}`);
  const entries = source._sizes[dim] ?? 1;
  if (index._numel !== entries) {
    if (length === 0) throw new IndexError("Dimension specified as 0 but tensor has no dimensions");
    throw new RuntimeError(`${name}_(): Number of indices (${index._numel}) should be equal to source.size(dim): (${entries}), for dim: ${dim}`);
  }
  const others = (sizes: Sizes): Sizes => (length > 0 && self._sizes.length > 0 ? sizes.filter((_, d) => d !== dim) : sizes);
  if (!sameSizes(others(self._sizes), others(source._sizes))) {
    throw new RuntimeError(
      `source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = ${listText(self._sizes)} source.shape = ${listText(source._sizes)}`,
    );
  }
  refuseInternalOverlap(self);
  refuseOverlap(self, index);
  refuseOverlap(self, source);
}

/** Joins each element of `source` to the place of `self` at the same row-major position of `offsets`, in the order in which `source` lies. */
export function joinAt(self: Tensor, offsets: Uint32Array, source: Tensor, combine: Combine): void {
  const { sizes, strides } = dimensioned(source);
  const order = memoryOrder(sizes, [strides]).reverse();
  const ordered = (list: Sizes): number[] => order.map((d) => list[d]);
  const into = { start: elementStart(self), strides: sizes.map(() => 0), offsets, positions: ordered(contiguousStrides(sizes)) };
  scatterElements(self.dtype, ordered(sizes), into, { start: elementStart(source), strides: ordered(strides) }, combineFor(self, combine));
}
