/** The singular value decomposition. */
import { singularValues } from "../../backends/reference/svd.ts";
import type { Columns } from "../../backends/reference/householder.ts";
import { kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { eye } from "../creation/creation.ts";
import { finfo } from "../creation/type-info.ts";

/** What rounds to nothing for LAPACK: half of what finfo calls `eps`. */
export const roundoff = (t: Tensor): number => finfo(t.dtype).eps / 2;

/** The columns of each matrix of a batch, as float64. */
export function* columnsOf(t: Tensor): Generator<Columns> {
  const [m, n] = t._sizes.slice(-2);
  const rows = rowMajor(t);
  for (let at = 0; at < t._numel; at += m * n) {
    const a = viewTyped(rows) as Float64Array;
    yield Array.from({ length: n }, (_, j) => Float64Array.from({ length: m }, (_, i) => a[at + i * n + j]));
  }
}

/** Matrices that lie by columns, written one after another. */
export class ColumnWriter {
  readonly tensor: Tensor;
  private readonly flat: Tensor;
  private at = 0;

  constructor(like: Tensor, rows: number, columns: number) {
    this.flat = emptyTensor([...like._sizes.slice(0, -2), columns, rows], like.dtype).zero_();
    const { _sizes: sizes, _strides: strides } = this.flat;
    const swap = (list: readonly number[]): number[] => [...list.slice(0, -2), list.at(-1)!, list.at(-2)!];
    this.tensor = this.flat._aliased(swap(sizes), swap(strides), 0);
  }

  write(columns: Columns): void {
    const out = viewTyped(this.flat) as Float64Array;
    for (const column of columns) {
      out.set(column, this.at);
      this.at += column.length;
    }
  }
}

function forward(self: Tensor, full: boolean): [Tensor, Tensor, Tensor] {
  const [m, n] = self._sizes.slice(-2);
  const k = Math.min(m, n);
  const S = emptyTensor([...self._sizes.slice(0, -2), k], self.dtype);
  const [U, V] = [new ColumnWriter(self, m, full ? m : k), new ColumnWriter(self, n, full ? n : k)];
  let at = 0;
  for (const columns of columnsOf(self)) {
    const { s, u, v } = singularValues(columns, m, n, full, roundoff(self));
    (viewTyped(S) as Float64Array).set(s, at);
    at += k;
    U.write(u);
    V.write(v);
  }
  if (self._numel === 0 && full) for (const { tensor } of [U, V]) tensor.copy_(eye(tensor._sizes.at(-1)!, { dtype: self.dtype }));
  return [U.tensor, S, new ColumnWriter(self, V.tensor._sizes.at(-1)!, n).tensor.copy_(V.tensor.mT)];
}

/** Aᵀ·G less its transpose, over the differences of squared singular values: what turns the singular vectors. */
function turned(vectors: Tensor, grad: Tensor, s: Tensor): Tensor {
  const inner = vectors.mT.matmul(grad);
  const squares = s.mul(s);
  const gaps = squares.unsqueeze(-2).sub(squares.unsqueeze(-1));
  return inner.sub(inner.mT).div(gaps.add(eye(s._sizes.at(-1)!, { dtype: s.dtype })));
}

/** What of `grad` lies outside the span of the columns of `vectors`. */
const outside = (vectors: Tensor, grad: Tensor): Tensor => grad.sub(vectors.matmul(vectors.mT.matmul(grad)));

/** The first k columns. */
const first = (t: Tensor, k: number): Tensor => t.narrow(-1, 0, k);

/** U, S and Vᵀ with self = U · diag(S) · Vᵀ, k = min(m, n) columns and rows, or all (svd_backward in torch/csrc/autograd/FunctionsManual.cpp). */
export const _linalg_svd: FunctionOp<[self: Tensor, full?: boolean], unknown, readonly [Tensor, Tensor, Tensor] & { U: Tensor; S: Tensor; Vh: Tensor }> = kernel(
  "_linalg_svd(Tensor self, bool full_matrices=False) -> (Tensor U, Tensor S, Tensor Vh)",
  {
    forward,
    backward: {
      self: ({ grads, U, S, Vh }) => {
        const k = S._sizes.at(-1);
        const [gU, gS, gV] = [grads[0] && first(grads[0], k), grads[1], grads[2] && first(grads[2].mT, k)] as (Tensor | null)[];
        const [u, v] = [first(U, k), first(Vh.mT, k)];
        const s = S.unsqueeze(-2);
        let middle: Tensor | null = gS === null ? null : gS.diag_embed();
        const add = (t: Tensor): void => void (middle = middle === null ? t : middle.add(t));
        if (gU !== null) add(turned(u, gU, S).mul(s));
        if (gV !== null) add(turned(v, gV, S).mul(S.unsqueeze(-1)));
        let result = u.matmul(middle!).matmul(v.mT);
        if (gU !== null && u._sizes.at(-2)! > k) result = result.add(outside(u, gU).div(s).matmul(v.mT));
        if (gV !== null && v._sizes.at(-2)! > k) result = result.add(u.matmul(outside(v, gV).div(s).mT));
        return result;
      },
    },
    node: "LinalgSvdBackward0",
    method: false,
  },
);
