/** Quantiles: elements by their rank, or between two ranks. */
import { CompositeOverload } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import { RuntimeError } from "../../errors.ts";
import { FLOAT, int64 } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { broadcast_tensors } from "../shape/broadcasting.ts";

const interpolations = ["linear", "lower", "higher", "midpoint", "nearest"];
type Interpolation = "linear" | "lower" | "higher" | "midpoint" | "nearest";

function check(self: Tensor, q: Tensor, interpolation: string): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(`quantile() ${text}`);
  };
  if (!interpolations.includes(interpolation)) refuse(`interpolation must be one of linear, lower, higher, midpoint or nearest, but got ${interpolation}`);
  if (self._numel === 0) refuse("input tensor must be non-empty");
  if (q._sizes.length > 1) refuse("q must be a scalar or 1D tensor");
  if (self.dtype.kind !== FLOAT) refuse("input tensor must be either float or double dtype");
  if (q.dtype !== self.dtype) refuse("q tensor must be same dtype as the input tensor");
  if (q.ge(0).logical_and(q.le(1)).all().item() !== true) refuse("q values must be in the range [0, 1]");
}

/** The sorted elements along the last dimension, with `dim` taken out unless `keepdim`. */
function sortedLast(self: Tensor, dim: number | null, keepdim: boolean): Tensor {
  if (dim === null) {
    const all = self.flatten().sort()[0];
    return keepdim ? all.view([...self._sizes.map(() => 1), all._numel]) : all;
  }
  const d = wrapDim(dim, self._sizes.length);
  if (self._sizes.length === 0) return self.view([1]);
  const [values] = keepdim ? self.unsqueeze(-1).transpose(d, -1).sort() : self.movedim(d, -1).sort();
  return values;
}

/** The ranks, whole or not; where a NaN is, that of the last element unless NaNs are ignored. */
function ranksOf(sorted: Tensor, q: Tensor, ignoreNaN: boolean): Tensor {
  if (ignoreNaN) {
    const ranks = q.mul(sorted.isnan().logical_not().sum(-1, true).sub(1));
    return ranks.masked_fill(ranks.lt(0), 0);
  }
  const last = sorted._sizes.at(-1)! - 1;
  const [ranks, poisoned] = broadcast_tensors(q.mul(last), sorted.isnan().any(-1, true));
  return ranks.masked_fill(poisoned, last);
}

function quantileOf(name: string, self: Tensor, q: Tensor, dim: number | null, keepdim: boolean, interpolation: string): Tensor {
  check(self, q, interpolation);
  const sorted = sortedLast(self, dim, keepdim);
  const exact = ranksOf(sorted, q._sizes.length === 0 ? q.view([1]) : q, name === "nanquantile");
  const ranks = interpolation === "lower" ? exact.floor() : interpolation === "higher" ? exact.ceil() : interpolation === "nearest" ? exact.round() : exact;
  const below = ranks.to(int64);
  let values = sorted.gather(-1, below);
  if (interpolation === "linear" || interpolation === "midpoint") {
    const weights = interpolation === "midpoint" ? filled(ranks._sizes, 0.5, ranks.dtype) : ranks.sub(below);
    values = values.lerp(sorted.gather(-1, ranks.ceil().to(int64)), weights);
  }
  return q._sizes.length === 0 ? values.squeeze_(-1) : values.unsqueeze(0).transpose(0, -1).squeeze_(-1);
}

interface Options {
  q?: Tensor | number;
  dim?: number | null;
  keepdim?: boolean;
  interpolation?: Interpolation;
}
type Quantile = Op<[self: Tensor, q: Tensor | number, dim?: number | null, keepdim?: boolean], Options>;

const outRule = sameDtype(() => "quantile() out tensor must be same dtype as the input tensor");

const quantiles = (name: "quantile" | "nanquantile"): Quantile =>
  overloaded(
    {},
    new CompositeOverload(
      `${name}(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor`,
      (self: Tensor, q: Tensor, dim: number | null, keepdim: boolean, interpolation: string) => quantileOf(name, self, q, dim, keepdim, interpolation),
      { outRule },
    ),
    new CompositeOverload(
      `${name}.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor`,
      (self: Tensor, q: number, dim: number | null, keepdim: boolean, interpolation: string) => {
        if (!(q >= 0 && q <= 1)) throw new RuntimeError(`quantile() q must be in the range [0, 1] but got ${q}`);
        return quantileOf(name, self, filled([], q, self.dtype), dim, keepdim, interpolation);
      },
      { outRule },
    ),
  );

/**
 * The value below which the share `q` of the elements lies, of all or along `dim`; a vector of shares gives the first dimension of
 * the result. Between two ranks `interpolation` decides. A NaN among the elements gives NaN.
 *
 * @throws RuntimeError where `q` is outside [0, 1], or dtypes or sizes do not fit.
 * @example
 * torch.tensor([1, 2, 3, 4]).quantile(0.5).item(); // 2.5
 */
export const quantile: Quantile = quantiles("quantile");
/** `quantile` of the elements that are not NaN. */
export const nanquantile: Quantile = quantiles("nanquantile");
