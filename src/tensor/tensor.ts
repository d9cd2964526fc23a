import { nearest, RuntimeError } from "../errors.ts";
import { cpu, strided, type Device } from "./device.ts";
import type { DType } from "./dtype.ts";
import { Storage } from "./heap.ts";
import { contiguousStrides, isContiguous, listText, numelOf, existingDim, type Sizes } from "./layout.ts";
import { VersionCounter } from "./version.ts";

/** What a tensor knows of the node that made it; autograd's `Node` is one. */
export interface GraphNode {
  /** PyTorch's name of the node: `MulBackward0`. */
  name(): string;
  readonly next_functions: readonly (readonly [GraphNode | null, number])[];
}

/** How a view came to be; decides whether it may be written in place (torch::autograd::CreationMeta). */
export type CreationMeta = "default" | "multi-output" | "no-grad" | "inference" | "custom-function";

/** The link of a differentiable view to its base. */
export interface ViewMeta {
  base: Tensor;
  creation: CreationMeta;
  /** The version at which `_gradFn` was right; a later one means it must be regenerated. */
  attrVersion: number;
}

/** What only some tensors need: a gradient, the accumulator of a leaf. */
export class AutogradMeta {
  grad: Tensor | null = null;
  accumulator: GraphNode | null = null;
  postAccumulateHooks: unknown = null;
  retainsGrad = false;
  gradDtype: DType | null | undefined = undefined;
}

/** A dimension, by position or by name. */
const givenDim = (dim: number | { dim: number }): number => (typeof dim === "object" ? dim.dim : dim);

/**
 * A multi-dimensional array of one dtype, with PyTorch's autograd.
 *
 * Made by factories such as `torch.tensor`, not by this constructor. Methods for every op are installed by the
 * op table; see `src/ops`.
 */
export class Tensor {
  readonly dtype: DType;
  /** @internal */ _storage: Storage;
  /** @internal */ _sizes: Sizes;
  /** @internal */ _strides: Sizes;
  /** First element, counted in elements from the start of the storage. @internal */
  _offset: number;
  /** @internal */ _numel: number;
  /** @internal */ _contiguous: boolean;
  /** Null for an inference tensor, which tracks no version. @internal */
  _counter: VersionCounter | null;
  /** The flag that a user set on a leaf. @internal */
  _requiresGrad: boolean = false;
  /** @internal */ _gradFn: GraphNode | null = null;
  /** @internal */ _outputNr: number = 0;
  /** @internal */ _view: ViewMeta | null = null;
  /** @internal */ _meta: AutogradMeta | null = null;
  /** A number that entered arithmetic as a 0-dim tensor; it ranks lowest in promotion. @internal */
  _wrapped: boolean = false;

  /** A gradient that only the running backward refers to, so that it may be kept, added to in place or released. @internal */
  _owned: boolean = false;

  /** @internal */
  constructor(storage: Storage, sizes: Sizes, strides: Sizes, offset: number, dtype: DType, counter: VersionCounter | null) {
    this.dtype = dtype;
    this._storage = storage;
    this._sizes = sizes;
    this._strides = strides;
    this._offset = offset;
    this._numel = numelOf(sizes);
    this._contiguous = isContiguous(sizes, strides);
    this._counter = counter;
  }

  /** Address of the first element in the heap, in bytes. @internal */
  get _address(): number {
    return this._storage.address + this._offset * this.dtype.itemsize;
  }

  /** Changes sizes, strides and offset of this very tensor: what `t_`, `resize_` and `set_` do. @internal */
  _setGeometry(sizes: Sizes, strides: Sizes, offset: number): void {
    this._sizes = sizes;
    this._strides = strides;
    this._offset = offset;
    this._numel = numelOf(sizes);
    this._contiguous = isContiguous(sizes, strides);
  }

  /** The same memory with another geometry; no view for autograd. @internal */
  _aliased(sizes: Sizes, strides: Sizes, offset: number): Tensor {
    return aliasOf(this, sizes, strides, offset);
  }
  /** A contiguous tensor's memory with other sizes; no view for autograd. @internal */
  _reshaped(sizes: Sizes): Tensor {
    return this._aliased(sizes, contiguousStrides(sizes), this._offset);
  }

  /** Where the elements lie: on the CPU. */
  get device(): Device {
    return cpu;
  }
  /** How the elements lie: by strides. */
  get layout(): typeof strided {
    return strided;
  }
  get is_cpu(): boolean {
    return true;
  }
  get is_cuda(): boolean {
    return false;
  }
  /** Sizes of the dimensions: torch.Size as a frozen array. */
  get shape(): readonly number[] {
    return Object.freeze(this._sizes);
  }
  /** Number of dimensions. */
  get ndim(): number {
    return this._sizes.length;
  }
  dim(): number {
    return this._sizes.length;
  }
  /** The shape, or the size of one dimension. */
  size(): readonly number[];
  size(dim: number | { dim: number }): number;
  size(dim?: number | { dim: number }): readonly number[] | number {
    return dim === undefined ? this.shape : this._sizes[existingDim(givenDim(dim), this._sizes.length)];
  }
  /** Number of elements. */
  numel(): number {
    return this._numel;
  }
  nelement(): number {
    return this._numel;
  }
  /** Steps in elements between neighbours along each dimension, or along one. */
  stride(): readonly number[];
  stride(dim: number | { dim: number }): number;
  stride(dim?: number | { dim: number }): readonly number[] | number {
    return dim === undefined ? Object.freeze(this._strides) : this._strides[existingDim(givenDim(dim), this._strides.length)];
  }
  /** Position of the first element in the storage, in elements. */
  storage_offset(): number {
    return this._offset;
  }
  /** Do the elements lie in row-major order without gaps? */
  is_contiguous(): boolean {
    return this._contiguous;
  }
  /** Size of an element in bytes. */
  element_size(): number {
    return this.dtype.itemsize;
  }
  get itemsize(): number {
    return this.dtype.itemsize;
  }
  get nbytes(): number {
    return this._numel * this.dtype.itemsize;
  }
  is_floating_point(): boolean {
    return this.dtype.is_floating_point;
  }
  is_complex(): boolean {
    return false;
  }
  is_signed(): boolean {
    return this.dtype.is_signed;
  }
  /** Address of the first element in leafgrad's heap, in bytes; equal addresses mean shared memory. */
  data_ptr(): number {
    return this._address;
  }
  /** How often the storage was written to; shared with views and `detach()`. */
  get _version(): number {
    if (this._counter === null) throw new RuntimeError("Inference tensors do not track version counter.");
    return this._counter.value;
  }
  is_inference(): boolean {
    return this._counter === null;
  }
  /** Is this tensor a differentiable view of another? */
  _is_view(): boolean {
    return this._view !== null;
  }
  /** The tensor that this one views, null for one that views none. */
  get _base(): Tensor | null {
    return this._view === null ? null : this._view.base;
  }
  /** @internal */
  get _autogradMeta(): AutogradMeta {
    return (this._meta ??= new AutogradMeta());
  }
}

// An unknown property ends its search for a setter here, so that a misspelt name throws instead of being ignored.
Object.setPrototypeOf(
  Tensor.prototype,
  new Proxy(Object.prototype, {
    set(_target, name, value, receiver) {
      if (typeof name === "symbol") return Reflect.defineProperty(receiver as object, name, { value, writable: true, configurable: true });
      const near = nearest(name, Object.getOwnPropertyNames(Tensor.prototype));
      throw new TypeError(`a Tensor has no property '${name}'${near === null ? "" : `; did you mean '${near}'?`}`);
    },
  }),
);

/** Stands outside the class: bundlers give another name to a class that names itself. */
function aliasOf(tensor: Tensor, sizes: Sizes, strides: Sizes, offset: number): Tensor {
  return new Tensor(tensor._storage, sizes, strides, offset, tensor.dtype, tensor._counter);
}

/** An uninitialised contiguous tensor. */
export function emptyTensor(sizes: Sizes, dtype: DType): Tensor {
  const nbytes = numelOf(sizes) * dtype.itemsize;
  if (nbytes >= 2 ** 63) throw new RuntimeError(`Storage size calculation overflowed with sizes=${listText(sizes)}`);
  return new Tensor(new Storage(nbytes), sizes, contiguousStrides(sizes), 0, dtype, newCounter());
}

/** An uninitialised tensor with given strides, which must describe a dense layout from offset 0. */
export function emptyStrided(sizes: Sizes, strides: Sizes, dtype: DType): Tensor {
  let last = 0;
  for (let i = 0; i < sizes.length; i++) {
    if (sizes[i] === 0) return new Tensor(new Storage(0), sizes, strides, 0, dtype, newCounter());
    last += (sizes[i] - 1) * strides[i];
  }
  return new Tensor(new Storage((last + 1) * dtype.itemsize), sizes, strides, 0, dtype, newCounter());
}

/** Set by inference mode, whose tensors have no version counter. */
let inference = false;
export function setInference(on: boolean): boolean {
  const previous = inference;
  inference = on;
  return previous;
}
export function isInference(): boolean {
  return inference;
}
export function newCounter(): VersionCounter | null {
  return inference ? null : new VersionCounter();
}
