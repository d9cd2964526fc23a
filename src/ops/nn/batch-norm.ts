/** Batch norm and instance norm: functions of torch and torch.nn.functional. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError, ValueError } from "../../errors.ts";
import { listText, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "../creation/copy.ts";
import { checkNormDtypes, momentsOver, normalized, normGradients, type Axes, type Moments } from "./normalizing.ts";
import { refuseGradient } from "../pointwise/refusals.ts";

type MaybeTensor = Tensor | null;

/** A tensor with an element for each channel, in a shape that broadcasts along dimension 1 of x. */
const channelwise = (t: Tensor, { _sizes: sizes }: Tensor): Tensor => t.reshape(sizes.map((_, d) => (d === 1 ? t._numel : 1)));
const maybeChannelwise = (t: MaybeTensor, x: Tensor): MaybeTensor => t && channelwise(t, x);

/** All dimensions but the channels'. */
function axesOf(x: Tensor): Axes {
  const dims = [...x._sizes.keys()].filter((d) => d !== 1);
  return { moments: dims, parameters: dims };
}

/** Moves a running mean towards what was observed. As in PyTorch the write is not counted, so that an earlier backward may follow. */
function moveTowards(running: MaybeTensor, observed: Tensor, momentum: number): void {
  if (running !== null) writeInto(running, running.mul(1 - momentum).add(observed.reshape([-1]).mul(momentum)));
}

/** The moments that a call uses: of the batch, which the running ones are moved towards, or the running ones. */
function momentsFor(x: Tensor, mean: MaybeTensor, variance: MaybeTensor, training: boolean, momentum: number, eps: number): Moments {
  if (!training) return { mean: channelwise(mean!, x), invstd: channelwise(variance!, x).add(eps).rsqrt() };
  const { moments: dims } = axesOf(x);
  const found = momentsOver(x, dims, eps);
  const n = dims.reduce((count, d) => count * x._sizes[d], 1);
  moveTowards(mean, found.mean, momentum);
  moveTowards(variance, found.variance.mul(n / (n - 1)), momentum);
  return found;
}

const kernelNode = "NativeBatchNormBackward0";

const native = new KernelOverload(
  "native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps) -> (Tensor output, Tensor save_mean, Tensor save_invstd)",
  {
    forward: (x: Tensor, weight: MaybeTensor, bias: MaybeTensor, mean: MaybeTensor, variance: MaybeTensor, training: boolean, momentum: number, eps: number) => {
      checkNormDtypes("batch_norm", x, [weight, bias, mean, variance]);
      const moments = momentsFor(x, mean, variance, training, momentum, eps);
      const output = normalized(x, moments, maybeChannelwise(weight, x), maybeChannelwise(bias, x));
      const saved = [moments.mean, moments.invstd].map((t) => (training ? t._reshaped([t._numel]) : emptyTensor([0], x.dtype)));
      return [output, ...saved];
    },
    backward: {
      "input, weight, bias": ({ grad, input: x, weight, running_mean, running_var, training, eps, save_mean, save_invstd }) => {
        const axes = axesOf(x);
        let moments: Moments;
        if (!training) moments = momentsFor(x, running_mean, running_var, false, 0, eps);
        else if (gradMode.enabled) moments = momentsOver(x, axes.moments, eps);
        else moments = { mean: channelwise(save_mean, x), invstd: channelwise(save_invstd, x) };
        const gradients = normGradients(grad, x, moments, maybeChannelwise(weight, x), axes, { constant: !training });
        return [gradients.self, gradients.weight.reshape([-1]), gradients.bias.reshape([-1])];
      },
    },
    constants: ["save_mean", "save_invstd"],
    node: kernelNode,
  },
);

/** The output, and in training the mean and 1 / √(variance + eps) of each channel; `running_mean` and `running_var` are written. */
export const native_batch_norm: FunctionOp<
  [input: Tensor, weight: MaybeTensor, bias: MaybeTensor, running_mean: MaybeTensor, running_var: MaybeTensor, training: boolean, momentum: number, eps: number],
  unknown,
  readonly [Tensor, Tensor, Tensor]
> = makeOp("native_batch_norm", [native], false) as typeof native_batch_norm;

function checkBatchNorm(x: Tensor, parameters: Record<string, MaybeTensor>, training: boolean): void {
  const channels = x._sizes[1] ?? 0;
  for (const [name, t] of Object.entries(parameters)) {
    if (t !== null && t._numel !== channels) throw new RuntimeError(`${name} should contain ${channels} elements not ${t._numel}`);
    if (t === null && name.startsWith("running") && !training) throw new RuntimeError(`${name} must be defined in evaluation mode`);
  }
}

function batchNorm(x: Tensor, weight: MaybeTensor, bias: MaybeTensor, mean: MaybeTensor, variance: MaybeTensor, training: boolean, momentum: number, eps: number): Tensor {
  checkBatchNorm(x, { running_mean: mean, running_var: variance, weight, bias }, training);
  refuseGradient("native_batch_norm", { running_mean: mean, running_var: variance });
  if (x._numel === 0) {
    const scaledCopy = weight === null ? x.clone() : x.mul(weight.index(0));
    return bias === null ? scaledCopy : scaledCopy.add(bias.index(0));
  }
  return (native.call([x, weight, bias, mean, variance, training, momentum, eps]) as Tensor[])[0];
}

/** `torch.nn.functional.batch_norm` with the parameters in another order. `cudnn_enabled` is accepted for PyTorch's sake. */
export const batch_norm: FunctionOp<
  [input: Tensor, weight: MaybeTensor, bias: MaybeTensor, running_mean: MaybeTensor, running_var: MaybeTensor, training: boolean, momentum: number, eps: number, cudnn_enabled: boolean]
> = composite(
  "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
  batchNorm,
  { takesOut: false },
);

interface BatchNormOptions {
  weight?: MaybeTensor;
  bias?: MaybeTensor;
  training?: boolean;
  momentum?: number;
  eps?: number;
}

const product = (sizes: Sizes): number => sizes.reduce((n, size) => n * size, 1);

/** A single value has no variance. */
function refuseLone(sizes: Sizes, text: string): void {
  if (product([sizes[0], ...sizes.slice(2)]) === 1) throw new ValueError(`Expected more than 1 value per channel when training, got input size ${text}`);
}

/**
 * (x - mean) / √(variance + eps) · weight + bias for each channel (dimension 1): with the moments of the batch where `training`,
 * which the running ones are moved towards by `momentum`; otherwise with the running ones.
 *
 * @throws ValueError for a single value a channel in training; RuntimeError where sizes or dtypes do not fit.
 * @example
 * torch.nn.functional.batch_norm(torch.tensor([[1], [3]]), null, null, { training: true, eps: 1e-12 }).tolist(); // [[-1], [1]]
 */
export const functionalBatchNorm: FunctionOp<
  [input: Tensor, running_mean: MaybeTensor, running_var: MaybeTensor, weight?: MaybeTensor, bias?: MaybeTensor, training?: boolean, momentum?: number, eps?: number], BatchNormOptions
> = composite(
  "batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, Tensor? bias=None, bool training=False, float momentum=0.1, float eps=1e-05) -> Tensor",
  (x: Tensor, mean: MaybeTensor, variance: MaybeTensor, weight: MaybeTensor, bias: MaybeTensor, training: boolean, momentum: number, eps: number) => {
    if (training) refuseLone(x._sizes, `torch.Size(${listText(x._sizes)})`);
    if (training && eps <= 0) throw new ValueError(`batch_norm eps must be positive during training, but got ${eps}`);
    if (eps < 0) throw new ValueError(`batch_norm eps must be non-negative, but got ${eps}`);
    return batchNorm(x, weight, bias, mean, variance, training, momentum, eps);
  },
  { takesOut: false },
);

/** Each sample's channels normalised by themselves: a batch norm over samples and channels together. */
function instanceNorm(x: Tensor, weight: MaybeTensor, bias: MaybeTensor, mean: MaybeTensor, variance: MaybeTensor, ownMoments: boolean, momentum: number, eps: number): Tensor {
  if (!ownMoments && (mean === null || variance === null)) throw new RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false");
  const [samples, channels, ...rest] = x._sizes;
  const repeated = (t: MaybeTensor): MaybeTensor => t && t.repeat(samples);
  const [m, v] = [repeated(mean), repeated(variance)];
  const flat = x.contiguous().view([1, samples * channels, ...rest]);
  const out = batchNorm(flat, repeated(weight), repeated(bias), m, v, ownMoments, momentum, eps);
  for (const [running, observed] of [[mean, m], [variance, v]] as const) running?.copy_(observed!.view([samples, channels]).mean(0));
  return out.view(x._sizes);
}

/** `torch.nn.functional.instance_norm` with the parameters in another order. `cudnn_enabled` is accepted for PyTorch's sake. */
export const instance_norm: FunctionOp<
  [input: Tensor, weight: MaybeTensor, bias: MaybeTensor, running_mean: MaybeTensor, running_var: MaybeTensor, use_input_stats: boolean, momentum: number, eps: number, cudnn_enabled: boolean]
> = composite(
  "instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
  instanceNorm,
  { takesOut: false },
);

interface InstanceNormOptions extends Omit<BatchNormOptions, "training"> {
  running_mean?: MaybeTensor;
  running_var?: MaybeTensor;
  use_input_stats?: boolean;
}

/**
 * As `batch_norm`, but each sample's channel has moments of its own; with `use_input_stats: false` the running ones are used.
 *
 * @throws ValueError where a channel has a single value.
 */
export const functionalInstanceNorm: FunctionOp<
  [input: Tensor, running_mean?: MaybeTensor, running_var?: MaybeTensor, weight?: MaybeTensor, bias?: MaybeTensor, use_input_stats?: boolean, momentum?: number, eps?: number], InstanceNormOptions
> = composite(
  "instance_norm(Tensor input, Tensor? running_mean=None, Tensor? running_var=None, Tensor? weight=None, Tensor? bias=None, bool use_input_stats=True, float momentum=0.1, float eps=1e-05) -> Tensor",
  (x: Tensor, mean: MaybeTensor, variance: MaybeTensor, weight: MaybeTensor, bias: MaybeTensor, ownMoments: boolean, momentum: number, eps: number) => {
    if (ownMoments && product(x._sizes.slice(2)) === 1) throw new ValueError(`Expected more than 1 spatial element when training, got input size torch.Size(${listText(x._sizes)})`);
    return instanceNorm(x, weight, bias, mean, variance, ownMoments, momentum, eps);
  },
  { takesOut: false },
);
