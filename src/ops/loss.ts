/** Losses: functions of torch.nn.functional. */
import { gradMode } from "../autograd/grad-mode.ts";
import { composite, KernelOverload } from "../dispatch/define.ts";
import { fused } from "../dispatch/fused.ts";
import type { FunctionOp } from "../dispatch/op.ts";
import { pointwise } from "../dispatch/pointwise.ts";
import { resultDtype } from "../dispatch/promote.ts";
import { Reducer } from "../dispatch/reduce.ts";
import { NotImplementedError, RuntimeError, ValueError, warn } from "../errors.ts";
import type { Arithmetic, Formula } from "../ir/arithmetic.ts";
import { FLOAT } from "../tensor/dtype.ts";
import { broadcastSizes, listText, sameSizes } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What becomes of the losses of the elements. */
export type Reduction = "none" | "mean" | "sum";

const none = 0;
const mean = 1;
const sum = 2;

function reductionCode(reduction: string): number {
  if (reduction === "elementwise_mean") {
    warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.");
    return mean;
  }
  const code = ["none", "mean", "sum"].indexOf(reduction);
  if (code < 0) throw new ValueError(`${reduction} is not a valid value for reduction`);
  return code;
}

/** The reduction that the deprecated `size_average` and `reduce` stand for. */
function legacyReduction(sizeAverage: boolean | null, reduce: boolean | null, reduction: string): string {
  if (sizeAverage === null && reduce === null) return reduction;
  const named = reduce === false ? "none" : sizeAverage === false ? "sum" : "mean";
  warn(`size_average and reduce args will be deprecated, please use reduction='${named}' instead.`);
  return named;
}

/** Both tensors in their broadcast shape; a difference of sizes is most often a mistake. */
function matched(input: Tensor, target: Tensor): [Tensor, Tensor] {
  if (sameSizes(input._sizes, target._sizes)) return [input, target];
  warn(
    `Using a target size (torch.Size(${listText(target._sizes)})) that is different to the input size (torch.Size(${listText(input._sizes)})). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.`,
  );
  const sizes = broadcastSizes(input._sizes, target._sizes);
  const expanded = (t: Tensor): Tensor => (sameSizes(t._sizes, sizes) ? t : t.expand(sizes));
  return [expanded(input), expanded(target)];
}

/** A weighted loss; what a weighted mean is divided by differs from loss to loss. */
function weighted(losses: Tensor, weight: Tensor, input: Tensor, reduction: string, divisor: (products: Tensor) => number | Tensor): Tensor {
  if (!sameSizes(weight._sizes, input._sizes)) throw new ValueError("Weights and input must have the same size.");
  const products = losses.mul(weight);
  switch (reduction) {
    case "none":
      return products;
    case "sum":
      return products.sum();
    case "mean":
      return products.sum().div(divisor(products));
    default:
      throw new ValueError(`Invalid reduction mode: ${reduction}. Expected one of 'none', 'mean', 'sum'.`);
  }
}

/** The forward of a loss: one kernel, its reduction included. `kernelName` is what PyTorch's refusal of integers calls it. */
function lossForward(value: Formula, kernelName: string) {
  const total = new Reducer("sum", value);
  const average = new Reducer("sum", value, ({ folded, count }) => folded.div(count));
  return (self: Tensor, target: Tensor, reduction: number, ...parameters: number[]): Tensor => {
    const dtype = resultDtype([self, target])!;
    if (dtype.kind !== FLOAT) throw new NotImplementedError(`"${kernelName}" not implemented for '${dtype.title}'`);
    const operands = [self, target, ...parameters];
    if (reduction === none) return fused(value).run(operands, dtype, dtype, null);
    if (reduction === sum) return total.run(operands, null, false, dtype, dtype);
    return average.run([...operands, self._numel], null, false, dtype, dtype);
  };
}

/** What the gradient of the loss is multiplied by for each element. */
const share = (self: Tensor, reduction: number): number => (reduction === mean ? 1 / self._numel : 1);

/** A gradient that nothing else refers to may be kept as it is. */
function owned(grad: Tensor): Tensor {
  grad._owned = !gradMode.enabled;
  return grad;
}

type Slope = FunctionOp<[grad_output: Tensor, self: Tensor, target: Tensor, scale: number]>;
type ParametricSlope = FunctionOp<[grad_output: Tensor, self: Tensor, target: Tensor, parameter: number, scale: number]>;

const mseSlope: Slope = pointwise("mse_loss_backward(Tensor grad_output, Tensor self, Tensor target, Scalar scale) -> Tensor", {
  value: ({ grad_output, self, target, scale }) => self.sub(target).mul(scale).mul(grad_output),
  backward: {
    grad_output: ({ grad, self, target, scale }) => self.sub(target).mul(scale).mul(grad),
    self: ({ grad, grad_output, scale }) => grad.mul(scale).mul(grad_output),
    target: ({ grad, grad_output, scale }) => grad.mul(scale).mul(grad_output).neg(),
  },
  inplace: false,
  method: false,
});

const mseKernel = new KernelOverload("mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", {
  forward: lossForward(({ self, target }) => self.sub(target).mul(self.sub(target)), "mse_cpu"),
  backward: {
    self: ({ grad, self, target, reduction }) => owned(mseSlope(grad, self, target, 2 * share(self, reduction))),
    target: ({ grad, self, target, reduction }) => owned(mseSlope(grad, target, self, 2 * share(self, reduction))),
  },
});

interface LossOptions {
  size_average?: boolean | null;
  reduce?: boolean | null;
  reduction?: Reduction;
}
interface WeightedOptions extends LossOptions {
  weight?: Tensor | null;
}
/** Deprecated: `size_average` and `reduce`; say `reduction`. */
type Positional = [input: Tensor, target: Tensor, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction];
type WeightedLoss = FunctionOp<[...Positional, weight?: Tensor | null], WeightedOptions>;

const legacy = "Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, str reduction='mean'";

/**
 * The mean (or sum, or each) of (input - target)²; with `weight`, of those products, over the sum of the weights.
 *
 * @throws ValueError for an unknown reduction; NotImplementedError where neither tensor is of a float dtype. Warns where sizes differ.
 * @example
 * torch.nn.functional.mse_loss(torch.tensor([1, 2]), torch.tensor([0, 0])).item(); // 2.5
 */
export const mse_loss: WeightedLoss = composite(
  `mse_loss(${legacy}, Tensor? weight=None) -> Tensor`,
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, named: string, weight: Tensor | null) => {
    const [x, y] = matched(input, target);
    const reduction = legacyReduction(sizeAverage, reduce, named);
    if (weight !== null) return weighted(x.sub(y).pow(2), weight, input, reduction, () => weight.sum());
    return mseKernel.call([x, y, reductionCode(reduction)]);
  },
);

/** The mean (or sum, or each) of |input - target|; with `weight`, of those products, over the sum of the weights. */
export const l1_loss: WeightedLoss = composite(
  `l1_loss(${legacy}, Tensor? weight=None) -> Tensor`,
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, named: string, weight: Tensor | null) => {
    const [x, y] = matched(input, target);
    const reduction = legacyReduction(sizeAverage, reduce, named);
    if (weight !== null) return weighted(x.sub(y).abs(), weight, input, reduction, () => weight.sum());
    return absolute(x, y, reductionCode(reduction));
  },
);

function absolute(x: Tensor, y: Tensor, reduction: number): Tensor {
  const losses = x.sub(y).abs();
  return reduction === none ? losses : reduction === mean ? losses.mean() : losses.sum();
}

const smoothSlope: ParametricSlope = pointwise("smooth_l1_loss_backward(Tensor grad_output, Tensor self, Tensor target, Scalar beta, Scalar scale) -> Tensor", {
  value: ({ grad_output, self, target, beta, scale }) => smoothStep(self.sub(target), beta).mul(scale).mul(grad_output),
  backward: {
    grad_output: ({ grad, self, target, beta, scale }) => smoothStep(self.sub(target), beta).mul(scale).mul(grad),
    self: ({ grad, grad_output, self, target, beta, scale }) => grad.mul(grad_output).mul(scale).div(beta).masked_fill(self.sub(target).abs().ge(beta), 0),
    target: ({ grad, grad_output, self, target, beta, scale }) => grad.mul(grad_output).mul(scale).div(beta).neg().masked_fill(self.sub(target).abs().ge(beta), 0),
  },
  inplace: false,
  method: false,
});

/** x / beta, but no more than ±1. */
function smoothStep<V extends Arithmetic<V>>(x: V, beta: V): V {
  return x.sign().where(x.abs().ge(beta), x.div(beta));
}

const smoothKernel = new KernelOverload("smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.0) -> Tensor", {
  forward: lossForward(({ self, target, beta }) => {
    const distance = self.sub(target).abs();
    return distance.mul(distance).mul(0.5).div(beta).where(distance.lt(beta), distance.sub(beta.mul(0.5)));
  }, "smooth_l1_cpu"),
  backward: {
    self: ({ grad, self, target, reduction, beta }) => owned(smoothSlope(grad, self, target, beta, share(self, reduction))),
    target: ({ grad, self, target, reduction, beta }) => owned(smoothSlope(grad, target, self, beta, share(self, reduction))),
  },
  node: "SmoothL1LossBackward0",
});

/** The mean (or sum, or each) of a loss that is quadratic below `beta` and linear, with slope 1, above it. */
export const smooth_l1_loss: FunctionOp<[...Positional, beta?: number], LossOptions & { beta?: number }> = composite(
  `smooth_l1_loss(${legacy}, float beta=1.0) -> Tensor`,
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, named: string, beta: number) => {
    const [x, y] = matched(input, target);
    const reduction = reductionCode(legacyReduction(sizeAverage, reduce, named));
    if (beta < 0) throw new RuntimeError("smooth_l1_loss does not support negative values for beta.");
    return beta === 0 ? absolute(x, y, reduction) : smoothKernel.call([x, y, reduction, beta]);
  },
);

const huberSlope: ParametricSlope = pointwise("huber_loss_backward(Tensor grad_output, Tensor self, Tensor target, Scalar delta, Scalar scale) -> Tensor", {
  value: ({ grad_output, self, target, delta, scale }) => huberStep(self.sub(target), delta).mul(scale).mul(grad_output),
  backward: {
    grad_output: ({ grad, self, target, delta, scale }) => huberStep(self.sub(target), delta).mul(scale).mul(grad),
    self: ({ grad, grad_output, self, target, delta, scale }) => grad.mul(grad_output).mul(scale).masked_fill(self.sub(target).abs().ge(delta), 0),
    target: ({ grad, grad_output, self, target, delta, scale }) => grad.mul(grad_output).mul(scale).neg().masked_fill(self.sub(target).abs().ge(delta), 0),
  },
  inplace: false,
  method: false,
});

/** x, but no more than ±delta. */
function huberStep<V extends Arithmetic<V>>(x: V, delta: V): V {
  return x.sign().mul(delta).where(x.abs().gt(delta), x);
}

const huberKernel = new KernelOverload("huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.0) -> Tensor", {
  forward: lossForward(({ self, target, delta }) => {
    const distance = self.sub(target).abs();
    return distance.mul(distance).mul(0.5).where(distance.le(delta), delta.mul(distance.sub(delta.mul(0.5))));
  }, "huber_cpu"),
  backward: {
    self: ({ grad, self, target, reduction, delta }) => owned(huberSlope(grad, self, target, delta, share(self, reduction))),
    target: ({ grad, self, target, reduction, delta }) => owned(huberSlope(grad, target, self, delta, share(self, reduction))),
  },
});

interface HuberOptions {
  reduction?: Reduction;
  delta?: number;
  weight?: Tensor | null;
}

/** The mean (or sum, or each) of a loss that is quadratic up to `delta` and linear, with slope `delta`, above it. */
export const huber_loss: FunctionOp<[input: Tensor, target: Tensor, reduction?: Reduction, delta?: number, weight?: Tensor | null], HuberOptions> = composite(
  "huber_loss(Tensor input, Tensor target, str reduction='mean', float delta=1.0, Tensor? weight=None) -> Tensor",
  (input: Tensor, target: Tensor, reduction: string, delta: number, weight: Tensor | null) => {
    const [x, y] = matched(input, target);
    const losses = (code: number): Tensor => {
      if (delta <= 0) throw new RuntimeError("huber_loss does not support non-positive values for delta.");
      return huberKernel.call([x, y, code, delta]) as Tensor;
    };
    if (weight === null) return losses(reductionCode(reduction));
    return weighted(losses(none), weight, input, reduction, (products) => products._numel);
  },
);
