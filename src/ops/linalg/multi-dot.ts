/** Products of several matrices, in the order that takes the fewest multiplications. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { listText } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";

type Tensors = readonly Tensor[];

/** Multiplies the matrices from `first` to `last` by the cuts that `cost` chose. */
function multiplied(matrices: Tensors, cuts: readonly number[][], first: number, last: number): Tensor {
  if (first === last) return matrices[first];
  const cut = cuts[first][last];
  return multiplied(matrices, cuts, first, cut).mm(multiplied(matrices, cuts, cut + 1, last));
}

/** For each stretch of matrices after which of them to cut it (Cormen et al., Introduction to Algorithms, 15.2). */
function bestCuts(matrices: Tensors): number[][] {
  const n = matrices.length;
  const sizes = [matrices[0]._sizes[0], ...matrices.map((m) => m._sizes[1])];
  const [cost, cuts] = [0, 0].map(() => matrices.map(() => new Array<number>(n).fill(0)));
  for (let length = 1; length < n; length++) {
    for (let i = 0; i + length < n; i++) {
      const j = i + length;
      cost[i][j] = Infinity;
      for (let k = i; k < j; k++) {
        const own = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1];
        if (own < cost[i][j]) [cost[i][j], cuts[i][j]] = [own, k];
      }
    }
  }
  return cuts;
}

/**
 * The product of two or more matrices; the first and the last may be vectors.
 *
 * @throws RuntimeError where there are too few, or sizes do not fit.
 * @example
 * torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3, 4), torch.ones(4, 1)]).tolist(); // [[12], [12]]
 */
export const multi_dot: FunctionOp<[tensors: Tensors]> = composite(
  "linalg_multi_dot(Tensor[] tensors) -> Tensor",
  (tensors: Tensors) => {
    const n = tensors.length;
    if (n < 2) throw new RuntimeError(`multi_dot(): expected at least 2 tensors but got ${n}`);
    const [isRow, isColumn] = [tensors[0]._sizes.length === 1, tensors[n - 1]._sizes.length === 1];
    const matrices = tensors.map((t, i) => (i === 0 && isRow ? t.unsqueeze(0) : i === n - 1 && isColumn ? t.unsqueeze(-1) : t));
    matrices.forEach((m, i) => {
      if (m._sizes.length !== 2) throw new RuntimeError(`multi_dot(): tensor ${i} must be 2D but got ${m._sizes.length}D`);
      if (i > 0 && matrices[i - 1]._sizes[1] !== m._sizes[0]) {
        throw new RuntimeError(`multi_dot(): tensors ${i - 1} and ${i} with shapes ${listText(matrices[i - 1]._sizes)} and ${listText(m._sizes)} cannot be multiplied`);
      }
    });
    const sizes = [...(isRow ? [] : [matrices[0]._sizes[0]]), ...(isColumn ? [] : [matrices[n - 1]._sizes[1]])];
    return multiplied(matrices, bestCuts(matrices), 0, n - 1).view(sizes);
  },
  { method: false, takesOut: false },
);

/** The product of matrices: torch.linalg.multi_dot. */
export const chain_matmul: FunctionOp<[...matrices: Tensor[]]> = composite("chain_matmul(Tensor[] *matrices) -> Tensor", (matrices: Tensors) => (matrices.length === 1 ? matrices[0] : multi_dot(matrices)), {
  method: false,
  takesOut: false,
});
