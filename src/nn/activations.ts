/** Functions of torch.nn.functional that are not those of torch: other parameters, other defaults. */
import { composite } from "../dispatch/define.ts";
import type { FunctionOp } from "../dispatch/op.ts";
import { warn } from "../errors.ts";
import { empty_like, zeros_like } from "../ops/creation/creation.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** max(x, 0); `inplace` writes it into `input`. */
export const relu: FunctionOp<[input: Tensor, inplace?: boolean], { inplace?: boolean }> = composite(
  "relu(Tensor input, bool inplace=False) -> Tensor",
  (input: Tensor, inplace: boolean) => (inplace ? input.relu_() : input.relu()),
);

/** The dimension that is taken where none is given, which PyTorch deprecates. */
function impliedDim(name: string, { _sizes }: Tensor): number {
  warn(`Implicit dimension choice for ${name} has been deprecated. Change the call to include dim=X as an argument.`);
  return _sizes.length === 0 || _sizes.length === 1 || _sizes.length === 3 ? 0 : 1;
}

interface Options {
  dim?: number | null;
  _stacklevel?: number;
  dtype?: DType | null;
}
type Softmax = FunctionOp<[input: Tensor, dim?: number | null, _stacklevel?: number, dtype?: DType | null], Options>;

const alongDim = (name: string, of: (input: Tensor, dim: number, dtype: DType | null) => Tensor): Softmax =>
  composite(
    `${name}(Tensor input, int? dim=None, int _stacklevel=3, ScalarType? dtype=None) -> Tensor`,
    (input: Tensor, dim: number | null, _stacklevel: number, dtype: DType | null) => of(input, dim ?? impliedDim(name, input), dtype),
  );

/** exp(x) / Σ exp(x) along `dim`; `dtype` casts first. Warns where no `dim` is given. */
export const softmax: Softmax = alongDim("softmax", (input, dim, dtype) => input.softmax(dim, dtype));
/** log(softmax(x)) along `dim`; `dtype` casts first. Warns where no `dim` is given. */
export const log_softmax: Softmax = alongDim("log_softmax", (input, dim, dtype) => input.log_softmax(dim, dtype));
/** softmax(-x) along `dim`; `dtype` casts first. Warns where no `dim` is given. */
export const softmin: Softmax = alongDim("softmin", (input, dim, dtype) => input.neg().softmax(dim, dtype));

interface GumbelOptions {
  tau?: number;
  hard?: boolean;
  eps?: number;
  dim?: number;
}

/**
 * Samples of the Gumbel-softmax distribution (Jang et al., 2017): softmax((logits + g) / tau) along `dim`, g the noise. `hard` gives one-hot
 * vectors whose gradient is that of the soft ones.
 */
export const gumbel_softmax: FunctionOp<[logits: Tensor, tau?: number, hard?: boolean, eps?: number, dim?: number], GumbelOptions> = composite(
  "gumbel_softmax(Tensor logits, float tau=1.0, bool hard=False, float eps=1e-10, int dim=-1) -> Tensor",
  (logits: Tensor, tau: number, hard: boolean, _eps: number, dim: number) => {
    const noise = empty_like(logits).exponential_().log().neg();
    const soft = logits.add(noise).div(tau).softmax(dim);
    if (!hard) return soft;
    const best = soft.max(dim, true).indices;
    return zeros_like(logits).scatter_(dim, best, 1).sub(soft.detach()).add(soft);
  },
  { takesOut: false },
);

/** `input` divided by its `p`-norm along `dim`, but by no less than `eps`. */
export const normalize: FunctionOp<[input: Tensor, p?: number, dim?: number, eps?: number], { p?: number; dim?: number; eps?: number }> = composite(
  "normalize(Tensor input, float p=2.0, int dim=1, float eps=1e-12) -> Tensor",
  (input: Tensor, p: number, dim: number, eps: number) => input.div(input.norm(p, dim, true).clamp_min(eps).expand_as(input)),
);
