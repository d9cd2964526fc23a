/** Products of vectors: functions of torch and torch.linalg. */
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype, sameDtype } from "../../dispatch/out.ts";
import { NotImplementedError, RuntimeError, warn } from "../../errors.ts";
import { BOOL, FLOAT } from "../../tensor/dtype.ts";
import { broadcastSizes, wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { cat } from "../shape/joining.ts";

const components = (t: Tensor, dim: number): Tensor[] => [0, 1, 2].map((k) => t.narrow(dim, k, 1));

const product: KernelOverload = new KernelOverload("linalg_cross(Tensor self, Tensor other, int dim) -> Tensor", {
  forward: (self: Tensor, other: Tensor, dim: number) => {
    if (self.dtype.kind === BOOL) throw new NotImplementedError("\"cross\" not implemented for 'Bool'");
    const sizes = broadcastSizes(self._sizes, other._sizes);
    const [[a1, a2, a3], [b1, b2, b3]] = [self, other].map((t) => components(t.expand(sizes), dim));
    return cat([a2.mul(b3).sub(a3.mul(b2)), a3.mul(b1).sub(a1.mul(b3)), a1.mul(b2).sub(a2.mul(b1))], dim);
  },
  backward: {
    self: ({ grad, other, dim }) => product.call([other, grad, dim]) as Tensor,
    other: ({ grad, self, dim }) => product.call([grad, self, dim]) as Tensor,
  },
  node: "LinalgCrossBackward0",
});

function crossAlong(self: Tensor, other: Tensor, dim: number): Tensor {
  const n = self._sizes.length;
  if (n !== other._sizes.length) throw new RuntimeError("linalg.cross: inputs must have the same number of dimensions.");
  const [a, b] = [self, other].map((t) => t.size(dim));
  if (a !== 3 || b !== 3) throw new RuntimeError(`linalg.cross: inputs dimension ${dim} must have length 3. Got ${a} and ${b}`);
  if (self.dtype !== other.dtype) throw new RuntimeError(`expected scalar type ${self.dtype.title} but found ${other.dtype.title}`);
  return product.call([self, other, wrapDim(dim, n)]) as Tensor;
}

/** The vector product of self and other along `dim`, whose size is 3; without it along the first dimension of that size. */
export const cross: Op<[self: Tensor, other: Tensor, dim?: number | null], { other?: Tensor; dim?: number | null }> = composite(
  "cross(Tensor self, Tensor other, int? dim=None) -> Tensor",
  (self: Tensor, other: Tensor, dim: number | null) => {
    if (dim !== null) return crossAlong(self, other, dim);
    warn(
      "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future release.",
    );
    const first = self._sizes.indexOf(3);
    if (first < 0) throw new RuntimeError("no dimension of size 3 in input");
    return crossAlong(self, other, first);
  },
  { outRule: { ...exactDtype, apart: true } },
);

/** The vector product of self and other along `dim`, whose size is 3. */
export const linalgCross: FunctionOp<[self: Tensor, other: Tensor], { dim?: number }> = composite("linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor", crossAlong, { method: false, outRule: { ...exactDtype, apart: true } });

/** The sum of x · y along `dim`. */
export const vecdot: FunctionOp<[x: Tensor, y: Tensor], { dim?: number }> = composite(
  "linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor",
  (x: Tensor, y: Tensor, dim: number) => {
    if (x.dtype.kind !== FLOAT) throw new RuntimeError(`linalg.vecdot: Expected a floating point or complex tensor as input. Got ${x.dtype.title}`);
    return x.mul(y).sum(dim);
  },
  { method: false, outRule: sameDtype((out, result) => `linalg.vecdot: Expected out of dtype${result.title} but found ${out.title}`) },
);
