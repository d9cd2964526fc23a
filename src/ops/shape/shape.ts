/** Views with other dimensions over the same elements: reordered, merged, split, added or dropped. */
import { alternatives, composite, view, ViewOverload, type View } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp, type InplaceOp, type Op } from "../../dispatch/op.ts";
import { RuntimeError, warn } from "../../errors.ts";
import { inferSize, listText, numelOf, sameSizes, viewStrides, wrapDim, wrapDims, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { asStridedBackward } from "./as-strided.ts";
import { clone, contiguous, contiguous_format } from "../creation/copy.ts";
import { transposedMatrices } from "./shape-properties.ts";
import { alias } from "./slicing.ts";
import { _reshape_alias, _unsafe_view } from "./unsafe-view.ts";
import { stridedGeometry } from "./view-geometry.ts";

type Size = readonly number[];
type Dims = number | readonly number[];

/**
 * A view with any sizes, strides and offset over the same storage.
 *
 * @throws RuntimeError where the view would reach beyond the storage, or a stride is negative.
 * @example
 * torch.arange(6).as_strided([2, 2], [1, 3]).tolist(); // [[0, 3], [1, 4]]
 */
export const as_strided: InplaceOp<[self: Tensor, size: Size, stride: Size, storage_offset?: number | null], { storage_offset?: number | null }> = view(
  "as_strided(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
  {
    view: stridedGeometry,
    backward: ({ grad, self_sizes, self_strides, self_offset, size, stride, storage_offset }) =>
      asStridedBackward(grad, { sizes: self_sizes, strides: self_strides, offset: self_offset }, { sizes: size, strides: stride, offset: storage_offset ?? self_offset }),
    inplaceNode: "AsStridedBackward1",
  },
);

/**
 * Gives this very tensor other sizes, strides and offset over its storage.
 *
 * @example
 * torch.as_strided_(torch.arange(6), [2], [3]).tolist(); // [0, 3]
 */
export const as_strided_: FunctionOp<[self: Tensor, size: Size, stride: Size, storage_offset?: number | null], { storage_offset?: number | null }> = composite(
  "as_strided_(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
  (self: Tensor, size: Sizes, stride: Sizes, offset: number | null) => self.as_strided_(size, stride, offset),
  { method: false },
);

/**
 * A view with a dimension of size 1 inserted at `dim`.
 *
 * @throws IndexError where `dim` is out of range.
 * @example
 * torch.zeros(2, 3).unsqueeze(0).shape; // [1, 2, 3]
 */
export const unsqueeze: InplaceOp<[self: Tensor, dim: number], { dim?: number }> = view("unsqueeze(Tensor self, int dim) -> Tensor", {
  view: (self: Tensor, dim: number) => {
    const { _sizes: sizes, _strides: strides } = self;
    const d = wrapDim(dim, sizes.length + 1);
    const stride = d < sizes.length ? sizes[d] * strides[d] : 1;
    return { sizes: sizes.toSpliced(d, 0, 1), strides: strides.toSpliced(d, 0, stride), offset: self._offset };
  },
  backward: ({ grad, dim }) => grad.squeeze(dim),
  inplaceNode: "UnsqueezeBackward1",
});

/** Drops the dimensions of size 1 among `dims`, which are wrapped. */
function squeezed(self: Tensor, dims: readonly number[]): View {
  const kept = [...self._sizes.keys()].filter((d) => self._sizes[d] !== 1 || !dims.includes(d));
  return { sizes: kept.map((d) => self._sizes[d]), strides: kept.map((d) => self._strides[d]), offset: self._offset };
}

const unsqueezed = ({ grad, self_sizes }: { grad: Tensor; self_sizes: Sizes }): Tensor => (sameSizes(grad._sizes, self_sizes) ? grad : grad.view(self_sizes));

/**
 * A view without dimensions of size 1: all of them, or those among `dim`.
 *
 * @throws IndexError where a dimension is out of range; RuntimeError where one is given twice.
 * @example
 * torch.zeros(1, 3, 1).squeeze(0).shape; // [3, 1]
 */
export const squeeze: InplaceOp<[self: Tensor, dim?: Dims], { dim?: Dims }> = makeOp(
  "squeeze",
  [
    new ViewOverload("squeeze(Tensor self) -> Tensor", {
      view: (self: Tensor) => squeezed(self, [...self._sizes.keys()]),
      backward: unsqueezed,
      inplaceNode: "SqueezeBackward3",
    }),
    new ViewOverload("squeeze.dim(Tensor self, int dim) -> Tensor", {
      view: (self: Tensor, dim: number) => squeezed(self, [wrapDim(dim, self._sizes.length)]),
      backward: unsqueezed,
      node: "SqueezeBackward1",
      inplaceNode: "SqueezeBackward4",
    }),
    new ViewOverload("squeeze.dims(Tensor self, int[] dim) -> Tensor", {
      view: (self: Tensor, dims: Sizes) => squeezed(self, wrapDims(dims, self._sizes.length)),
      backward: unsqueezed,
      node: "SqueezeBackward2",
      inplaceNode: "SqueezeBackward5",
    }),
  ],
  true,
) as typeof squeeze;

function permuted(self: Tensor, order: readonly number[]): View {
  return { sizes: order.map((d) => self._sizes[d]), strides: order.map((d) => self._strides[d]), offset: self._offset };
}

function swapped(self: Tensor, dim0: number, dim1: number): View {
  const ndim = self._sizes.length;
  const [a, b] = [wrapDim(dim0, ndim), wrapDim(dim1, ndim)];
  const [sizes, strides] = [self._sizes.slice(), self._strides.slice()];
  // A 0-dim tensor has a dimension to name, but none to exchange.
  if (a !== b) for (const list of [sizes, strides]) [list[a], list[b]] = [list[b], list[a]];
  return { sizes, strides, offset: self._offset };
}

type Swap = InplaceOp<[self: Tensor, dim0: number, dim1: number], { dim0?: number; dim1?: number }>;

/**
 * A view with two dimensions exchanged.
 *
 * @throws IndexError where a dimension is out of range.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).transpose(0, 1).tolist(); // [[1, 3], [2, 4]]
 */
export const transpose: Swap = view("transpose.int(Tensor self, int dim0, int dim1) -> Tensor", {
  view: swapped,
  backward: ({ grad, dim0, dim1 }) => grad.transpose(dim0, dim1),
  inplaceNode: "TransposeBackward1",
});

/**
 * The same as `transpose`, by NumPy's name.
 *
 * @example
 * torch.zeros(2, 3).swapaxes(0, 1).shape; // [3, 2]
 */
export const swapaxes: InplaceOp<[self: Tensor, axis0: number, axis1: number], { axis0?: number; axis1?: number }> = composite(
  "swapaxes(Tensor self, int axis0, int axis1) -> Tensor",
  (self: Tensor, axis0: number, axis1: number) => self.transpose(axis0, axis1),
  { inplace: (self: Tensor, axis0: number, axis1: number) => self.transpose_(axis0, axis1) },
);

/**
 * The same as `transpose`.
 *
 * @example
 * torch.zeros(2, 3).swapdims(0, 1).shape; // [3, 2]
 */
export const swapdims: Swap = composite("swapdims(Tensor self, int dim0, int dim1) -> Tensor", (self: Tensor, dim0: number, dim1: number) => self.transpose(dim0, dim1), {
  inplace: (self: Tensor, dim0: number, dim1: number) => self.transpose_(dim0, dim1),
});

const matrixTransposition = (name: string): ViewOverload =>
  new ViewOverload("t(Tensor self) -> Tensor", {
    view: (self: Tensor) => {
      const ndim = self._sizes.length;
      if (ndim > 2) throw new RuntimeError(`${name}() expects a tensor with <= 2 dimensions, but self is ${ndim}D`);
      return swapped(self, 0, ndim < 2 ? 0 : 1);
    },
    backward: ({ grad }) => grad.t(),
    inplaceNode: "TBackward1",
  });

/**
 * A matrix transposed; a tensor of fewer dimensions as it is.
 *
 * @throws RuntimeError where there are more than two dimensions.
 * @example
 * torch.tensor([[1, 2], [3, 4]]).t().tolist(); // [[1, 3], [2, 4]]
 */
export const t: InplaceOp<[self: Tensor]> = makeOp("t", [Object.assign(matrixTransposition("t"), { inplace: matrixTransposition("t_").inplace })], true) as typeof t;

/**
 * The last two dimensions exchanged: the conjugate transpose of a real matrix.
 *
 * @throws RuntimeError for a vector.
 * @example
 * torch.zeros(4, 2, 3).adjoint().shape; // [4, 3, 2]
 */
export const adjoint: Op<[self: Tensor]> = composite("adjoint(Tensor self) -> Tensor", (self: Tensor) => {
  if (self._sizes.length === 0) warn("adjoint() is deprecated on 0-D tensors. Consider using x.conj().");
  return transposedMatrices(self, "adjoint()");
});

/**
 * A view with the dimensions in another order.
 *
 * @throws RuntimeError where `dims` does not name every dimension once; IndexError where one is out of range.
 * @example
 * torch.zeros(2, 3, 4).permute(2, 0, 1).shape; // [4, 2, 3]
 */
export const permute: Op<[self: Tensor, dims: Size], { dims?: Size }> = view("permute(Tensor self, int[] dims) -> Tensor", {
  view: (self: Tensor, dims: Sizes) => {
    const ndim = self._sizes.length;
    if (dims.length !== ndim) {
      throw new RuntimeError(
        `permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = ${ndim} is not equal to len(dims) = ${dims.length}`,
      );
    }
    const order = dims.map((d) => wrapDim(d, ndim));
    if (new Set(order).size < ndim) throw new RuntimeError("permute(): duplicate dims are not allowed.");
    return permuted(self, order);
  },
  backward: ({ grad, dims }) => grad.permute(inverseOrder(dims)),
});

function inverseOrder(dims: readonly number[]): number[] {
  const inverse = new Array<number>(dims.length);
  dims.forEach((d, i) => (inverse[d < 0 ? d + dims.length : d] = i));
  return inverse;
}

function moved(self: Tensor, source: Sizes, destination: Sizes): Tensor {
  if (source.length !== destination.length) {
    throw new RuntimeError(
      `movedim: Invalid source or destination dims: source (${listText(source)} dims) should contain the same number of dims as destination (${listText(destination)} dims)`,
    );
  }
  const ndim = self._sizes.length;
  const from = source.map((d) => wrapDim(d, ndim));
  const to = destination.map((d) => wrapDim(d, ndim));
  if (new Set(from).size < from.length) throw new RuntimeError(`movedim: repeated dim in \`source\` (${listText(source)})`);
  if (new Set(to).size < to.length) throw new RuntimeError(`movedim: repeated dim in \`destination\` (${listText(destination)})`);
  if (ndim === 0) return alias(self);
  const order = new Array<number>(ndim).fill(-1);
  to.forEach((d, i) => (order[d] = from[i]));
  const rest = [...self._sizes.keys()].filter((d) => !from.includes(d));
  return self.permute(order.map((d) => (d >= 0 ? d : rest.shift()!)));
}

type Move = Op<[self: Tensor, source: Dims, destination: Dims], { source?: Dims; destination?: Dims }>;

const movement = (name: string): Move =>
  alternatives({
    [`${name}.int(Tensor self, int source, int destination) -> Tensor`]: (self: Tensor, source: number, destination: number) => moved(self, [source], [destination]),
    [`${name}.intlist(Tensor self, int[] source, int[] destination) -> Tensor`]: moved,
  });

/**
 * A view with the dimensions `source` at the places `destination`; the others keep their order.
 *
 * @throws RuntimeError where the lists differ in length or name a dimension twice; IndexError where one is out of range.
 * @example
 * torch.zeros(2, 3, 4).movedim(0, -1).shape; // [3, 4, 2]
 */
export const movedim: Move = movement("movedim");
/**
 * The same as `movedim`, by NumPy's name.
 *
 * @example
 * torch.zeros(2, 3, 4).moveaxis([0, 1], [1, 0]).shape; // [3, 2, 4]
 */
export const moveaxis: Move = movement("moveaxis");

function reshaped(self: Tensor, shape: Sizes): Tensor {
  if (self._contiguous) return self.view(shape);
  const sizes = inferSize(shape, self._numel);
  const strides = viewStrides(self._sizes, self._strides, sizes);
  if (strides !== null) return _reshape_alias(self, sizes, strides);
  return _unsafe_view(clone(self, { memory_format: contiguous_format }), sizes);
}

/**
 * The elements in the same order as another shape: a view where the strides allow it, else a copy.
 *
 * @throws RuntimeError where the sizes do not multiply up to the number of elements; one of them may be -1.
 * @example
 * torch.arange(6).reshape(2, -1).tolist(); // [[0, 1, 2], [3, 4, 5]]
 */
export const reshape: Op<[self: Tensor, shape: Size], { shape?: Size }> = composite("reshape(Tensor self, int[] shape) -> Tensor", reshaped);

/**
 * The dimensions from `start_dim` to `end_dim` merged into one.
 *
 * @throws RuntimeError where `start_dim` comes after `end_dim`; IndexError where one is out of range.
 * @example
 * torch.zeros(2, 3, 4).flatten(1).shape; // [2, 12]
 */
export const flatten: Op<[self: Tensor, start_dim?: number, end_dim?: number], { start_dim?: number; end_dim?: number }> = composite(
  "flatten(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor",
  (self: Tensor, start: number, end: number) => {
    const sizes = self._sizes;
    const first = wrapDim(start, sizes.length);
    const last = wrapDim(end, sizes.length);
    if (first > last) throw new RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim");
    if (sizes.length === 0) return reshaped(self, [1]);
    if (first === last) return self;
    return reshaped(self, [...sizes.slice(0, first), numelOf(sizes.slice(first, last + 1)), ...sizes.slice(last + 1)]);
  },
);

/**
 * All elements in a row.
 *
 * @example
 * torch.tensor([[1, 2], [3, 4]]).ravel().tolist(); // [1, 2, 3, 4]
 */
export const ravel: Op<[self: Tensor]> = composite("ravel(Tensor self) -> Tensor", (self: Tensor) => contiguous(self).view([-1]));

/**
 * One dimension split into several; one of `sizes` may be -1.
 *
 * @throws RuntimeError where the sizes do not multiply up to that of the dimension.
 * @example
 * torch.zeros(2, 6).unflatten(1, [3, -1]).shape; // [2, 3, 2]
 */
export const unflatten: Op<[self: Tensor, dim: number, sizes: Size], { dim?: number; sizes?: Size }> = composite(
  "unflatten.int(Tensor self, int dim, int[] sizes) -> Tensor",
  (self: Tensor, dim: number, sizes: Sizes) => {
    const d = wrapDim(dim, self._sizes.length);
    if (sizes.length === 0) throw new RuntimeError("unflatten: sizes must be non-empty");
    if (self._sizes.length === 0) throw new RuntimeError("unflatten got an unexpected error:\nDimension specified as 0 but tensor has no dimensions");
    return self.view(self._sizes.toSpliced(d, 1, ...unflattenedSizes(sizes, d, self._sizes[d])));
  },
);

function unflattenedSizes(sizes: Sizes, dim: number, size: number): number[] {
  try {
    return inferSize(sizes, size);
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes("is invalid for input of size")) throw new RuntimeError(`unflatten got an unexpected error:\n${message}`);
    throw new RuntimeError(`unflatten: Provided sizes ${listText(sizes)} don't multiply up to the size of dim ${dim} (${size}) in the input tensor`);
  }
}

/**
 * The same memory and version counter outside the graph, and no view of `self`.
 *
 * @example
 * torch.ones([2], { requires_grad: true }).mul(2).detach().requires_grad; // false
 */
export const detach: Op<[self: Tensor]> = composite("detach(Tensor self) -> Tensor", (self: Tensor) => self._aliased(self._sizes, self._strides, self._offset));

/**
 * Cuts this very tensor out of its graph.
 *
 * @throws RuntimeError for a view.
 * @example
 * torch.detach_(torch.ones([2], { requires_grad: true }).mul(2)).requires_grad; // false
 */
export const detach_: FunctionOp<[self: Tensor]> = composite("detach_(Tensor self) -> Tensor", (self: Tensor) => self.detach_(), { method: false });
