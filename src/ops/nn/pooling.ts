/** Pooling: functions of torch and torch.nn.functional. */
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from "../../backends/pooling.ts";
import { volumeSize, windowCount, type Volume } from "../../backends/windows.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../../errors.ts";
import { BOOL, FLOAT, float64, int64, INT, type DType } from "../../tensor/dtype.ts";
import { listText, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { inFormatOf } from "../creation/memory-order.ts";
import { adaptiveWindows, pooledSizes, poolingOf, slidingWindows } from "./pooling-windows.ts";

const planesOf = (t: Tensor, dims: number): number => t._sizes.slice(0, -dims).reduce((n, size) => n * size, 1);

function refuseKinds(name: string, dtype: DType, ...kinds: readonly number[]): void {
  if (kinds.includes(dtype.kind)) throw new NotImplementedError(`"${name}" not implemented for '${dtype.title}'`);
}

/** The maxima of windows, and where they lie. */
function maxima(self: Tensor, sizes: Sizes, volume: Volume): [Tensor, Tensor] {
  const input = rowMajor(self);
  const [values, positions] = [emptyTensor(sizes, self.dtype), emptyTensor(sizes, int64)];
  if (values._numel > 0) maxPool(self.dtype, values._numel / windowCount(volume), volume, input._address, values._address, positions._address);
  return [inFormatOf(self, values), inFormatOf(self, positions)];
}

/** The gradient of maxima over the last `dims` dimensions. */
const maximaGradient = (name: string, node: string): KernelOverload =>
  new KernelOverload(`${name}_backward(Tensor grad_output, Tensor self, Tensor indices, int dims) -> Tensor`, {
    forward: (grad: Tensor, self: Tensor, indices: Tensor, dims: number) => {
      const out = emptyTensor(self._sizes, self.dtype);
      const [grads, positions] = [rowMajor(grad), rowMajor(indices)];
      const planes = planesOf(self, dims);
      if (out._numel > 0) maxPoolGradient(self.dtype, planes, grads._numel / planes, self._numel / planes, grads._address, positions._address, out._address);
      return inFormatOf(self, out);
    },
    backward: {
      grad_output: ({ grad, indices, dims }) => grad.flatten(-dims).gather(-1, indices.flatten(-dims)).view(indices._sizes),
      self: ({ grad }) => filled(grad._sizes, 0, grad.dtype),
    },
    node,
  });

const poolingParameters = "int[] kernel_size, int[] stride, int[] padding, int[] dilation, bool ceil_mode";

function refuseRank(self: Tensor, dims: number): void {
  const n = self._sizes.length;
  if (n !== dims + 1 && n !== dims + 2) throw new RuntimeError(`non-empty ${dims + 1}D or ${dims + 2}D (batch mode) tensor expected for input`);
}

function maxKernel(name: string, dims: number, node: string): KernelOverload {
  const slope = maximaGradient(`${name}_with_indices`, `${node}WithIndicesBackwardBackward0`);
  return new KernelOverload(`${name}_with_indices(Tensor self, ${poolingParameters}) -> (Tensor output, Tensor indices)`, {
    forward: (self: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: boolean) => {
      const pooling = poolingOf(name, dims, kernel, stride, padding, dilation, ceil);
      refuseRank(self, dims);
      const sizes = pooledSizes(self, pooling, `${name}_with_indices_out_cpu_template`);
      refuseKinds(name, self.dtype, BOOL);
      return maxima(self, sizes, slidingWindows(self._sizes.slice(-dims), sizes.slice(-dims), pooling));
    },
    backward: { self: ({ grad, self, indices }) => slope.call([grad, self, indices, dims]) as Tensor },
    node: `${node}WithIndicesBackward0`,
  });
}
const max2d = maxKernel("max_pool2d", 2, "MaxPool2D");
const max3d = maxKernel("max_pool3d", 3, "MaxPool3D");

type Extent = number | readonly number[];
interface MaxOptions {
  stride?: Extent | null;
  padding?: Extent;
  dilation?: Extent;
  ceil_mode?: boolean;
}
type MaxPositional = [input: Tensor, kernel_size: Extent, stride?: Extent | null, padding?: Extent, dilation?: Extent, ceil_mode?: boolean];
/** A pooling that gives `[output, indices]` with `return_indices`. */
type MaxPool = FunctionOp<MaxPositional, MaxOptions & { return_indices?: false }> &
  ((input: Tensor, kernel_size: Extent, options: MaxOptions & { return_indices: true }) => readonly [Tensor, Tensor]);

type Pair = readonly [Tensor, Tensor];
type MaxCall = (input: Tensor, kernel: Sizes, stride: Sizes | null, padding: Sizes, dilation: Sizes, ceil: boolean, both: boolean) => Pair;

const maxParameters = (dims: number): string =>
  `Tensor self, int[${dims}] kernel_size, int[${dims}]? stride=None, int[${dims}] padding=0, int[${dims}] dilation=1, bool ceil_mode=False, bool return_indices=False`;

const maxPooling = (name: string, dims: number, run: MaxCall): MaxPool =>
  composite(
    `${name}(${maxParameters(dims)}) -> Tensor`,
    (input: Tensor, kernel: Sizes, stride: Sizes | null, padding: Sizes, dilation: Sizes, ceil: boolean, both: boolean) => {
      const pair = run(input, kernel, stride, padding, dilation, ceil, both);
      return both ? pair : pair[0];
    },
    { method: false, takesOut: false },
  );

/** A pooling that gives `[output, indices]` in any case. */
type Both<P extends readonly unknown[], N> = FunctionOp<P, N & { return_indices?: boolean }, Pair>;
type MaxPoolBoth = Both<MaxPositional, MaxOptions>;

const maxPoolingBoth = (dims: number, run: MaxCall): MaxPoolBoth =>
  composite(
    `max_pool${dims}d_with_indices(${maxParameters(dims)}) -> (Tensor, Tensor)`,
    (input: Tensor, kernel: Sizes, stride: Sizes | null, padding: Sizes, dilation: Sizes, ceil: boolean) => run(input, kernel, stride, padding, dilation, ceil, true),
    { method: false, takesOut: false },
  );

/** A list with one entry, as the functions of one dimension want it. */
function refuseLonger(op: string, lists: Record<string, Sizes>): void {
  for (const [name, list] of Object.entries(lists)) if (list.length !== 1) throw new RuntimeError(`${op}() argument '${name}' should contain one int (got ${list.length})`);
}

/** Refuses what PyTorch's max_pool1d does, in its words, where it gives no indices. */
function checkLine(self: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil: boolean): void {
  const { _sizes: sizes } = self;
  if ((sizes.length !== 2 && sizes.length !== 3) || sizes.slice(-2).includes(0)) {
    throw new RuntimeError(`max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:${listText(sizes)}`);
  }
  const refuse = (text: string): never => {
    throw new RuntimeError(`max_pool1d() ${text}`);
  };
  for (const [name, list] of Object.entries({ kernel_size: kernel, stride, padding, dilation })) {
    if (list.length !== 1) refuse(`${name} must be an int, list of ints or tuple of ints of size 1 but got size ${list.length}`);
  }
  const [[k], [s], [pad], [step]] = [kernel, stride, padding, dilation];
  if (k <= 0) refuse(`kernel_size must be greater than zero, but got ${k}`);
  if (s <= 0) refuse(`stride must be greater than zero, but got ${s}`);
  if (pad < 0) refuse(`padding must be non-negative, but got ${pad}`);
  if (pad > k / 2) refuse(`padding should be at most half of kernel size, but got padding=${pad} and kernel_size=${k}`);
  if (step <= 0) refuse(`dilation must be greater than zero, but got ${step}`);
  const room = sizes.at(-1)! + 2 * pad - step * (k - 1) - 1;
  const count = Math.floor((room + (ceil ? s - 1 : 0)) / s) + 1;
  if (count <= 0) refuse(`Invalid computed output size: ${count}`);
}

/** One dimension as a picture of height 1. */
function asPicture(name: string, self: Tensor): Tensor {
  const n = self._sizes.length;
  if (n !== 2 && n !== 3) throw new RuntimeError(`Expected 2 to 3 dimensions, but got ${n}-dimensional tensor for argument #1 'self' (while checking arguments for ${name})`);
  return self.unsqueeze(-2);
}

/**
 * The largest element of each window along the last dimension, of (n, c, l) or (c, l); NaN is the largest.
 *
 * @throws RuntimeError where the windows do not fit.
 * @example
 * torch.max_pool1d(torch.tensor([[1, 3, 2, 4]]), 2).tolist(); // [[3, 4]]
 */
export const max_pool1d: MaxPool = maxPooling("max_pool1d", 1, alongLastDimension);
/** The same with the positions of the maxima. */
export const max_pool1d_with_indices: MaxPoolBoth = maxPoolingBoth(1, alongLastDimension);

function alongLastDimension(...[input, kernel, stride, padding, dilation, ceil, both]: Parameters<MaxCall>): Pair {
  const step = stride === null || stride.length === 0 ? kernel : stride;
  if (both) {
    refuseLonger("max_pool1d", { kernel_size: kernel, stride: step, padding, dilation });
  } else {
    checkLine(input, kernel, step, padding, dilation, ceil);
    if (input.dtype.kind !== FLOAT) throw new NotImplementedError(`"max_pool1d_impl" not implemented for '${input.dtype.title}'`);
  }
  const pair = max2d.call([asPicture("max_pool1d", input), [1, kernel[0]], [1, step[0]], [0, padding[0]], [1, dilation[0]], ceil]) as Pair;
  return [pair[0].squeeze(-2), pair[1].squeeze(-2)];
}

const overPlanes: MaxCall = (...values) => max2d.call(values) as unknown as Pair;
const overVolumes: MaxCall = (...values) => max3d.call(values) as unknown as Pair;

/**
 * The largest element of each window of `kernel_size` over the last two dimensions, of (n, c, h, w) or (c, h, w). `padding` counts
 * as -∞; `return_indices` gives the positions in the plane too; with `ceil_mode` a last window may reach over the edge.
 *
 * @throws RuntimeError where the windows do not fit.
 * @example
 * torch.max_pool2d(torch.tensor([[[1, 2], [3, 4]]]), 2).tolist(); // [[[4]]]
 */
export const max_pool2d: MaxPool = maxPooling("max_pool2d", 2, overPlanes);
/** The same with the positions of the maxima. */
export const max_pool2d_with_indices: MaxPoolBoth = maxPoolingBoth(2, overPlanes);
/** The largest element of each window over the last three dimensions, as `max_pool2d`. */
export const max_pool3d: MaxPool = maxPooling("max_pool3d", 3, overVolumes);
/** The same with the positions of the maxima. */
export const max_pool3d_with_indices: MaxPoolBoth = maxPoolingBoth(3, overVolumes);

/** Averages of windows. Integers are averaged as float64 and rounded towards 0. */
function averages(self: Tensor, sizes: Sizes, volume: Volume, divisor: number | null): Tensor {
  const compute = self.dtype.kind === FLOAT ? self.dtype : float64;
  const input = rowMajor(self, compute);
  const out = emptyTensor(sizes, compute);
  if (out._numel > 0) averagePool(compute, out._numel / windowCount(volume), volume, divisor, input._address, out._address);
  return inFormatOf(self, compute === self.dtype ? out : out.to(self.dtype));
}

function averagesGradient(grad: Tensor, self: Tensor, volume: Volume, divisor: number | null): Tensor {
  const grads = rowMajor(grad);
  const out = emptyTensor(self._sizes, self.dtype);
  if (out._numel > 0) averagePoolGradient(self.dtype, out._numel / volumeSize(volume), volume, divisor, grads._address, out._address);
  return inFormatOf(self, out);
}

const averageParameters = "int[] kernel_size, int[] stride, int[] padding, bool ceil_mode, bool count_include_pad, int? divisor_override";

function averageKernel(name: string, dims: number, node: string): KernelOverload {
  const windowsOf = (self: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, ceil: boolean, countPadding: boolean): { sizes: Sizes; volume: Volume } => {
    const pooling = poolingOf(name, dims, kernel, stride, padding, [1], ceil);
    if (dims === 2) self.size(-3);
    else refuseRank(self, dims);
    const sizes = pooledSizes(self, pooling, name, dims === 3);
    return { sizes, volume: slidingWindows(self._sizes.slice(-dims), sizes.slice(-dims), pooling, countPadding) };
  };
  const slope: KernelOverload = new KernelOverload(`${name}_backward(Tensor grad_output, Tensor self, ${averageParameters}) -> Tensor`, {
    forward: (grad: Tensor, self: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, ceil: boolean, countPadding: boolean, divisor: number | null) =>
      averagesGradient(grad, self, windowsOf(self, kernel, stride, padding, ceil, countPadding).volume, divisor),
    backward: {
      grad_output: ({ grad, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override }) =>
        average.call([grad, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override]) as Tensor,
      self: ({ grad }) => filled(grad._sizes, 0, grad.dtype),
    },
    node: `${node}BackwardBackward0`,
  });
  const average: KernelOverload = new KernelOverload(`${name}(Tensor self, ${averageParameters}) -> Tensor`, {
    forward: (self: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, ceil: boolean, countPadding: boolean, divisor: number | null) => {
      if (divisor === 0) throw new RuntimeError("divisor must be not zero");
      const { sizes, volume } = windowsOf(self, kernel, stride, padding, ceil, countPadding);
      if (self.dtype !== int64) refuseKinds(dims === 2 ? name : `${name}_out_frame`, self.dtype, BOOL, INT);
      return averages(self, sizes, volume, divisor);
    },
    backward: {
      self: ({ grad, self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override }) =>
        slope.call([grad, self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override]) as Tensor,
    },
    node: `${node}Backward0`,
  });
  return average;
}
const average2d = averageKernel("avg_pool2d", 2, "AvgPool2D");
const average3d = averageKernel("avg_pool3d", 3, "AvgPool3D");

interface LineOptions {
  stride?: Extent | null;
  padding?: Extent;
  ceil_mode?: boolean;
  count_include_pad?: boolean;
}
type LinePositional = [input: Tensor, kernel_size: Extent, stride?: Extent | null, padding?: Extent, ceil_mode?: boolean, count_include_pad?: boolean];

/** The average of each window along the last dimension, of (n, c, l) or (c, l). */
export const avg_pool1d: FunctionOp<LinePositional, LineOptions> = composite(
  "avg_pool1d(Tensor self, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, bool count_include_pad=True) -> Tensor",
  (self: Tensor, kernel: Sizes, stride: Sizes | null, padding: Sizes, ceil: boolean, countPadding: boolean) => {
    const picture = asPicture("avg_pool1d", self);
    const step = stride === null || stride.length === 0 ? kernel : stride;
    return (average2d.call([picture, [1, ...kernel], [1, ...step], [0, ...padding], ceil, countPadding, null]) as Tensor).squeeze(-2);
  },
  { method: false, takesOut: false },
);

type AveragePool = FunctionOp<[...LinePositional, divisor_override?: number | null], LineOptions & { divisor_override?: number | null }>;

const averagePooling = (name: string, dims: number, kernel: KernelOverload): AveragePool =>
  composite(
    `${name}(Tensor self, int[${dims}] kernel_size, int[${dims}]? stride=None, int[${dims}] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor`,
    (...values: unknown[]) => kernel.call(values),
    { method: false, takesOut: false },
  );

/**
 * The average of each window of `kernel_size` over the last two dimensions, of (n, c, h, w) or (c, h, w). Zeros of the padding
 * count unless `count_include_pad` is false; `divisor_override` divides the sum instead of their number.
 *
 * @throws RuntimeError where the windows do not fit.
 * @example
 * torch.nn.functional.avg_pool2d(torch.tensor([[[1, 2], [3, 4]]]), 2).tolist(); // [[[2.5]]]
 */
export const avg_pool2d: AveragePool = averagePooling("avg_pool2d", 2, average2d);
/** The average of each window over the last three dimensions, as `avg_pool2d`. */
export const avg_pool3d: AveragePool = averagePooling("avg_pool3d", 3, average3d);

/** Refuses an input without elements to share out. */
function refuseAdaptive(name: string, self: Tensor, dims: number, colon: string): void {
  const { _sizes: sizes } = self;
  if (sizes.length !== dims + 1 && sizes.length !== dims + 2) throw new RuntimeError(`${name}(): Expected ${dims + 1}D or ${dims + 2}D tensor, but got${colon} ${listText(sizes)}`);
  const empty = sizes.findIndex((size, d) => size === 0 && d >= sizes.length - dims);
  if (empty >= 0) {
    throw new RuntimeError(`${name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ${listText(sizes)} with dimension ${empty} being empty`);
  }
}

function adaptiveAverageKernel(name: string, dims: number, node: string): KernelOverload {
  const slope: KernelOverload = new KernelOverload(`${name}_backward(Tensor grad_output, Tensor self) -> Tensor`, {
    forward: (grad: Tensor, self: Tensor) => averagesGradient(grad, self, adaptiveWindows(self._sizes.slice(-dims), grad._sizes.slice(-dims)), null),
    backward: {
      grad_output: ({ grad, grad_output_sizes }) => average.call([grad, grad_output_sizes.slice(-dims)]) as Tensor,
      self: ({ grad }) => filled(grad._sizes, 0, grad.dtype),
    },
    node: `${node}BackwardBackward0`,
  });
  const average: KernelOverload = new KernelOverload(`${name}(Tensor self, int[] output_size) -> Tensor`, {
    forward: (self: Tensor, size: Sizes) => {
      if (size.length !== dims) throw new RuntimeError(`${name}: output_size must be ${dims}`);
      if (size.some((s) => s < 0)) throw new RuntimeError(`${name}: elements of output_size must be greater than or equal to 0 but received {${size.slice(0, 2).join(", ")}${size.length > 2 ? `,${size[2]}` : ""}}`);
      refuseAdaptive(name, self, dims, "");
      if (dims === 3) refuseKinds(`${name}_cpu`, self.dtype, BOOL, INT);
      else if (self._numel > 0) refuseKinds(name, self.dtype, BOOL, INT);
      return averages(self, [...self._sizes.slice(0, -dims), ...size], adaptiveWindows(self._sizes.slice(-dims), size), null);
    },
    backward: { self: ({ grad, self }) => slope.call([grad, self]) as Tensor },
    node: `${node}Backward0`,
  });
  return average;
}
const adaptiveAverage2d = adaptiveAverageKernel("adaptive_avg_pool2d", 2, "AdaptiveAvgPool2D");
const adaptiveAverage3d = adaptiveAverageKernel("adaptive_avg_pool3d", 3, "AdaptiveAvgPool3D");

type Target = number | readonly (number | null)[];
type Adaptive = FunctionOp<[input: Tensor, output_size: Target], { output_size?: Target }>;

/** The sizes asked for, one for each of `dims`; null leaves a dimension as it is. */
function targetSizes(self: Tensor, target: Target, dims: number): Sizes {
  if (typeof target === "number") return new Array<number>(dims).fill(target);
  if (dims > 1 && self._sizes.length <= target.length) throw new ValueError(`Input dimension should be at least ${target.length + 1}`);
  return target.map((size, d) => size ?? self._sizes[self._sizes.length - target.length + d]);
}

const adaptiveAverage = (name: string, dims: number, kernel: KernelOverload): Adaptive =>
  composite(
    `${name}(Tensor input, Any output_size) -> Tensor`,
    (self: Tensor, target: Target) => {
      const size = targetSizes(self, target, dims);
      if (size.length === dims && size.every((s) => s === 1) && self._sizes.length > dims) {
        return self.mean(Array.from({ length: dims }, (_, d) => d - dims), true);
      }
      return kernel.call([self, size]);
    },
    { method: false, takesOut: false },
  );

/** Averages of `output_size` windows that share the last two dimensions out evenly; null keeps a dimension as it is. */
export const adaptive_avg_pool2d: Adaptive = adaptiveAverage("adaptive_avg_pool2d", 2, adaptiveAverage2d);
/** Averages of `output_size` windows that share the last three dimensions out evenly. */
export const adaptive_avg_pool3d: Adaptive = adaptiveAverage("adaptive_avg_pool3d", 3, adaptiveAverage3d);

/** One dimension: a picture of height 1, for which `run` does the work. */
function alongLine<T>(name: string, self: Tensor, target: Target, run: (picture: Tensor, size: Sizes) => T): T {
  const size = targetSizes(self, target, 1);
  refuseLonger(name, { output_size: size });
  return run(asPicture(name, self), [1, ...size]);
}

/** Averages of `output_size` windows that share the last dimension out evenly. */
export const adaptive_avg_pool1d: Adaptive = composite(
  "adaptive_avg_pool1d(Tensor input, Any output_size) -> Tensor",
  (self: Tensor, target: Target) => alongLine("adaptive_avg_pool1d", self, target, (picture, size) => adaptive_avg_pool2d(picture, size).squeeze(-2)),
  { method: false, takesOut: false },
);

function adaptiveMaxKernel(name: string, dims: number, node: string): KernelOverload {
  const slope = maximaGradient(name, `${node}BackwardBackward0`);
  return new KernelOverload(`${name}(Tensor self, int[] output_size) -> (Tensor output, Tensor indices)`, {
    forward: (self: Tensor, size: Sizes) => {
      refuseAdaptive(name, self, dims, ":");
      if (size.length !== dims) throw new RuntimeError(`${name}(): internal error: output_size.size() must be ${dims}`);
      const sizes = [...self._sizes.slice(0, -dims), ...size];
      if (size.some((s) => s < 0)) throw new RuntimeError(`Trying to create tensor with negative dimension ${size.find((s) => s < 0)}: ${listText(sizes)}`);
      refuseKinds(name, self.dtype, BOOL, 1);
      return maxima(self, sizes, adaptiveWindows(self._sizes.slice(-dims), size));
    },
    backward: { self: ({ grad, self, indices }) => slope.call([grad, self, indices, dims]) as Tensor },
    node: `${node}Backward0`,
  });
}
const adaptiveMax2d = adaptiveMaxKernel("adaptive_max_pool2d", 2, "AdaptiveMaxPool2D");
const adaptiveMax3d = adaptiveMaxKernel("adaptive_max_pool3d", 3, "AdaptiveMaxPool3D");

type AdaptiveMax = FunctionOp<[input: Tensor, output_size: Target], { output_size?: Target; return_indices?: false }> &
  ((input: Tensor, output_size: Target, options: { return_indices: true }) => readonly [Tensor, Tensor]);

const adaptiveMax = (name: string, run: (self: Tensor, target: Target) => unknown): AdaptiveMax =>
  composite(
    `${name}(Tensor input, Any output_size, bool return_indices=False) -> Tensor`,
    (self: Tensor, target: Target, both: boolean) => {
      const pair = run(self, target) as Pair;
      return both ? pair : pair[0];
    },
    { method: false, takesOut: false },
  );

type AdaptiveMaxBoth = Both<[input: Tensor, output_size: Target], { output_size?: Target }>;

const adaptiveMaxBoth = (dims: number, run: (self: Tensor, target: Target) => unknown): AdaptiveMaxBoth =>
  composite(`adaptive_max_pool${dims}d_with_indices(Tensor input, Any output_size, bool return_indices=False) -> (Tensor, Tensor)`, run, { method: false, takesOut: false });

const alongLineMax = (self: Tensor, target: Target): unknown =>
  alongLine("adaptive_max_pool1d", self, target, (picture, size) => (adaptiveMax2d.call([picture, size]) as Pair).map((t) => t.squeeze(-2)));
const overPlaneMax = (self: Tensor, target: Target): unknown => adaptiveMax2d.call([self, targetSizes(self, target, 2)]);
const overVolumeMax = (self: Tensor, target: Target): unknown => adaptiveMax3d.call([self, targetSizes(self, target, 3)]);

/** Maxima of `output_size` windows that share the last dimension out evenly. */
export const adaptive_max_pool1d: AdaptiveMax = adaptiveMax("adaptive_max_pool1d", alongLineMax);
/** The same with the positions of the maxima. */
export const adaptive_max_pool1d_with_indices: AdaptiveMaxBoth = adaptiveMaxBoth(1, alongLineMax);
/** Maxima of `output_size` windows that share the last two dimensions out evenly. */
export const adaptive_max_pool2d: AdaptiveMax = adaptiveMax("adaptive_max_pool2d", overPlaneMax);
/** The same with the positions of the maxima. */
export const adaptive_max_pool2d_with_indices: AdaptiveMaxBoth = adaptiveMaxBoth(2, overPlaneMax);
/** Maxima of `output_size` windows that share the last three dimensions out evenly. */
export const adaptive_max_pool3d: AdaptiveMax = adaptiveMax("adaptive_max_pool3d", overVolumeMax);
/** The same with the positions of the maxima. */
export const adaptive_max_pool3d_with_indices: AdaptiveMaxBoth = adaptiveMaxBoth(3, overVolumeMax);
