/** Where the windows of a pooling lie, and what PyTorch refuses about them. */
import type { Volume, Windows } from "../../backends/windows.ts";
import { RuntimeError } from "../../errors.ts";
import { listText, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The parameters of a pooling, one entry for each spatial dimension. */
export interface Pooling {
  kernel: Sizes;
  stride: Sizes;
  padding: Sizes;
  dilation: Sizes;
  ceil: boolean;
}

const words: Record<number, string> = { 2: "two", 3: "three" };

/** A list with an entry for each of `n` dimensions out of one with one for all. */
function perDimension(op: string, name: string, list: Sizes, n: number, text = "must either be a single int, or a tuple of"): Sizes {
  if (list.length === n) return list;
  if (list.length === 1) return new Array<number>(n).fill(list[0]);
  throw new RuntimeError(`${op}: ${name} ${text} ${words[n]} ints`);
}

/** The parameters of a call, completed; an absent stride is the size of the window. */
export function poolingOf(op: string, n: number, kernel: Sizes, stride: Sizes | null, padding: Sizes, dilation: Sizes, ceil: boolean): Pooling {
  const window = perDimension(op, "kernel_size", kernel, n);
  const given = stride === null || stride.length === 0 ? window : stride;
  return {
    kernel: window,
    stride: perDimension(op, "stride", given, n, "must either be omitted, a single int, or a tuple of"),
    padding: perDimension(op, "padding", padding, n),
    dilation: perDimension(op, "dilation", dilation, n, "must be either a single int, or a tuple of"),
    ceil,
  };
}

/** How many windows fit along one dimension (pooling_output_shape in aten/src/ATen/native/Pool.h). */
function windowsAlong(size: number, d: number, { kernel, stride, padding, dilation, ceil }: Pooling): number {
  const [k, s, pad, step] = [kernel[d], stride[d], padding[d], dilation[d]];
  if (s === 0) throw new RuntimeError("stride should not be zero");
  if (pad < 0) throw new RuntimeError(`pad must be non-negative, but got pad: ${pad}`);
  if (pad > Math.floor(((k - 1) * step + 1) / 2)) {
    throw new RuntimeError(`pad should be at most half of effective kernel size, but got pad=${pad}, kernel_size=${k} and dilation=${step}`);
  }
  const count = Math.floor((size + 2 * pad - step * (k - 1) - 1 + (ceil ? s - 1 : 0)) / s) + 1;
  // The last window must begin inside the input or its left padding.
  return ceil && (count - 1) * s >= size + pad ? count - 1 : count;
}

/** Texts about sizes too small: of the spatial dimensions, and what each is called. */
const labels: Record<number, readonly string[]> = { 2: ["H", "W"], 3: ["T", "H", "W"] };

function refuseNonPositive(what: string, letter: string, values: Sizes): void {
  if (values.every((v) => v > 0)) return;
  throw new RuntimeError(`${what} should be greater than zero, but got ${values.map((v, d) => `${letter}${labels[values.length][d]}: ${v}`).join(" ")}`);
}

function refuseEmpty(sizes: Sizes, n: number, where: string): void {
  if (!(sizes.length === n + 2 ? sizes.slice(1) : sizes).includes(0)) return;
  throw new RuntimeError(
    n === 3
      ? `${where}(): Expected input's non-batch dimensions to have positive length, but input has a shape of ${listText(sizes)} and non-batch dimension 0 has length zero!`
      : `Expected ${n + 1}D or ${n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got:${listText(sizes)}`,
  );
}

/** Refuses a volume that is smaller than a window. */
function refuseSmall(spatial: Sizes, kernel: Sizes): void {
  if (spatial.every((size, d) => size >= kernel[d])) return;
  const [picture, window] = [spatial, kernel].map((sizes, i) => ["T", "H", "W"].map((label, d) => `${i === 0 ? "" : "k"}${label}: ${sizes[d]}`).join(" "));
  throw new RuntimeError(`input image (${picture}) smaller than kernel size (${window})`);
}

/** The sizes of a result: those of the batch and the channels, then how many windows there are. `where` is how PyTorch's text names its function; `whole`: no window may be larger than the input. */
export function pooledSizes(self: Tensor, pooling: Pooling, where: string, whole = false): number[] {
  const n = pooling.kernel.length;
  const sizes = self._sizes;
  const spatial = sizes.slice(-n);
  const counts = spatial.map((size, d) => windowsAlong(size, d, pooling));
  refuseNonPositive("kernel size", "k", pooling.kernel);
  refuseNonPositive("stride", "d", pooling.stride);
  refuseNonPositive("dilation", "dilation", pooling.dilation);
  refuseEmpty(sizes, n, where);
  if (whole) refuseSmall(spatial, pooling.kernel);
  if (counts.some((count) => count < 1)) {
    const plane = sizes.at(-n - 1)!;
    throw new RuntimeError(
      `Given input size: (${[plane, ...spatial].join("x")}). Calculated output size: (${[plane, ...counts].join("x")}). Output size is too small`,
    );
  }
  return [...sizes.slice(0, -n), ...counts];
}

const one: Windows = { size: 1, starts: new Int32Array(1), ends: new Int32Array([1]), step: 1, counts: new Int32Array([1]) };

/** Fills up to three dimensions. */
const volumeOf = (windows: readonly Windows[]): Volume => [...[one, one].slice(windows.length - 1), ...windows] as unknown as Volume;

/** The windows of a pooling of `spatial` with `counts` of them; an average over padding counts that in only with `countPadding`. */
export function slidingWindows(spatial: Sizes, counts: Sizes, { kernel, stride, padding, dilation }: Pooling, countPadding = false): Volume {
  return volumeOf(
    spatial.map((size, d): Windows => {
      const [starts, ends, counted] = [0, 0, 0].map(() => new Int32Array(counts[d])) as [Int32Array, Int32Array, Int32Array];
      for (let o = 0; o < counts[d]; o++) {
        const start = o * stride[d] - padding[d];
        const end = start + (kernel[d] - 1) * dilation[d] + 1;
        starts[o] = start < 0 ? start + Math.ceil(-start / dilation[d]) * dilation[d] : start;
        ends[o] = Math.min(end, size);
        counted[o] = countPadding ? Math.min(end, size + padding[d]) - start : ends[o] - starts[o];
      }
      return { size, starts, ends, step: dilation[d], counts: counted };
    }),
  );
}

/** Windows that share `spatial` out evenly among `counts`. */
export function adaptiveWindows(spatial: Sizes, counts: Sizes): Volume {
  return volumeOf(
    spatial.map((size, d): Windows => {
      const starts = Int32Array.from({ length: counts[d] }, (_, o) => Math.floor((o * size) / counts[d]));
      const ends = Int32Array.from({ length: counts[d] }, (_, o) => Math.ceil(((o + 1) * size) / counts[d]));
      return { size, starts, ends, step: 1, counts: ends.map((end, o) => end - starts[o]) };
    }),
  );
}
