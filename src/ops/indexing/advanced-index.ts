/** Indexing by tensors: aten's index, index_put and _index_put_impl_ (aten/src/ATen/native/TensorAdvancedIndexing.cpp). */
import { gather, scatter, addOffsets, type Combine, type TableWalk } from "../../backends/reference/gather.ts";
import { kernel } from "../../dispatch/define.ts";
import { memoryOrder, refuseOverlap, refusePartialOverlap, resultStrides, warnOfExpanded } from "../../dispatch/iterate.ts";
import { invokeInplace, type AnyOp, type FunctionOp, type InplaceOp } from "../../dispatch/op.ts";
import { IndexError, RuntimeError, warn } from "../../errors.ts";
import { bool, int32, int64, uint8 } from "../../tensor/dtype.ts";
import { broadcastSizes, contiguousStrides, expandedStrides, isExpandable, listText, viewStrides, type Sizes } from "../../tensor/layout.ts";
import { emptyStrided, emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { preservingCopy, writeInto } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { coordinatesOfNonzero, elementStart, entryMet, wordsOf, writingForms } from "./index-table.ts";

/** An index tensor for each dimension; null takes all of a dimension. */
export type Indices = readonly (Tensor | null)[];

/** What an index amounts to: the walk over the result, with the indexed tensor's steps and the table of offsets. */
interface Plan {
  self: Tensor;
  sizes: Sizes;
  /** Steps of `self` along the result's dimensions; 0 along those of the index. */
  strides: number[];
  /** The index tensors with the result's dimensions: what decides the result's memory order. */
  indices: Tensor[];
  /** How far the indexed dimensions lead, by position in the index's shape; throws for the first index out of range on a walk by these steps. */
  offsets: (steps: readonly Sizes[]) => Uint32Array;
  positions: number[];
}

const isMask = (index: Tensor): boolean => index.dtype === bool || index.dtype === uint8;

function checkKinds(self: Tensor, indices: Indices): void {
  const { length } = indices;
  if (length > self._sizes.length) throw new IndexError(`too many indices for tensor of dimension ${self._sizes.length} (got ${length})`);
  for (const index of indices) {
    if (index !== null && ![int64, int32, bool, uint8].includes(index.dtype)) {
      throw new IndexError("tensors used as indices must be long, int, byte or bool tensors");
    }
  }
}

/** Masks are replaced by the coordinates of what they hold, one index tensor for each of their dimensions. */
function withoutMasks(self: Tensor, indices: Indices): (Tensor | null)[] {
  const out: (Tensor | null)[] = [];
  for (const index of indices) {
    if (index === null || !isMask(index)) {
      out.push(index);
      continue;
    }
    if (index.dtype === uint8) warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.");
    checkMask(self, index, out.length);
    out.push(...coordinatesOfNonzero(index));
  }
  return out;
}

function checkMask(self: Tensor, mask: Tensor, dim: number): void {
  mask._sizes.forEach((size, j) => {
    if (size === self._sizes[dim + j]) return;
    throw new IndexError(`The shape of the mask ${listText(mask._sizes)} at index ${j} does not match the shape of the indexed tensor ${listText(self._sizes)} at index ${dim + j}`);
  });
}

function broadcastIndices(indices: Indices): { shape: Sizes; expanded: (Tensor | null)[] } {
  const given = indices.filter((index) => index !== null);
  let shape: Sizes = given[0]._sizes;
  try {
    for (const index of given) shape = broadcastSizes(shape, index._sizes);
  } catch {
    throw new IndexError(`shape mismatch: indexing tensors could not be broadcast together with shapes ${given.map((index) => listText(index._sizes)).join(", ")}`);
  }
  return { shape, expanded: indices.map((index) => (index === null ? null : index._aliased(shape, expandedStrides(index._sizes, index._strides, shape), index._offset))) };
}

/** Works out where an index leads; at least one of `given` is a tensor. */
function plan(given: Tensor, givenIndices: Indices): Plan {
  checkKinds(given, givenIndices);
  const { shape, expanded } = broadcastIndices(withoutMasks(given, givenIndices));
  const { self, indices } = adjacent(given, expanded);
  const from = indices.findIndex((index) => index !== null);
  const tables = indices.filter((index) => index !== null).map((index) => (index.dtype === int64 ? index : preservingCopy(index, int64)));
  const before = self._sizes.slice(0, from);
  const after = self._sizes.slice(from + tables.length);
  const indexed = self._sizes.slice(from, from + tables.length);
  if (indexed.includes(0) && !shape.includes(0)) throw new IndexError("index is out of bounds for dimension with size 0");
  const around = <T>(inner: T[], fill: T): T[] => [...before.map(() => fill), ...inner, ...after.map(() => fill)];
  const sizes = [...before, ...shape, ...after];
  const fitted = around([...shape], 1);
  return {
    self,
    sizes,
    strides: [...self._strides.slice(0, from), ...shape.map(() => 0), ...self._strides.slice(from + tables.length)],
    indices: tables.map((index) => index._aliased(fitted, viewStrides(shape, index._strides, fitted)!, index._offset)),
    offsets: (steps) => offsetsOf(tables, indexed, self._strides.slice(from), sizes.includes(0), steps.map((s) => s.slice(from, from + shape.length))),
    positions: around(contiguousStrides(shape), 0),
  };
}

/** Index tensors that are not adjacent, and their dimensions, go to the front. */
function adjacent(self: Tensor, indices: readonly (Tensor | null)[]): { self: Tensor; indices: (Tensor | null)[] } {
  const all = self._sizes.map((_, d) => indices[d] ?? null);
  const set = all.flatMap((index, d) => (index === null ? [] : [d]));
  if (set[set.length - 1] - set[0] + 1 === set.length) return { self, indices: all };
  const order = [...set, ...all.flatMap((index, d) => (index === null ? [d] : []))];
  const transposed = self._aliased(order.map((d) => self._sizes[d]), order.map((d) => self._strides[d]), self._offset);
  return { self: transposed, indices: order.map((d) => all[d]) };
}

/** The offset of each position of the index; nothing is checked where the result has no elements. */
function offsetsOf(tables: readonly Tensor[], sizes: Sizes, strides: Sizes, isEmpty: boolean, steps: readonly Sizes[]): Uint32Array {
  const offsets = new Uint32Array(tables[0]._numel);
  if (isEmpty) return offsets;
  const isBad = tables.map((index, j) => addOffsets(wordsOf(index), sizes[j], strides[j], true, offsets) >= 0);
  if (isBad.includes(true)) throw outOfRange(tables, sizes, steps);
  return offsets;
}

/** Complains about the index that PyTorch's loop meets first. */
function outOfRange(tables: readonly Tensor[], sizes: Sizes, steps: readonly Sizes[]): IndexError {
  const operands = [...steps, ...tables.map((index) => index._strides)];
  const met = tables.map((index, j) => entryMet(index, (entry) => entry < -sizes[j] || entry >= sizes[j], operands));
  const first = Math.min(...met.map((one) => one?.turn ?? Infinity));
  const j = met.findIndex((one) => one?.turn === first);
  return new IndexError(`index ${met[j]!.entry} is out of bounds for dimension ${j} with size ${sizes[j]}`);
}

function read(self: Tensor, indices: Indices): Tensor {
  const p = plan(self, indices);
  const source = self._aliased(p.sizes, p.strides, self._offset);
  const out = emptyStrided(p.sizes, resultStrides(p.sizes, [source, ...p.indices]), self.dtype);
  gather(self.dtype, p.sizes, tableWalk(p, [p.strides]), { start: elementStart(out), strides: out._strides });
  return out;
}

function tableWalk({ self, strides, offsets, positions }: Plan, steps: readonly Sizes[]): TableWalk {
  const table = offsets(steps);
  return { start: elementStart(self), strides, offsets: table, positions };
}

function write(self: Tensor, indices: Indices, values: Tensor, accumulate: boolean): void {
  warnOfExpanded(self, "index_put_", "tensor[indices] = tensor");
  checkKinds(self, indices);
  const given = indices.filter((index) => index !== null);
  const fill = !accumulate && values._numel === 1 && given.length === 1 && isMask(given[0]);
  if (fill) checkMask(self, given[0], indices.indexOf(given[0]));
  if (fill && given[0].dtype === uint8) throw new RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype unsigned char");
  if (fill && given[0]._numel === self._numel) refusePartialOverlap(self, given[0]);
  if (!fill) for (const other of [values, ...indices]) if (other !== null) refuseOverlap(self, other);
  const p = plan(self, indices);
  // One value for one mask is a fill, which casts; anything else must be of the dtype of `self`.
  const source = fill ? writeInto(emptyTensor([], self.dtype), values._aliased([], [], values._offset)) : values;
  if (!isExpandable(source._sizes, p.sizes)) {
    throw new RuntimeError(`shape mismatch: value tensor of shape ${listText(source._sizes)} cannot be broadcast to indexing result of shape ${listText(p.sizes)}`);
  }
  if (source.dtype !== self.dtype) {
    throw new RuntimeError(`Index put requires the source and destination dtypes match, got ${self.dtype.title} for the destination and ${source.dtype.title} for the source.`);
  }
  const from = expandedStrides(source._sizes, source._strides, p.sizes);
  const order = memoryOrder(p.sizes, [p.strides, from, ...p.indices.map((index) => expandedStrides(index._sizes, index._strides, p.sizes))]).reverse();
  const ordered = (list: Sizes): number[] => order.map((d) => list[d]);
  const into = { ...tableWalk(p, [p.strides, from]), strides: ordered(p.strides), positions: ordered(p.positions) };
  const combine: Combine = !accumulate ? "assign" : self.dtype === bool ? "or" : "add";
  scatter(self.dtype, ordered(p.sizes), into, { start: elementStart(source), strides: ordered(from) }, combine);
}

/** Elements of `self` picked by index tensors; dimensions with a null stay whole. */
export const index: FunctionOp<[self: Tensor, indices: Indices]> = kernel("index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", {
  forward: read,
  backward: { self: ({ grad, indices, self_sizes }) => invokeInplace(_index_put_impl as unknown as AnyOp, [filled(self_sizes, 0, grad.dtype), indices, grad, true, true]) },
  method: false,
});

const putGradients = {
  self: ({ grad, indices, values_sizes, accumulate }: { grad: Tensor; indices: Indices; values_sizes: Sizes; accumulate: boolean }) =>
    accumulate ? grad : index_put(grad, indices, filled(values_sizes, 0, grad.dtype)),
  values: ({ grad, indices }: { grad: Tensor; indices: Indices }) => index(grad, indices),
};

/** `self` with `values`, broadcast, written or added where index tensors lead. */
export const index_put: InplaceOp<[self: Tensor, indices: Indices, values: Tensor, accumulate?: boolean]> = kernel(
  "index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
  { ...writingForms(write, preservingCopy), backward: putGradients, method: false },
);

/** The form of index_put that the gradient of `index` is made with. */
const _index_put_impl: FunctionOp<[self: Tensor, indices: Indices, values: Tensor, accumulate?: boolean, unsafe?: boolean]> = kernel(
  "_index_put_impl(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False, bool unsafe=False) -> Tensor",
  { ...writingForms(write, preservingCopy), backward: putGradients, node: "IndexPutImplBackward0", method: false },
);
