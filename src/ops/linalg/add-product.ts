/** Products added to a tensor: beta · self + alpha · product. Gradients as in PyTorch's tools/autograd/derivatives.yaml. */
import { kernel } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import { refuseInternalOverlap } from "../../dispatch/iterate.ts";
import type { InplaceOp } from "../../dispatch/op.ts";
import { resultDtype } from "../../dispatch/promote.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { BOOL, can_cast, FLOAT, scalarKind, typeMetaName, type DType } from "../../tensor/dtype.ts";
import { isExpandable, listText, sameSizes, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expandError } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import {
  checkBatches, checkMatrixVector, leftGradient, multiplyBatches, multiplyInto, overwriting, refuseBoolProduct, refuseOtherSizes, refuseUnmultipliable, rightGradient, startingFrom,
} from "./matrix-product.ts";

type Factor = number | bigint | boolean;
interface Scales {
  beta?: Factor;
  alpha?: Factor;
}

const scaled = (product: Tensor, by: Factor): Tensor => (by === 1 ? product : product.mul(by));

function refuseMixed(others: Record<string, Tensor>, mat2: Tensor): void {
  for (const [name, { dtype }] of Object.entries(others)) {
    if (dtype !== mat2.dtype) throw new RuntimeError(`${name} and mat2 must have the same dtype, but got ${dtype.title} and ${mat2.dtype.title}`);
  }
}

function checkMatrices(self: Tensor, mat1: Tensor, mat2: Tensor): void {
  refuseMixed({ self, mat1 }, mat2);
  if (mat1._sizes.length !== 2) throw new RuntimeError(`mat1 must be a matrix, got ${mat1._sizes.length}-D tensor`);
  if (mat2._sizes.length !== 2) throw new RuntimeError(`mat2 must be a matrix, got ${mat2._sizes.length}-D tensor`);
  refuseUnmultipliable(mat1._sizes, mat2._sizes);
}

function addmmForward(self: Tensor, mat1: Tensor, mat2: Tensor, beta: Factor, alpha: Factor): Tensor {
  checkMatrices(self, mat1, mat2);
  const scaling = { beta: Number(beta), alpha: Number(alpha) };
  const out = startingFrom(self, [mat1._sizes[0], mat2._sizes[1]], scaling);
  refuseBoolProduct(self.dtype, "addmm_impl_cpu_", out._numel);
  return multiplyInto(out, mat1, mat2, scaling);
}

/**
 * beta · self + alpha · mat1 @ mat2, where `self` is broadcast; with beta 0 what `self` holds does not matter.
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.addmm(torch.zeros(4), torch.ones(2, 3), torch.ones(3, 4)).shape; // [2, 4]
 */
export const addmm: InplaceOp<[self: Tensor, mat1: Tensor, mat2: Tensor], Scales & { mat1?: Tensor; mat2?: Tensor }> = kernel(
  "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
  {
    forward: addmmForward,
    inplace: overwriting((self: Tensor, mat1: Tensor, mat2: Tensor, beta: Factor, alpha: Factor) => {
      checkMatrices(self, mat1, mat2);
      refuseOtherSizes(self, [mat1._sizes[0], mat2._sizes[1]]);
      return addmmForward(self, mat1, mat2, beta, alpha);
    }),
    hasDeprecated: true,
    backward: {
      self: ({ grad, beta }) => scaled(grad, beta),
      mat1: ({ grad, mat2, mat1_sizes, mat1_strides, alpha }) => scaled(leftGradient(grad, mat2, mat1_sizes, mat1_strides), alpha),
      mat2: ({ grad, mat1, mat2_sizes, mat2_strides, alpha }) => scaled(rightGradient(grad, mat1, mat2_sizes, mat2_strides), alpha),
    },
  },
);

function addmvForward(self: Tensor, mat: Tensor, vec: Tensor, beta: Factor, alpha: Factor): Tensor {
  checkMatrixVector({ sizes: self._sizes, dtype: self.dtype }, mat, vec);
  const scaling = { beta: Number(beta), alpha: Number(alpha) };
  const start = startingFrom(self, [mat._sizes[0]], scaling);
  // PyTorch leaves a matrix without elements out, and `self` unbroadcast with it.
  return mat._numel === 0 && scaling.beta !== 0 ? self.mul(filled([], scaling.beta, self.dtype)) : multiplyInto(start, mat, vec, scaling);
}

/** beta · self + alpha · mat @ vec. */
export const addmv: InplaceOp<[self: Tensor, mat: Tensor, vec: Tensor], Scales & { mat?: Tensor; vec?: Tensor }> = kernel(
  "addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
  {
    forward: addmvForward,
    inplace: overwriting((self: Tensor, mat: Tensor, vec: Tensor, beta: Factor, alpha: Factor) => {
      checkMatrixVector({ sizes: self._sizes, dtype: self.dtype }, mat, vec);
      refuseOtherSizes(self, [mat._sizes[0]]);
      return addmvForward(self, mat, vec, beta, alpha);
    }),
    hasDeprecated: true,
    backward: {
      self: ({ grad, beta }) => scaled(grad, beta),
      mat: ({ grad, vec, alpha }) => scaled(grad.ger(vec), alpha),
      vec: ({ grad, mat, alpha }) => scaled(mat.t().mv(grad), alpha),
    },
  },
);

function baddbmmForward(self: Tensor, batch1: Tensor, batch2: Tensor, beta: Factor, alpha: Factor): Tensor {
  const sizes = [batch1.size(0), batch1.size(1), batch2.size(2)];
  if (!isExpandable(self._sizes, sizes)) throw expandError(self._sizes, sizes, self.dtype);
  if (self.dtype !== batch1.dtype) {
    const [s, a, b] = [self, batch1, batch2].map((t) => typeMetaName(t.dtype));
    throw new RuntimeError(`Input dtypes must be the same, got: input ${s}, batch1: ${a}, batch2: ${b}`);
  }
  checkBatches(batch1, batch2);
  const scaling = { beta: Number(beta), alpha: Number(alpha) };
  const out = startingFrom(self, sizes, scaling);
  refuseBoolProduct(self.dtype, "baddbmm", out._numel);
  return multiplyBatches(out, batch1, batch2, scaling);
}

type Batched = InplaceOp<[self: Tensor, batch1: Tensor, batch2: Tensor], Scales & { batch1?: Tensor; batch2?: Tensor }>;

/** beta · self + alpha · batch1 @ batch2, matrix by matrix. */
export const baddbmm: Batched = kernel("baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", {
  forward: baddbmmForward,
  inplace: overwriting(baddbmmForward),
  hasDeprecated: true,
  backward: {
    self: ({ grad, beta }) => scaled(grad, beta),
    batch1: ({ grad, batch2, alpha }) => scaled(grad.bmm(batch2.transpose(1, 2)), alpha),
    batch2: ({ grad, batch1, alpha }) => scaled(batch1.transpose(1, 2).bmm(grad), alpha),
  },
});

function addbmmForward(self: Tensor, batch1: Tensor, batch2: Tensor, beta: Factor, alpha: Factor): Tensor {
  const [a, b] = [batch1._sizes, batch2._sizes];
  const sizes = [batch1.size(1), batch2.size(2)];
  if (a.length !== 3) throw new RuntimeError("batch1 must be a 3D tensor");
  if (b.length !== 3) throw new RuntimeError("batch2 must be a 3D tensor");
  if (a[0] !== b[0]) throw new RuntimeError(`batch1 and batch2 must have same number of batches, got ${a[0]} and ${b[0]}`);
  if (a[2] !== b[1]) throw new RuntimeError(`Incompatible matrix sizes for bmm (${a[1]}x${a[2]} and ${b[1]}x${b[2]})`);
  refuseMixed({ self, mat1: batch1 }, batch2);
  // One product of the matrices side by side sums over the batches too.
  const wide = batch1.permute([1, 0, 2]).reshape([a[1], a[0] * a[2]]);
  const scaling = { beta: Number(beta), alpha: Number(alpha) };
  refuseBoolProduct(self.dtype, "addmm_impl_cpu_", sizes[0] * sizes[1]);
  return multiplyInto(startingFrom(self, sizes, scaling), wide, batch2.reshape([b[0] * b[1], b[2]]), scaling);
}

const batchGradient = (grad: Tensor, [batches]: Sizes): Tensor => grad.unsqueeze(0).expand([batches, ...grad._sizes]);

/** beta · self + alpha · the sum of the matrices' products. */
export const addbmm: Batched = kernel("addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", {
  forward: addbmmForward,
  inplace: overwriting(addbmmForward),
  hasDeprecated: true,
  backward: {
    self: ({ grad, beta }) => scaled(grad, beta),
    batch1: ({ grad, batch2, batch1_sizes, alpha }) => scaled(batchGradient(grad, batch1_sizes).bmm(batch2.transpose(1, 2)), alpha),
    batch2: ({ grad, batch1, batch1_sizes, alpha }) => scaled(batch1.transpose(1, 2).bmm(batchGradient(grad, batch1_sizes)), alpha),
  },
});

const outerSum: Formula = ({ self, vec1, vec2, beta, alpha }) => self.mul(beta).add(vec1.mul(alpha).mul(vec2));
/** Names `self`, which counts in the layout of the result, but does not read it. */
const outerOnly: Formula = ({ self: _self, vec1, vec2, alpha }) => vec1.mul(alpha).mul(vec2);
const outerAny: Formula = ({ self, vec1, vec2, beta, alpha }) => self.logical_and(beta).logical_or(vec1.logical_and(alpha).logical_and(vec2));

/** The sum of a matrix and an outer product, element by element, as a new tensor or in `out`. */
function addOuter(self: Tensor, vec1: Tensor, vec2: Tensor, beta: Factor, alpha: Factor, out: Tensor | null): Tensor {
  for (const [name, t] of Object.entries({ vec1, vec2 })) {
    if (t._sizes.length !== 1) throw new RuntimeError(`addr: Expected 1-D argument ${name}, but got ${t._sizes.length}-D`);
  }
  const common = resultDtype([self, vec1, vec2])!;
  for (const [name, factor] of Object.entries({ beta, alpha })) checkFactor(name, factor, common);
  const sizes = [vec1._sizes[0], vec2._sizes[0]];
  if (out !== null) checkOuterTarget(out, sizes, common);
  else if (!isExpandable(self._sizes, sizes)) throw expandError(self._sizes, sizes, self.dtype);
  const inputs: Record<string, Tensor | Factor> = { self, vec1: vec1._aliased([sizes[0], 1], [vec1._strides[0], 0], vec1._offset), vec2, beta, alpha };
  const kernel = fused(common.kind === BOOL ? outerAny : Number(beta) === 0 ? outerOnly : outerSum);
  return kernel.run(kernel.names.map((name) => inputs[name]), common, out === null ? common : out.dtype, out);
}

function checkFactor(name: string, factor: Factor, common: DType): void {
  const kind = scalarKind(factor);
  if (kind === BOOL && common.kind !== BOOL) throw new RuntimeError(`Boolean ${name} only supported for Boolean results.`);
  if (kind === FLOAT && common.kind !== FLOAT) throw new RuntimeError(`For integral input tensors, argument ${name} must not be a floating point number.`);
}

function checkOuterTarget(self: Tensor, sizes: Sizes, common: DType): void {
  if (self._sizes.length !== 2) throw new RuntimeError(`2D tensor expected, got ${self._sizes.length}D tensor for input`);
  if (!sameSizes(self._sizes, sizes)) {
    throw new RuntimeError(`size mismatch, input: ${listText(self._sizes)}, v1: [${sizes[0]}], v2: [${sizes[1]}]`);
  }
  if (!can_cast(common, self.dtype)) throw new RuntimeError(`result type ${common.title} can't be cast to the desired output type ${self.dtype.title}`);
  refuseInternalOverlap(self);
}

/** beta · self + alpha · the outer product of two vectors. */
export const addr: InplaceOp<[self: Tensor, vec1: Tensor, vec2: Tensor], Scales & { vec1?: Tensor; vec2?: Tensor }> = kernel(
  "addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
  {
    forward: (self: Tensor, vec1: Tensor, vec2: Tensor, beta: Factor, alpha: Factor) => addOuter(self, vec1, vec2, beta, alpha, null),
    inplace: (self: Tensor, vec1: Tensor, vec2: Tensor, beta: Factor, alpha: Factor) => void addOuter(self, vec1, vec2, beta, alpha, self),
    hasDeprecated: true,
    backward: {
      self: ({ grad, beta }) => scaled(grad, beta),
      vec1: ({ grad, vec2, alpha }) => scaled(grad.mv(vec2), alpha),
      vec2: ({ grad, vec1, alpha }) => scaled(grad.t().mv(vec1), alpha),
    },
    outRule: {},
  },
);
