/** Convolutions: functions of torch and torch.nn.functional. */
import { alternatives, composite, kernel, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError, warn } from "../../errors.ts";
import { typeMetaName } from "../../tensor/dtype.ts";
import { listText, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkKernel, checkShapes, convolutionOf, transposedSizes } from "./convolution-checks.ts";
import { convolve, correlate, spreadWindows, type Movement } from "./convolution-product.ts";
import { constant_pad_nd } from "./padding.ts";

const movement = "int[] stride, int[] padding, int[] dilation, int groups";
const moving = (stride: Sizes, padding: Sizes, dilation: Sizes, groups: number): Movement => ({ stride, padding, dilation, groups });
const doubled = "ConvolutionBackwardBackward0";

type Values = Record<"grad" | "grad_output" | "weight" | "input", Tensor> & Record<"stride" | "padding" | "dilation" | "input_sizes" | "weight_sizes" | "grad_output_sizes", Sizes> & { groups: number };

/**
 * The convolution of what a transposed one gave for an input of `sizes`: with an output padding as long as the stride, there are windows
 * behind the last that no element was spread over.
 */
function convolutionTo(sizes: Sizes, input: Tensor, weight: Tensor, stride: Sizes, padding: Sizes, dilation: Sizes, groups: number): Tensor {
  const whole = convolution(input, weight, null, stride, padding, dilation, false, [0], groups);
  const kept = sizes.reduce((t: Tensor, size, d) => (t._sizes[d] === size ? t : t.narrow(d, 0, size)), whole);
  return kept === whole ? whole : kept.contiguous();
}

/** The gradient of a convolution's input; a transposed convolution is the same, of a size that several sizes of `grad` have in common. */
const inputGradient: KernelOverload = new KernelOverload(`convolution_input_backward(Tensor grad_output, Tensor weight, int[] sizes, ${movement}) -> Tensor`, {
  forward: (grad: Tensor, weight: Tensor, sizes: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: number) =>
    spreadWindows(grad, weight, null, sizes, moving(stride, padding, dilation, groups)),
  backward: {
    grad_output: ({ grad, weight, stride, padding, dilation, groups }: Values) => convolution(grad, weight, null, stride, padding, dilation, false, [0], groups),
    weight: ({ grad, grad_output, weight_sizes, stride, padding, dilation, groups }: Values) => weightGradient.call([grad_output, grad, weight_sizes, stride, padding, dilation, groups]) as Tensor,
  },
  node: doubled,
});

/** The gradient of a convolution's weight. */
const weightGradient: KernelOverload = new KernelOverload(`convolution_weight_backward(Tensor grad_output, Tensor input, int[] sizes, ${movement}) -> Tensor`, {
  forward: (grad: Tensor, input: Tensor, sizes: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: number) =>
    correlate(grad, input, sizes, moving(stride, padding, dilation, groups)),
  backward: {
    grad_output: ({ grad, input, grad_output_sizes, stride, padding, dilation, groups }: Values) => convolutionTo(grad_output_sizes, input, grad, stride, padding, dilation, groups),
    input: ({ grad, grad_output, input_sizes, stride, padding, dilation, groups }: Values) => inputGradient.call([grad_output, grad, input_sizes, stride, padding, dilation, groups]) as Tensor,
  },
  node: doubled,
});

function convolutionForward(input: Tensor, weight: Tensor, bias: Tensor | null, stride: Sizes, padding: Sizes, dilation: Sizes, transposed: boolean, outputPadding: Sizes, groups: number): Tensor {
  const c = convolutionOf(weight, stride, padding, dilation, transposed, outputPadding, groups);
  checkShapes(input, weight, bias, c);
  checkKernel(input, weight, c);
  return transposed ? spreadWindows(input, weight, bias, transposedSizes(input._sizes, weight._sizes, c), c) : convolve(input, weight, bias, c);
}

type Convolved = Values & { transposed: boolean; output_padding: Sizes };

/** Lists of one entry stand for all spatial dimensions. */
const repeated = (list: Sizes, dims: number): Sizes => (list.length === 1 ? new Array<number>(dims).fill(list[0]) : list);
const full = (list: Sizes, sizes: Sizes): Sizes => repeated(list, sizes.length - 2);

/**
 * Windows of `input`, of sizes (n, c, …), multiplied with `weight`, (o, c / groups, …), and summed: the convolution that all
 * others call. With `transposed` it is the gradient of one with respect to its input. Gradients as in PyTorch's
 * tools/autograd/derivatives.yaml.
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.convolution(torch.ones(1, 1, 4), torch.ones(1, 1, 2), null, [1], [0], [1], false, [0], 1).tolist(); // [[[2, 2, 2]]]
 */
export const convolution: FunctionOp<
  [input: Tensor, weight: Tensor, bias: Tensor | null, stride: Sizes, padding: Sizes, dilation: Sizes, transposed: boolean, output_padding: Sizes, groups: number]
> = kernel("convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, int[] output_padding, int groups) -> Tensor", {
  forward: convolutionForward,
  backward: {
    input: ({ grad, weight, input_sizes, stride, padding, dilation, transposed, groups }: Convolved) => {
      if (transposed) return convolutionTo(input_sizes, grad, weight, stride, padding, dilation, groups);
      const [s, p, d] = [stride, padding, dilation].map((list) => full(list, input_sizes));
      return inputGradient.call([grad, weight, input_sizes, s, p, d, groups]) as Tensor;
    },
    weight: ({ grad, input, weight_sizes, stride, padding, dilation, transposed, groups }: Convolved) => {
      const [s, p, d] = [stride, padding, dilation].map((list) => full(list, weight_sizes));
      return weightGradient.call(transposed ? [input, grad, weight_sizes, s, p, d, groups] : [grad, input, weight_sizes, s, p, d, groups]) as Tensor;
    },
    bias: ({ grad }: Convolved) => grad.sum([...grad._sizes.keys()].filter((d) => d !== 1)),
  },
  method: false,
});

/** Runs `body` on a batch: an input without one is a batch of one. */
function batched(name: string, dims: number, input: Tensor, body: (batch: Tensor) => Tensor): Tensor {
  const n = input._sizes.length;
  if (n !== dims + 1 && n !== dims + 2) {
    throw new RuntimeError(`Expected ${dims + 1}D (unbatched) or ${dims + 2}D (batched) input to ${name}, but got input of size: ${listText(input._sizes)}`);
  }
  return n === dims + 2 ? body(input) : body(input.unsqueeze(0)).squeeze(0);
}

type Plain = [input: Tensor, weight: Tensor, bias: Tensor | null, stride: Sizes, padding: Sizes | string, dilation: Sizes, groups: number];

function plain(name: string, dims: number, ...[input, weight, bias, stride, padding, dilation, groups]: Plain): Tensor {
  if (typeof padding !== "string" && bias !== null && bias.dtype !== input.dtype) {
    throw new RuntimeError(`Input type (${typeMetaName(input.dtype)}) and bias type (${typeMetaName(bias.dtype)}) should be the same`);
  }
  return batched(name, dims, input, (batch) => {
    if (padding === "same") return same(batch, weight, bias, stride, dilation, groups);
    if (typeof padding === "string" && padding !== "valid") throw new RuntimeError(`Invalid padding string: '${padding}'`);
    const [s, p, d] = [stride, padding === "valid" ? [0] : (padding as Sizes), dilation].map((list) => repeated(list, dims));
    return convolution(batch, weight, bias, s, p, d, false, [0], groups);
  });
}

/** As much padding as keeps the size; an odd rest goes to the right. */
function same(input: Tensor, weight: Tensor, bias: Tensor | null, stride: Sizes, dilation: Sizes, groups: number): Tensor {
  const [x, w] = [input._sizes, weight._sizes];
  const dims = w.length - 2;
  if (dims <= 0) throw new RuntimeError("weight should have at least three dimensions");
  if (x.length !== w.length) {
    throw new RuntimeError(`Expected ${w.length}-dimensional input for ${w.length}-dimensional weight${listText(w)}, but got ${x.length}-dimensional input of size ${listText(x)} instead`);
  }
  for (const [name, list] of Object.entries({ stride, dilation })) {
    if (list.length !== 1 && list.length !== dims) throw new RuntimeError(`${name} cannot broadcast to ${dims} dimensions`);
  }
  if (stride.some((s) => s !== 1)) throw new RuntimeError("padding='same' is not supported for strided convolutions");
  const total = w.slice(2).map((k, d) => full(dilation, w)[d] * (k - 1));
  const odd = total.map((t) => t % 2 !== 0 && t > 0);
  if (odd.includes(true)) warn("Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the input be created");
  const evened = odd.includes(true) ? constant_pad_nd(input, odd.toReversed().flatMap((isOdd) => [0, isOdd ? 1 : 0])) : input;
  return convolution(evened, weight, bias, stride, total.map((t) => Math.floor(t / 2)), dilation, false, [0], groups);
}

type Extent = number | readonly number[];
type Convolve = FunctionOp<
  [input: Tensor, weight: Tensor, bias?: Tensor | null, stride?: Extent, padding?: Extent | "same" | "valid", dilation?: Extent, groups?: number],
  { input?: Tensor; weight?: Tensor; bias?: Tensor | null; stride?: Extent; padding?: Extent | "same" | "valid"; dilation?: Extent; groups?: number }
>;

const convolving = (dims: number): Convolve => {
  const name = `conv${dims}d`;
  const parameters = (padding: string): string => `Tensor input, Tensor weight, Tensor? bias=None, int[${dims}] stride=1, ${padding}, int[${dims}] dilation=1, int groups=1`;
  const body = (...values: Plain): Tensor => plain(name, dims, ...values);
  return alternatives({ [`${name}(${parameters(`int[${dims}] padding=0`)}) -> Tensor`]: body, [`${name}.padding(${parameters("str padding='valid'")}) -> Tensor`]: body }, { method: false });
};

/**
 * Windows along the last dimension of (n, c, l) or (c, l), multiplied with `weight`, (o, c / groups, k), and summed, plus `bias`.
 * `padding` zeros are put at both ends; "same" puts as many as keep the length, "valid" none.
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.conv1d(torch.tensor([[1, 2, 3]]), torch.tensor([[[1, 1]]])).tolist(); // [[3, 5]]
 */
export const conv1d: Convolve = convolving(1);
/**
 * The same over the last two dimensions of (n, c, h, w) or (c, h, w), with a `weight` of (o, c / groups, kh, kw).
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2)).tolist(); // [[[[4, 4], [4, 4]]]]
 */
export const conv2d: Convolve = convolving(2);
/** The same over the last three dimensions of (n, c, d, h, w) or (c, d, h, w). */
export const conv3d: Convolve = convolving(3);

type ConvolveTransposed = FunctionOp<
  [input: Tensor, weight: Tensor, bias?: Tensor | null, stride?: Extent, padding?: Extent, output_padding?: Extent, groups?: number, dilation?: Extent],
  { input?: Tensor; weight?: Tensor; bias?: Tensor | null; stride?: Extent; padding?: Extent; output_padding?: Extent; groups?: number; dilation?: Extent }
>;

const convolvingTransposed = (dims: number): ConvolveTransposed => {
  const name = `conv_transpose${dims}d`;
  const lists = `int[${dims}] stride=1, int[${dims}] padding=0, int[${dims}] output_padding=0, int groups=1, int[${dims}] dilation=1`;
  return composite(
    `${name}(Tensor input, Tensor weight, Tensor? bias=None, ${lists}) -> Tensor`,
    (input: Tensor, weight: Tensor, bias: Tensor | null, stride: Sizes, padding: Sizes, outputPadding: Sizes, groups: number, dilation: Sizes) =>
      batched(name, dims, input, (batch) => {
        const [s, p, d, extra] = [stride, padding, dilation, outputPadding].map((list) => repeated(list, dims));
        return convolution(batch, weight, bias, s, p, d, true, extra, groups);
      }),
    { method: false, takesOut: false },
  );
};

/**
 * The gradient of `conv1d` with respect to its input, as an operation of its own: each element of (n, c, l) or (c, l) is
 * spread over a window with `weight`, (c, o / groups, k). `output_padding` chooses among the lengths that `stride` leaves open.
 *
 * @throws RuntimeError where shapes or dtypes do not fit.
 * @example
 * torch.conv_transpose1d(torch.tensor([[1, 2]]), torch.tensor([[[1, 1]]])).tolist(); // [[1, 3, 2]]
 */
export const conv_transpose1d: ConvolveTransposed = convolvingTransposed(1);
/** The same over the last two dimensions of (n, c, h, w) or (c, h, w). */
export const conv_transpose2d: ConvolveTransposed = convolvingTransposed(2);
/** The same over the last three dimensions of (n, c, d, h, w) or (c, d, h, w). */
export const conv_transpose3d: ConvolveTransposed = convolvingTransposed(3);
