/** Differences of neighbours. */
import { composite } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { BOOL } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { cat } from "./joining.ts";
import { slice } from "./slicing.ts";

type MaybeTensor = Tensor | null;

/** All but the last, and all but the first. */
export const neighbours = (t: Tensor, dim: number): [Tensor, Tensor] => [slice(t, dim, 0, -1), slice(t, dim, 1)];

function checkJoined(self: Tensor, other: MaybeTensor, dim: number): void {
  if (other === null) return;
  if (other._sizes.length !== self._sizes.length) throw new RuntimeError("diff expects prepend or append to be the same dimension as input");
  const wrong = self._sizes.findIndex((size, d) => d !== dim && size !== other._sizes[d]);
  if (wrong < 0) return;
  throw new RuntimeError(
    `diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size(${wrong}) = ${self._sizes[wrong]}, but got tensor.size(${wrong}) = ${other._sizes[wrong]}`,
  );
}

interface DiffOptions {
  n?: number;
  dim?: number;
  prepend?: MaybeTensor;
  append?: MaybeTensor;
}

/**
 * Each element less the one before it along `dim`, `n` times over; `prepend` and `append` are joined first. Of bools: do they differ?
 *
 * @throws RuntimeError where shapes do not fit.
 * @example
 * torch.tensor([1, 4, 9]).diff().tolist(); // [3, 5]
 */
export const diff: Op<[self: Tensor, n?: number, dim?: number, prepend?: MaybeTensor, append?: MaybeTensor], DiffOptions> = composite(
  "diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor",
  (self: Tensor, n: number, dim: number, prepend: MaybeTensor, append: MaybeTensor) => {
    if (self._sizes.length === 0) throw new RuntimeError("diff expects input to be at least one-dimensional");
    const d = wrapDim(dim, self._sizes.length);
    if (n < 0) throw new RuntimeError(`order must be non-negative but got ${n}`);
    for (const other of [prepend, append]) checkJoined(self, other, d);
    if (n === 0) return self.clone();
    const parts = [prepend, self, append].filter((t) => t !== null);
    let result = parts.length === 1 ? self : cat(parts, d);
    for (let k = Math.min(n, result._sizes[d]); k > 0; k--) {
      const [before, after] = neighbours(result, d);
      result = result.dtype.kind === BOOL ? after.logical_xor(before) : after.sub(before);
    }
    return result;
  },
);
