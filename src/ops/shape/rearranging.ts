/** Copies with the elements elsewhere: mirrored, rolled, turned, repeated, or cut to a triangle. */
import { markOutsideTriangle, writeRepeated, type WholeArray } from "../../backends/reference/index-patterns.ts";
import { alternatives, composite, kernel } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import type { InplaceOp, Op } from "../../dispatch/op.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { bool, int32, int64 } from "../../tensor/dtype.ts";
import { viewStrides, wrapDim, wrapDims, type Sizes } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { clone, contiguous, contiguous_format, writeInto } from "../creation/copy.ts";
import { emptyLike } from "../creation/fill.ts";

type Size = readonly number[];
type Shifts = number | Size;

/**
 * A copy with the order of the elements reversed along `dims`.
 *
 * @throws RuntimeError where a dimension is given twice; IndexError where one is out of range.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).flip(0).tolist(); // [[3, 4], [1, 2]]
 */
export const flip: Op<[self: Tensor, dims: Size], { dims?: Size }> = kernel("flip(Tensor self, int[] dims) -> Tensor", {
  forward: (self: Tensor, dims: Sizes) => {
    const flipped = wrapDims(dims, self._sizes.length).filter((d) => d < self._sizes.length);
    const out = emptyLike(self, null);
    if (self._numel === 0) return out;
    const strides = self._strides.map((s, d) => (flipped.includes(d) ? -s : s));
    const last = flipped.reduce((offset, d) => offset + (self._sizes[d] - 1) * self._strides[d], self._offset);
    return writeInto(out, self._aliased(self._sizes, strides, last));
  },
  backward: { self: ({ grad, dims }) => grad.flip(dims) },
});

/**
 * A copy mirrored from left to right, along the second dimension.
 *
 * @throws RuntimeError for fewer than two dimensions.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).fliplr().tolist(); // [[2, 1], [4, 3]]
 */
export const fliplr: Op<[self: Tensor]> = composite("fliplr(Tensor self) -> Tensor", (self: Tensor) => {
  if (self._sizes.length < 2) throw new RuntimeError("Input must be >= 2-d.");
  return self.flip([1]);
});

/**
 * A copy mirrored from top to bottom, along the first dimension.
 *
 * @throws RuntimeError for a 0-dim tensor.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).flipud().tolist(); // [[3, 4], [1, 2]]
 */
export const flipud: Op<[self: Tensor]> = composite("flipud(Tensor self) -> Tensor", (self: Tensor) => {
  if (self._sizes.length < 1) throw new RuntimeError("Input must be >= 1-d.");
  return self.flip([0]);
});

/** Shifts along one dimension; what leaves at one end comes in at the other. */
function rolled(self: Tensor, shift: number, dim: number): Tensor {
  if (self._sizes.length === 0) throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`);
  if (self._numel === 0) return clone(self);
  const d = wrapDim(dim, self._sizes.length);
  const out = emptyTensor(self._sizes, self.dtype);
  const size = self._sizes[d];
  const by = ((shift % size) + size) % size;
  const stretch = (t: Tensor, start: number, length: number): Tensor => t._aliased(t._sizes.with(d, length), t._strides, t._offset + start * t._strides[d]);
  writeInto(stretch(out, by, size - by), stretch(self, 0, size - by));
  if (by > 0) writeInto(stretch(out, 0, by), stretch(self, size - by, by));
  return out;
}

function rolledAll(self: Tensor, shifts: Sizes, dims: Sizes): Tensor {
  if (shifts.length === 0) throw new RuntimeError("`shifts` required");
  if (dims.length === 0 && shifts.length === 1) {
    const flat = rolled(contiguous(self).view([self._numel]), shifts[0], 0);
    return flat._aliased(self._sizes, viewStrides(flat._sizes, flat._strides, self._sizes)!, flat._offset);
  }
  if (shifts.length !== dims.length) throw new RuntimeError(`shifts and dimensions must align. shifts: ${shifts.length}, dims:${dims.length}`);
  return shifts.reduce((t, shift, i) => rolled(t, shift, dims[i]), self);
}

/**
 * A copy with the elements shifted along `dims`, or through the flattened tensor; what leaves at one end comes in at the other.
 *
 * @throws RuntimeError where `shifts` and `dims` differ in length; IndexError where a dimension is out of range.
 * @example
 * torch.arange(4).roll(1).tolist(); // [3, 0, 1, 2]
 */
export const roll: Op<[self: Tensor, shifts: Shifts, dims?: Shifts], { shifts?: Shifts; dims?: Shifts }> = kernel("roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor", {
  forward: rolledAll,
  backward: { self: ({ grad, shifts, dims }: { grad: Tensor; shifts: Sizes; dims: Sizes }) => grad.roll(shifts.map((s) => -s).reverse(), dims.toReversed()) },
});

const exchanged = (list: Sizes, a: number, b: number): Sizes => list.with(a, list[b]).with(b, list[a]);

function turned(self: Tensor, k: number, dims: Sizes): Tensor {
  const ndim = self._sizes.length;
  if (dims.length !== 2) throw new RuntimeError(`expected total rotation dims == 2, but got dims = ${dims.length}`);
  if (ndim < 2) throw new RuntimeError(`expected total dims >= 2, but got total dims = ${ndim}`);
  const [a, b] = dims.map((d) => wrapDim(d, ndim));
  if (a === b) throw new RuntimeError(`expected rotation dims to be different, but got dim0 = ${dims[0]} and dim1 = ${dims[1]}`);
  const transposed = (t: Tensor): Tensor => t._aliased(exchanged(t._sizes, a, b), exchanged(t._strides, a, b), t._offset);
  switch (((k % 4) + 4) % 4) {
    case 1:
      return transposed(self.flip([b]));
    case 2:
      return self.flip([a, b]);
    case 3:
      return transposed(self.flip([a]));
    default:
      return clone(self, { memory_format: contiguous_format });
  }
}

/**
 * A copy turned `k` times by 90 degrees in the plane of `dims`, from the first towards the second.
 *
 * @throws RuntimeError where `dims` are not two different dimensions; IndexError where one is out of range.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).rot90().tolist(); // [[2, 4], [1, 3]]
 */
export const rot90: Op<[self: Tensor, k?: number, dims?: Size], { k?: number; dims?: Size }> = kernel("rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor", {
  forward: turned,
  backward: { self: ({ grad, k, dims }) => grad.rot90(-k, dims) },
});

const keep: Formula = ({ self, outside }) => self.masked_fill(outside, 0);

/** Sets to zero what lies above (or below) a diagonal of the last two dimensions. */
function triangle(self: Tensor, lower: boolean, diagonal: number, out: Tensor): Tensor {
  const [rows, columns] = self._sizes.slice(-2);
  const outside = emptyTensor([rows, columns], bool);
  markOutsideTriangle(viewTyped(outside) as Uint8Array, rows, columns, diagonal, lower);
  return fused(keep).run([self, outside], self.dtype, self.dtype, out);
}

type Triangle = InplaceOp<[self: Tensor, diagonal?: number], { diagonal?: number }>;

const triangular = (name: "tril" | "triu"): Triangle => {
  const check = (self: Tensor): Tensor => {
    if (self._sizes.length < 2) throw new RuntimeError(`${name}: input tensor must have at least 2 dimensions`);
    return self;
  };
  const lower = name === "tril";
  return kernel(`${name}(Tensor self, int diagonal=0) -> Tensor`, {
    forward: (self: Tensor, diagonal: number) => triangle(check(self), lower, diagonal, emptyTensor(self._sizes, self.dtype)),
    inplace: (self: Tensor, diagonal: number) => void triangle(check(self), lower, diagonal, self),
    backward: { self: ({ grad, diagonal }: { grad: Tensor; diagonal: number }) => grad[name](diagonal) },
  });
};

/**
 * The lower triangle of each matrix, up to `diagonal` above the main one, and zeros.
 *
 * @throws RuntimeError for fewer than two dimensions.
 * @example
 * torch.ones(2, 2).tril().tolist(); // [[1, 0], [1, 1]]
 */
export const tril: Triangle = triangular("tril");
/**
 * The upper triangle of each matrix, from `diagonal` above the main one on, and zeros.
 *
 * @throws RuntimeError for fewer than two dimensions.
 * @example
 * torch.ones(2, 2).triu().tolist(); // [[1, 1], [0, 1]]
 */
export const triu: Triangle = triangular("triu");

/**
 * Copies of `self` laid side by side; as `repeat`, but `dims` may be shorter than the shape.
 *
 * @throws RuntimeError where a number of copies is negative.
 * @example
 * torch.tensor([[1, 2]]).tile(2).tolist(); // [[1, 2, 1, 2]]
 */
export const tile: Op<[self: Tensor, dims: Size], { dims?: Size }> = composite("tile(Tensor self, int[] dims) -> Tensor", (self: Tensor, dims: Sizes) =>
  self.repeat([...new Array<number>(Math.max(self._sizes.length - dims.length, 0)).fill(1), ...dims]),
);

interface InterleaveOptions {
  repeats?: number | Tensor;
  dim?: number | null;
  output_size?: number | null;
}

/** With a lone tensor of numbers of repetitions: the indices so repeated. */
type IndexRepetition = (repeats: Tensor, options?: { output_size?: number | null }) => Tensor;

/** Where each repetition comes from: index i, repeats[i] times. */
function repeatedIndices(repeats: Tensor): Tensor {
  if (repeats._sizes.length !== 1) throw new RuntimeError("repeat_interleave only accept 1D vector as repeat");
  if (repeats.dtype !== int64 && repeats.dtype !== int32) throw new NotImplementedError(`"repeat_interleave_cpu" not implemented for '${repeats.dtype.title}'`);
  const counts = repeats.tolist() as number[];
  if (counts.some((n) => n < 0)) throw new RuntimeError("repeats can not be negative");
  const out = emptyTensor([counts.reduce((sum, n) => sum + n, 0)], repeats.dtype);
  writeRepeated(viewTyped(out) as WholeArray, counts);
  return out;
}

function checkOutputSize(size: number, wanted: number | null, text = "allocated size does not match required size"): void {
  if (wanted !== null && wanted !== size) throw new RuntimeError(text);
}

function interleavedBy(self: Tensor, repeats: Tensor, dim: number | null, outputSize: number | null): Tensor {
  if (dim === null) return interleavedBy(self.flatten(), repeats, 0, outputSize);
  const d = wrapDim(dim, self._sizes.length);
  let counts = repeats;
  if (repeats._sizes.length === 0 || (repeats._sizes.length === 1 && repeats._sizes[0] === 1)) {
    counts = repeats.reshape([1]).expand([self._sizes[d] ?? 1]);
  } else if (repeats._sizes.length !== 1) {
    throw new RuntimeError("repeats must be 0-dim or 1-dim tensor");
  } else if (repeats._sizes[0] !== self._sizes[d]) {
    throw new RuntimeError(`repeats must have the same size as input along dim, but got repeats.size(0) = ${repeats._sizes[0]} and input.size(${d}) = ${self._sizes[d]}`);
  }
  const indices = repeatedIndices(counts);
  checkOutputSize(indices._numel, outputSize);
  return self.index_select(d, indices);
}

function interleavedEvenly(self: Tensor, repeats: number, dim: number | null, outputSize: number | null): Tensor {
  if (dim === null) return interleavedEvenly(self.flatten(), repeats, 0, outputSize);
  const input = self._sizes.length === 0 ? self.reshape([1]) : self;
  const d = wrapDim(dim, input._sizes.length);
  if (repeats < 0) throw new RuntimeError("Repeats must be non-negative");
  const size = input._sizes[d] * repeats;
  checkOutputSize(size, outputSize, `repeat_interleave: Invalid output_size, expected ${size} but got ${outputSize}`);
  const widened = input.unsqueeze(d + 1).expand(input._sizes.toSpliced(d + 1, 0, repeats));
  return clone(widened, { memory_format: contiguous_format }).flatten(d, d + 1);
}

/**
 * Each index of `dim`, or each element, repeated in place: `repeats` times, or as often as a tensor says for each.
 *
 * @throws RuntimeError where a number of repetitions is negative, or there is not one for each index; IndexError where `dim` is out of range.
 * @example
 * torch.tensor([1, 2]).repeat_interleave(2).tolist(); // [1, 1, 2, 2]
 */
export const repeat_interleave: Op<[self: Tensor, repeats: number | Tensor, dim?: number | null], InterleaveOptions> & IndexRepetition = alternatives({
  "repeat_interleave.Tensor(Tensor repeats, *, int? output_size=None) -> Tensor": (repeats: Tensor, outputSize: number | null) => {
    const indices = repeatedIndices(repeats);
    checkOutputSize(indices._numel, outputSize);
    return indices;
  },
  "repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, int? output_size=None) -> Tensor": interleavedBy,
  "repeat_interleave.self_int(Tensor self, int repeats, int? dim=None, *, int? output_size=None) -> Tensor": interleavedEvenly,
});
