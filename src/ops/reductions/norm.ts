/** Norms and distances over all elements or over some dimensions. */
import { composite, kernel } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { FLOAT, type DType } from "../../tensor/dtype.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Dims } from "./reduction.ts";
import { namedMatrixNorm } from "./matrix-norm.ts";
import { normBackward, vectorNorm } from "./vector-norm.ts";

type Order = number | "fro" | "nuc" | null;
interface NormOptions {
  p?: Order;
  dim?: Dims;
  keepdim?: boolean;
  dtype?: DType | null;
}

/**
 * (Σ |x|^p)^(1/p) over all elements or over `dim`; p may be ±∞ and 0; "fro" (the default) is 2, and "nuc" the sum of a matrix's singular values.
 *
 * @example
 * torch.tensor([3, 4]).norm().item(); // 5
 */
export const norm: Op<[self: Tensor, p?: Order, dim?: Dims, keepdim?: boolean], NormOptions> = composite(
  "norm(Tensor self, Any p='fro', int[1]? dim=None, bool keepdim=False, ScalarType? dtype=None) -> Tensor",
  (self: Tensor, p: Order | string, dim: Sizes | null, keepdim: boolean, dtype: DType | null) => {
    if (typeof p === "string" && (p !== "fro" || (dim !== null && dim.length > 2))) {
      return namedMatrixNorm(self, p, dim ?? self._sizes.map((_, d) => d), keepdim, dtype);
    }
    return vectorNorm(self, typeof p === "number" ? p : 2, dim, keepdim, dtype);
  },
);

/** The `p`-norm of self - other. */
export const dist: Op<[self: Tensor, other: Tensor, p?: number], { other?: Tensor; p?: number }> = kernel("dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", {
  forward: (self: Tensor, other: Tensor, p: number) => {
    const difference = self.sub(other);
    if (difference.dtype.kind !== FLOAT) throw new RuntimeError(`norm(): input dtype should be either floating point or complex. Got ${difference.dtype.title} instead.`);
    return vectorNorm(difference, Number(p), null, false, null);
  },
  backward: {
    self: ({ grad, self, other, p, result }) => normBackward(grad, self.sub(other), p, result, null, false),
    other: ({ grad, self, other, p, result }) => normBackward(grad, self.sub(other), p, result, null, false)?.neg() ?? null,
  },
});
