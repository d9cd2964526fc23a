/** Python's `x[…]`, which JavaScript writes as a method. */
import { forget } from "../../autograd/variable.ts";
import { composite } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { index as indexTensor } from "./advanced-index.ts";
import { applyIndex } from "./apply-index.ts";
import { readIndex, type Index } from "./index-spec.ts";
import { alias } from "../shape/slicing.ts";

/**
 * `self[i, j, …]`, one argument for each entry: a number, a `torch.slice`, a string in Python's syntax (":2",
 * "..., ::2, None"), null for None, a boolean, an index tensor or mask, or an array of numbers or booleans.
 * Without tensors and arrays the result is a view.
 *
 * @example
 * const x = torch.arange(6).view(2, 3);
 * x.index(0, "1:"); // tensor([1, 2])
 * x.index(x.gt(3)); // tensor([4, 5])
 */
export const index: Op<[self: Tensor, ...indices: Index[]]> = composite("index(Tensor self, Any[] *indices=[]) -> Tensor", (self: Tensor, indices: readonly unknown[]) => {
  const { view, tensors } = applyIndex(self, readIndex(indices), false);
  if (tensors.length === 0) return view === self ? alias(self) : view;
  const picked = indexTensor(view, tensors);
  if (view !== self) forget(view);
  return picked;
});
