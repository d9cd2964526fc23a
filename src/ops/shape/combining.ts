/** Elements of vectors combined into rows. */
import { markRising } from "../../backends/reference/index-patterns.ts";
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { bool } from "../../tensor/dtype.ts";
import { listText } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { meshgrid } from "./broadcasting.ts";
import { stack } from "./joining.ts";

type Tensors = readonly Tensor[];

function refuseMatrices(tensors: Tensors): void {
  const wide = tensors.find((t) => t._sizes.length !== 1);
  if (wide !== undefined) throw new RuntimeError(`Expect a 1D vector, but got shape ${listText(wide._sizes)}`);
}

/**
 * Every way to take one element of each vector, as rows.
 *
 * @throws RuntimeError where a tensor is no vector.
 * @example
 * torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4])).tolist(); // [[1, 3], [1, 4], [2, 3], [2, 4]]
 */
export const cartesian_prod: FunctionOp<[tensors: Tensors]> & ((...tensors: Tensor[]) => Tensor) = composite("cartesian_prod(Tensor[] *tensors=[]) -> Tensor", (tensors: Tensors) => {
  refuseMatrices(tensors);
  if (tensors.length === 1) return tensors[0];
  return stack(meshgrid(tensors, { indexing: "ij" }).map((grid) => grid.flatten()), 1);
});

/**
 * Every way to choose `r` elements of a vector, in its order, as rows; with `with_replacement` an element may be chosen again.
 *
 * @throws RuntimeError for other than a vector, or where `r` is negative.
 * @example
 * torch.combinations(torch.tensor([1, 2, 3])).tolist(); // [[1, 2], [1, 3], [2, 3]]
 */
export const combinations: FunctionOp<[self: Tensor, r?: number, with_replacement?: boolean], { r?: number; with_replacement?: boolean }> = composite(
  "combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor",
  (self: Tensor, r: number, again: boolean) => {
    refuseMatrices([self]);
    if (r < 0) throw new RuntimeError(`Expect a non-negative number, but got ${r}`);
    if (r === 0) return emptyTensor([0], self.dtype);
    const chosen = emptyTensor(new Array<number>(r).fill(self._numel), bool);
    markRising(viewTyped(chosen) as Uint8Array, self._numel, r, again);
    const grids = meshgrid(new Array<Tensor>(r).fill(self), { indexing: "ij" });
    return stack(grids.map((grid) => grid.masked_select(chosen)), 1);
  },
  { method: false },
);
