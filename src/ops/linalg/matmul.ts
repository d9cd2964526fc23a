/** Products that choose among mm, mv, dot and bmm. Which one serves decides the nodes of the graph, so the choice is PyTorch's (aten/src/ATen/native/LinearAlgebra.cpp). */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { gradMode } from "../../autograd/grad-mode.ts";
import { requiresGrad } from "../../autograd/variable.ts";
import { FLOAT, typeMetaName } from "../../tensor/dtype.ts";
import { broadcastSizes, listText, numelOf, wrapDims, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { contiguous } from "../creation/copy.ts";
import { multiplyBatches } from "./matrix-product.ts";
import { _unsafe_view } from "../shape/unsafe-view.ts";

/**
 * The product of vectors, matrices or batches of matrices, by the rules of Python's `@`: a vector counts as a row on the
 * left and as a column on the right, and batch dimensions are broadcast.
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.matmul(torch.ones(4, 2, 3), torch.ones(3)).shape; // [4, 2]
 */
export const matmul: Op<[self: Tensor, other: Tensor], { other?: Tensor }> = composite("matmul(Tensor self, Tensor other) -> Tensor", multiplied, { refuse: refuseScalars, outRule: { refuses: refuseOut } });

function refuseScalars(self: Tensor, other: Tensor): void {
  const [d1, d2] = [self._sizes.length, other._sizes.length];
  if (d1 === 0 || d2 === 0) throw new RuntimeError(`both arguments to matmul need to be at least 1D, but they are ${d1}D and ${d2}D`);
}

/** The dtype of `out` is looked at after the shapes and before anything else, by the product that serves; dot makes `out` 0-dim before it looks at its factors. */
function refuseOut(out: Tensor, self: Tensor, other: Tensor): void {
  const [d1, d2] = [self._sizes.length, other._sizes.length];
  if (d1 === 1 && d2 === 1) {
    if (out === self || out === other) throw new RuntimeError(`1D tensors expected, but got ${out === self ? 0 : 1}D and ${out === other ? 0 : 1}D tensors`);
    if (out.dtype !== self.dtype) throw new RuntimeError(`result dtype ${out.dtype.title} does not match input dtype ${self.dtype.title}`);
    return;
  }
  const { dtype } = d1 > 2 && d2 > 2 ? other : self;
  if (out.dtype === dtype || d2 === 1 || self._sizes[d1 - 1] !== other._sizes[d2 - 2]) return;
  throw new RuntimeError(`Expected out tensor to have dtype ${typeMetaName(dtype)}, but got ${typeMetaName(out.dtype)} instead`);
}

function multiplied(self: Tensor, other: Tensor): Tensor {
  refuseScalars(self, other);
  const [d1, d2] = [self._sizes.length, other._sizes.length];
  if (d1 === 1 && d2 === 1) return self.dot(other);
  if (d1 === 2 && d2 === 1) return self.mv(other);
  if (d1 === 1 && d2 === 2) return self.unsqueeze(0).mm(other).squeeze_(0);
  if (d1 === 2 && d2 === 2) return self.mm(other);
  return shouldFold(self, other) ? foldedProduct(self, other) : batchedProduct(self, other);
}

/** Is the larger tensor to be flattened into one matrix? Where that costs no copy, or spares a large gradient of the smaller one. */
function shouldFold(self: Tensor, other: Tensor): boolean {
  const selfLarger = self._sizes.length >= other._sizes.length;
  const large = selfLarger ? self : other.transpose(-1, -2);
  const small = selfLarger ? other : self;
  if (large._sizes.length < 3 || small._sizes.length > 2) return false;
  if (requiresGrad(small)) return true;
  if (self._sizes.length === 2) return false;
  if (large._numel === 0) return true;
  const { _sizes: sizes, _strides: strides } = large;
  return sizes.slice(0, -2).every((_, i) => strides[i] === strides[i + 1] * sizes[i + 1]);
}

function foldedProduct(self: Tensor, other: Tensor): Tensor {
  const turned = other._sizes.length > self._sizes.length;
  const large = turned ? other.transpose(-1, -2) : self;
  const small = !turned ? other : self._sizes.length === 2 ? self.t() : self;
  const rows = large._sizes.slice(0, -1);
  const matrix = large.reshape([numelOf(rows), large._sizes[rows.length]]);
  if (small._sizes.length === 1) return _unsafe_view(matrix.mv(small), rows);
  const product = _unsafe_view(matrix.mm(small), [...rows, small._sizes[1]]);
  return turned ? contiguous(product.transpose(-1, -2)) : product;
}

function batchedProduct(self: Tensor, other: Tensor): Tensor {
  const [d1, d2] = [self._sizes.length, other._sizes.length];
  const batch1 = self._sizes.slice(0, Math.max(d1 - 2, 0));
  const batch2 = other._sizes.slice(0, Math.max(d2 - 2, 0));
  // A lone matrix that needs a gradient is folded instead of expanded, as in shouldFold.
  if (d1 === 3 && d2 === 3 && batch1[0] !== batch2[0]) {
    if (batch1[0] === 1 && requiresGrad(self)) return multiplied(self.squeeze(0), other);
    if (batch2[0] === 1 && requiresGrad(other)) return multiplied(self, other.squeeze(0));
  }
  const rows = d1 > 1 ? [self._sizes[d1 - 2]] : [];
  const columns = d2 > 1 ? [other._sizes[d2 - 1]] : [];
  const batch = broadcastSizes(batch1, batch2);
  const plain = d1 > 1 && d2 > 1 && self.dtype === other.dtype && self.dtype.kind === FLOAT && self._sizes[d1 - 1] === other._sizes[d2 - 2];
  if (plain && !(gradMode.enabled && (requiresGrad(self) || requiresGrad(other)))) {
    // Strides are as good as a copy.
    const [a, b] = [self, other].map((t) => t.expand([...batch, ...t._sizes.slice(-2)]));
    return multiplyBatches(emptyTensor([...batch, ...rows, ...columns], self.dtype), a, b);
  }
  const left = flattened(self, batch, [rows[0] ?? 1, self._sizes[d1 - 1]]);
  if (d2 > 1) return _unsafe_view(left.bmm(flattened(other, batch, other._sizes.slice(-2))), [...batch, ...rows, ...columns]);
  const right = flattened(other, batch, other._sizes).unsqueeze(2);
  return _unsafe_view(left.bmm(right).squeeze(-1), [...batch, ...rows]);
}

function flattened(t: Tensor, batch: Sizes, last: Sizes): Tensor {
  return t.expand([...batch, ...last]).reshape([numelOf(batch), ...last]);
}

function checkVector(t: Tensor, name: string): void {
  if (t._sizes.length !== 1) throw new RuntimeError(`outer: Expected 1-D argument ${name}, but got ${t._sizes.length}-D`);
}

function outerProduct(self: Tensor, vec2: Tensor): Tensor {
  checkVector(self, "self");
  checkVector(vec2, "vec2");
  return self.reshape([self._sizes[0], 1]).mul(vec2);
}

type Outer = Op<[self: Tensor, vec2: Tensor], { vec2?: Tensor }>;

/** The matrix of all products of an element of `self` with one of `vec2`. */
export const outer: Outer = composite("outer(Tensor self, Tensor vec2) -> Tensor", outerProduct, { outRule: { apart: true } });
/** The same as `outer`. */
export const ger: Outer = composite("ger(Tensor self, Tensor vec2) -> Tensor", outerProduct);

/** Sums of products over the last dimensions of both; with a 0-dim tensor the plain product. */
export const inner: Op<[self: Tensor, other: Tensor], { other?: Tensor }> = composite("inner(Tensor self, Tensor other) -> Tensor", (self: Tensor, other: Tensor) => {
  const [a, b] = [self._sizes, other._sizes];
  if (a.length === 0 || b.length === 0) return self.mul(other);
  if (a[a.length - 1] !== b[b.length - 1]) {
    throw new RuntimeError(`inner() the last dimension must match on both input tensors but got shapes ${listText(a)} and ${listText(b)}`);
  }
  return contracted(self, other, [-1], [-1]);
});

/** Sums of products over the dimensions `dims1` of `a` and `dims2` of `b`, by pairs. */
function contracted(a: Tensor, b: Tensor, dims1: readonly number[], dims2: readonly number[]): Tensor {
  if (dims1.length !== dims2.length) throw new RuntimeError("both dimension lists should have same length");
  if (a.dtype !== b.dtype) throw new RuntimeError("both inputs should have same dtype");
  let [t1, t2, count] = [a, b, 1];
  dims1.forEach((d1, i) => {
    const d2 = dims2[i];
    const [s1, s2] = [a.size(d1), b.size(d2)];
    if (s2 === 1) t1 = t1.sum(d1, true, { dtype: t1.dtype });
    else if (s1 === 1) t2 = t2.sum(d2, true, { dtype: t2.dtype });
    else if (s1 !== s2) {
      throw new RuntimeError(`contracted dimensions need to match, but first has size ${s1} in dim ${d1} and second has size ${s2} in dim ${d2}`);
    } else count *= s1;
  });
  const folded1 = wrapDims(dims1, a._sizes.length);
  const folded2 = wrapDims(dims2, b._sizes.length);
  const kept1 = [...a._sizes.keys()].filter((d) => !folded1.includes(d));
  const kept2 = [...b._sizes.keys()].filter((d) => !folded2.includes(d));
  const sizes1 = kept1.map((d) => t1._sizes[d]);
  const sizes2 = kept2.map((d) => t2._sizes[d]);
  t1 = t1.permute([...kept1, ...folded1]);
  t2 = t2.permute([...folded2, ...kept2]);
  const sizes = [...sizes1, ...sizes2];
  if (numelOf(sizes) === 1) {
    const sum = t1._contiguous && t2._contiguous ? asVector(t1).dot(asVector(t2)) : t1.squeeze().mul(t2.squeeze()).sum({ dtype: a.dtype });
    return sum.reshape(sizes);
  }
  return t1.reshape([numelOf(sizes1), count]).mm(t2.reshape([count, numelOf(sizes2)])).reshape(sizes);
}

const asVector = (t: Tensor): Tensor => (t._sizes.length === 1 ? t : t.reshape([t._numel]));

type Contraction = number | Tensor | readonly [readonly number[], readonly number[]];

/** Sums of products over the last `dims` dimensions of `a` and the first of `b`, or over the two lists of dimensions in `dims`. */
export const tensordot: FunctionOp<[a: Tensor, b: Tensor, dims?: Contraction], { a?: Tensor; b?: Tensor; dims?: Contraction }> = composite(
  "tensordot(Tensor a, Tensor b, Any dims=2) -> Tensor",
  (a: Tensor, b: Tensor, given: Contraction) => {
    const dims = given instanceof Tensor ? (given.tolist() as number | number[][]) : given;
    if (typeof dims !== "number") return contracted(a, b, dims[0], dims[1]);
    if (dims < 0) throw new RuntimeError(`tensordot expects dims >= 0, but got dims=${dims}`);
    if (dims > Math.min(a._sizes.length, b._sizes.length)) throw new RuntimeError(`tensordot expects dims < ndim_a or ndim_b, but got dims=${dims}`);
    const count = [...new Array(dims).keys()];
    return contracted(a, b, count.map((i) => i - dims), count);
  },
  { method: false, outRule: sameDtype((out, result) => `tensordot: Expected the output tensor to have dtype ${result.title}, but got an output tensor with dtype ${out.title}`) },
);

/** The Kronecker product: every element of `self` times all of `other`, laid out as blocks. */
export const kron: Op<[self: Tensor, other: Tensor], { other?: Tensor }> = composite("kron(Tensor self, Tensor other) -> Tensor", (self: Tensor, other: Tensor) => {
  const ndim = Math.max(self._sizes.length, other._sizes.length);
  const padded = (t: Tensor): number[] => [...new Array<number>(ndim - t._sizes.length).fill(1), ...t._sizes];
  const [a, b] = [padded(self), padded(other)];
  const product = _unsafe_view(self, a.flatMap((s) => [s, 1])).mul(_unsafe_view(other, b.flatMap((s) => [1, s])));
  return _unsafe_view(product, a.map((s, i) => s * b[i]));
});
