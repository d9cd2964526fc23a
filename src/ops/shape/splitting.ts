/** A tensor taken apart along a dimension, into views. */
import { alternatives, composite, CompositeOverload, kernel, view, ViewOverload, type View } from "../../dispatch/define.ts";
import { makeOp, type Op } from "../../dispatch/op.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { int64 } from "../../tensor/dtype.ts";
import { listText, wrapDim, type Sizes } from "../../tensor/layout.ts";
import { newCounter, Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { cat, stack } from "./joining.ts";
import { slice } from "./slicing.ts";

type Size = readonly number[];
type Tensors = readonly Tensor[];

interface PartGrads {
  grads: readonly (Tensor | null)[];
  output_sizes: readonly Sizes[];
  dim: number;
}

/** The gradients of the parts, zeros for parts without one; at least one part has one. */
function filledGrads(grads: PartGrads["grads"], sizes: readonly Sizes[]): Tensor[] {
  const { dtype } = grads.find((grad) => grad !== null)!;
  return grads.map((grad, i) => grad ?? filled(sizes[i], 0, dtype));
}

const joinedGrads = ({ grads, output_sizes, dim }: PartGrads): Tensor => cat(filledGrads(grads, output_sizes), dim);
const stackedGrads = ({ grads, output_sizes, dim }: PartGrads): Tensor => stack(filledGrads(grads, output_sizes), dim);

/**
 * The slices of `self` along `dim`, without that dimension.
 *
 * @throws IndexError for a 0-dim tensor, or where `dim` is out of range.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).unbind().map((row) => row.tolist()); // [[1, 2], [3, 4]]
 */
export const unbind: Op<[self: Tensor, dim?: number], { dim?: number }, Tensors> = view("unbind.int(Tensor self, int dim=0) -> Tensor[]", {
  view: (self: Tensor, dim: number) => {
    if (self._sizes.length === 0) throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`);
    const d = wrapDim(dim, self._sizes.length);
    const sizes = self._sizes.toSpliced(d, 1);
    const strides = self._strides.toSpliced(d, 1);
    return Array.from({ length: self._sizes[d] }, (_, i) => ({ sizes, strides, offset: self._offset + i * self._strides[d] }));
  },
  backward: stackedGrads,
});

/** Stretches of the lengths given, one after the other. */
function stretches(self: Tensor, dim: number, lengths: Sizes): View[] {
  let start = 0;
  return lengths.map((length) => {
    const sizes = self._sizes.with(dim, length);
    const offset = self._offset + start * self._strides[dim];
    start += length;
    return { sizes, strides: self._strides, offset };
  });
}

function evenLengths(self: Tensor, splitSize: number, dim: number): number[] {
  if (self._sizes.length === 0) throw new RuntimeError("split expects at least a 1-dimensional tensor");
  if (splitSize < 0) throw new RuntimeError(`split expects split_size be non-negative, but got split_size=${splitSize}`);
  const size = self._sizes[wrapDim(dim, self._sizes.length)];
  if (splitSize === 0) {
    if (size !== 0) throw new RuntimeError(`split_size can only be 0 if dimension size is 0, but got dimension size of ${size}`);
    return [0];
  }
  const count = Math.max(Math.ceil(size / splitSize), 1);
  return Array.from({ length: count }, (_, i) => (i + 1 < count ? splitSize : size - splitSize * i));
}

function checkLengths(self: Tensor, lengths: Sizes, dim: number): Sizes {
  if (self._sizes.length === 0) throw new RuntimeError("split expects at least a 1-dimensional tensor");
  const d = wrapDim(dim, self._sizes.length);
  if (lengths.some((length) => length < 0)) {
    throw new RuntimeError(`split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=${listText(lengths)}`);
  }
  if (lengths.reduce((sum, length) => sum + length, 0) !== self._sizes[d]) {
    throw new RuntimeError(
      `split_with_sizes expects split_sizes to sum exactly to ${self._sizes[d]} (input tensor's size at dimension ${dim}), but got split_sizes=${listText(lengths)}`,
    );
  }
  return lengths;
}

const evenSplit = (self: Tensor, splitSize: number, dim: number): View[] => {
  const lengths = evenLengths(self, splitSize, dim);
  return stretches(self, wrapDim(dim, self._sizes.length), lengths);
};
const sizedSplit = (self: Tensor, lengths: Sizes, dim: number): View[] => {
  checkLengths(self, lengths, dim);
  return stretches(self, wrapDim(dim, self._sizes.length), lengths);
};

const splitSized = (self: Tensor, lengths: Sizes, dim: number): Tensors => split_with_sizes(self, lengths, dim);
const splitAny = (self: Tensor, size: number | Sizes, dim: number): Tensors => (Number.isInteger(size) ? split(self, size, dim) : splitSized(self, size as Sizes, dim));

/**
 * Parts of `split_size` indices of `dim`, the last perhaps smaller; or, given a list, parts of those sizes.
 *
 * @throws RuntimeError for a 0-dim tensor, a negative size, or sizes that do not add up; IndexError where `dim` is out of range.
 * @example
 * torch.arange(5).split(2).map((part) => part.tolist()); // [[0, 1], [2, 3], [4]]
 */
export const split: Op<[self: Tensor, split_size: number | Size, dim?: number], { split_size?: number | Size; split_size_or_sections?: number | Size; dim?: number }, Tensors> = makeOp(
  "split",
  [
    new ViewOverload("split.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]", {
      view: evenSplit,
      backward: joinedGrads,
    }),
    new CompositeOverload("split.sizes(Tensor self, int[] split_size, int dim=0) -> Tensor[]", splitSized, { takesOut: false }),
    // torch.split calls its parameter so, the method does not.
    new CompositeOverload("split.function(Tensor self, Any split_size_or_sections, int dim=0) -> Tensor[]", splitAny, { takesOut: false }),
  ],
  true,
) as typeof split;

/**
 * Parts of the sizes given, which add up to the size of `dim`.
 *
 * @throws RuntimeError where the sizes do not add up.
 * @example
 * torch.arange(5).split_with_sizes([1, 4]).map((part) => part.tolist()); // [[0], [1, 2, 3, 4]]
 */
export const split_with_sizes: Op<[self: Tensor, split_sizes: Size, dim?: number], { split_sizes?: Size; dim?: number }, Tensors> = view(
  "split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]",
  { view: sizedSplit, backward: joinedGrads },
);

type Chunk = Op<[self: Tensor, chunks: number, dim?: number], { chunks?: number; dim?: number }, Tensors>;

const chunking = (name: string, evenly: (self: Tensor, size: number, dim: number) => Tensors, bySizes: (self: Tensor, sizes: Size, dim: number) => Tensors): Chunk =>
  composite(`${name}(Tensor self, int chunks, int dim=0) -> Tensor[]`, (self: Tensor, chunks: number, dim: number) => {
    if (self._sizes.length === 0) throw new RuntimeError("chunk expects at least a 1-dimensional tensor");
    if (chunks <= 0) throw new RuntimeError(`chunk expects \`chunks\` to be greater than 0, got: ${chunks}`);
    const size = self._sizes[wrapDim(dim, self._sizes.length)];
    if (size === 0) return bySizes(self, new Array<number>(chunks).fill(0), dim);
    return evenly(self, Math.ceil(size / chunks), dim);
  });

/**
 * At most `chunks` parts, all but the last of one size.
 *
 * @throws RuntimeError where `chunks` is not positive.
 * @example
 * torch.arange(5).chunk(2).map((part) => part.tolist()); // [[0, 1, 2], [3, 4]]
 */
export const chunk: Chunk = chunking("chunk", split, split_with_sizes);

/** Parts that are no views for autograd: writing to one in place is allowed, and not seen by the others. */
function unsafely(self: Tensor, parts: readonly View[]): Tensor[] {
  return parts.map(({ sizes, strides, offset }) => new Tensor(self._storage, sizes, strides, offset, self.dtype, newCounter()));
}

/**
 * As `split`, into parts that autograd does not know as views.
 *
 * @example
 * torch.arange(5).unsafe_split(3).map((part) => part.tolist()); // [[0, 1, 2], [3, 4]]
 */
export const unsafe_split: Op<[self: Tensor, split_size: number, dim?: number], { split_size?: number; dim?: number }, Tensors> = kernel(
  "unsafe_split.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]",
  { forward: (self: Tensor, splitSize: number, dim: number) => unsafely(self, evenSplit(self, splitSize, dim)), backward: { self: joinedGrads } },
);

/**
 * As `split_with_sizes`, into parts that autograd does not know as views.
 *
 * @example
 * torch.arange(5).unsafe_split_with_sizes([1, 4]).map((part) => part.tolist()); // [[0], [1, 2, 3, 4]]
 */
export const unsafe_split_with_sizes: Op<[self: Tensor, split_sizes: Size, dim?: number], { split_sizes?: Size; dim?: number }, Tensors> = kernel(
  "unsafe_split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]",
  { forward: (self: Tensor, lengths: Sizes, dim: number) => unsafely(self, sizedSplit(self, lengths, dim)), backward: { self: joinedGrads } },
);

/**
 * As `chunk`, into parts that autograd does not know as views.
 *
 * @example
 * torch.arange(5).unsafe_chunk(2).map((part) => part.tolist()); // [[0, 1, 2], [3, 4]]
 */
export const unsafe_chunk: Chunk = chunking("unsafe_chunk", unsafe_split, unsafe_split_with_sizes);

function checkSplittable(self: Tensor): void {
  if (self._sizes.length === 0) throw new RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
}

/** Parts between the cuts given; cuts beyond the ends give empty parts, as in Python's slices. */
function cutAt(self: Tensor, cuts: Sizes, dim: number): Tensor[] {
  checkSplittable(self);
  const d = wrapDim(dim, self._sizes.length);
  return [...cuts, self._sizes[d]].map((end, i) => slice(self, d, i === 0 ? 0 : cuts[i - 1], end));
}

/** `sections` parts whose sizes differ by one at most, the larger ones first. */
function cutInto(self: Tensor, sections: number, dim: number): Tensor[] {
  checkSplittable(self);
  const size = self._sizes[wrapDim(dim, self._sizes.length)];
  if (sections <= 0) throw new RuntimeError(`number of sections must be larger than 0, got ${sections}`);
  const small = Math.floor(size / sections);
  const larger = size % sections;
  return cutAt(self, Array.from({ length: sections - 1 }, (_, i) => small * (i + 1) + Math.min(i + 1, larger)), dim);
}

function cutByTensor(self: Tensor, where: Tensor, dim: number): Tensor[] {
  checkSplittable(self);
  if (where.dtype !== int64) throw new RuntimeError(`tensor_split expected tensor_indices_or_sections to have dtype of long, but got ${where.dtype.title}`);
  if (where._sizes.length > 1) {
    throw new RuntimeError(
      `tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor with ${where._sizes.length} dims`,
    );
  }
  return where._sizes.length === 0 ? cutInto(self, where.item() as number, dim) : cutAt(self, where.tolist() as number[], dim);
}

type Cuts = number | Size | Tensor;

/**
 * Parts as even as possible, given their number, or parts between the indices given; plain slices, which may be written in place.
 *
 * @throws RuntimeError for a 0-dim tensor, or where the number of parts is not positive.
 * @example
 * torch.arange(5).tensor_split([1, 3]).map((part) => part.tolist()); // [[0], [1, 2], [3, 4]]
 */
export const tensor_split: Op<
  [self: Tensor, indices_or_sections: Cuts, dim?: number],
  { indices?: Size; sections?: number; tensor_indices_or_sections?: Tensor; dim?: number },
  Tensors
> = alternatives({
  "tensor_split.indices(Tensor self, int[] indices, int dim=0) -> Tensor[]": cutAt,
  "tensor_split.tensor_indices_or_sections(Tensor self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor[]": cutByTensor,
  "tensor_split.sections(Tensor self, int sections, int dim=0) -> Tensor[]": cutInto,
});

type DimSplit = Op<[self: Tensor, indices_or_sections: number | Size], { indices?: Size; sections?: number }, Tensors>;

/** NumPy's splits along one fixed dimension, into equal parts or at indices. */
function splitting(name: string, leastDims: number, dimOf: (ndim: number) => number): DimSplit {
  const check = (self: Tensor): void => {
    const ndim = self._sizes.length;
    if (ndim < leastDims) throw new RuntimeError(`torch.${name} requires a tensor with at least ${leastDims} dimension, but got a tensor with ${ndim} dimensions!`);
  };
  return alternatives({
    [`${name}.int(Tensor self, int sections) -> Tensor[]`]: (self: Tensor, sections: number) => {
      check(self);
      const dim = dimOf(self._sizes.length);
      const size = self._sizes[dim];
      if (sections === 0 || size % sections !== 0) {
        throw new RuntimeError(`torch.${name} attempted to split along dimension ${dim}, but the size of the dimension ${size} is not divisible by the split_size ${sections}!`);
      }
      return cutInto(self, sections, dim);
    },
    [`${name}.array(Tensor self, int[] indices) -> Tensor[]`]: (self: Tensor, indices: Sizes) => {
      check(self);
      return cutAt(self, indices, dimOf(self._sizes.length));
    },
  });
}

/**
 * Equal parts, or parts between indices, along the second dimension, of a vector along the first.
 *
 * @throws RuntimeError where the parts would not be equal.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).hsplit(2).map((part) => part.tolist()); // [[[1], [3]], [[2], [4]]]
 */
export const hsplit: DimSplit = splitting("hsplit", 1, (ndim) => (ndim === 1 ? 0 : 1));
/**
 * Equal parts, or parts between indices, along the first dimension.
 *
 * @throws RuntimeError where the parts would not be equal, or for fewer than two dimensions.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).vsplit(2).map((part) => part.tolist()); // [[[1, 2]], [[3, 4]]]
 */
export const vsplit: DimSplit = splitting("vsplit", 2, () => 0);
/**
 * Equal parts, or parts between indices, along the third dimension.
 *
 * @throws RuntimeError where the parts would not be equal, or for fewer than three dimensions.
 * @example
 * torch.tensor([[[1, 2]]]).dsplit(2).map((part) => part.tolist()); // [[[[1]]], [[[2]]]]
 */
export const dsplit: DimSplit = splitting("dsplit", 3, () => 2);
