/** Pictures made larger and smaller: functions of torch.nn.functional. */
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError, warn } from "../../errors.ts";
import { BOOL, FLOAT, int64, uint8 } from "../../tensor/dtype.ts";
import { listText, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { filled, fromData } from "../creation/fill.ts";
import { inFormatOf } from "../creation/memory-order.ts";
import { adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d } from "./pooling.ts";
import { cubicTaps, filteredTaps, filters, linearTaps, nearestTaps, type Resampling, type Tap } from "./resampling.ts";

type Taps = (resampling: Resampling) => Tap[];

/** A tap as tensors: the positions to read along dimension `d`, and weights that broadcast along it. */
function asTensors({ positions, weights }: Tap, like: Tensor, d: number): { index: Tensor; weight: Tensor | null } {
  const index = fromData(BigInt64Array.from(positions, BigInt), int64);
  return { index, weight: weights && fromData(Float64Array.from(weights), like.dtype).view(like._sizes.map((_, i) => (i === d ? -1 : 1))) };
}

const added = (parts: Tensor[]): Tensor => parts.reduce((sum, part) => sum.add(part));

function resampled(self: Tensor, d: number, taps: readonly Tap[]): Tensor {
  return added(taps.map((tap) => {
    const { index, weight } = asTensors(tap, self, d);
    const read = self.index_select(d, index);
    return weight === null ? read : read.mul(weight);
  }));
}

/** The adjoint: what each element was read for, added up. */
function spreadOut(grad: Tensor, d: number, size: number, taps: readonly Tap[]): Tensor {
  const zeros = filled(grad._sizes.map((s, i) => (i === d ? size : s)), 0, grad.dtype);
  return taps.reduce((sum: Tensor, tap) => {
    const { index, weight } = asTensors(tap, grad, d);
    return sum.index_add(d, index, weight === null ? grad : grad.mul(weight));
  }, zeros);
}

type Factors = readonly (number | null)[];

/** How each spatial dimension of a picture is resampled. */
const plan = (sizes: Sizes, output: Sizes, alignCorners: boolean, factors: Factors): Resampling[] =>
  output.map((to, i) => ({ from: sizes[2 + i], to, alignCorners, factor: factors[i] ?? null }));

function upsampling(name: string, node: string, taps: Taps): KernelOverload {
  return new KernelOverload(`${name}(Tensor self, int[] output_size, bool align_corners, Any scale_factors) -> Tensor`, {
    forward: (self: Tensor, output: Sizes, alignCorners: boolean, factors: Factors) =>
      inFormatOf(self, plan(self._sizes, output, alignCorners, factors).reduce((t: Tensor, resampling, i) => resampled(t, 2 + i, taps(resampling)), self)),
    backward: {
      self: ({ grad, self_sizes, output_size, align_corners, scale_factors }) =>
        plan(self_sizes, output_size, align_corners, scale_factors).reduceRight((t: Tensor, resampling, i) => spreadOut(t, 2 + i, resampling.from, taps(resampling)), grad),
    },
    node,
  });
}

const nearest: Taps = (resampling) => nearestTaps(resampling, false);
const nearestExact: Taps = (resampling) => nearestTaps(resampling, true);

const kernels = new Map<string, KernelOverload>([
  ...[1, 2, 3].flatMap((n): [string, KernelOverload][] => [
    [`nearest ${n}`, upsampling(`upsample_nearest${n}d`, `UpsampleNearest${n}DBackward0`, nearest)],
    [`nearest-exact ${n}`, upsampling(`_upsample_nearest_exact${n}d`, `UpsampleNearestExact${n}DBackward0`, nearestExact)],
  ]),
  ["linear 1", upsampling("upsample_linear1d", "UpsampleLinear1DBackward0", linearTaps)],
  ["bilinear 2", upsampling("upsample_bilinear2d", "UpsampleBilinear2DBackward0", linearTaps)],
  ["trilinear 3", upsampling("upsample_trilinear3d", "UpsampleTrilinear3DBackward0", linearTaps)],
  ["bicubic 2", upsampling("upsample_bicubic2d", "UpsampleBicubic2DBackward0", cubicTaps)],
]);
const smoothing = new Map<string, KernelOverload>([
  ["bilinear", upsampling("_upsample_bilinear2d_aa", "UpsampleBilinear2DAaBackward0", (r) => filteredTaps(r, filters.bilinear))],
  ["bicubic", upsampling("_upsample_bicubic2d_aa", "UpsampleBicubic2DAaBackward0", (r) => filteredTaps(r, filters.bicubic))],
  ["lanczos", upsampling("_upsample_lanczos2d_aa", "UpsampleLanczos2DAaBackward0", (r) => filteredTaps(r, filters.lanczos))],
]);

const wantedDims: Record<string, number> = { linear: 3, bilinear: 4, trilinear: 5 };

function kernelFor(input: Tensor, mode: string, antialias: boolean, alignCorners: boolean): KernelOverload {
  const ndim = input._sizes.length;
  if (mode === "lanczos" && ndim === 4) {
    if (alignCorners) throw new ValueError("Lanczos mode does not support align_corners=True");
    if (!antialias) throw new ValueError("Lanczos mode requires antialias=True");
  }
  const kernel = antialias ? smoothing.get(mode) : kernels.get(`${mode} ${ndim - 2}`);
  if (kernel !== undefined) return kernel;
  if (mode in wantedDims && ndim >= 3 && ndim <= 5) throw new NotImplementedError(`Got ${ndim}D input, but ${mode} mode needs ${wantedDims[mode]}D input`);
  throw new NotImplementedError(
    `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got ${mode})`,
  );
}

const axes: Record<number, readonly string[]> = { 1: ["W"], 2: ["H", "W"], 3: ["D", "H", "W"] };

function checkSizes(input: Tensor, output: Sizes): void {
  const [ndim, spatial] = [input._sizes.length, input._sizes.slice(2)];
  if (input._sizes.slice(1).includes(0) && !spatial.includes(0)) throw new RuntimeError(`Non-empty ${ndim}D data tensor expected but got a tensor with sizes ${listText(input._sizes)}`);
  if ([...spatial, ...output].every((size) => size > 0)) return;
  const text = (sizes: Sizes): string => sizes.map((size, d) => `${axes[sizes.length][d]}: ${size}`).join(", ");
  throw new RuntimeError(`Input and output sizes should be greater than 0, but got input (${text(spatial)})${ndim === 3 ? " and" : ""} output (${text(output)})`);
}

function checkDtype({ dtype, _sizes: sizes }: Tensor, mode: string): void {
  if (dtype.kind === FLOAT || (dtype === uint8 && mode.startsWith("nearest"))) return;
  if (dtype.kind === BOOL || dtype !== uint8) throw new NotImplementedError(`"upsample_${mode.replace("-", "_")}${sizes.length - 2}d_channels_last" not implemented for '${dtype.title}'`);
  throw new NotImplementedError(`interpolate is not implemented for '${dtype.title}' in the mode ${mode}`);
}

type Extent = number | readonly number[];
interface Options {
  size?: Extent | null;
  scale_factor?: Extent | null;
  mode?: Mode;
  align_corners?: boolean | null;
  recompute_scale_factor?: boolean | null;
  antialias?: boolean;
}
type Mode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic" | "trilinear" | "lanczos" | "area";

/** The list that is meant by a number for all dimensions, refused where it has another length. */
function eachDimension(input: Tensor, value: Extent, what: string, example: string): Sizes {
  const dims = input._sizes.length - 2;
  if (typeof value === "number") return new Array<number>(Math.max(dims, 0)).fill(value);
  if (value.length === dims) return value;
  const [thing, kind] = what === "output" ? ["output", "output size of"] : ["scale_factor", "scale_factor of shape"];
  throw new ValueError(
    `Input and ${thing} must have the same number of spatial dimensions, but got input with spatial dimensions of ${listText(input._sizes.slice(2))} and ${kind} ${listText(value)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and ${example} format.`,
  );
}

/** The sizes of the output, and the factors that positions are computed with. */
function target(input: Tensor, size: Extent | null, scale: Extent | null, recompute: boolean): { output: Sizes; factors: Factors } {
  if (size !== null && scale !== null) throw new ValueError("only one of size or scale_factor should be defined");
  if (size !== null) {
    const output = eachDimension(input, size, "output", "output size in (o1, o2, ...,oK)");
    if (recompute) throw new ValueError("recompute_scale_factor is not meaningful with an explicit size.");
    return { output, factors: [] };
  }
  if (scale === null) throw new ValueError("either size or scale_factor should be defined");
  const factors = eachDimension(input, scale, "scale", "scale_factor in (s1, s2, ...,sK)");
  const output = factors.map((factor, i) => (recompute ? Math.trunc : Math.floor)(input._sizes[2 + i] * factor));
  return { output, factors: recompute ? [] : factors };
}

const averages = [adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d] as const;

function interpolated(input: Tensor, size: Extent | null, scale: Extent | null, mode: string, corners: boolean | null, recompute: boolean | null, antialias: boolean): Tensor {
  const ndim = input._sizes.length;
  if (["nearest", "area", "nearest-exact"].includes(mode) && corners !== null) {
    throw new ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
  }
  const { output, factors } = target(input, size, scale, recompute === true || (mode === "area" && size === null && scale !== null));
  if (antialias && !(smoothing.has(mode) && ndim === 4)) {
    throw new ValueError("Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input");
  }
  if (mode === "area" && ndim >= 3 && ndim <= 5) return averages[ndim - 3](input, output);
  const kernel = kernelFor(input, mode, antialias, corners ?? false);
  checkSizes(input, output);
  checkDtype(input, mode);
  return kernel.call([input, output, corners ?? false, factors]) as Tensor;
}

/**
 * `input` (n, c, …) resampled to `size`, or by `scale_factor`: the nearest element, the line between neighbours (linear, bilinear,
 * trilinear for one, two and three dimensions), cubic convolution, or averages (area). With `align_corners` the outermost elements
 * keep their places; `antialias` widens the filter where a picture gets smaller.
 *
 * @throws ValueError, RuntimeError or NotImplementedError where arguments or sizes do not fit.
 * @example
 * torch.nn.functional.interpolate(torch.tensor([[[1, 3]]]), 3, { mode: "linear", align_corners: true }).tolist(); // [[[1, 2, 3]]]
 */
export const interpolate: FunctionOp<[input: Tensor, size?: Extent | null, scale_factor?: Extent | null, mode?: Mode, align_corners?: boolean | null], Options> = composite(
  "interpolate(Tensor input, Any size=None, Any scale_factor=None, str mode='nearest', bool? align_corners=None, bool? recompute_scale_factor=None, bool antialias=False) -> Tensor",
  interpolated,
  { takesOut: false },
);

const deprecated = (name: string): void => warn(`\`nn.functional.${name}\` is deprecated. Use \`nn.functional.interpolate\` instead.`);

/** Deprecated: `interpolate`. */
export const upsample: FunctionOp<
  [input: Tensor, size?: Extent | null, scale_factor?: Extent | null, mode?: Mode, align_corners?: boolean | null],
  { size?: Extent | null; scale_factor?: Extent | null; mode?: Mode; align_corners?: boolean | null }
> = composite(
  "upsample(Tensor input, Any size=None, Any scale_factor=None, str mode='nearest', bool? align_corners=None) -> Tensor",
  (input: Tensor, size: Extent | null, scale: Extent | null, mode: Mode, corners: boolean | null) => {
    deprecated("upsample");
    return interpolated(input, size, scale, mode, corners, null, false);
  },
  { takesOut: false },
);

type Upsample = FunctionOp<[input: Tensor, size?: Extent | null, scale_factor?: Extent | null], { size?: Extent | null; scale_factor?: Extent | null }>;

const upsampleBy = (name: string, mode: Mode, corners: boolean | null): Upsample =>
  composite(
    `${name}(Tensor input, Any size=None, Any scale_factor=None) -> Tensor`,
    (input: Tensor, size: Extent | null, scale: Extent | null) => {
      deprecated(name);
      return interpolated(input, size, scale, mode, corners, null, false);
    },
    { takesOut: false },
  );

/** Deprecated: `interpolate` in mode "nearest". */
export const upsample_nearest: Upsample = upsampleBy("upsample_nearest", "nearest", null);
/** Deprecated: `interpolate` in mode "bilinear" with aligned corners. */
export const upsample_bilinear: Upsample = upsampleBy("upsample_bilinear", "bilinear", true);
