/** Bilinear forms: a function of torch and torch.nn.functional. */
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { IndexError, RuntimeError } from "../../errors.ts";
import { typeMetaName } from "../../tensor/dtype.ts";
import { numelOf } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Σ_b weight[o, a, b]·right[n, b] for each n, o, a. */
function halfOf(weight: Tensor, right: Tensor): Tensor {
  const [out, inner] = weight._sizes;
  return right.mm(weight.flatten(0, 1).t()).view(right._sizes[0], out, inner);
}

/** grad[n, o]·left[n, a] with o and a as one dimension. */
const outer = (grad: Tensor, left: Tensor): Tensor => grad.unsqueeze(2).mul(left.unsqueeze(1)).flatten(1);

const trilinear = new KernelOverload("_trilinear(Tensor i1, Tensor i2, Tensor i3) -> Tensor", {
  forward: (left: Tensor, weight: Tensor, right: Tensor) => halfOf(weight, right).mul(left.unsqueeze(1)).sum(2).to(left.dtype),
  backward: {
    i1: ({ grad, i2, i3 }) => halfOf(i2, i3).mul(grad.unsqueeze(2)).sum(1),
    i2: ({ grad, i1, i2_sizes, i3 }) => outer(grad, i1).t().mm(i3).view(i2_sizes),
    i3: ({ grad, i1, i2 }) => outer(grad, i1).mm(i2.flatten(0, 1)),
  },
  node: "TrilinearBackward0",
});

function check(left: Tensor, right: Tensor, weight: Tensor, bias: Tensor | null): void {
  const dtypes = { input1: left, input2: right, weight, ...(bias === null ? {} : { bias }) };
  if (Object.values(dtypes).some(({ dtype }) => dtype !== left.dtype)) {
    throw new RuntimeError(`All tensors must have the same dtype, got ${Object.entries(dtypes).map(([name, { dtype }]) => `${name}: ${typeMetaName(dtype)}`).join(", ")}`);
  }
  const refuse = (text: string): never => {
    throw new RuntimeError(`bilinear(): ${text}`);
  };
  const ndim = left._sizes.length;
  if (ndim !== right._sizes.length) refuse(`input dimensions do not match: got ${ndim} and ${right._sizes.length}`);
  if (ndim === 0) throw new IndexError("Dimension specified as -1 but tensor has no dimensions");
  const [lead, other] = [left._sizes.slice(0, -1), right._sizes.slice(0, -1)];
  const wrong = lead.findIndex((size, d) => size !== other[d]);
  if (wrong >= 0) refuse(`input batch dimensions do not match at dim ${wrong}: got ${lead[wrong]} and ${other[wrong]}`);
  for (const [i, input] of [left, right].entries()) {
    if (input.size(-1) !== weight.size(i + 1)) refuse(`input${i + 1} size does not match weight size: got ${input.size(-1)} but expected ${weight.size(i + 1)}`);
  }
  if (bias !== null && bias.size(0) !== weight.size(0)) refuse(`bias size does not match weight size: got ${bias.size(0)} but expected ${weight.size(0)}`);
}

/**
 * input1 @ weight[o] @ input2 + bias[o] for each o: sizes (…, in1), (…, in2), (out, in1, in2) and (out) give (…, out).
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.nn.functional.bilinear(torch.tensor([1, 2]), torch.tensor([3]), torch.tensor([[[1], [10]]])).tolist(); // [63]
 */
export const bilinear: FunctionOp<[input1: Tensor, input2: Tensor, weight: Tensor, bias?: Tensor | null], { bias?: Tensor | null }> = composite(
  "bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor",
  (left: Tensor, right: Tensor, weight: Tensor, bias: Tensor | null) => {
    check(left, right, weight, bias);
    const lead = left._sizes.slice(0, -1);
    const rows = (t: Tensor): Tensor => t.reshape(numelOf(lead), t.size(-1));
    const out = (trilinear.call([rows(left), weight, rows(right)]) as Tensor).reshape([...lead, weight._sizes[0]]);
    return bias === null ? out : out.add(bias);
  },
  { method: false, takesOut: false },
);
