/** Writing whole entries of a dimension: rows, columns and their like. */
import { kernel, KernelOverload } from "../../dispatch/define.ts";
import { refuseInternalOverlap, refuseOverlap, warnOfExpanded } from "../../dispatch/iterate.ts";
import { makeOp, type InplaceOp } from "../../dispatch/op.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { bool, int64 } from "../../tensor/dtype.ts";
import { sameSizes, wrapDim } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy, preservingCopy, writeInto } from "../creation/copy.ts";
import { fillChecked } from "../creation/fill.ts";
import { dimensioned, offsetTable, writingForms } from "./index-table.ts";
import { checkIndexed, joinEntries } from "./scatter-into.ts";
import { stridedGeometry } from "../shape/view-geometry.ts";

type Scalar = number | bigint | boolean;

/** Scales what is added; on int64 it is a bigint, on integers it is cut to a whole number first. */
function alphaFor(self: Tensor, alpha: Scalar): number | bigint {
  if (self.dtype === bool) return Number(Number(alpha) !== 0);
  if (self.dtype.is_floating_point) return Number(alpha);
  const entire = typeof alpha === "bigint" ? alpha : BigInt(Math.trunc(Number(alpha)));
  return self.dtype === int64 ? entire : Number(entire);
}

function addEntries(self: Tensor, dim: number, index: Tensor, source: Tensor, alpha: Scalar): void {
  const d = wrapDim(dim, self._sizes.length);
  checkIndexed("index_add", self, d, index, source);
  if (source._numel === 0 || (self._numel === 0 && self._sizes.length > 1)) return;
  // PyTorch hands these cases to scatter_add.
  const outermost = self._sizes.length > 1 && (d === 0 || d === self._sizes.length - 1);
  const scattered = outermost && index.dtype === int64 && Number(alpha) === 1;
  const { sizes, strides } = dimensioned(self);
  const offsets = offsetTable(index, sizes[d], strides[d], false, (entry) =>
    scattered ? new RuntimeError(`index ${entry} is out of bounds for dimension ${d} with size ${sizes[d]}`) : new IndexError("index out of range in self"));
  joinEntries(self, d, offsets, source, "add", alphaFor(self, alpha));
}

interface IndexAddOptions {
  dim?: number;
  index?: Tensor;
  source?: Tensor;
  alpha?: number;
}

/** `self` with alpha times each entry of `source` along `dim` added to the entry that `index` names. */
export const index_add: InplaceOp<[self: Tensor, dim: number, index: Tensor, source: Tensor], IndexAddOptions> = kernel(
  "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
  {
    ...writingForms(addEntries),
    backward: {
      self: ({ grad }) => grad,
      source: ({ grad, dim, index, source, alpha }) => {
        const picked = entriesFor(grad, dim, index, source);
        return Number(alpha) === 1 ? picked : picked.mul(alpha);
      },
    },
  },
);

/** The entries of a gradient that went to `index`, in the shape of `source`. */
function entriesFor(grad: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  if (source._sizes.length > 0) return grad.index_select(dim, index).expand_as(source);
  return grad.index_select(dim, index._sizes.length > 0 ? index.squeeze(0) : index);
}

function checkCopied(self: Tensor, d: number, index: Tensor, source: Tensor): void {
  const [rank, sourceRank] = [self._sizes.length, source._sizes.length];
  const refuse = (text: string, kind = IndexError): never => {
    throw new kind(`index_copy_(): ${text}`);
  };
  if (index._sizes.length > 1) refuse(`Index should have dimension 1 or 0 (got ${index._sizes.length})`);
  if (sourceRank === 0 && index._numel !== 1) refuse(`When source is scalar, index should have one element (got ${index._numel})`);
  if (sourceRank !== rank && sourceRank > 0 && rank > 0) {
    refuse(`When source and destination are not scalars, their dimensionality must match. Source dimensionality (${sourceRank}), destination dimensionality (${rank})`);
  }
  if (index.dtype !== int64) refuse(`Expected a long tensor for index, but got ${index.dtype.title}`, RuntimeError);
  if (self.dtype !== source.dtype) refuse(`self and source expected to have the same dtype, but got (self) ${self.dtype.title} and (source) ${source.dtype.title}`, RuntimeError);
  const [into, from] = [self, source].map((t) => t._sizes.filter((_, i) => i !== d));
  if (!sameSizes(into, from)) {
    refuse(`Source/destination tensor must have same slice shapes. Destination slice shape: ${into.join(" ")} at dimension ${d} and source slice shape: ${from.join(" ")} at dimension 0.`, RuntimeError);
  }
  if (sourceRank > 0 && index._numel !== source._sizes[d]) refuse(`Number of indices (${index._numel}) should be equal to source.size(dim) (${source._sizes[d]})`);
}

/** PyTorch walks over `self` with `index` in the place of `dim`, which the storage of an empty tensor may not allow. */
function checkWalk(self: Tensor, d: number, index: Tensor): void {
  if (self._numel > 0) return;
  const { sizes, strides } = dimensioned(self);
  stridedGeometry(self, sizes.with(d, index._numel), strides.with(d, 0), self._offset);
}

function copyEntries(self: Tensor, dim: number, index: Tensor, source: Tensor): void {
  const d = wrapDim(dim, self._sizes.length);
  checkCopied(self, d, index, source);
  refuseInternalOverlap(self);
  refuseOverlap(self, index);
  refuseOverlap(self, source);
  if (source._numel === 0) return;
  checkWalk(self, d, index);
  const { sizes, strides } = dimensioned(self);
  const complain = (entry: number): IndexError => new IndexError(`index_copy_(): index ${entry} is out of bounds for dimension ${d} with size ${sizes[d]}`);
  joinEntries(self, d, offsetTable(index, sizes[d], strides[d], false, complain), source, "assign");
}

/** `self` with each entry of `source` along `dim` written over the entry that `index` (int64) names. */
export const index_copy: InplaceOp<[self: Tensor, dim: number, index: Tensor, source: Tensor], { dim?: number; index?: Tensor; source?: Tensor }> = kernel(
  "index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
  {
    ...writingForms(copyEntries),
    backward: { self: ({ grad, dim, index }) => grad.index_fill(dim, index, 0), source: ({ grad, dim, index, source }) => entriesFor(grad, dim, index, source) },
  },
);

function fillEntries(self: Tensor, dim: number, index: Tensor, value: Tensor | Scalar): void {
  if (value instanceof Tensor && value._sizes.length > 0) {
    throw new RuntimeError(`index_fill_ only supports a 0-dimensional value tensor, but got tensor with ${value._sizes.length} dimension(s).`);
  }
  if (index.dtype !== int64) throw new IndexError("index_fill_(): Expected dtype int64 for index.");
  refuseOverlap(self, index);
  warnOfExpanded(self, "index_fill_");
  const d = wrapDim(dim, self._sizes.length);
  if (index._sizes.length > 1) throw new RuntimeError("Index has to be a vector/scalar");
  const { sizes, strides } = dimensioned(self);
  const source = value instanceof Tensor ? writeInto(emptyTensor([], self.dtype), value) : fillChecked(emptyTensor([], self.dtype), value);
  if (sizes.some((size, i) => size === 0 && i !== d)) return;
  checkWalk(self, d, index);
  const complain = (entry: number): IndexError => new IndexError(`index ${entry} is out of bounds for dimension ${d} with size ${sizes[d]}`);
  const offsets = offsetTable(index, sizes[d], strides[d], true, complain);
  joinEntries(self, d, offsets, source._aliased(sizes, sizes.map(() => 0), 0), "assign");
}

/** The entries of an index vector, each once. */
function distinct(index: Tensor): Tensor {
  const entries = [...new Set(viewTyped(contiguousCopy(index, int64)) as BigInt64Array)];
  const out = emptyTensor([entries.length], int64);
  (viewTyped(out) as BigInt64Array).set(entries);
  return out;
}

const filling = writingForms(fillEntries, preservingCopy);

/** `self` with the entries along `dim` that `index` (int64) names filled with `value`, a number or a 0-dim tensor. */
export const index_fill: InplaceOp<[self: Tensor, dim: number, index: Tensor, value: Tensor | Scalar], { dim?: number; index?: Tensor; value?: Tensor | Scalar }> = makeOp(
  "index_fill",
  [
    new KernelOverload("index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor", {
      ...filling,
      backward: {
        self: ({ grad, dim, index }) => grad.index_fill(dim, index, 0),
        value: ({ grad, dim, index }) => grad.index_select(dim, distinct(index)).sum(),
      },
      node: "IndexFillBackward1",
    }),
    new KernelOverload("index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", {
      ...filling,
      backward: { self: ({ grad, dim, index }) => grad.index_fill(dim, index, 0) },
    }),
  ],
  true,
) as unknown as typeof index_fill;
