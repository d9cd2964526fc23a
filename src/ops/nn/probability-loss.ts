/** Losses between probabilities, or of the parameters of distributions: functions of torch.nn.functional. */
import { composite, KernelOverload } from "../../dispatch/define.ts";
import { refuseBroadcastOutput } from "../../dispatch/iterate.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { PointwiseOverload } from "../../dispatch/pointwise.ts";
import { Reducer } from "../../dispatch/reduce.ts";
import { NotImplementedError, RuntimeError, ValueError, warn } from "../../errors.ts";
import type { Arithmetic } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT } from "../../tensor/dtype.ts";
import { broadcastSizes, listText, sameSizes, type Sizes } from "../../tensor/layout.ts";
import { onlyElement } from "../../tensor/read.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { refuseGradient, twoBoolDifference } from "../pointwise/refusals.ts";
import { inOrderOf } from "../creation/memory-order.ts";
import { legacy, legacyReduction, lossForward, none, owned, reduced, reductionCode, refuseOtherDtypes, share, type LossOptions, type Reduction } from "./loss-reduction.ts";

type MaybeTensor = Tensor | null;
type WeightedPositional = [input: Tensor, target: Tensor, weight?: MaybeTensor, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction];
interface WeightedOptions extends LossOptions {
  weight?: MaybeTensor;
}

const weightedLegacy = "Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, bool? reduce=None, str reduction='mean'";

const sizeText = (sizes: Sizes): string => `torch.Size(${listText(sizes)})`;

/** The logarithm, but no less than -100, so that a loss stays finite. */
const boundedLog = <V extends Arithmetic<V>>(log: V): V => log.masked_fill(log.lt(-100), -100);
/** x (1 - x), but not so near to 0 that a quotient overflows. */
const spread = <V extends Arithmetic<V>>(x: V): V => {
  const product = x.mul(x.neg().add(1));
  return product.masked_fill(product.lt(1e-12), 1e-12);
};

const outsideUnit = new Reducer("sum", ({ self }) => self.ge(0).logical_and(self.le(1)).logical_not());
function refuseOutsideUnit(name: string, t: Tensor): void {
  if (onlyElement(outsideUnit.run([t], null, false, t.dtype, t.dtype)) !== 0) throw new RuntimeError(`all elements of ${name} should be between 0 and 1`);
}

const bceSlopeParameters = "Tensor grad_output, Tensor self, Tensor target, Tensor weight, Scalar scale";

const bceSlope = new PointwiseOverload(`binary_cross_entropy_backward(${bceSlopeParameters}) -> Tensor`, {
  value: ({ grad_output, self, target, weight, scale }) => self.sub(target).mul(grad_output).mul(scale).mul(weight).div(spread(self)),
  backward: {
    grad_output: ({ grad, self, target, weight, scale }) => self.sub(target).mul(grad).mul(scale).mul(weight).div(spread(self)),
    self: ({ grad, grad_output, self, target, weight, scale }) => {
      const bend = self.mul(self).sub(self.mul(target).mul(2)).add(target);
      return bend.mul(grad).mul(grad_output).mul(scale).mul(weight).div(spread(self)).div(spread(self));
    },
    target: ({ grad, grad_output, self, weight, scale }) => grad.neg().mul(grad_output).mul(scale).mul(weight).div(spread(self)),
  },
});

const bceTargetSlope = new PointwiseOverload(`binary_cross_entropy_target_backward(${bceSlopeParameters}) -> Tensor`, {
  value: ({ grad_output, self, weight, scale }) => self.neg().log1p().sub(self.log()).mul(grad_output).mul(scale).mul(weight),
  backward: {
    grad_output: ({ grad, self, weight, scale }) => self.neg().log1p().sub(self.log()).mul(grad).mul(scale).mul(weight),
    self: ({ grad, grad_output, self, weight, scale }) => grad.neg().mul(grad_output).mul(scale).mul(weight).div(self.mul(self.neg().add(1))),
  },
});

const bceForward = lossForward(({ self, target, weight }) => {
  const [positive, negative] = [boundedLog(self.log()), boundedLog(self.neg().log1p())];
  return target.sub(1).mul(negative).sub(target.mul(positive)).mul(weight);
}, "binary_cross_entropy");

const bceKernel = new KernelOverload("binary_cross_entropy(Tensor self, Tensor target, Tensor? weight, int reduction) -> Tensor", {
  forward: (self: Tensor, target: Tensor, weight: MaybeTensor, reduction: number) => {
    refuseOtherDtypes(self, target, weight);
    if (self.dtype.kind === FLOAT) {
      refuseOutsideUnit("input", self);
      refuseOutsideUnit("target", target);
    }
    if (weight !== null) refuseBroadcastOutput(self, broadcastSizes(self._sizes, weight._sizes));
    const losses = bceForward(self, target, reduction, weight ?? 1);
    return reduction === none ? inOrderOf(self, losses) : losses;
  },
  backward: {
    self: ({ grad, self, target, weight, reduction }) => owned(bceSlope.call([grad, self, target, weight ?? 1, share(self, reduction)])),
    target: ({ grad, self, target, weight, reduction }) => owned(bceTargetSlope.call([grad, self, target, weight ?? 1, share(self, reduction)])),
  },
});

/** The shape that `weight` and `target` have together. */
function weightSizes(target: Sizes, weight: Sizes): Sizes {
  const lead = target.length - weight.length;
  const wrong = weight.findLastIndex((size, d) => size !== 1 && lead + d >= 0 && target[lead + d] !== 1 && size !== target[lead + d]);
  if (wrong < 0) return broadcastSizes(target, weight);
  throw new RuntimeError(
    `Attempting to broadcast a dimension of length ${weight[wrong]} at ${wrong - weight.length}! Mismatching argument at index 1 had ${sizeText(weight)}; but expected shape should be broadcastable to ${listText(target)}`,
  );
}

/**
 * The mean (or sum, or each) of -(t · log(x) + (1 - t) · log(1 - x)) for probabilities x in `input` and t in `target`; the
 * logarithms are no less than -100. `weight` multiplies the losses.
 *
 * @throws ValueError where sizes differ; RuntimeError where an element is outside [0, 1] or dtypes differ.
 * @example
 * torch.nn.functional.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1])).item(); // 0.6931471824645996
 */
export const binary_cross_entropy: FunctionOp<WeightedPositional, WeightedOptions> = composite(
  `binary_cross_entropy(${weightedLegacy}) -> Tensor`,
  (input: Tensor, target: Tensor, weight: MaybeTensor, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const reduction = reductionCode(legacyReduction(sizeAverage, reduce, named));
    if (!sameSizes(input._sizes, target._sizes)) {
      throw new ValueError(
        `Using a target size (${sizeText(target._sizes)}) that is different to the input size (${sizeText(input._sizes)}) is deprecated. Please ensure they have the same size.`,
      );
    }
    const expanded = weight && weight.expand(weightSizes(target._sizes, weight._sizes));
    refuseGradient("binary_cross_entropy", { weight: expanded });
    return bceKernel.call([input, target, expanded, reduction]);
  },
);

/** log(sigmoid(x)). */
const logSigmoid = <V extends Arithmetic<V>>(x: V): V => x.masked_fill(x.gt(0), 0).sub(x.abs().neg().exp().log1p());

const logitsSlopeParameters = "Tensor grad_output, Tensor self, Tensor target, Tensor weight, Tensor pos_weight, Scalar scale";

const logitsSlopeOf: <V extends Arithmetic<V>>(x: V, target: V, positive: V) => V = (x, target, positive) => {
  const s = x.sigmoid();
  // The second term is 0 where positive targets weigh 1.
  return s.sub(target).add(target.mul(positive.sub(1)).mul(s.sub(1)));
};

const logitsSlope = new PointwiseOverload(`binary_cross_entropy_with_logits_backward(${logitsSlopeParameters}) -> Tensor`, {
  value: ({ grad_output, self, target, weight, pos_weight, scale }) => logitsSlopeOf(self, target, pos_weight).mul(grad_output).mul(scale).mul(weight),
  backward: {
    grad_output: ({ grad, self, target, weight, pos_weight, scale }) => logitsSlopeOf(self, target, pos_weight).mul(grad).mul(scale).mul(weight),
    self: ({ grad, grad_output, self, target, weight, pos_weight, scale }) => {
      const s = self.sigmoid();
      return grad.mul(grad_output).mul(scale).mul(weight).mul(s.mul(s.neg().add(1))).mul(target.mul(pos_weight.sub(1)).add(1));
    },
    target: ({ grad, grad_output, self, weight, pos_weight, scale }) => grad.mul(grad_output).mul(scale).mul(weight).mul(pos_weight.sub(1).mul(self.sigmoid().sub(1)).sub(1)),
  },
});

const logitsTargetSlopeOf: <V extends Arithmetic<V>>(x: V, positive: V) => V = (x, positive) => x.neg().sub(positive.sub(1).mul(logSigmoid(x)));

const logitsTargetSlope = new PointwiseOverload(`binary_cross_entropy_with_logits_target_backward(${logitsSlopeParameters}) -> Tensor`, {
  value: ({ grad_output, self, weight, pos_weight, scale }) => logitsTargetSlopeOf(self, pos_weight).mul(grad_output).mul(scale).mul(weight),
  backward: {
    grad_output: ({ grad, self, weight, pos_weight, scale }) => logitsTargetSlopeOf(self, pos_weight).mul(grad).mul(scale).mul(weight),
    self: ({ grad, grad_output, self, weight, pos_weight, scale }) =>
      grad.neg().mul(grad_output).mul(scale).mul(weight).mul(pos_weight.sub(1).mul(self.neg().sigmoid()).add(1)),
  },
});

const logitsForward = lossForward(
  ({ self, target, weight, pos_weight }) => target.neg().add(1).mul(self).sub(pos_weight.sub(1).mul(target).add(1).mul(logSigmoid(self))).mul(weight),
  "log_sigmoid_cpu",
);

function checkLogits(self: Tensor, target: Tensor, factors: readonly MaybeTensor[]): void {
  if (target.dtype.kind === BOOL) throw new RuntimeError(twoBoolDifference);
  if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"log_sigmoid_cpu" not implemented for '${self.dtype.title}'`);
  if (target.dtype.kind !== FLOAT) throw new RuntimeError(`result type ${self.dtype.title} can't be cast to the desired output type ${target.dtype.title}`);
  for (const factor of factors) if (factor !== null) refuseBroadcastOutput(self, broadcastSizes(factor._sizes, self._sizes));
}

const logitsKernel = new KernelOverload("binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight, Tensor? pos_weight, int reduction) -> Tensor", {
  forward: (self: Tensor, target: Tensor, weight: MaybeTensor, positive: MaybeTensor, reduction: number) => {
    checkLogits(self, target, [positive, weight]);
    const losses = logitsForward(self, target, reduction, weight ?? 1, positive ?? 1).to(target.dtype);
    return reduction === none ? inOrderOf(target, losses) : losses;
  },
  backward: {
    self: ({ grad, self, target, weight, pos_weight, reduction }) => owned(logitsSlope.call([grad, self, target, weight ?? 1, pos_weight ?? 1, share(self, reduction)])),
    target: ({ grad, self, target, weight, pos_weight, reduction }) => owned(logitsTargetSlope.call([grad, self, target, weight ?? 1, pos_weight ?? 1, share(self, reduction)])),
  },
});

type LogitsOptions = WeightedOptions & { pos_weight?: MaybeTensor };

/**
 * `binary_cross_entropy` of sigmoid(input), computed without over- or underflow. `pos_weight`, broadcast, multiplies the part of t.
 *
 * @throws ValueError where sizes differ; RuntimeError where a weight does not broadcast.
 * @example
 * torch.nn.functional.binary_cross_entropy_with_logits(torch.zeros(1), torch.ones(1)).item(); // 0.6931471824645996
 */
export const binary_cross_entropy_with_logits: FunctionOp<[...WeightedPositional, pos_weight?: MaybeTensor], LogitsOptions> = composite(
  `binary_cross_entropy_with_logits(${weightedLegacy}, Tensor? pos_weight=None) -> Tensor`,
  (input: Tensor, target: Tensor, weight: MaybeTensor, sizeAverage: boolean | null, reduce: boolean | null, named: string, positive: MaybeTensor) => {
    const reduction = reductionCode(legacyReduction(sizeAverage, reduce, named));
    if (!sameSizes(input._sizes, target._sizes)) throw new ValueError(`Target size (${sizeText(target._sizes)}) must be the same as input size (${sizeText(input._sizes)})`);
    refuseGradient("binary_cross_entropy_with_logits", { weight, pos_weight: positive });
    return logitsKernel.call([input, target, weight, positive, reduction]);
  },
);

const meanOfBatch = "batchmean";

/**
 * The Kullback-Leibler divergence t · (log(t) - x) of each element, x a log probability in `input`, t a probability in `target`
 * (its logarithm with `log_target`); their mean, sum, or with `reduction: "batchmean"` the sum over the size of the batch.
 *
 * @throws RuntimeError where a tensor is of integers.
 * @example
 * torch.nn.functional.kl_div(torch.tensor([-1]), torch.tensor([1]), { reduction: "sum" }).item(); // 1
 */
export const kl_div: FunctionOp<
  [input: Tensor, target: Tensor, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction | "batchmean", log_target?: boolean],
  Omit<LossOptions, "reduction"> & { reduction?: Reduction | "batchmean"; log_target?: boolean }
> = composite(
  `kl_div(${legacy}, bool log_target=False) -> Tensor`,
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, named: string, logTarget: boolean) => {
    if (sizeAverage === null && reduce === null && named === "mean") {
      warn(
        "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' in the next major release.",
      );
    }
    const perBatch = named === meanOfBatch;
    const reduction = reductionCode(legacyReduction(sizeAverage, reduce, perBatch ? "sum" : named));
    if (input.dtype.kind !== FLOAT || target.dtype.kind !== FLOAT) throw new RuntimeError("kl_div: Integral inputs not supported.");
    const losses = logTarget ? target.exp().mul(target.sub(input)) : target.xlogy(target).sub(target.mul(input));
    const loss = reduced(losses, reduction);
    return perBatch && input._sizes.length > 0 ? loss.div(input._sizes[0]) : loss;
  },
);

function nameReduction(reduction: string, text: string): number {
  const code = ["none", "mean", "sum"].indexOf(reduction);
  if (code < 0) throw new ValueError(`${reduction} ${text}`);
  return code;
}

interface PoissonOptions extends LossOptions {
  log_input?: boolean;
  full?: boolean;
  eps?: number;
}

/**
 * The negative log likelihood of `target` under Poisson distributions whose means are exp(input), or `input` unless `log_input`.
 * `full` adds Stirling's approximation of log(target!) where target > 1.
 */
export const poisson_nll_loss: FunctionOp<
  [input: Tensor, target: Tensor, log_input?: boolean, full?: boolean, size_average?: boolean | null, eps?: number, reduce?: boolean | null, reduction?: Reduction],
  PoissonOptions
> = composite(
  "poisson_nll_loss(Tensor input, Tensor target, bool log_input=True, bool full=False, bool? size_average=None, float eps=1e-08, bool? reduce=None, str reduction='mean') -> Tensor",
  (input: Tensor, target: Tensor, logInput: boolean, full: boolean, sizeAverage: boolean | null, eps: number, reduce: boolean | null, named: string) => {
    const reduction = nameReduction(legacyReduction(sizeAverage, reduce, named), "is not a valid value for reduction");
    let losses = logInput ? input.exp().sub(target.mul(input)) : input.sub(target.mul(input.add(eps).log()));
    if (full) {
      const stirling = target.mul(target.log()).sub(target).add(target.mul(2 * Math.PI).log().mul(0.5));
      losses = losses.add(stirling.masked_fill(target.le(1), 0));
    }
    return reduced(losses, reduction);
  },
);

/** The variances in a shape that broadcasts to that of `input`. */
function variancesFor(input: Sizes, variance: Tensor): Tensor {
  const sizes = variance._sizes;
  if (sameSizes(input, sizes)) return variance;
  if (sameSizes(input.slice(0, -1), sizes)) return variance.unsqueeze(-1);
  const differing = input.length === sizes.length ? sizes.filter((size, d) => size !== input[d]) : [];
  if (differing.reduce((total, size) => total + size, 0) === 1) return variance;
  throw new ValueError("var is of incorrect size");
}

interface GaussianOptions {
  full?: boolean;
  eps?: number;
  reduction?: Reduction;
}

/**
 * The negative log likelihood of `target` under normal distributions with means `input` and variances `var`, which are taken
 * for no less than `eps`; `full` adds log(2π)/2.
 *
 * @throws ValueError where a variance is negative or of a size that does not fit.
 */
export const gaussian_nll_loss: FunctionOp<
  [input: Tensor, target: Tensor, variance: Tensor | number, full?: boolean, eps?: number, reduction?: Reduction], GaussianOptions & { var?: Tensor | number }
> = composite(
  "gaussian_nll_loss(Tensor input, Tensor target, Any var, bool full=False, float eps=1e-06, str reduction='mean') -> Tensor",
  (input: Tensor, target: Tensor, given: Tensor | number, full: boolean, eps: number, named: string) => {
    const negative = given instanceof Tensor ? given.lt(0).any().item() === true : given < 0;
    if (negative) throw new ValueError("var has negative entry/entries");
    const variances = given instanceof Tensor ? variancesFor(input._sizes, given) : input.detach().mul(0).add(given);
    const reduction = nameReduction(named, "is not valid");
    const bounded = variances.clone();
    bounded.detach().clamp_(eps);
    const losses = bounded.log().add(input.sub(target).pow(2).div(bounded)).mul(0.5);
    return reduced(full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, reduction);
  },
);
