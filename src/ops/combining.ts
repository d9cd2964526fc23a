/** Elements of vectors combined into rows. */
import { composite } from "../dispatch/define.ts";
import type { FunctionOp } from "../dispatch/op.ts";
import { RuntimeError } from "../errors.ts";
import { bool } from "../tensor/dtype.ts";
import { listText } from "../tensor/layout.ts";
import { viewTyped } from "../tensor/read.ts";
import { emptyTensor, type Tensor } from "../tensor/tensor.ts";
import { meshgrid } from "./broadcasting.ts";
import { filled } from "./fill.ts";
import { stack } from "./joining.ts";

type Tensors = readonly Tensor[];

function refuseMatrices(tensors: Tensors): void {
  const wide = tensors.find((t) => t._sizes.length !== 1);
  if (wide !== undefined) throw new RuntimeError(`Expect a 1D vector, but got shape ${listText(wide._sizes)}`);
}

/** Every way to take one element of each vector, as rows. */
export const cartesian_prod: FunctionOp<[tensors: Tensors]> & ((...tensors: Tensor[]) => Tensor) = composite("cartesian_prod(Tensor[] *tensors=[]) -> Tensor", (tensors: Tensors) => {
  refuseMatrices(tensors);
  if (tensors.length === 1) return tensors[0];
  return stack(meshgrid(tensors, { indexing: "ij" }).map((grid) => grid.flatten()), 1);
});

/** Every way to choose `r` elements of a vector, in its order, as rows; with `with_replacement` an element may be chosen again. */
export const combinations: FunctionOp<[self: Tensor, r?: number, with_replacement?: boolean], { r?: number; with_replacement?: boolean }> = composite(
  "combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor",
  (self: Tensor, r: number, again: boolean) => {
    refuseMatrices([self]);
    if (r < 0) throw new RuntimeError(`Expect a non-negative number, but got ${r}`);
    if (r === 0) return emptyTensor([0], self.dtype);
    const chosen = risingIndices(self._numel, r, again);
    const grids = meshgrid(new Array<Tensor>(r).fill(self), { indexing: "ij" });
    return stack(grids.map((grid) => grid.masked_select(chosen)), 1);
  },
  { method: false },
);

/** Marks the indices of an r-dimensional cube that rise from dimension to dimension. */
function risingIndices(size: number, r: number, orStay: boolean): Tensor {
  const mask = filled(new Array<number>(r).fill(size), 1, bool);
  const marks = viewTyped(mask);
  for (let i = 0; i < marks.length; i++) {
    for (let rest = Math.floor(i / size), last = i % size, d = 1; d < r; d++, rest = Math.floor(rest / size)) {
      const before = rest % size;
      if (before > last || (before === last && !orStay)) marks[i] = 0;
      last = before;
    }
  }
  return mask;
}
