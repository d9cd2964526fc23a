/** Products of tensors as matrices, unrecorded; and the refusals that the ops made of them share. */
import { gemm, type Matrix } from "../backends/reference/gemm.ts";
import { refuseInternalOverlap } from "../dispatch/iterate.ts";
import { NotImplementedError, RuntimeError } from "../errors.ts";
import { BOOL, type DType } from "../tensor/dtype.ts";
import { isExpandable, listText, sameSizes, type Sizes } from "../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../tensor/tensor.ts";
import { expandError, writeInto } from "./copy.ts";

/** What a product is multiplied with, and what is kept of the tensor it is added to. */
export interface Scaling {
  alpha: number;
  beta: number;
}

const plain: Scaling = { alpha: 1, beta: 0 };

/** Where the last two dimensions of `t` lie as a matrix, in the batch `index`; a vector is a column. */
function matrixOf(t: Tensor, index = 0): Matrix {
  const { _strides: strides, _offset: offset } = t;
  const at = t._storage.address / t.dtype.itemsize + offset;
  const n = strides.length;
  return n === 1 ? { at, row: strides[0], column: 0 } : { at: n === 3 ? at + index * strides[0] : at, row: strides[n - 2], column: strides[n - 1] };
}

/** out = alpha · a · b + beta · out, where `out` is contiguous; a or b may be a vector, which is then a column. */
export function multiplyInto(out: Tensor, a: Tensor, b: Tensor, { alpha, beta }: Scaling = plain, index = 0): Tensor {
  const [m, k] = a._sizes.slice(-2);
  const n = b._sizes.length === 1 ? 1 : b._sizes[b._sizes.length - 1];
  if (m * n > 0) gemm(out.dtype, { m, n, k, a: matrixOf(a, index), b: matrixOf(b, index), out: matrixOf(out).at + index * m * n, alpha, beta });
  return out;
}

/** The products of the matrices in two batches. */
export function multiplyBatches(out: Tensor, a: Tensor, b: Tensor, scaling: Scaling = plain): Tensor {
  for (let i = 0; i < a._sizes[0]; i++) multiplyInto(out, a, b, scaling, i);
  return out;
}

/** A new tensor of `sizes` with `self` broadcast into it, or unset where nothing is kept of it. */
export function startingFrom(self: Tensor, sizes: Sizes, { beta }: Scaling): Tensor {
  if (!isExpandable(self._sizes, sizes)) throw expandError(self._sizes, sizes);
  const out = emptyTensor(sizes, self.dtype);
  return beta === 0 ? out : writeInto(out, self);
}

/** The in-place form of an op whose result need not have the sizes of `self`. */
export function overwriting<A extends unknown[]>(forward: (self: Tensor, ...args: A) => Tensor): (self: Tensor, ...args: A) => void {
  return (self, ...args) => {
    const result = forward(self, ...args);
    if (!sameSizes(self._sizes, result._sizes)) {
      throw new RuntimeError(`Bad in-place call: input tensor size ${listText(self._sizes)} and output tensor size ${listText(result._sizes)} should match`);
    }
    refuseInternalOverlap(self);
    writeInto(self, result);
  };
}

/** No product of booleans exists; PyTorch's text names the kernel that lacks it. */
export function refuseBoolProduct(dtype: DType, kernelName: string): void {
  if (dtype.kind === BOOL) throw new NotImplementedError(`"${kernelName}" not implemented for 'Bool'`);
}

export function refuseUnmultipliable(a: Sizes, b: Sizes): void {
  if (a[1] !== b[0]) throw new RuntimeError(`mat1 and mat2 shapes cannot be multiplied (${a.join("x")} and ${b.join("x")})`);
}
