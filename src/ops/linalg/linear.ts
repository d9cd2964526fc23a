/** `torch.nn.functional.linear`. */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import { numelOf } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * input @ weight.T + bias, over the last dimension of `input`: sizes (…, in), (out, in) and (out) give (…, out).
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 */
export const linear: FunctionOp<[input: Tensor, weight: Tensor, bias?: Tensor | null], { input?: Tensor; weight?: Tensor; bias?: Tensor | null }> = composite(
  "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
  (input: Tensor, weight: Tensor, bias: Tensor | null) => {
    const [d1, d2] = [input._sizes.length, weight._sizes.length];
    if (d1 === 0 || d2 === 0) throw new RuntimeError(`both arguments to linear need to be at least 1D, but they are ${d1}D and ${d2}D`);
    if (bias === null) return input.matmul(weight.t());
    if (d1 === 2) return bias.addmm(input, weight.t());
    if (!input._contiguous || !bias._contiguous || bias._sizes.length !== 1) return input.matmul(weight.t()).add_(bias);
    const rows = input._sizes.slice(0, -1);
    const product = bias.addmm(input.reshape([numelOf(rows), input._sizes[d1 - 1]]), weight.t());
    return product.view([...rows, product._sizes[1]]);
  },
  { method: false, outRule: exactDtype },
);
