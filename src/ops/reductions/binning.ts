/** Counts of elements. */
import { composite } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, bool, FLOAT, float32, float64, int64, typeMetaName } from "../../tensor/dtype.ts";
import { sameSizes } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";

/** The range of a histogram: as given, or that of the elements; never empty. */
function histogramRange(self: Tensor, min: number, max: number): [number, number] {
  let [low, high] = [min, max];
  if (low === high && self._numel > 0) [low, high] = self.aminmax().map((t) => Number(t.item())) as [number, number];
  if (!Number.isFinite(low) || !Number.isFinite(high)) throw new RuntimeError(`torch.histc: range of [${low}, ${high}] is not finite`.replaceAll("Infinity", "inf").replaceAll("NaN", "nan"));
  if (low > high) throw new RuntimeError("torch.histc: max must be larger than min");
  return low === high ? [low - 1, high + 1] : [low, high];
}

/**
 * How many elements lie in each of `bins` equal stretches between `min` and `max`, the last of which includes its end; where both
 * are equal, between the least and the largest element.
 *
 * @throws RuntimeError or NotImplementedError for bins, a range or a dtype that cannot be.
 * @example
 * torch.tensor([1, 2, 1]).histc(4, 0, 3).tolist(); // [0, 2, 1, 0]
 */
export const histc: Op<[self: Tensor, bins?: number, min?: number, max?: number], { bins?: number; min?: number; max?: number }> = composite(
  "histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor",
  (self: Tensor, bins: number, min: number, max: number) => {
    if (bins <= 0) throw new RuntimeError(`torch.histogram(): bins must be > 0, but got ${bins} for dimension 0`);
    const [low, high] = histogramRange(self.detach(), min, max);
    if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"${self.dtype === bool ? "linspace_cpu" : "histogram_cpu"}" not implemented for '${self.dtype.title}'`);
    const input = rowMajor(self);
    const out = filled([bins], 0, self.dtype);
    const [elements, counts] = [viewTyped(input), viewTyped(out)] as [Float64Array, Float64Array];
    const rounded = self.dtype === float32 ? Math.fround : (x: number): number => x;
    for (const x of elements) {
      if (!(x >= low && x <= high)) continue;
      const bin = Math.floor(rounded(rounded(rounded(x - low) * bins) / rounded(high - low)));
      counts[Math.min(bin, bins - 1)]++;
    }
    return out;
  },
  {
    outRule: sameDtype((out, result) => `torch.histogram: input tensor and hist tensor should have the same dtype, but got input ${typeMetaName(result)} and hist ${typeMetaName(out)}`),
  },
);

/**
 * How often each number from 0 on occurs in `self`, a vector of integers; with `weights`, the sums of their weights. The result is at
 * least `minlength` long.
 *
 * @throws RuntimeError where an element is negative or the shapes do not fit.
 * @example
 * torch.tensor([1n, 2n, 1n]).bincount().tolist(); // [0, 2, 1]
 */
export const bincount: Op<[self: Tensor, weights?: Tensor | null, minlength?: number], { weights?: Tensor | null; minlength?: number }> = composite(
  "bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor",
  (self: Tensor, weights: Tensor | null, minlength: number) => {
    if (self.dtype.kind === FLOAT || self.dtype.kind === BOOL) throw new NotImplementedError(`"bincount_cpu" not implemented for '${self.dtype.title}'`);
    if (minlength < 0) throw new RuntimeError("minlength should be >= 0");
    if (self._sizes.length === 1 && self._numel === 0) return filled([minlength], 0, int64);
    const isValid = self._sizes.length === 1 && (self.min().item() as number) >= 0;
    if (!isValid) throw new RuntimeError("bincount only supports 1-d non-negative integral inputs.");
    if (weights !== null && !sameSizes(weights._sizes, self._sizes)) throw new RuntimeError("weights should be 1-d and have the same length as input");
    const length = Math.max((self.max().item() as number) + 1, minlength);
    const dtype = weights === null ? int64 : weights.dtype === float32 ? float32 : float64;
    return filled([length], 0, dtype).scatter_add_(0, self.to(int64), weights === null ? filled([self._numel], 1, int64) : weights.detach().to(dtype));
  },
  { takesOut: false },
);
