/** Activation functions of torch.nn.functional that work element by element; `inplace` writes the result into `input`. */
import { composite } from "../dispatch/define.ts";
import { overloaded, type PointwiseOverload } from "../dispatch/pointwise.ts";
import type { FunctionOp } from "../dispatch/op.ts";
import { ValueError } from "../errors.ts";
import * as forms from "../ops/pointwise/activation-forms.ts";
import type { Tensor } from "../tensor/tensor.ts";

interface Inplace {
  inplace?: boolean;
}
type Unary = FunctionOp<[input: Tensor, inplace?: boolean], Inplace>;

const unary = (name: string, body: (input: Tensor, inplace: boolean) => Tensor): Unary => composite(`${name}(Tensor input, bool inplace=False) -> Tensor`, body, { takesOut: false });

const either = (form: PointwiseOverload, values: unknown[], inplace: boolean): Tensor => (inplace ? form.inplace!(values) : form.call(values));

/** `input` where it is above `threshold`, `value` elsewhere. */
export const threshold: FunctionOp<[input: Tensor, threshold: number, value: number, inplace?: boolean], Inplace> = composite(
  "threshold(Tensor input, Scalar threshold, Scalar value, bool inplace=False) -> Tensor",
  forms.thresholdOf,
  { takesOut: false },
);

interface HardtanhOptions extends Inplace {
  min_val?: number;
  max_val?: number;
}

/** `input` brought into [min_val, max_val]; the slope at the bounds is 0. */
export const hardtanh: FunctionOp<[input: Tensor, min_val?: number, max_val?: number, inplace?: boolean], HardtanhOptions> = composite(
  "hardtanh(Tensor input, Scalar min_val=-1.0, Scalar max_val=1.0, bool inplace=False) -> Tensor",
  (input: Tensor, min: number, max: number, inplace: boolean) => {
    if (min > max) throw new ValueError("min_val cannot be greater than max_val");
    return either(forms.hardtanhForm, [input, min, max], inplace);
  },
  { takesOut: false },
);

/** `hardtanh`, written into `input`. */
export const hardtanh_: FunctionOp<[input: Tensor, min_val?: number, max_val?: number], { min_val?: number; max_val?: number }> = composite(
  "hardtanh_(Tensor input, Scalar min_val=-1.0, Scalar max_val=1.0) -> Tensor",
  (input: Tensor, min: number, max: number) => either(forms.hardtanhForm, [input, min, max], true),
  { takesOut: false },
);

/** min(max(x, 0), 6). */
export const relu6: Unary = unary("relu6", (input, inplace) => either(forms.hardtanhForm, [input, 0, 6], inplace));

/** x where it is positive, `negative_slope` · x elsewhere. */
export const leaky_relu: FunctionOp<[input: Tensor, negative_slope?: number, inplace?: boolean], Inplace & { negative_slope?: number }> = composite(
  "leaky_relu(Tensor input, Scalar negative_slope=0.01, bool inplace=False) -> Tensor",
  forms.leakyReluOf,
  { takesOut: false },
);

/** `leaky_relu`, written into `input`. */
export const leaky_relu_: FunctionOp<[input: Tensor, negative_slope?: number], { negative_slope?: number }> = composite(
  "leaky_relu_(Tensor input, Scalar negative_slope=0.01) -> Tensor",
  (input: Tensor, slope: number) => forms.leakyReluOf(input, slope, true),
  { takesOut: false },
);

type Elu = FunctionOp<[input: Tensor, alpha?: number, inplace?: boolean], Inplace & { alpha?: number }>;

/** x where it is positive, alpha · (exp(x) - 1) elsewhere. */
export const elu: Elu = composite("elu(Tensor input, Scalar alpha=1.0, bool inplace=False) -> Tensor", (input: Tensor, alpha: number, inplace: boolean) => forms.eluOf(input, alpha, 1, inplace), {
  takesOut: false,
});
/** `elu`, written into `input`. */
export const elu_: FunctionOp<[input: Tensor, alpha?: number], { alpha?: number }> = composite("elu_(Tensor input, Scalar alpha=1.0) -> Tensor", (input: Tensor, alpha: number) => forms.eluOf(input, alpha, 1, true), {
  takesOut: false,
});
/** max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0). */
export const celu: Elu = composite("celu(Tensor input, Scalar alpha=1.0, bool inplace=False) -> Tensor", forms.celuOf, { takesOut: false });
/** `elu`, scaled so that deep networks keep mean 0 and variance 1. */
export const selu: Unary = unary("selu", forms.seluOf);
/** x · sigmoid(x). */
export const silu: Unary = unary("silu", (input, inplace) => either(forms.siluForm, [input], inplace));
/** x · tanh(log(1 + exp(x))). */
export const mish: Unary = unary("mish", (input, inplace) => either(forms.mishForm, [input], inplace));
/** x · min(max(x + 3, 0), 6) / 6. */
export const hardswish: Unary = unary("hardswish", (input, inplace) => either(forms.hardswishForm, [input], inplace));
/** min(max(x + 3, 0), 6) / 6. */
export const hardsigmoid: Unary = unary("hardsigmoid", (input, inplace) => either(forms.hardsigmoidForm, [input], inplace));

/** x · Φ(x), with the distribution function of the normal distribution or, for `approximate: "tanh"`, its approximation. */
export const gelu: FunctionOp<[input: Tensor], { approximate?: "none" | "tanh" }> = overloaded({ method: false }, forms.geluForm);
/** log(1 + exp(beta · x)) / beta, and x itself where beta · x is above `threshold`. */
export const softplus: FunctionOp<[input: Tensor, beta?: number, threshold?: number], { beta?: number; threshold?: number }> = overloaded({ method: false }, forms.softplusForm);
/** x brought nearer to 0 by `lambd`, and 0 within it. */
export const softshrink: FunctionOp<[input: Tensor, lambd?: number], { lambd?: number }> = overloaded({ method: false }, forms.softshrinkForm);
/** log(sigmoid(x)). */
export const logsigmoid: FunctionOp<[input: Tensor]> = overloaded({ method: false }, forms.logSigmoidForm);

/** x / (1 + |x|). */
export const softsign: FunctionOp<[input: Tensor]> = composite("softsign(Tensor input) -> Tensor", (input: Tensor) => input.div(input.abs().add(1)), { takesOut: false });
/** x - tanh(x). */
export const tanhshrink: FunctionOp<[input: Tensor]> = composite("tanhshrink(Tensor input) -> Tensor", (input: Tensor) => input.sub(input.tanh()), { takesOut: false });

/** a · sigmoid(b), where a and b are the halves of `input` along `dim`. */
export const glu: FunctionOp<[input: Tensor, dim?: number], { dim?: number }> = overloaded({ method: false }, forms.gluForm);
