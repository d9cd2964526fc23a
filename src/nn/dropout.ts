/** The dropouts of torch.nn.functional, which take probability and `inplace` as options. */
import { composite } from "../dispatch/define.ts";
import type { FunctionOp } from "../dispatch/op.ts";
import { RuntimeError, ValueError, warn } from "../errors.ts";
import * as ops from "../ops/nn/dropout.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface Options {
  input?: Tensor;
  p?: number;
  training?: boolean;
  inplace?: boolean;
}
type Dropout = FunctionOp<[input: Tensor, p?: number, training?: boolean, inplace?: boolean], Options>;
type Forms = readonly [outOfPlace: typeof ops.dropout, inplace: typeof ops.dropout];

/** `prepare` gives what to drop from; a result of one more dimension than the input loses the first again. */
function dropping(name: string, [plain, inplaced]: Forms, training: "True" | "False", prepare = (input: Tensor, _inplace: boolean): Tensor => input): Dropout {
  return composite(`${name}(Tensor input, float p=0.5, bool training=${training}, bool inplace=False) -> Tensor`, (input: Tensor, p: number, train: boolean, inplace: boolean) => {
    if (p < 0 || p > 1) throw new ValueError(`dropout probability has to be between 0 and 1, but got ${p}`);
    const ndim = input._sizes.length;
    const result = (inplace ? inplaced : plain)(prepare(input, inplace), p, train);
    if (result._sizes.length === ndim) return result;
    return inplace ? result.squeeze_(0) : result.squeeze(0);
  }, { method: false });
}

const features: Forms = [ops.feature_dropout, ops.feature_dropout_];
const batched = (input: Tensor, inplace: boolean): Tensor => (inplace ? input.unsqueeze_(0) : input.unsqueeze(0));

/**
 * Zeros each element with probability `p` and divides the others by 1 - p; `input` itself unless `training`.
 *
 * @throws ValueError where p is outside [0, 1].
 * @example
 * torch.nn.functional.dropout(torch.ones(4), 0.5); // zeros and twos
 */
export const dropout: Dropout = dropping("dropout", [ops.dropout, ops.dropout_], "True");
/** Dropout that keeps mean and variance after SELU. */
export const alpha_dropout: Dropout = dropping("alpha_dropout", [ops.alpha_dropout, ops.alpha_dropout_], "False");
/** `alpha_dropout` of whole channels, the second dimension. */
export const feature_alpha_dropout: Dropout = dropping("feature_alpha_dropout", [ops.feature_alpha_dropout, ops.feature_alpha_dropout_], "False");

/** `dropout` of whole channels of (n, c, l) or (c, l). */
export const dropout1d: Dropout = dropping("dropout1d", features, "True", (input, inplace) => {
  const ndim = input._sizes.length;
  if (ndim !== 2 && ndim !== 3) {
    throw new RuntimeError(
      `dropout1d: Expected 2D or 3D input, but received a ${ndim}D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).`,
    );
  }
  return ndim === 3 ? input : batched(input, inplace);
});

const deprecated = (name: string, ndim: number, spatial: number): string =>
  `${name}: Received a ${ndim}-D input to ${name}, which is deprecated and will result in an error in a future release. To retain the behavior and silence this warning, please use dropout instead. Note that ${name} exists to provide channel-wise dropout on inputs with ${spatial} spatial dimensions, a channel dimension, and an optional batch dimension (i.e. ${spatial + 1}D or ${spatial + 2}D inputs).`;

/** `dropout` of whole channels of (n, c, h, w); (n, c, l) counts as that with a warning. */
export const dropout2d: Dropout = dropping("dropout2d", features, "True", (input) => {
  const ndim = input._sizes.length;
  if (ndim !== 3 && ndim !== 4) warn(deprecated("dropout2d", ndim, 2));
  if (ndim === 3) {
    warn(
      "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
    );
  }
  return input;
});

/** `dropout` of whole channels of (n, c, d, h, w) or (c, d, h, w). */
export const dropout3d: Dropout = dropping("dropout3d", features, "True", (input, inplace) => {
  const ndim = input._sizes.length;
  if (ndim !== 4 && ndim !== 5) warn(deprecated("dropout3d", ndim, 3));
  return ndim === 5 ? input : batched(input, inplace);
});
