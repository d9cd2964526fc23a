/** Views, and their copying kin, that PyTorch has as methods only. */
import { composite, CompositeOverload, kernel, view as defineView, ViewOverload } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import { makeOp, type FunctionOp, type InplaceOnlyOp, type Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import type { DType } from "../../tensor/dtype.ts";
import { isExpandable, listText, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { expandError, writeInto } from "../creation/copy.ts";
import { checkSizes, filled } from "../creation/fill.ts";
import { part, selectGeometry, viewGeometry, windowGeometry } from "./view-geometry.ts";

type Size = readonly number[];
/** Sizes may also be given one by one. */
interface Variadic {
  (self: Tensor, ...sizes: number[]): Tensor;
}

/**
 * A view with other sizes over the same elements in the same order, or of the same bytes as another dtype.
 *
 * @throws RuntimeError where the sizes or the strides do not allow it; one size may be -1.
 * @example
 * torch.arange(6).view(2, -1).shape; // [2, 3]
 */
export const view: Op<[self: Tensor, size: Size | DType], { size?: Size; dtype?: DType }> & Variadic = makeOp(
  "view",
  [
    new CompositeOverload("view.dtype(Tensor self, ScalarType dtype) -> Tensor", viewAs),
    new ViewOverload("view(Tensor self, int[] size) -> Tensor", {
      view: viewGeometry,
      backward: ({ grad, self_sizes }) => grad.reshape(self_sizes),
    }),
  ],
  true,
) as typeof view;

/** The bytes read as another dtype; no gradient passes. */
function viewAs(self: Tensor, dtype: DType): Tensor {
  const ratio = self.dtype.itemsize / dtype.itemsize;
  const what = `to view ${self.dtype.title} as ${dtype.title} (different element sizes)`;
  const last = self._sizes.length - 1;
  const wants = (holds: boolean, name: string, value: number, need: string): void => {
    if (!holds) throw new RuntimeError(`self.${name} must be ${need} ${what}, but got ${value}`);
  };
  if (ratio !== 1) {
    if (last < 0) throw new RuntimeError(`self.dim() cannot be 0 ${what}`);
    const multiple = `divisible by ${1 / ratio}`;
    if (ratio < 1) {
      wants(Number.isInteger(self._sizes[last] * ratio), "size(-1)", self._sizes[last], multiple);
      wants(Number.isInteger(self._offset * ratio), "storage_offset()", self._offset, multiple);
    }
    wants(self._strides[last] === 1, "stride(-1)", self._strides[last], "1");
    self._strides.slice(0, last).forEach((s, d) => wants(Number.isInteger(s * ratio), `stride(${d})`, s, multiple));
  }
  const scaled = (value: number, d: number): number => (d === last ? value : value * ratio);
  const sizes = self._sizes.map((s, d) => (d === last ? s * ratio : s));
  return new Tensor(self._storage, sizes, self._strides.map(scaled), self._offset * ratio, dtype, self._counter);
}

/**
 * A view with the sizes of `other`.
 *
 * @example
 * torch.arange(6).view_as(torch.zeros(2, 3)).shape; // [2, 3]
 */
export const view_as: Op<[self: Tensor, other: Tensor]> = composite("view_as(Tensor self, Tensor other) -> Tensor", (self: Tensor, other: Tensor) => self.view(other._sizes));

/**
 * `self` with the sizes of `other`: a view where the strides allow it, else a copy.
 *
 * @example
 * torch.arange(6).reshape_as(torch.zeros(2, 3)).shape; // [2, 3]
 */
export const reshape_as: Op<[self: Tensor, other: Tensor]> = composite("reshape_as(Tensor self, Tensor other) -> Tensor", (self: Tensor, other: Tensor) =>
  self.reshape(other._sizes),
);

/**
 * A view in which dimensions of size 1 are repeated without copying; -1 keeps a size.
 *
 * @throws RuntimeError where a size differs from one that is not 1.
 * @example
 * torch.tensor([[1], [2]]).expand(-1, 2).tolist(); // [[1, 1], [2, 2]]
 */
export const expand: Op<[self: Tensor, size: Size], { implicit?: boolean }> & Variadic = defineView("expand(Tensor self, int[] size, *, bool implicit=False) -> Tensor", {
  view: (self: Tensor, size: Sizes) => {
    const lead = size.length - self._sizes.length;
    const sizes = size.map((s, i) => (s === -1 && i >= lead ? self._sizes[i - lead] : s));
    if (lead < 0 || !isExpandable(self._sizes, sizes)) throw expandError(self._sizes, sizes, self.dtype);
    const kept = sizes.lastIndexOf(-1, lead - 1);
    if (self._sizes.length > 0 && lead > 0 && kept >= 0) {
      throw new RuntimeError(`The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ${kept}`);
    }
    if (sizes.some((s) => s < 0)) throw new RuntimeError("numel: integer multiplication overflow");
    return { sizes, strides: repeatingStrides(self, sizes), offset: self._offset };
  },
  backward: ({ grad, self_sizes }) => grad.sum_to_size(self_sizes),
});

/** Step 0 along each dimension that repeats; a new one of size 1 steps over all that follow it, as PyTorch sets it. */
function repeatingStrides(self: Tensor, sizes: Sizes): number[] {
  const strides = new Array<number>(sizes.length).fill(0);
  if (self._sizes.length === 0) return strides;
  const lead = sizes.length - self._sizes.length;
  for (let d = sizes.length - 1; d >= 0; d--) {
    const old = d < lead ? 1 : self._sizes[d - lead];
    if (old !== sizes[d]) strides[d] = 0;
    else if (d >= lead) strides[d] = self._strides[d - lead];
    else strides[d] = d + 1 < sizes.length ? sizes[d + 1] * strides[d + 1] : 1;
  }
  return strides;
}

/**
 * A view expanded to the sizes of `other`.
 *
 * @example
 * torch.tensor([1]).expand_as(torch.zeros(2)).tolist(); // [1, 1]
 */
export const expand_as: Op<[self: Tensor, other: Tensor]> = composite("expand_as(Tensor self, Tensor other) -> Tensor", (self: Tensor, other: Tensor) =>
  self.expand(other._sizes),
);

/**
 * Sums over the dimensions in which `self` is larger, so that the result has the sizes given: the adjoint of `expand`.
 *
 * @throws RuntimeError where `self` is no expansion of that size.
 * @example
 * torch.ones(2, 3).sum_to_size(1, 3).tolist(); // [[2, 2, 2]]
 */
export const sum_to_size: Op<[self: Tensor, size: Size]> & Variadic = composite("sum_to_size(Tensor self, int[] size) -> Tensor", (self: Tensor, size: Sizes) => {
  if (!isExpandable(size, self._sizes)) throw new RuntimeError(`size {${listText(size)}} is not expandable to size {${listText(self._sizes)}}.`);
  if (size.length === 0) return self.sum();
  const lead = self._sizes.length - size.length;
  const dims = self._sizes.flatMap((s, d) => (d < lead || (size[d - lead] === 1 && s !== 1) ? [d] : []));
  const summed = dims.length === 0 ? self : self.sum(dims, true);
  return lead > 0 ? summed.view(size) : summed;
});

/**
 * A view of windows of `size` elements along `dimension`, `step` apart; the windows lie along a new last dimension.
 *
 * @throws RuntimeError where `size` exceeds the dimension or `step` is not positive; IndexError where the dimension is out of range.
 * @example
 * torch.arange(4).unfold(0, 2, 1).tolist(); // [[0, 1], [1, 2], [2, 3]]
 */
export const unfold: Op<[self: Tensor, dimension: number, size: number, step: number], { dimension?: number; size?: number; step?: number }> = defineView(
  "unfold(Tensor self, int dimension, int size, int step) -> Tensor",
  {
    view: windowGeometry,
    backward: ({ grad, self_sizes, dimension, size, step }) => unfold_backward(grad, self_sizes, dimension, size, step),
  },
);

const sum: Formula = ({ self, other }) => self.add(other);

/** Adds the windows up where they came from: the k-th elements of all windows never overlap, so they are added at once. */
const unfold_backward: FunctionOp<[grad_in: Tensor, input_sizes: Sizes, dim: number, size: number, step: number]> = kernel(
  "unfold_backward(Tensor grad_in, int[] input_sizes, int dim, int size, int step) -> Tensor",
  {
    forward: (grad: Tensor, input: Sizes, dim: number, size: number, step: number) => {
      const out = filled(input, 0, grad.dtype);
      const { sizes, strides } = windowGeometry(out, dim, size, step);
      const last = sizes.length - 1;
      for (let k = 0; k < size; k++) {
        const place = out._aliased(sizes.slice(0, last), strides.slice(0, last), k * strides[last]);
        fused(sum).run([place, part(grad, selectGeometry(grad, -1, k))], grad.dtype, grad.dtype, place);
      }
      return out;
    },
    backward: { grad_in: ({ grad, dim, size, step }) => grad.unfold(dim, size, step) },
  },
);

/** The sizes of a repetition, and of what is repeated, as pairs (times, size) for each dimension. */
function repeatedPairs(sizes: Sizes, repeats: Sizes): number[] {
  const lead = repeats.length - sizes.length;
  return repeats.flatMap((times, d) => [times, d < lead ? 1 : sizes[d - lead]]);
}

/**
 * Copies of `self` laid side by side, `repeats[d]` times along dimension d; dimensions that `self` lacks come first.
 *
 * @throws RuntimeError where there are fewer numbers than dimensions, or one is negative.
 * @example
 * torch.tensor([1, 2]).repeat(2).tolist(); // [1, 2, 1, 2]
 */
export const repeat: Op<[self: Tensor, repeats: Size], { repeats?: Size }> & Variadic = kernel("repeat(Tensor self, int[] repeats) -> Tensor", {
  forward: (self: Tensor, repeats: Sizes) => {
    const lead = repeats.length - self._sizes.length;
    if (lead < 0) throw new RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
    const out = emptyTensor(checkSizes(repeats.map((times, d) => times * (d < lead ? 1 : self._sizes[d - lead]))), self.dtype);
    const pairs = repeatedPairs(self._sizes, repeats);
    const strides = repeats.flatMap((_, d) => [0, d < lead ? 0 : self._strides[d - lead]]);
    writeInto(out._reshaped(pairs), self._aliased(pairs, strides, self._offset));
    return out;
  },
  backward: {
    self: ({ grad, self_sizes, repeats }: { grad: Tensor; self_sizes: Sizes; repeats: Sizes }) => {
      const lead = repeats.length - self_sizes.length;
      let whole = grad;
      for (let d = 0; d < lead; d++) whole = whole.sum(0);
      // A gradient of what was not repeated is handed on as it is.
      const sizes: number[] = [];
      const dims: number[] = [];
      self_sizes.forEach((size, d) => {
        if (repeats[lead + d] !== 1) dims.push(sizes.push(repeats[lead + d]) - 1);
        sizes.push(size);
      });
      return dims.length === 0 ? whole : whole.reshape(sizes).sum(dims);
    },
  },
});

/**
 * `fill_diagonal_`: overwrites the diagonal; with `wrap`, of a tall matrix, that of each square below it too.
 *
 * @throws RuntimeError for fewer than two dimensions, or more than two of different sizes.
 * @example
 * torch.zeros(2, 2).fill_diagonal_(1).tolist(); // [[1, 0], [0, 1]]
 */
export const fill_diagonal: InplaceOnlyOp<[self: Tensor, fill_value: number, wrap?: boolean], { wrap?: boolean }> = composite(
  "fill_diagonal(Tensor self, Scalar fill_value, bool wrap=False) -> Tensor",
  () => undefined,
  { method: false, inplace: overwriteDiagonal },
);

function overwriteDiagonal(self: Tensor, value: number, wrap: boolean): Tensor {
  const { _sizes: sizes, _strides: strides } = self;
  if (sizes.length < 2) throw new RuntimeError("dimensions must larger than 1");
  if (sizes.length > 2 && sizes.some((s) => s !== sizes[0])) throw new RuntimeError("all dimensions of input must be of equal length");
  const length = Math.min(sizes[0], sizes[1]);
  const step = strides.reduce((sum, s) => sum + s, 0);
  self.as_strided([length], [step], self._offset).fill_(value);
  if (wrap && sizes.length === 2 && sizes[0] > sizes[1] + 1) {
    const period = sizes[1] + 1;
    self.as_strided([Math.ceil(self._numel / period) - length], [step], self._offset + strides[0] * period).fill_(value);
  }
  return self;
}
