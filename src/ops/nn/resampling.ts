/** Which positions of a dimension a resampled one is made of, and with what weights (aten/src/ATen/native/UpSample.h). */

/** For each position of the output a position of the input, and the weight that it enters with; null is 1. */
export interface Tap {
  positions: number[];
  weights: number[] | null;
}

/** How one dimension is resampled. */
export interface Resampling {
  from: number;
  to: number;
  alignCorners: boolean;
  /** Output over input, where a caller gave it. */
  factor: number | null;
}

const positive = (factor: number | null): factor is number => factor !== null && factor > 0;

/** How far apart neighbours of the output lie in the input. */
function spacing({ from, to, alignCorners, factor }: Resampling): number {
  if (alignCorners) return to > 1 ? (from - 1) / (to - 1) : 0;
  return positive(factor) ? 1 / factor : from / to;
}

/** Where position `i` of the output lies in the input. */
const centre = (resampling: Resampling, i: number): number => (resampling.alignCorners ? spacing(resampling) * i : spacing(resampling) * (i + 0.5) - 0.5);

const range = <T>(n: number, at: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => at(i));

/** The one nearest; `exact` looks from the middle of each element rather than from its beginning. PyTorch rounds to float32 here. */
export function nearestTaps({ from, to, factor }: Resampling, exact: boolean): Tap[] {
  const step = Math.fround(positive(factor) ? 1 / factor : from / to);
  return [{ positions: range(to, (i) => Math.min(Math.floor(Math.fround((exact ? i + 0.5 : i) * step)), from - 1)), weights: null }];
}

/** The two neighbours. */
export function linearTaps(resampling: Resampling): Tap[] {
  const { from, to } = resampling;
  // Positions stay where the size does, whatever the factor.
  const real = range(to, (i) => (from === to ? i : Math.max(centre(resampling, i), 0)));
  const lower = real.map((x) => Math.min(Math.floor(x), from - 1));
  const upper = real.map((x, i) => Math.min(Math.max(x - lower[i], 0), 1));
  return [
    { positions: lower, weights: upper.map((w) => 1 - w) },
    { positions: lower.map((i) => Math.min(i + 1, from - 1)), weights: upper },
  ];
}

/** Cubic convolution (Keys, 1981): the weight of a neighbour at distance x. */
function cubicWeight(x: number, a: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
}

/** The four neighbours. */
export function cubicTaps(resampling: Resampling): Tap[] {
  const { from, to } = resampling;
  const real = range(to, (i) => centre(resampling, i));
  return [-1, 0, 1, 2].map((offset) => ({
    positions: real.map((x) => Math.min(Math.max(Math.floor(x) + offset, 0), from - 1)),
    weights: real.map((x) => cubicWeight(Math.floor(x) + offset - x, -0.75)),
  }));
}

/** A filter for reducing pictures without aliasing: its weight at distance x, and how far it reaches. */
export interface Filter {
  weight: (x: number) => number;
  reach: number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

export const filters: Record<"bilinear" | "bicubic" | "lanczos", Filter> = {
  bilinear: { weight: (x) => Math.max(1 - Math.abs(x), 0), reach: 1 },
  bicubic: { weight: (x) => cubicWeight(x, -0.5), reach: 2 },
  lanczos: { weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0), reach: 3 },
};

/** All elements that a filter, widened to the spacing of the output, covers. */
export function filteredTaps(resampling: Resampling, { weight, reach }: Filter): Tap[] {
  const { from, to } = resampling;
  const step = spacing(resampling);
  const wide = Math.max(step, 1);
  const windows = range(to, (i) => {
    const middle = step * (i + 0.5);
    const first = Math.max(Math.trunc(middle - reach * wide + 0.5), 0);
    const count = Math.min(Math.trunc(middle + reach * wide + 0.5), from) - first;
    const weights = range(count, (j) => weight((j + first - middle + 0.5) / wide));
    const total = weights.reduce((sum, w) => sum + w, 0);
    return { first, weights: weights.map((w) => w / total) };
  });
  const most = Math.max(...windows.map(({ weights }) => weights.length));
  return range(most, (t) => ({
    positions: windows.map(({ first }) => Math.min(first + t, from - 1)),
    weights: windows.map(({ weights }) => weights[t] ?? 0),
  }));
}
