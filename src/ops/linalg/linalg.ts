/** Products of matrices and vectors. Gradients as in PyTorch's tools/autograd/derivatives.yaml. */
import { kernel } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, bool, typeMetaName } from "../../tensor/dtype.ts";
import { listText } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { eye } from "../creation/creation.ts";
import {
  checkBatches, checkMatrixVector, leftGradient, multiplyBatches, multiplyInto, productOf, refuseBoolProduct, refuseUnmultipliable, rightGradient,
} from "./matrix-product.ts";

/**
 * The product of two matrices, n × m by m × p.
 *
 * @throws RuntimeError where a tensor is no matrix, or where shapes or dtypes do not fit.
 * @example
 * torch.mm(torch.ones(2, 3), torch.ones(3, 4)).shape; // [2, 4]
 */
export const mm: Op<[self: Tensor, mat2: Tensor], { mat2?: Tensor }> = kernel("mm(Tensor self, Tensor mat2) -> Tensor", {
  forward: (self: Tensor, mat2: Tensor) => {
    if (self._sizes.length !== 2) throw new RuntimeError("self must be a matrix");
    if (mat2._sizes.length !== 2) throw new RuntimeError("mat2 must be a matrix");
    refuseUnmultipliable(self._sizes, mat2._sizes);
    if (self.dtype !== mat2.dtype) {
      throw new RuntimeError(`expected m1 and m2 to have the same dtype, but got: ${typeMetaName(self.dtype)} != ${typeMetaName(mat2.dtype)}`);
    }
    refuseBoolProduct(self.dtype, "addmm_impl_cpu_", self._numel * mat2._numel);
    return productOf(self, mat2);
  },
  backward: {
    self: ({ grad, mat2, self_sizes, self_strides }) => leftGradient(grad, mat2, self_sizes, self_strides),
    mat2: ({ grad, self, mat2_sizes, mat2_strides }) => rightGradient(grad, self, mat2_sizes, mat2_strides),
  },
});

/** The products of the matrices in two batches, b × n × m by b × m × p. */
export const bmm: Op<[self: Tensor, mat2: Tensor], { mat2?: Tensor }> = kernel("bmm(Tensor self, Tensor mat2) -> Tensor", {
  forward: (self: Tensor, mat2: Tensor) => {
    checkBatches(self, mat2);
    refuseBoolProduct(self.dtype, "bmm", self._numel * mat2._numel);
    return multiplyBatches(emptyTensor([self._sizes[0], self._sizes[1], mat2._sizes[2]], self.dtype), self, mat2);
  },
  backward: {
    self: ({ grad, mat2 }) => grad.bmm(mat2.transpose(1, 2)),
    mat2: ({ grad, self }) => self.transpose(1, 2).bmm(grad),
  },
});

/** The product of a matrix and a vector. */
export const mv: Op<[self: Tensor, vec: Tensor], { vec?: Tensor }> = kernel("mv(Tensor self, Tensor vec) -> Tensor", {
  outRule: sameDtype((out, result) => `addmv input tensors must have the same dtype, but got ${out.title}, ${result.title}, and ${result.title}`),
  forward: (self: Tensor, vec: Tensor) => {
    if (self._sizes.length === 0) throw new IndexError("Dimension specified as 0 but tensor has no dimensions");
    const sizes = [self._sizes[0]];
    checkMatrixVector({ sizes, dtype: vec.dtype }, self, vec);
    return multiplyInto(emptyTensor(sizes, vec.dtype), self, vec);
  },
  backward: {
    self: ({ grad, vec }) => grad.ger(vec),
    vec: ({ grad, self }) => self.t().mv(grad),
  },
});

function dotProduct(self: Tensor, other: Tensor): Tensor {
  const [a, b] = [self._sizes, other._sizes];
  if (a.length !== 1 || b.length !== 1) throw new RuntimeError(`1D tensors expected, but got ${a.length}D and ${b.length}D tensors`);
  if (self.dtype !== other.dtype) {
    throw new RuntimeError(`dot : expected both vectors to have same dtype, but found ${self.dtype.title} and ${other.dtype.title}`);
  }
  if (a[0] !== b[0]) {
    throw new RuntimeError(
      `inconsistent tensor size, expected tensor ${listText(a)} and src ${listText(b)} to have the same number of elements, but got ${a[0]} and ${b[0]} elements respectively`,
    );
  }
  // Its kernel is looked up even for nothing.
  refuseBoolProduct(self.dtype, "dot", 1);
  const row = self._aliased([1, a[0]], [0, self._strides[0]], self._offset);
  return multiplyInto(emptyTensor([], self.dtype), row, other);
}

const dotDtype = sameDtype((out, result) => `result dtype ${out.title} does not match input dtype ${result.title}`);

/** The sum of the products of two vectors' elements. */
export const dot: Op<[self: Tensor, tensor: Tensor], { tensor?: Tensor }> = kernel("dot(Tensor self, Tensor tensor) -> Tensor", {
  outRule: dotDtype,
  forward: (self: Tensor, tensor: Tensor) => dotProduct(self, tensor),
  backward: {
    self: ({ grad, tensor }) => grad.mul(tensor),
    tensor: ({ grad, self }) => grad.mul(self),
  },
});

/** The same as `dot` for real vectors. */
export const vdot: Op<[self: Tensor, other: Tensor], { other?: Tensor }> = kernel("vdot(Tensor self, Tensor other) -> Tensor", {
  outRule: dotDtype,
  forward: (self: Tensor, other: Tensor) => dotProduct(self, other),
  backward: {
    self: ({ grad, other }) => grad.mul(other),
    other: ({ grad, self }) => grad.mul(self),
  },
});

/** The sum of a matrix's diagonal; integers are summed as int64. */
export const trace: Op<[self: Tensor]> = kernel("trace(Tensor self) -> Tensor", {
  forward: (self: Tensor) => {
    if (self.dtype.kind === BOOL) throw new NotImplementedError(`"trace" not implemented for 'Bool'`);
    if (self._sizes.length !== 2) throw new RuntimeError(`trace: expected a matrix, but got tensor with dim ${self._sizes.length}`);
    const [rows, columns] = self._strides;
    return self._aliased([Math.min(...self._sizes)], [rows + columns], self._offset).sum();
  },
  backward: {
    self: ({ grad, self_sizes }) => grad.expand(self_sizes).masked_fill(eye(self_sizes[0], self_sizes[1], { dtype: bool }).logical_not(), 0),
  },
});
