/** Properties of a tensor that are views of it (`x.T`), iteration over its rows, and comparisons of shapes. */
import { RuntimeError, warn } from "../../errors.ts";
import { sameSizes } from "../../tensor/layout.ts";
import { Tensor } from "../../tensor/tensor.ts";

export interface ShapeProperties {
  /** The matrix transposed; with other than two dimensions their order reversed, which PyTorch deprecates. */
  readonly T: Tensor;
  /** The matrices of the last two dimensions transposed. */
  readonly mT: Tensor;
  /** The matrix transposed; for real numbers the same as `T`. */
  readonly H: Tensor;
  /** The matrices of the last two dimensions transposed; for real numbers the same as `mT`. */
  readonly mH: Tensor;
  /** The real part: the tensor itself. */
  readonly real: Tensor;
  /** Number of dimensions. */
  ndimension(): number;
  /** Has `other` the same sizes? */
  is_same_size(other: Tensor): boolean;
  /** Is `other` the same stretch of the same storage, with the same sizes and strides? */
  is_set_to(other: Tensor): boolean;
  /** The slices along the first dimension, as `unbind()` gives them. */
  [Symbol.iterator](): IterableIterator<Tensor>;
}

/** The last two dimensions exchanged; `what` is the name that the refusal of a vector uses. */
export function transposedMatrices(self: Tensor, what: string): Tensor {
  const ndim = self._sizes.length;
  if (ndim === 0) return self;
  if (ndim === 1) throw new RuntimeError(`tensor.${what} is only supported on matrices or batches of matrices. Got 1-D tensor.`);
  return self.transpose(-2, -1);
}

function reversed(self: Tensor): Tensor {
  const ndim = self._sizes.length;
  if (ndim === 0) warn("Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.");
  else if (ndim !== 2) {
    warn(
      "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an error in a future release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
    );
  }
  return self.permute([...self._sizes.keys()].reverse());
}

function conjugated(self: Tensor): Tensor {
  const ndim = self._sizes.length;
  if (ndim === 0) warn("Tensor.H is deprecated on 0-D tensors. Consider using x.conj().");
  else if (ndim !== 2) {
    const hint = ndim > 2 ? ". For batches of matrices, consider using tensor.mH" : ".";
    throw new RuntimeError(`tensor.H is only supported on matrices (2-D tensors). Got ${ndim}-D tensor${hint}`);
  }
  return transposedMatrices(self, "H");
}

const properties: PropertyDescriptorMap & ThisType<Tensor> = {
  T: { get() { return reversed(this); } },
  mT: {
    get() {
      if (this._sizes.length === 0) warn("Tensor.mT is deprecated on 0-D tensors. This function is the identity in these cases.");
      return transposedMatrices(this, "mT");
    },
  },
  H: { get() { return conjugated(this); } },
  mH: {
    get() {
      if (this._sizes.length === 0) warn("Tensor.mH is deprecated on 0-D tensors. Consider using x.conj().");
      return transposedMatrices(this, "mH");
    },
  },
  real: {
    get() {
      return this;
    },
  },
  ndimension: {
    value(this: Tensor) {
      return this._sizes.length;
    },
  },
  is_same_size: {
    value(this: Tensor, other: Tensor) {
      return sameSizes(this._sizes, other._sizes);
    },
  },
  is_set_to: {
    value(this: Tensor, other: Tensor) {
      return this._storage === other._storage && this._offset === other._offset && sameSizes(this._sizes, other._sizes) && sameSizes(this._strides, other._strides);
    },
  },
  [Symbol.iterator]: {
    value(this: Tensor) {
      if (this._sizes.length === 0) throw new TypeError("iteration over a 0-d tensor");
      return this.unbind(0)[Symbol.iterator]();
    },
  },
};

/** Adds the properties to Tensor. */
export function installShapeProperties(): void {
  for (const key of Reflect.ownKeys(properties)) {
    Object.defineProperty(Tensor.prototype, key, { configurable: true, ...properties[key as string] });
  }
}
