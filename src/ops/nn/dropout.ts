/** Dropout: random elements, or whole channels, set to zero, the others scaled up (aten/src/ATen/native/Dropout.cpp). */
import { composite, kernel } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { bool, FLOAT, get_default_dtype } from "../../tensor/dtype.ts";
import { contiguousStrides } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { empty_like, ones_like, zeros } from "../creation/creation.ts";
import { fillBernoulli } from "../random/random-fill.ts";

/** One random number for each channel: sizes (n, c, 1, …). */
function channelNoise(input: Tensor): Tensor {
  if (input._sizes.length < 2) throw new RuntimeError("Feature dropout requires at least 2 dimensions in the input");
  return emptyTensor(input._sizes.map((s, d) => (d < 2 ? s : 1)), input.dtype);
}

interface Kind {
  inplace: boolean;
  /** Whole channels are dropped. */
  channels: boolean;
  /** What is dropped becomes SELU's negative limit, and the result is scaled to keep mean and variance. */
  alpha: boolean;
}

/** The limit of SELU at minus infinity is minus this. */
const SELU_LIMIT = 1.7580993408473766;

function dropped(input: Tensor, p: number, train: boolean, { inplace, channels, alpha }: Kind): Tensor {
  if (!(p >= 0 && p <= 1)) throw new RuntimeError(`dropout probability has to be between 0 and 1, but got ${p}`);
  if (p === 0 || !train || input._numel === 0) return input;
  const times = (noise: Tensor): Tensor => (inplace ? input.mul_(noise) : input.mul(noise));
  if (p === 1) return times(zeros([], { dtype: input.dtype }));
  const noise = channels ? channelNoise(input) : empty_like(input);
  noise.bernoulli_(1 - p);
  if (!alpha) return times(noise.div_(1 - p));
  const scale = 1 / Math.sqrt((SELU_LIMIT * SELU_LIMIT * p + 1) * (1 - p));
  const shift = noise.add(-1).mul_(SELU_LIMIT * scale).add_(SELU_LIMIT * scale * p);
  return times(noise.mul_(scale)).add_(shift);
}

type Dropout = FunctionOp<[input: Tensor, p: number, train: boolean], { input?: Tensor; p?: number; train?: boolean }>;

const dropping = (name: string, kind: Kind): Dropout =>
  composite(`${name}(Tensor input, float p, bool train) -> Tensor`, (input: Tensor, p: number, train: boolean) => dropped(input, p, train, kind), { method: false });

/** Zeros each element with probability `p` and divides the others by 1 - p; `input` itself unless `train`. */
export const dropout: Dropout = dropping("dropout", { inplace: false, channels: false, alpha: false });
/** `dropout` written into `input`. */
export const dropout_: Dropout = dropping("dropout_", { inplace: true, channels: false, alpha: false });
/** `dropout` of whole channels, the second dimension. */
export const feature_dropout: Dropout = dropping("feature_dropout", { inplace: false, channels: true, alpha: false });
/** `feature_dropout` written into `input`. */
export const feature_dropout_: Dropout = dropping("feature_dropout_", { inplace: true, channels: true, alpha: false });
/** Dropout that keeps mean and variance after SELU. */
export const alpha_dropout: Dropout = dropping("alpha_dropout", { inplace: false, channels: false, alpha: true });
/** `alpha_dropout` written into `input`. */
export const alpha_dropout_: Dropout = dropping("alpha_dropout_", { inplace: true, channels: false, alpha: true });
/** `alpha_dropout` of whole channels. */
export const feature_alpha_dropout: Dropout = dropping("feature_alpha_dropout", { inplace: false, channels: true, alpha: true });
/** `feature_alpha_dropout` written into `input`. */
export const feature_alpha_dropout_: Dropout = dropping("feature_alpha_dropout_", { inplace: true, channels: true, alpha: true });

const kept: Formula = ({ input, mask, scale }) => input.mul(mask).mul(scale);

/** `dropout` that also gives the mask of what is kept. `train` null drops as true does, and leaves gradients unscaled. */
export const native_dropout: FunctionOp<[input: Tensor, p: number, train: boolean | null], { input?: Tensor; p?: number; train?: boolean | null }, readonly [Tensor, Tensor]> = kernel(
  "native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
  {
    forward: (input: Tensor, p: number, train: boolean | null) => {
      if (input._numel === 0) return [input._aliased(input._sizes, contiguousStrides(input._sizes), input._offset), empty_like(input)];
      if (train === false) return [input.clone(), ones_like(input, { dtype: bool })];
      const mask = empty_like(input, { dtype: bool });
      fillBernoulli(mask, 1 - p, null);
      const { dtype } = input;
      if (dtype.kind !== FLOAT) throw new RuntimeError(`result type ${get_default_dtype().title} can't be cast to the desired output type ${dtype.title}`);
      return [fused(kept).run([input, mask, p === 1 ? 0 : 1 / (1 - p)], dtype, dtype, null), mask];
    },
    backward: {
      input: ({ grad, result1, p, train }) => grad.mul(result1).mul(train !== true ? 1 : p === 1 ? 0 : 1 / (1 - p)),
    },
    method: false,
  },
);
