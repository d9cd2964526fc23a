/** The singular value decomposition, for what needs it. */
import { singularValues, type Columns } from "../../backends/reference/svd.ts";
import { kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";

function forward(self: Tensor): [Tensor, Tensor, Tensor] {
  const [m, n] = self._sizes.slice(-2);
  const k = Math.min(m, n);
  const batch = self._sizes.slice(0, -2);
  const outputs = [[m, k], [k], [k, n]].map((sizes) => emptyTensor([...batch, ...sizes], self.dtype));
  const input = rowMajor(self);
  const [a, u, s, vh] = [input, ...outputs].map((t) => viewTyped(t) as Float64Array);
  for (let b = 0; b * m * n < self._numel; b++) {
    const at = (i: number, j: number): number => a[(b * m + i) * n + j];
    const upright = m >= n;
    const columns: Columns = Array.from({ length: k }, (_, j) => Float64Array.from({ length: Math.max(m, n) }, (_, i) => (upright ? at(i, j) : at(j, i))));
    const found = singularValues(columns);
    const [left, right] = upright ? [found.u, found.v] : [found.v, found.u];
    s.set(found.s, b * k);
    for (let r = 0; r < k; r++) {
      left[r].forEach((x, i) => (u[(b * m + i) * k + r] = x));
      vh.set(right[r], (b * k + r) * n);
    }
  }
  return outputs as [Tensor, Tensor, Tensor];
}

/** Aᵀ·G less its transpose, over the differences of squared singular values: what turns the singular vectors. */
function turned(vectors: Tensor, grad: Tensor, s: Tensor): Tensor {
  const inner = vectors.mT.matmul(grad);
  const squares = s.mul(s);
  const gaps = squares.unsqueeze(-2).sub(squares.unsqueeze(-1));
  return inner.sub(inner.mT).div(gaps.masked_fill(gaps.eq(0), Infinity));
}

/** What of `grad` lies outside the span of the columns of `vectors`. */
const outside = (vectors: Tensor, grad: Tensor): Tensor => grad.sub(vectors.matmul(vectors.mT.matmul(grad)));

/** U, S and Vᵀ with self = U · diag(S) · Vᵀ, k = min(m, n) columns and rows (svd_backward in torch/csrc/autograd/FunctionsManual.cpp). */
export const _linalg_svd: FunctionOp<[self: Tensor], unknown, readonly [Tensor, Tensor, Tensor]> = kernel(
  "_linalg_svd(Tensor self) -> (Tensor U, Tensor S, Tensor Vh)",
  {
    forward,
    backward: {
      self: ({ grads, U, S, Vh }) => {
        const [gU, gS, gVh] = grads as (Tensor | null)[];
        const s = S.unsqueeze(-2);
        let middle: Tensor | null = gS === null ? null : gS.diag_embed();
        const add = (t: Tensor): void => void (middle = middle === null ? t : middle.add(t));
        if (gU !== null) add(turned(U, gU, S).mul(s));
        if (gVh !== null) add(turned(Vh.mT, gVh.mT, S).mul(S.unsqueeze(-1)));
        let result = U.matmul(middle!).matmul(Vh);
        if (gU !== null && U._sizes.at(-2) > U._sizes.at(-1)) result = result.add(outside(U, gU).div(s).matmul(Vh));
        if (gVh !== null && Vh._sizes.at(-1) > Vh._sizes.at(-2)) result = result.add(U.matmul(outside(Vh.mT, gVh.mT).div(s).mT));
        return result;
      },
    },
    node: "LinalgSvdBackward0",
    method: false,
  },
);
