/** What PyTorch refuses of a convolution, in its words (aten/src/ATen/native/Convolution.cpp and the kernels that it calls). */
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, INT, int64 } from "../../tensor/dtype.ts";
import { listText, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Movement } from "./convolution-product.ts";

/** A convolution's arguments, with one entry for each spatial dimension. */
export interface Convolution extends Movement {
  readonly transposed: boolean;
  readonly outputPadding: Sizes;
}

function expanded(name: string, list: Sizes, dims: number): Sizes {
  if (list.length === 1) return new Array<number>(dims).fill(list[0]);
  if (list.length !== dims) {
    throw new RuntimeError(`expected ${name} to be a single integer value or a list of ${dims} values to match the convolution dimensions, but got ${name}=${listText(list)}`);
  }
  return list;
}

/** The arguments of a convolution, brought to the number of the weight's dimensions. */
export function convolutionOf(weight: Tensor, stride: Sizes, padding: Sizes, dilation: Sizes, transposed: boolean, outputPadding: Sizes, groups: number): Convolution {
  const dims = weight._sizes.length - 2;
  if (dims <= 0) throw new RuntimeError("weight should have at least three dimensions");
  if (groups <= 0) throw new RuntimeError("non-positive groups is not supported");
  return {
    stride: expanded("stride", stride, dims),
    padding: expanded("padding", padding, dims),
    dilation: expanded("dilation", dilation, dims),
    transposed,
    outputPadding: expanded("output_padding", outputPadding, dims),
    groups,
  };
}

/** Refuses shapes that do not fit one another. */
export function checkShapes(input: Tensor, weight: Tensor, bias: Tensor | null, c: Convolution): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(text);
  };
  const [x, w] = [input._sizes, weight._sizes];
  const { groups, transposed } = c;
  if (c.padding.some((p) => p < 0)) refuse("negative padding is not supported");
  if (c.outputPadding.some((p) => p < 0)) refuse("negative output_padding is not supported");
  if (c.stride.some((s) => s <= 0)) refuse("non-positive stride is not supported");
  if (c.dilation.some((d) => d < 0)) refuse("dilation should be greater than zero");
  if (x.length !== w.length) refuse(`Expected ${w.length}-dimensional input for ${w.length}-dimensional weight ${listText(w)}, but got ${x.length}-dimensional input of size ${listText(x)} instead`);
  if (w[0] < groups) refuse(`Given groups=${groups}, expected weight to be at least ${groups} at dimension 0, but got weight of size ${listText(w)} instead`);
  if (w[0] % groups !== 0) refuse(`Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size [${listText(w)}] instead`);
  const channels = transposed ? w[0] : w[1] * groups;
  const given = transposed ? "transposed=1" : `groups=${groups}`;
  if (x[1] !== channels) refuse(`Given ${given}, weight of size ${listText(w)}, expected input${listText(x)} to have ${channels} channels, but got ${x[1]} channels instead`);
  const features = transposed ? w[1] * groups : w[0];
  if (bias !== null && (bias._sizes.length !== 1 || bias._sizes[0] !== features)) {
    const which = transposed ? "transposed=1, weight of size" : "weight of size";
    refuse(`Given ${which} ${listText(w)}, expected bias to be 1-dimensional with ${features} elements, but got bias of size ${listText(bias._sizes)} instead`);
  }
  if (!transposed) {
    const room = x.slice(2).map((size, d) => size + 2 * c.padding[d]);
    const reach = w.slice(2).map((k, d) => c.dilation[d] * (k - 1) + 1);
    if (room.some((r, d) => r < reach[d])) {
      refuse(`Calculated padded input size per channel: (${room.join(" x ")}). Kernel size: (${reach.join(" x ")}). Kernel size can't be greater than actual input size`);
    }
  }
  if (x.length > 5) refuse("unsupported ConvNd parameters");
}

const names = ["depth", "height", "width"];

/** A list as the kernels see it, for which one dimension is a picture of height 1. */
const asPicture = (list: Sizes, filler: number): Sizes => (list.length === 1 ? [filler, ...list] : list);

/** `height: 1 width: 2`, each name behind a prefix. */
function named(prefix: string, list: Sizes, separator = " "): string {
  return list.map((value, i) => `${prefix}_${names[names.length - list.length + i]}: ${value}`).join(separator);
}

/** Refuses what the kernels cannot do, after the shapes are known to fit. */
export function checkKernel(input: Tensor, weight: Tensor, c: Convolution): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(text);
  };
  const kernel = asPicture(weight._sizes.slice(2), 1);
  const dilation = asPicture(c.dilation, 1);
  const dilated = dilation.some((d) => d !== 1);
  const volume = kernel.length === 3;
  if (input._numel === 0 && input._sizes[0] !== 0 && input._sizes[1] !== 0) {
    refuse(`Only zero batch or zero channel inputs are supported, but got input shape: ${listText(input._sizes)}`);
  }
  if (kernel.some((k) => k <= 0)) {
    if (c.transposed && volume) refuse(`non-empty 5D (n_output_plane x n_input_plane x kernel_depth x kernel_height x kernel_width) tensor expected for weight, but got: ${listText(weight._sizes)}`);
    const found = dilated ? listText(kernel) : volume ? `: ${kernel.join(" x ")} (TxHxW)` : named("kernel", kernel);
    refuse(`kernel size should be greater than zero, but got${volume && !dilated ? "" : " "}${found}`);
  }
  if (dilation.some((d) => d <= 0)) refuse(`dilation should be greater than zero, but got ${c.transposed ? named("dilation", dilation, ", ") : listText(dilation)}`);
  if (c.transposed) checkTransposed(input, weight, c);
  if (input.dtype !== weight.dtype) refuse(`expected scalar type ${input.dtype.title} but found ${weight.dtype.title}`);
  if (input.dtype.kind === BOOL || (c.transposed && input.dtype.kind === INT && input.dtype !== int64)) {
    const plain = volume ? "compute_columns3d" : "slow_conv2d_cpu";
    const name = c.transposed ? `slow_conv_transpose${kernel.length}d_out_cpu` : dilated ? "slow_conv_dilated<>" : plain;
    throw new NotImplementedError(`"${name}" not implemented for '${input.dtype.title}'`);
  }
}

/** Sizes of a transposed convolution. */
export function transposedSizes(input: Sizes, weight: Sizes, { stride, padding, dilation, outputPadding, groups }: Convolution): number[] {
  const spatial = input.slice(2).map((size, d) => (size - 1) * stride[d] - 2 * padding[d] + dilation[d] * (weight[d + 2] - 1) + outputPadding[d] + 1);
  return [input[0], weight[1] * groups, ...spatial];
}

function checkTransposed(input: Tensor, weight: Tensor, c: Convolution): void {
  const [extra, stride, dilation] = [asPicture(c.outputPadding, 0), asPicture(c.stride, 1), asPicture(c.dilation, 1)];
  if (extra.some((p, d) => p >= stride[d] && p >= dilation[d])) {
    throw new RuntimeError(
      `output padding must be smaller than either stride or dilation, but got ${named("output_padding", extra)} ${named("stride", stride)} ${named("dilation", dilation)}`,
    );
  }
  const sizes = asPicture(transposedSizes(input._sizes, weight._sizes, c).slice(2), 1);
  if (sizes.some((size) => size < 1)) {
    const given = asPicture(input._sizes.slice(2), 1).join(" x ");
    throw new RuntimeError(`Given input size per channel: (${given}). Calculated output size per channel: (${sizes.join(" x ")}). Output size is too small`);
  }
}
