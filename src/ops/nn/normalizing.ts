/** x made to have mean 0 and variance 1 over some dimensions, then scaled and shifted: what batch norm and group norm have in common. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { fused } from "../../dispatch/fused.ts";
import { PointwiseOverload } from "../../dispatch/pointwise.ts";
import { Reducer } from "../../dispatch/reduce.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { var_mean } from "../reductions/statistics.ts";

/** Mean and 1 / √(variance + eps), in shapes that broadcast to x. */
export interface Moments {
  mean: Tensor;
  invstd: Tensor;
}

/** The moments over `dims`, and the variance, which batch norm keeps a running mean of. */
export function momentsOver(x: Tensor, dims: readonly number[], eps: number): Moments & { variance: Tensor } {
  // Over nothing both are NaN, of which var_mean would warn.
  const nothing = x._numel === 0 ? x.mean(dims, true) : null;
  const [variance, mean] = nothing !== null ? [nothing, nothing] : var_mean(x, dims, { correction: 0, keepdim: true });
  return { variance, mean, invstd: variance.add(eps).rsqrt() };
}

const scaled: Formula = ({ self, mean, invstd, weight, bias }) => self.sub(mean).mul(invstd.mul(weight)).add(bias);

/** (x - mean) · invstd · weight + bias in one pass; weight and bias broadcast to x, and count as 1 and 0 where absent. */
export function normalized(x: Tensor, { mean, invstd }: Moments, weight: Tensor | null, bias: Tensor | null): Tensor {
  return fused(scaled).run([x, mean, invstd, weight ?? 1, bias ?? 0], x.dtype, x.dtype, null);
}

const productSum = new Reducer("sum", ({ self, mean, grad }) => self.sub(mean).mul(grad));

/** Σ grad · (x - mean) over `dims`, which are kept: in one pass where nothing is recorded. */
function sumOfProducts(x: Tensor, mean: Tensor, grad: Tensor, dims: readonly number[]): Tensor {
  return gradMode.enabled ? grad.mul(x.sub(mean)).sum(dims, true) : productSum.run([x, mean, grad], dims, true, x.dtype, x.dtype);
}

const slope = new PointwiseOverload(
  "norm_backward(Tensor grad_output, Tensor self, Tensor mean, Tensor scale, Tensor bend, Tensor shift) -> Tensor",
  {
    value: ({ grad_output, self, mean, scale, bend, shift }) => grad_output.mul(scale).add(self.sub(mean).mul(bend)).add(shift),
    backward: {
      grad_output: ({ grad, scale }) => grad.mul(scale),
      self: ({ grad, bend }) => grad.mul(bend),
      mean: ({ grad, bend }) => grad.mul(bend).neg(),
      scale: ({ grad, grad_output }) => grad.mul(grad_output),
      bend: ({ grad, self, mean }) => grad.mul(self.sub(mean)),
      shift: ({ grad }) => grad,
    },
  },
);

/** Which dimensions the moments are taken over, and which the weights are the same along. */
export interface Axes {
  moments: readonly number[];
  parameters: readonly number[];
}

export interface NormGradients {
  self: Tensor;
  weight: Tensor;
  bias: Tensor;
}

/**
 * The gradients of `normalized`. `constant`: the moments do not depend on x. `ofMean` and `ofInvstd` are gradients that reach
 * the moments themselves. All passes over x are two sums and one formula; the rest is done on their small results.
 */
export function normGradients(
  grad: Tensor,
  x: Tensor,
  { mean, invstd }: Moments,
  weight: Tensor | null,
  axes: Axes,
  { constant = false, ofMean = null as Tensor | null, ofInvstd = null as Tensor | null } = {},
): NormGradients {
  const inner = axes.moments.filter((d) => axes.parameters.includes(d));
  const products = sumOfProducts(x, mean, grad, inner);
  const sums = grad.sum(inner, true);
  const scale = weight === null ? invstd : invstd.mul(weight);
  const gradients = { weight: products.mul(invstd).sum(axes.parameters, true), bias: sums.sum(axes.parameters, true) };
  if (constant) return { ...gradients, self: grad.mul(scale) };
  const n = axes.moments.reduce((count, d) => count * x._sizes[d], 1);
  const weighed = (t: Tensor): Tensor => (weight === null ? t : t.mul(weight)).sum(axes.moments, true);
  const bend = weighed(products).add(ofInvstd ?? 0).mul(invstd.pow(3)).div(-n);
  const shift = weighed(sums).mul(invstd).neg().add(ofMean ?? 0).div(n);
  return { ...gradients, self: slope.call([grad, x, mean, scale, bend, shift]) };
}

/** Refuses what no kernel takes: integers, and weights of another dtype. */
export function checkNormDtypes(kernelName: string, x: Tensor, parameters: readonly (Tensor | null)[]): void {
  if (x.dtype.kind !== FLOAT) throw new NotImplementedError(`"${kernelName}" not implemented for '${x.dtype.title}'`);
  const given = parameters.filter((p) => p !== null);
  const wrong = given.findIndex((p) => p.dtype !== x.dtype);
  if (wrong < 0) return;
  if (wrong > 0) throw new RuntimeError(`expected scalar type ${x.dtype.title} but found ${given[wrong].dtype.title}`);
  throw new RuntimeError(x.dtype.itemsize === 8 ? "mixed dtype (CPU): all inputs must share same datatype." : "mixed dtype (CPU): expect parameter to have scalar type of Float");
}
