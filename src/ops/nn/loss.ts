/** Losses: functions of torch.nn.functional. */
import { composite, kernel, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError, ValueError, warn } from "../../errors.ts";
import type { Arithmetic } from "../../ir/arithmetic.ts";
import { broadcastSizes, listText, sameSizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { inOrderOf } from "../creation/memory-order.ts";
import { legacy, legacyReduction, lossForward, lossInOwnDtype, lossSlope, none, owned, reduced, refuseOtherDtypes, reductionCode, share, type LossOptions, type Positional, type Reduction } from "./loss-reduction.ts";

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

type Slope = FunctionOp<[grad_output: Tensor, self: Tensor, target: Tensor, scale: number]>;
type ParametricSlope = FunctionOp<[grad_output: Tensor, self: Tensor, target: Tensor, parameter: number, scale: number]>;

const mseSlope: Slope = kernel("mse_loss_backward(Tensor grad_output, Tensor self, Tensor target, float scale) -> Tensor", {
  forward: lossSlope(({ grad_output, self, target, scale }) => self.sub(target).mul(scale).mul(grad_output)),
  backward: {
    grad_output: ({ grad, self, target, scale }) => mseSlope(grad, self, target, scale),
    // PyTorch asks the tensor itself for its number of elements, so it is saved.
    self: ({ grad, grad_output, scale, self: _self }) => grad.mul(grad_output).mul(scale),
    target: ({ grad, grad_output, scale, target: _target }) => grad.mul(grad_output).mul(scale).neg(),
  },
});

const mseKernel = new KernelOverload("mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", {
  forward: lossForward(({ self, target }) => self.sub(target).mul(self.sub(target)), "mse_cpu"),
  backward: {
    self: ({ grad, self, target, reduction }) => owned(mseSlope(grad, self, target, 2 * share(self, reduction))),
    target: ({ grad, self, target, reduction }) => owned(mseSlope(grad, target, self, 2 * share(self, reduction))),
  },
});

interface WeightedOptions extends LossOptions {
  weight?: Tensor | null;
}
type WeightedLoss = FunctionOp<[...Positional, weight?: Tensor | null], WeightedOptions>;

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

const absolute = (x: Tensor, y: Tensor, reduction: number): Tensor => reduced(x.sub(y).abs(), reduction);

const smoothSlope: ParametricSlope = kernel("smooth_l1_loss_backward(Tensor grad_output, Tensor self, Tensor target, float beta, float scale) -> Tensor", {
  forward: lossSlope(({ grad_output, self, target, beta, scale }) => smoothStep(self.sub(target), beta).mul(scale).mul(grad_output)),
  backward: {
    grad_output: ({ grad, self, target, beta, scale }) => smoothSlope(grad, self, target, beta, scale),
    self: ({ grad, grad_output, self, target, beta, scale }) => grad.mul(grad_output).mul(self.sub(target).abs().lt(beta)).mul(scale).div(beta),
    target: ({ grad, grad_output, self, target, beta, scale }) => grad.mul(grad_output).mul(self.sub(target).abs().lt(beta)).mul(scale).div(beta).neg(),
  },
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

const huberSlopeForward = lossSlope(({ grad_output, self, target, delta, scale }) => huberStep(self.sub(target), delta).mul(scale).mul(grad_output));

const huberSlope: ParametricSlope = kernel("huber_loss_backward(Tensor grad_output, Tensor self, Tensor target, float delta, float scale) -> Tensor", {
  forward: (grad: Tensor, self: Tensor, target: Tensor, ...parameters: number[]) => {
    refuseOtherDtypes(self, target, grad);
    return huberSlopeForward(grad, self, target, ...parameters);
  },
  backward: {
    grad_output: ({ grad, self, target, delta, scale }) => huberSlope(grad, self, target, delta, scale),
    self: ({ grad, grad_output, self, target, delta, scale }) => grad.mul(grad_output).mul(self.sub(target).abs().lt(delta)).mul(scale),
    target: ({ grad, grad_output, self, target, delta, scale }) => grad.mul(grad_output).mul(self.sub(target).abs().lt(delta)).mul(scale).neg(),
  },
});

/** x, but no more than ±delta. */
function huberStep<V extends Arithmetic<V>>(x: V, delta: V): V {
  return x.sign().mul(delta).where(x.abs().gt(delta), x);
}

const huberForward = lossInOwnDtype(
  lossForward(({ self, target, delta }) => {
    const distance = self.sub(target).abs();
    return distance.mul(distance).mul(0.5).where(distance.le(delta), delta.mul(distance.sub(delta.mul(0.5))));
  }, "huber_cpu"),
);

const huberKernel = new KernelOverload("huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.0) -> Tensor", {
  forward: (self: Tensor, target: Tensor, reduction: number, delta: number) => {
    const losses = huberForward(self, target, reduction, delta);
    return reduction === none ? inOrderOf(self, losses) : losses;
  },
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
