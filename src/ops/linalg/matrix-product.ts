/** Products of tensors as matrices, unrecorded; and the refusals and gradients that the ops made of them share. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { gemm } from "../../backends/gemm.ts";
import { axis, single, type Axis, type Factor } from "../../backends/product.ts";
import { multiplySmall, type Strided } from "../../backends/reference/gemm.ts";
import { fused } from "../../dispatch/fused.ts";
import { refuseInternalOverlap } from "../../dispatch/iterate.ts";
import { observed } from "../../dispatch/observer.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT, INT, checkFits, type DType } from "../../tensor/dtype.ts";
import { isExpandable, listText, sameSizes, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { expandError, writeInto } from "../creation/copy.ts";

/** What a product is multiplied with, and what is kept of the tensor it is added to. */
export interface Scaling {
  alpha: number;
  beta: number;
}

const plain: Scaling = { alpha: 1, beta: 0 };

/** Products of so few multiplications are made without packing. */
const SMALL = 512;

/** The last two dimensions of `t`; a vector is a column. */
function matrixOf(t: Tensor): Strided {
  const { _strides: strides, _offset: offset } = t;
  const n = strides.length;
  return { at: t._storage.address / t.dtype.itemsize + offset, row: strides[Math.max(n - 2, 0)], column: n === 1 ? 0 : strides[n - 1] };
}

/** The same as a batch of `batch` matrices, m × n. */
function factorOf(t: Tensor, batch: Axis, m: number, n: number): Factor {
  const { row, column } = matrixOf(t);
  return { storage: t._storage, offset: t._offset, batch, rows: axis(m, row), columns: axis(n, column) };
}

/** out = alpha · a · b + beta · out, where `out` is contiguous; a or b may be a vector, which is then a column. */
export function multiplyInto(out: Tensor, a: Tensor, b: Tensor, { alpha, beta }: Scaling = plain): Tensor {
  const [m, k] = a._sizes;
  const n = b._sizes.length === 1 ? 1 : b._sizes[1];
  if (m * n * k <= SMALL && out.dtype.kind === FLOAT) multiplySmall(out.dtype, m, n, k, matrixOf(a), matrixOf(b), matrixOf(out).at, alpha, beta);
  else gemm(out.dtype, { a: factorOf(a, single, m, k), b: factorOf(b, single, k, n), out: { storage: out._storage, offset: out._offset }, alpha, beta });
  return out;
}

/** The products of the matrices in the last two dimensions; the others are alike. The rows of `out` lie in one piece each. */
export function multiplyBatches(out: Tensor, a: Tensor, b: Tensor, { alpha, beta }: Scaling = plain): Tensor {
  const last = out._sizes.length - 2;
  const batch = ({ _sizes, _strides }: Tensor): Axis => ({ sizes: _sizes.slice(0, last), steps: _strides.slice(0, last) });
  const factor = (t: Tensor): Factor => factorOf(t, batch(t), t._sizes[last], t._sizes[last + 1]);
  const target = { storage: out._storage, offset: out._offset, batch: batch(out), row: out._strides[last] };
  gemm(out.dtype, { a: factor(a), b: factor(b), out: target, alpha, beta });
  return out;
}

const times: Formula = ({ self, mat2 }) => self.mul(mat2);

/** The product of two matrices that fit. That of a column and a row has sums of one term, which are not added to a zero: -0 stays -0. */
export function productOf(a: Tensor, b: Tensor): Tensor {
  const [[m, k], [, n]] = [a._sizes, b._sizes];
  const out = emptyTensor([m, n], a.dtype);
  return k === 1 && m > 1 && n > 1 ? fused(times).run([a, b], a.dtype, a.dtype, out) : multiplyInto(out, a, b);
}

/** A new tensor of `sizes` with `self` broadcast into it, or unset where nothing is kept of it. */
export function startingFrom(self: Tensor, sizes: Sizes, { beta, alpha }: Scaling): Tensor {
  for (const factor of [beta, alpha]) if (self.dtype.kind === INT) checkFits(Math.trunc(factor), self.dtype);
  if (!isExpandable(self._sizes, sizes)) throw expandError(self._sizes, sizes, self.dtype);
  const out = emptyTensor(sizes, self.dtype);
  return beta === 0 ? out : writeInto(out, self);
}

/** In place the result has the sizes of `self`. */
export function refuseOtherSizes(self: Tensor, sizes: Sizes): void {
  if (sameSizes(self._sizes, sizes)) return;
  throw new RuntimeError(`Bad in-place call: input tensor size ${listText(self._sizes)} and output tensor size ${listText(sizes)} should match`);
}

/** The in-place form of an op whose result need not have the sizes of `self`. */
export function overwriting<A extends unknown[]>(forward: (self: Tensor, ...args: A) => Tensor): (self: Tensor, ...args: A) => void {
  return (self, ...args) => {
    const result = forward(self, ...args);
    refuseOtherSizes(self, result._sizes);
    refuseInternalOverlap(self);
    writeInto(self, result);
  };
}

/** No product of booleans exists, but of nothing; PyTorch's text names the kernel that lacks it. */
export function refuseBoolProduct(dtype: DType, kernelName: string, multiplications: number): void {
  if (dtype.kind === BOOL && multiplications > 0) throw new NotImplementedError(`"${kernelName}" not implemented for 'Bool'`);
}

export function refuseUnmultipliable(a: Sizes, b: Sizes): void {
  if (a[1] !== b[0]) throw new RuntimeError(`mat1 and mat2 shapes cannot be multiplied (${a.join("x")} and ${b.join("x")})`);
}

/** Refuses batches of matrices that cannot be multiplied. */
export function checkBatches(batch1: Tensor, batch2: Tensor): void {
  const [a, b] = [batch1._sizes, batch2._sizes];
  if (a.length !== 3) throw new RuntimeError("batch1 must be a 3D tensor");
  if (b.length !== 3) throw new RuntimeError("batch2 must be a 3D tensor");
  if (b[0] !== a[0] || b[1] !== a[2]) {
    throw new RuntimeError(`Expected size for first two dimensions of batch2 tensor to be: [${a[0]}, ${a[2]}] but got: [${b[0]}, ${b[1]}].`);
  }
  if (batch1.dtype !== batch2.dtype) throw new RuntimeError(`expected scalar type ${batch1.dtype.title} but found ${batch2.dtype.title}`);
}

/** Refuses what addmv cannot add; `self` is described, for `mv` has none. */
export function checkMatrixVector(self: { sizes: Sizes; dtype: DType }, mat: Tensor, vec: Tensor): void {
  const [s, m, v] = [self.sizes, mat._sizes, vec._sizes];
  if (m.length !== 2 || v.length !== 1 || s.length > 1) {
    throw new RuntimeError(`vector + matrix @ vector expected, got ${s.length}, ${m.length}, ${v.length}`);
  }
  const rows = s.length === 0 ? 1 : s[0];
  if (m[1] !== v[0] || (m[0] !== rows && rows !== 1)) {
    throw new RuntimeError(`size mismatch, got input (${rows}), mat (${m.join("x")}), vec (${v[0]})`);
  }
  if (mat.dtype !== vec.dtype || self.dtype !== vec.dtype) {
    throw new RuntimeError(`addmv input tensors must have the same dtype, but got ${self.dtype.title}, ${mat.dtype.title}, and ${vec.dtype.title}`);
  }
  refuseBoolProduct(vec.dtype, "addmv_impl_cpu", mat._numel);
}

/** Gradients are made of ops where these are recorded or observed, and without the cost of their calls elsewhere. */
const isFollowed = (): boolean => gradMode.enabled || observed.by !== null;
const product = (a: Tensor, b: Tensor): Tensor => (isFollowed() ? a.mm(b) : productOf(a, b));
const turned = (t: Tensor): Tensor => (isFollowed() ? t.t() : t._aliased(t._sizes.toReversed(), t._strides.toReversed(), t._offset));

/** Gradient of the left factor, laid out by columns where the factor is (mm_mat1_backward). */
export function leftGradient(grad: Tensor, mat2: Tensor, sizes: Sizes, strides: Sizes): Tensor {
  return isColumnMajor(sizes, strides) ? turned(product(mat2, turned(grad))) : product(grad, turned(mat2));
}

/** Gradient of the right factor, laid out by columns where the factor is (mm_mat2_backward). */
export function rightGradient(grad: Tensor, mat1: Tensor, sizes: Sizes, strides: Sizes): Tensor {
  return isColumnMajor(sizes, strides) ? turned(product(turned(grad), mat1)) : product(turned(mat1), grad);
}

const isColumnMajor = (sizes: Sizes, strides: Sizes): boolean => strides[0] === 1 && strides[1] === sizes[0];
