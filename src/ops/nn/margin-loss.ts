/** Losses that ask for a margin: functions of torch.nn.functional. */
import { composite, KernelOverload } from "../../dispatch/define.ts";
import { refuseBroadcastOutput } from "../../dispatch/iterate.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { castable } from "../../dispatch/out.ts";
import { PointwiseOverload } from "../../dispatch/pointwise.ts";
import { RuntimeError, ValueError, NotImplementedError } from "../../errors.ts";
import type { Arithmetic } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT, get_default_dtype, int64 } from "../../tensor/dtype.ts";
import { broadcastSizes, listText, sameSizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { logSigmoidForm } from "../pointwise/activation-forms.ts";
import { pairwise_distance } from "../linalg/distance.ts";
import { legacy, legacyReduction, lossForward, lossInOwnDtype, mean, none, owned, reduced, reductionCode, share, type LossOptions, type Positional, type Reduction } from "./loss-reduction.ts";
import { addNumber, subNumber } from "../pointwise/number-forms.ts";
import { boolNegation, refuseGradient } from "../pointwise/refusals.ts";

type MaybeTensor = Tensor | null;
type Loss = FunctionOp<Positional, LossOptions>;

const tail = "bool? size_average=None, bool? reduce=None, str reduction='mean'";
const codeOf = (sizeAverage: boolean | null, reduce: boolean | null, reduction: string): number => reductionCode(legacyReduction(sizeAverage, reduce, reduction));

type MarginPositional = [input1: Tensor, input2: Tensor, target: Tensor, margin?: number, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction];
type MarginOptions = LossOptions & { margin?: number };

const sizeText = (t: Tensor): string => `torch.Size(${listText(t._sizes)})`;

/** max(0, margin - target · (input1 - input2)): `target` is 1 where `input1` should be the larger, -1 where `input2`. */
export const margin_ranking_loss: FunctionOp<MarginPositional, MarginOptions> = composite(
  `margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0, ${tail}) -> Tensor`,
  (input1: Tensor, input2: Tensor, target: Tensor, margin: number, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const reduction = codeOf(sizeAverage, reduce, named);
    if (input1._sizes.length !== input2._sizes.length || input1._sizes.length !== target._sizes.length) {
      throw new RuntimeError(
        `margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: ${sizeText(input1)}, input2: ${sizeText(input2)}, target: ${sizeText(target)} `,
      );
    }
    return reduced(addNumber(target.neg().mul(input1.sub(input2)), margin).clamp_min(0), reduction);
  },
);

type HingePositional = [input: Tensor, target: Tensor, margin?: number, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction];

/** The distance in `input` where `target` is 1, and max(0, margin - input) where it is -1. */
export const hinge_embedding_loss: FunctionOp<HingePositional, MarginOptions> = composite(
  `hinge_embedding_loss(Tensor input, Tensor target, float margin=1.0, ${tail}) -> Tensor`,
  (input: Tensor, target: Tensor, margin: number, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const missing = filled([], margin, input.dtype).sub(input).clamp_min(0);
    const losses = missing.where(target.ne(1), 0).add(input.where(target.ne(-1), 0));
    return reduced(losses, codeOf(sizeAverage, reduce, named));
  },
);

/** 1 - cos(input1, input2) where `target` is 1, and max(0, cos - margin) where it is -1. */
export const cosine_embedding_loss: FunctionOp<MarginPositional, MarginOptions> = composite(
  `cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0, ${tail}) -> Tensor`,
  (input1: Tensor, input2: Tensor, target: Tensor, margin: number, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const reduction = codeOf(sizeAverage, reduce, named);
    const dim = target._sizes.length;
    if (dim > 1) throw new RuntimeError("0D or 1D target tensor expected, multi-target not supported");
    if (input1._sizes.length !== dim + 1 || input2._sizes.length !== dim + 1) {
      throw new RuntimeError(`${dim}D target tensor expects ${dim + 1}D input tensors, but found inputs with sizes ${listText(input1._sizes)} and ${listText(input2._sizes)}.`);
    }
    const square = (x: Tensor): Tensor => addNumber(x.mul(x).sum(dim), 1e-12);
    const cosine = input1.mul(input2).sum(dim).div(square(input1).mul(square(input2)).sqrt());
    const losses = filled([], 1, cosine.dtype).sub(cosine).where(target.eq(1), 0).add(subNumber(cosine, margin).clamp_min(0).where(target.eq(-1), 0));
    return reduced(losses, reduction);
  },
);

/** PyTorch's way, which gives NaN where the exponential overflows. */
function softShare<V extends Arithmetic<V>>(self: V, target: V): V {
  const z = target.neg().mul(self).exp();
  return target.mul(z).neg().div(z.add(1));
}

const softSlope = new PointwiseOverload("soft_margin_loss_backward(Tensor grad_output, Tensor self, Tensor target, Scalar scale) -> Tensor", {
  value: ({ grad_output, self, target, scale }) => softShare(self, target).mul(scale).mul(grad_output),
  refuse([, , target]) {
    if ((target as Tensor).dtype.kind === BOOL) throw new RuntimeError(boolNegation);
  },
  backward: {
    grad_output: ({ grad, self, target, scale }) => softShare(self, target).mul(scale).mul(grad),
    self: ({ grad, grad_output, self, target, scale }) => {
      const z = target.neg().mul(self).exp();
      const next = z.add(1);
      return grad.mul(grad_output).mul(scale).mul(target.mul(target)).mul(z).div(next.mul(next));
    },
  },
});

const softForward = lossInOwnDtype(lossForward(({ self, target }) => target.mul(self).neg().exp().log1p(), "log1p_cpu"));

const softKernel = new KernelOverload("soft_margin_loss(Tensor self, Tensor target, int reduction) -> Tensor", {
  forward: (self: Tensor, target: Tensor, reduction: number) => {
    refuseBroadcastOutput(self, broadcastSizes(self._sizes, target._sizes));
    if (self.dtype.kind === BOOL) throw new RuntimeError(boolNegation);
    if (self.dtype.kind !== FLOAT && target.dtype.kind !== FLOAT) castable(self.dtype, get_default_dtype());
    return softForward(self, target, reduction);
  },
  backward: { self: ({ grad, self, target, reduction }) => owned(softSlope.call([grad, self, target, share(self, reduction)])) },
});

/** log(1 + exp(-target · input)), where `target` is 1 or -1. */
export const soft_margin_loss: Loss = composite(
  `soft_margin_loss(${legacy}) -> Tensor`,
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const reduction = codeOf(sizeAverage, reduce, named);
    refuseGradient("soft_margin_loss", { target });
    return softKernel.call([input, target, reduction]);
  },
);

/** Samples as rows of numbers, one for each class. */
function rowsOf(input: Tensor): { n: number; classes: number } {
  const sizes = input._sizes;
  const empty = sizes.length === 2 ? sizes[1] === 0 : sizes.length === 1 && sizes[0] === 0;
  if (sizes.length > 2 || empty) throw new RuntimeError(`Expected non-empty vector or matrix with optional 0-dim batch size, but got: ${listText(sizes)}`);
  return sizes.length === 2 ? { n: sizes[0], classes: sizes[1] } : { n: 1, classes: sizes[0] ?? 1 };
}

/** The losses of the rows, or of the lone one, reduced. */
const ofRows = (losses: Tensor, input: Tensor, reduction: number): Tensor => (reduction === none && input._sizes.length < 2 ? losses.reshape([]) : reduced(losses, reduction));

function checkMulti(input: Tensor, target: Tensor, weight: MaybeTensor): { n: number; classes: number } {
  const { n, classes } = rowsOf(input);
  const isVector = input._sizes.length < 2;
  if (isVector ? target._numel !== 1 || target._sizes.length > 1 : target._sizes.length !== 1 || target._numel !== n) {
    throw new RuntimeError(
      `multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected target size [${n}], but got ${listText(target._sizes)}. Input has shape ${listText(input._sizes)}.`,
    );
  }
  if (weight !== null && (weight._sizes.length > 1 || weight._numel !== classes)) throw new RuntimeError(`inconsistent weight size, expected ${classes} but got ${listText(weight._sizes)}`);
  if (target.dtype !== int64) throw new RuntimeError(`expected scalar type Long but found ${target.dtype.title}`);
  if (weight !== null && weight.dtype !== input.dtype) throw new RuntimeError(`expected scalar type ${input.dtype.title} but found ${weight.dtype.title}`);
  if (target.lt(0).logical_or(target.ge(classes)).any().item()) throw new RuntimeError("target out of range");
  return { n, classes };
}

/** How far each class of `input` comes nearer than `margin` to the target's, and the factor of each row. */
function shortfalls(input: Tensor, target: Tensor, margin: number, weight: MaybeTensor): { missing: Tensor; factor: Tensor; at: Tensor } {
  const { n, classes } = checkMulti(input, target, weight);
  const [rows, at] = [input.reshape([n, classes]), target.reshape([n, 1])];
  const missing = rows.sub(rows.gather(1, at)).add(margin).clamp_min(0).scatter(1, at, 0);
  return { missing, at, factor: weight === null ? rows.new_ones([n, 1]) : weight.reshape([-1]).index_select(0, at.reshape([n])).unsqueeze(1) };
}

const multiKernel = new KernelOverload("multi_margin_loss(Tensor self, Tensor target, Scalar p, Scalar margin, Tensor? weight, int reduction) -> Tensor", {
  forward: (self: Tensor, target: Tensor, p: number, margin: number, weight: MaybeTensor, reduction: number) => {
    const { missing, factor } = shortfalls(self, target, margin, weight);
    const losses = missing.pow(p).mul(factor).mean(1);
    return reduction === none ? losses.reshape(target._sizes) : reduced(losses, reduction);
  },
  backward: {
    self: ({ grad, self, target, p, margin, weight, reduction }) => {
      const { missing, factor, at } = shortfalls(self, target, margin, weight);
      const [n, classes] = missing._sizes;
      const slopes = (p === 1 ? missing.gt(0).to(self.dtype) : missing.mul(2)).mul(factor).div(reduction === mean ? n * classes : classes);
      const own = slopes.sum(1, true).neg();
      return slopes.scatter(1, at, own).mul(grad._numel === 1 ? grad.reshape([1, 1]) : grad.unsqueeze(1)).reshape(self._sizes);
    },
  },
});

type MultiPositional = [input: Tensor, target: Tensor, p?: number, margin?: number, weight?: MaybeTensor, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction];

/**
 * Σ max(0, margin - x[target] + x[i])^p / classes over the other classes i of each row of `input` (n, classes) or (classes);
 * p is 1 or 2, and `weight` has a factor for each class.
 *
 * @throws ValueError or RuntimeError where p is another, a target is no class, or shapes do not fit.
 */
export const multi_margin_loss: FunctionOp<MultiPositional, MarginOptions & { p?: number; weight?: MaybeTensor }> = composite(
  `multi_margin_loss(Tensor input, Tensor target, int p=1, float margin=1.0, Tensor? weight=None, ${tail}) -> Tensor`,
  (input: Tensor, target: Tensor, p: number, margin: number, weight: MaybeTensor, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const reduction = codeOf(sizeAverage, reduce, named);
    if (p !== 1 && p !== 2) throw new ValueError("only p == 1 and p == 2 supported");
    if (weight !== null && weight._sizes.length !== 1) throw new ValueError("weight must be one-dimensional");
    refuseGradient("multi_margin_loss", { weight });
    return multiKernel.call([input, target, p, margin, weight, reduction]);
  },
);

function checkMultilabel(input: Tensor, target: Tensor): { n: number; classes: number } {
  const { n, classes } = rowsOf(input);
  const fits = input._sizes.length < 2 ? target._sizes.length < 2 && target._numel === classes : sameSizes(target._sizes, input._sizes);
  if (!fits) throw new RuntimeError(`inconsistent target size: ${listText(target._sizes)} for input of size: ${listText(input._sizes)}`);
  if (target.dtype !== int64) throw new RuntimeError(`expected scalar type Long but found ${target.dtype.title}`);
  if (target.lt(-1).logical_or(target.ge(classes)).any().item()) throw new RuntimeError("argument #2 'target' is out of range");
  return { n, classes };
}

/** For each row, target and other class: by how much the class comes nearer than 1 to the target. Targets end at the first -1. */
function pairShortfalls(input: Tensor, target: Tensor): { missing: Tensor; at: Tensor; classes: number } {
  const { n, classes } = checkMultilabel(input, target);
  const [rows, labels] = [input.reshape([n, classes]), target.reshape([n, classes])];
  const given = labels.ge(0).to(int64).cumprod(1);
  const at = labels.mul(given);
  const isTarget = rows.new_zeros([n, classes]).scatter_add(1, at, given.to(input.dtype)).gt(0);
  const counted = given.ne(0).unsqueeze(2).logical_and(isTarget.logical_not().unsqueeze(1));
  const missing = rows.unsqueeze(1).sub(rows.gather(1, at).unsqueeze(2)).add(1).clamp_min(0).mul(counted);
  return { missing, at, classes };
}

const multilabelKernel = new KernelOverload("multilabel_margin_loss(Tensor self, Tensor target, int reduction) -> Tensor", {
  forward: (self: Tensor, target: Tensor, reduction: number) => {
    if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"multilabel_margin_loss_forward_out_frame" not implemented for '${self.dtype.title}'`);
    const { missing, classes } = pairShortfalls(self, target);
    return ofRows(missing.sum([1, 2]).div(classes), self, reduction);
  },
  backward: {
    self: ({ grad, self, target, reduction }) => {
      const { missing, at, classes } = pairShortfalls(self, target);
      const steps = missing.gt(0).to(self.dtype).div(reduction === mean ? classes * missing._sizes[0] : classes);
      const slopes = steps.sum(1).scatter_add(1, at, steps.sum(2).neg());
      return slopes.mul(grad._numel === 1 ? grad.reshape([1, 1]) : grad.unsqueeze(1)).reshape(self._sizes);
    },
  },
  node: "MultilabelMarginLossBackward0",
});

/** Σ max(0, 1 - x[t] + x[i]) / classes over the targets t of each row (up to the first -1) and the classes i that are none. */
export const multilabel_margin_loss: Loss = composite(
  `multilabel_margin_loss(${legacy}) -> Tensor`,
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, named: string) =>
    multilabelKernel.call([input, target, codeOf(sizeAverage, reduce, named)]),
);

type LabelPositional = [input: Tensor, target: Tensor, weight?: MaybeTensor, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction];

/** The mean over the classes of the binary cross entropies between sigmoid(input) and `target`. */
export const multilabel_soft_margin_loss: FunctionOp<LabelPositional, LossOptions & { weight?: MaybeTensor }> = composite(
  `multilabel_soft_margin_loss(Tensor input, Tensor target, Tensor? weight=None, ${tail}) -> Tensor`,
  (input: Tensor, target: Tensor, weight: MaybeTensor, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const reduction = ["none", "mean", "sum"].indexOf(legacyReduction(sizeAverage, reduce, named));
    const losses = target.mul(logSigmoid(input)).add(target.rsub(1).mul(logSigmoid(input.neg()))).neg();
    const weighted = weight === null ? losses : losses.mul(weight);
    if (reduction < 0) throw new ValueError(`${named} is not valid`);
    return reduced(weighted.sum(-1).div(input.size(-1)), reduction);
  },
);

const logSigmoid = (x: Tensor): Tensor => logSigmoidForm.call([x]);

interface TripletOptions extends LossOptions {
  margin?: number;
  p?: number;
  eps?: number;
  swap?: boolean;
}
type Distance = (a: Tensor, b: Tensor) => Tensor;

/** max(0, margin + d(anchor, positive) - d(anchor, negative)); with `swap`, the nearer of the two to `negative` counts. */
function tripletLosses(anchor: Tensor, positive: Tensor, negative: Tensor, margin: number, swap: boolean, distance: Distance): Tensor {
  const [a, p, n] = [anchor, positive, negative].map((t) => t._sizes.length);
  if (a !== p || p !== n) {
    throw new RuntimeError(
      `The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ${a}D, positive ${p}D, and negative ${n}D inputs`,
    );
  }
  const near = distance(anchor, positive);
  let far = distance(anchor, negative);
  if (swap) far = far.minimum(distance(positive, negative));
  return near.add(margin).sub(far).clamp_min(0);
}

function checkMargin(margin: number): void {
  if (margin <= 0) throw new ValueError(`margin must be greater than 0, got ${margin}`);
}

/** max(0, margin + d(anchor, positive) - d(anchor, negative)), d being `pairwise_distance`; `swap` lets the positive stand for the anchor where it is nearer. */
export const triplet_margin_loss: FunctionOp<
  [anchor: Tensor, positive: Tensor, negative: Tensor, margin?: number, p?: number, eps?: number, swap?: boolean, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction],
  TripletOptions
> = composite(
  `triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, float eps=1e-06, bool swap=False, ${tail}) -> Tensor`,
  (anchor: Tensor, positive: Tensor, negative: Tensor, margin: number, p: number, eps: number, swap: boolean, sizeAverage: boolean | null, reduce: boolean | null, named: string) => {
    const reduction = codeOf(sizeAverage, reduce, named);
    checkMargin(margin);
    return reduced(tripletLosses(anchor, positive, negative, margin, swap, (a, b) => pairwise_distance(a, b, p, eps)), reduction);
  },
);

interface DistanceOptions {
  distance_function?: Distance | null;
  margin?: number;
  swap?: boolean;
  reduction?: Reduction;
}

/** `triplet_margin_loss` with a distance of one's own. */
export const triplet_margin_with_distance_loss: FunctionOp<[anchor: Tensor, positive: Tensor, negative: Tensor], DistanceOptions> = composite(
  "triplet_margin_with_distance_loss(Tensor anchor, Tensor positive, Tensor negative, *, Any distance_function=None, float margin=1.0, bool swap=False, str reduction='mean') -> Tensor",
  (anchor: Tensor, positive: Tensor, negative: Tensor, distance: Distance | null, margin: number, swap: boolean, named: string) => {
    const reduction = reductionCode(named);
    checkMargin(margin);
    return reduced(tripletLosses(anchor, positive, negative, margin, swap, distance ?? ((a, b) => pairwise_distance(a, b))), reduction);
  },
);
