/** Group norm: a function of torch and torch.nn.functional. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError, ValueError } from "../../errors.ts";
import { listText } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { checkNormDtypes, momentsOver, normalized, normGradients, type Axes, type Moments } from "./normalizing.ts";

type MaybeTensor = Tensor | null;

/** Of x as (samples, groups, channels of a group, the rest). */
const axes: Axes = { moments: [2, 3], parameters: [0, 3] };


/** How many samples, channels and elements a channel there are. */
type Counts = readonly [samples: number, channels: number, size: number];

const grouped = (t: Tensor, [n, c, size]: Counts, groups: number): Tensor => t.reshape([n, groups, groups === 0 ? 0 : c / groups, size]);
const groupedParameter = (t: MaybeTensor, groups: number): MaybeTensor => t && t.reshape([1, groups, t._numel / groups, 1]);
const groupMoments = (mean: Tensor, rstd: Tensor): Moments => ({ mean: mean.unsqueeze(2).unsqueeze(3), invstd: rstd.unsqueeze(2).unsqueeze(3) });

const native = new KernelOverload(
  "native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, float eps) -> (Tensor output, Tensor mean, Tensor rstd)",
  {
    forward: (input: Tensor, weight: MaybeTensor, bias: MaybeTensor, n: number, c: number, size: number, groups: number, eps: number) => {
      checkGroups(input, groups);
      checkNormDtypes("GroupNormKernelImpl", input, [weight, bias]);
      const x = grouped(rowMajor(input), [n, c, size], groups);
      const moments = momentsOver(x, axes.moments, eps);
      const output = normalized(x, moments, groupedParameter(weight, groups), groupedParameter(bias, groups));
      return [output._reshaped(input._sizes), ...[moments.mean, moments.invstd].map((t) => t._reshaped([n, groups]))];
    },
    backward: {
      "input, weight, bias": ({ grads, input, weight, N, C, HxW, group, eps, mean, rstd }) => {
        const counts = [N, C, HxW] as const;
        const x = grouped(input, counts, group);
        const grad = grads[0] === null ? x.detach().mul(0) : grouped(grads[0], counts, group);
        const [ofMean, ofInvstd] = [grads[1], grads[2]].map((t: MaybeTensor) => t && t.unsqueeze(2).unsqueeze(3));
        const moments = gradMode.enabled ? momentsOver(x, axes.moments, eps) : groupMoments(mean, rstd);
        const gradients = normGradients(grad, x, moments, groupedParameter(weight, group), axes, { ofMean, ofInvstd });
        return [gradients.self.reshape(input._sizes), gradients.weight.reshape([-1]), gradients.bias.reshape([-1])];
      },
    },
    node: "NativeGroupNormBackward0",
  },
);

/** The output, and the mean and 1 / √(variance + eps) of each sample's groups. */
export const native_group_norm: FunctionOp<
  [input: Tensor, weight: MaybeTensor, bias: MaybeTensor, N: number, C: number, HxW: number, group: number, eps: number], unknown, readonly [Tensor, Tensor, Tensor]
> = makeOp("native_group_norm", [native], false) as typeof native_group_norm;

function checkGroups({ _sizes: sizes }: Tensor, groups: number): void {
  if (groups <= 0) throw new RuntimeError(`Expected num groups to be greater than 0, got ${groups}`);
  if (sizes[1] % groups !== 0) {
    throw new RuntimeError(`Expected number of channels in input to be divisible by num_groups, but got input of shape ${listText(sizes)} and num_groups=${groups}`);
  }
}

function checkParameter(name: string, t: MaybeTensor, { _sizes: sizes }: Tensor): void {
  if (t === null || (t._sizes.length === 1 && t._numel === sizes[1])) return;
  throw new RuntimeError(`Expected ${name} to be a vector of size equal to the number of channels in input, but got ${name} of shape ${listText(t._sizes)} and input of shape ${listText(sizes)}`);
}

interface GroupNormOptions {
  weight?: MaybeTensor;
  bias?: MaybeTensor;
  eps?: number;
}
type Positional = [input: Tensor, num_groups: number, weight?: MaybeTensor, bias?: MaybeTensor, eps?: number];

function groupNorm(input: Tensor, groups: number, weight: MaybeTensor, bias: MaybeTensor, eps: number): Tensor {
  const [n, c, ...rest] = input._sizes;
  checkGroups(input, groups);
  checkParameter("weight", weight, input);
  checkParameter("bias", bias, input);
  return (native.call([input.contiguous(), weight, bias, n, c, rest.reduce((size, s) => size * s, 1), groups, eps]) as Tensor[])[0];
}

/** `torch.nn.functional.group_norm`. `cudnn_enabled` is accepted for PyTorch's sake. */
export const group_norm: FunctionOp<[...Positional, cudnn_enabled?: boolean], GroupNormOptions & { cudnn_enabled?: boolean }> = composite(
  "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True) -> Tensor",
  groupNorm,
  { takesOut: false },
);

/**
 * (x - mean) / √(variance + eps) · weight + bias, where each sample's channels (dimension 1) in `num_groups` groups have moments of their own.
 *
 * @throws ValueError where a group has a single value; RuntimeError where sizes do not fit.
 * @example
 * torch.nn.functional.group_norm(torch.tensor([[1, 3]]), 1, { eps: 1e-12 }).tolist(); // [[-1, 1]]
 */
export const functionalGroupNorm: FunctionOp<Positional, GroupNormOptions> = composite(
  "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> Tensor",
  (input: Tensor, groups: number, weight: MaybeTensor, bias: MaybeTensor, eps: number) => {
    const [n, c, ...rest] = input._sizes;
    if (c === undefined) throw new RuntimeError(`Expected at least 2 dimensions for input tensor but received ${input._sizes.length}`);
    const sizes = [Math.floor((n * c) / groups), groups, ...rest];
    if (sizes.reduce((count, s, d) => (d === 1 ? count : count * s), 1) === 1) {
      throw new ValueError(`Expected more than 1 value per channel when training, got input size ${listText(sizes)}`);
    }
    return groupNorm(input, groups, weight, bias, eps);
  },
  { takesOut: false },
);
