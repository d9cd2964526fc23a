/** Losses of a classification, whose targets are classes or their probabilities: functions of torch.nn.functional. */
import { classLosses, classLossGradient, readClasses, totalLoss } from "../../backends/reference/class-loss.ts";
import { lanesOf, type FloatArray, type Lanes } from "../../backends/reference/lanes.ts";
import { composite, KernelOverload, type KernelDefinition } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { IndexError, NotImplementedError, RuntimeError, ValueError } from "../../errors.ts";
import { FLOAT, int64, uint8 } from "../../tensor/dtype.ts";
import { listText, sameSizes } from "../../tensor/layout.ts";
import { viewTyped, wordsOf } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { legacyReduction, mean, none, owned, reductionCode, sum, type LossOptions, type Reduction } from "./loss-reduction.ts";
import { divNumber, mulNumber } from "../pointwise/number-forms.ts";
import { refuseGradient } from "../pointwise/refusals.ts";

type MaybeTensor = Tensor | null;

const floats = (t: Tensor): FloatArray => viewTyped(t) as FloatArray;

function checkClassDtype({ dtype }: Tensor): void {
  if (dtype !== int64 && dtype !== uint8) throw new RuntimeError(`expected target dtype to be Long or Byte, but got ${dtype.title}`);
}

/** Each sample as a lane along the classes, and the samples' classes. */
function samplesOf(self: Tensor, target: Tensor, ignoreIndex: number): { lanes: Lanes; classes: Int32Array } {
  const lanes = lanesOf(self._sizes, self._sizes.length === 1 ? 0 : 1);
  const { classes, outside } = readClasses(wordsOf(rowMajor(target, int64)), lanes, ignoreIndex);
  if (outside !== null) throw new IndexError(`Target ${outside} is out of bounds.`);
  return { lanes, classes };
}

/** One sample alone gives a 0-dim loss, whatever the reduction. */
const isEach = (self: Tensor, reduction: number): boolean => reduction === none && self._sizes.length > 1;

function nllForward(self: Tensor, target: Tensor, weight: MaybeTensor, reduction: number, ignoreIndex: number): [Tensor, Tensor] {
  if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"nll_loss_out_frame" not implemented for '${self.dtype.title}'`);
  if (weight !== null && weight.dtype !== self.dtype) throw new RuntimeError(`expected scalar type ${self.dtype.title} but found ${weight.dtype.title}`);
  const { lanes, classes } = samplesOf(self, target, ignoreIndex);
  const [input, weights] = [rowMajor(self), weight === null ? null : rowMajor(weight)];
  if (isEach(self, reduction)) {
    const losses = emptyTensor(target._sizes, self.dtype);
    classLosses(floats(input), classes, weights && floats(weights), lanes, floats(losses));
    return [losses, filled([], 0, self.dtype)];
  }
  const total = totalLoss(floats(input), classes, weights && floats(weights), lanes);
  return [filled([], reduction === mean ? total.loss / total.weight : total.loss, self.dtype), filled([], total.weight, self.dtype)];
}

const slopeParameters = "Tensor grad_output, Tensor self, Tensor target, Tensor? weight, int reduction, int ignore_index, Tensor total_weight";

function nllBackward(grad: Tensor, self: Tensor, target: Tensor, weight: MaybeTensor, reduction: number, ignoreIndex: number, totalWeight: Tensor): Tensor {
  const { lanes, classes } = samplesOf(self, target, ignoreIndex);
  const out = filled(self._sizes, 0, self.dtype);
  const [grads, weights] = [rowMajor(grad), weight === null ? null : rowMajor(weight)];
  const divisor = reduction === mean ? floats(totalWeight)[0] : 1;
  classLossGradient(floats(grads), classes, weights && floats(weights), lanes, divisor, floats(out));
  return out;
}

/** The kernel for one number a class (nll_loss), or for a picture of them (nll_loss2d); they differ in name. */
function nllKernel(name: string, node: string): KernelOverload {
  const slope: KernelOverload = new KernelOverload(`${name}_backward(${slopeParameters}) -> Tensor`, {
    forward: nllBackward,
    backward: {
      grad_output: ({ grad, target, weight, reduction, ignore_index }) => (loss.call([grad, target, weight, reduction, ignore_index]) as Tensor[])[0],
      self: ({ grad }) => filled(grad._sizes, 0, grad.dtype),
    },
    node: node.replace("Backward0", "BackwardBackward0"),
  });
  const definition: KernelDefinition = {
    forward: nllForward,
    backward: {
      self: ({ grad, self, target, weight, reduction, ignore_index, total_weight }) =>
        owned(slope.call([grad, self, target, weight, reduction, ignore_index, total_weight]) as Tensor),
    },
    constants: ["total_weight"],
    node,
  };
  const schema = `${name}_forward(Tensor self, Tensor target, Tensor? weight, int reduction, int ignore_index) -> (Tensor output, Tensor total_weight)`;
  const loss = new KernelOverload(schema, definition);
  return loss;
}
const flatKernel = nllKernel("nll_loss", "NllLossBackward0");
const spatialKernel = nllKernel("nll_loss2d", "NllLoss2DBackward0");

function flatLoss(self: Tensor, target: Tensor, weight: MaybeTensor, reduction: number, ignoreIndex: number): Tensor {
  refuseGradient("nll_loss_forward", { weight });
  const [sizes, targets, classes] = [self._sizes, target._sizes, self._sizes.at(-1)!];
  if (targets.length > 1) throw new RuntimeError("0D or 1D target tensor expected, multi-target not supported");
  checkClassDtype(target);
  if (sizes.length === 1 && targets.length === 1 && targets[0] !== 1) throw new ValueError(`For 1D input, 1D target must have size 1, but got target size: ${targets[0]}`);
  if (weight !== null && (weight._sizes.length !== 1 || weight._numel !== classes)) {
    throw new RuntimeError(`weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${listText(weight._sizes)}`);
  }
  return (flatKernel.call([self, target, weight, reduction, ignoreIndex]) as Tensor[])[0];
}

function spatialLoss(self: Tensor, target: Tensor, weight: MaybeTensor, reduction: number, ignoreIndex: number): Tensor {
  refuseGradient("nll_loss2d_forward", { weight });
  const [sizes, targets] = [self._sizes, target._sizes];
  if (targets.length !== 3) throw new RuntimeError(`only batches of spatial targets supported (3D tensors) but got targets of dimension: ${targets.length}`);
  if (weight !== null && weight._numel !== sizes[1]) throw new RuntimeError("weight tensor should be defined either for all or no classes");
  if (sizes[2] !== targets[1] || sizes[3] !== targets[2]) throw new RuntimeError(`size mismatch (got input: ${listText(sizes)} , target: ${listText(targets)}`);
  checkClassDtype(target);
  return (spatialKernel.call([self, target, weight, reduction, ignoreIndex]) as Tensor[])[0];
}

/** The loss for any number of dimensions after that of the classes. */
function nllOf(self: Tensor, target: Tensor, weight: MaybeTensor, reduction: number, ignoreIndex: number): Tensor {
  const sizes = self._sizes;
  if (sizes.length < 1) throw new ValueError(`Expected 1 or more dimensions (got ${sizes.length})`);
  if (sizes.length !== 1 && sizes[0] !== target._sizes[0]) throw new ValueError(`Expected input batch_size (${sizes[0]}) to match target batch_size (${target._sizes[0] ?? 0}).`);
  if (sizes.length < 3) return flatLoss(self, target, weight, reduction, ignoreIndex);
  if (sizes.length === 4) return spatialLoss(self, target, weight, reduction, ignoreIndex);
  const [n, classes, ...rest] = sizes;
  const each = [n, ...rest];
  if (!sameSizes(target._sizes, each)) throw new RuntimeError(`Expected target size ${listText(each)}, got ${listText(target._sizes)}`);
  const flat = self._numel > 0 ? [1, -1] : [0, 0];
  const loss = spatialLoss(self.contiguous().view([n, classes, ...flat]), target.contiguous().view([n, ...flat]), weight, reduction, ignoreIndex);
  return reduction === none ? loss.view(each) : loss;
}

interface ClassLossOptions extends LossOptions {
  weight?: MaybeTensor;
  ignore_index?: number;
}
type Positional = [input: Tensor, target: Tensor, weight?: MaybeTensor, size_average?: boolean | null, ignore_index?: number, reduce?: boolean | null, reduction?: Reduction];

const parameters = "Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, str reduction='mean'";

/**
 * The mean (or sum, or each) of -input[target], where `input` (n, classes, …) holds log probabilities and `target` (n, …; int64
 * or uint8) the classes. `weight` has a factor for each class, and a mean is over the sum of the weights.
 *
 * @throws IndexError where a target is no class; ValueError or RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.nn.functional.nll_loss(torch.tensor([[-1, -2]]), torch.tensor([1n])).item(); // 2
 */
export const nll_loss: FunctionOp<Positional, ClassLossOptions> = composite(
  `nll_loss(${parameters}) -> Tensor`,
  (input: Tensor, target: Tensor, weight: MaybeTensor, sizeAverage: boolean | null, ignoreIndex: number, reduce: boolean | null, reduction: string) =>
    nllOf(input, target, weight, reductionCode(legacyReduction(sizeAverage, reduce, reduction)), ignoreIndex),
);

interface Settings {
  weight: MaybeTensor;
  reduction: number;
  ignoreIndex: number;
  smoothing: number;
}

/** `weight` in a shape that broadcasts along the classes. */
const alongClasses = (weight: Tensor, { _sizes: sizes }: Tensor, dim: number): Tensor => weight.view(sizes.map((_, d) => (d === dim ? weight._numel : 1)));

function checkSmoothing(smoothing: number): void {
  if (smoothing > 1) throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${smoothing}`);
}

/** Targets are probabilities. */
function ofProbabilities(self: Tensor, target: Tensor, dim: number, { weight, reduction, ignoreIndex, smoothing }: Settings): Tensor {
  if (target.dtype.kind !== FLOAT) throw new RuntimeError(`Expected floating point type for target with class probabilities, got ${target.dtype.title}`);
  if (ignoreIndex >= 0) throw new RuntimeError("ignore_index is not supported for floating point target");
  const classes = self.size(dim);
  if (weight !== null && (weight._sizes.length !== 1 || weight._numel !== classes)) {
    throw new RuntimeError(`cross_entropy: weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${listText(weight._sizes)}`);
  }
  checkSmoothing(smoothing);
  const wanted = smoothing > 0 ? target.mul(1 - smoothing).add(smoothing / classes) : target;
  const products = self.log_softmax(dim).mul(wanted);
  const losses = weight === null ? products : products.mul(alongClasses(weight, self, dim));
  if (reduction === none) return losses.sum(dim).neg();
  const total = losses.sum().neg();
  if (reduction === sum) return total;
  return self._numel === 0 ? total.fill_(NaN) : divNumber(total, self._numel / classes);
}

/** Some of each target's share goes to all classes alike (Szegedy et al., "Rethinking the Inception architecture", 2016). */
function smoothed(self: Tensor, target: Tensor, dim: number, { weight, reduction, ignoreIndex, smoothing }: Settings): Tensor {
  checkSmoothing(smoothing);
  const logs = self.log_softmax(dim);
  const loss = nllOf(logs, target, weight, reduction, ignoreIndex);
  const kept = target.ne(ignoreIndex);
  const weighted = weight === null ? logs : logs.mul(alongClasses(weight, self, dim));
  let spread = weighted.sum(dim).neg().masked_fill(kept.logical_not(), 0);
  if (reduction !== none) spread = spread.sum();
  if (reduction === mean) spread = spread.div(weight === null ? kept.sum() : weight.gather(0, target.masked_select(kept).flatten()).sum());
  return mulNumber(loss, 1 - smoothing).add(mulNumber(spread, smoothing / self.size(dim)));
}

/**
 * The mean (or sum, or each) of the cross entropy between softmax(input) along the classes (dimension 1, or the only one) and
 * `target`: classes, as for `nll_loss`, or their probabilities in the shape of `input`. `label_smoothing` is the share of
 * each target that is spread over all classes.
 *
 * @throws IndexError where a target is no class; ValueError or RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.nn.functional.cross_entropy(torch.zeros(1, 2), torch.tensor([1n])).item(); // 0.6931471824645996
 */
export const cross_entropy: FunctionOp<[...Required<Positional>, label_smoothing?: number] | Positional, ClassLossOptions & { label_smoothing?: number }> = composite(
  `cross_entropy(${parameters}, float label_smoothing=0.0) -> Tensor`,
  (input: Tensor, target: Tensor, weight: MaybeTensor, sizeAverage: boolean | null, ignoreIndex: number, reduce: boolean | null, named: string, smoothing: number) => {
    const reduction = reductionCode(legacyReduction(sizeAverage, reduce, named));
    const dim = input._sizes.length === 1 ? 0 : 1;
    const settings = { weight, reduction, ignoreIndex, smoothing };
    if (sameSizes(input._sizes, target._sizes)) return ofProbabilities(input, target, dim, settings);
    if (smoothing > 0) return smoothed(input, target, dim, settings);
    return nllOf(input.log_softmax(dim), target, weight, reduction, ignoreIndex);
  },
);
