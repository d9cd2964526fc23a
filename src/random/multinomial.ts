import { RuntimeError } from "../errors.ts";
import { exponential } from "./distributions.ts";
import type { Floats } from "./elements.ts";
import type { Generator } from "./generator.ts";

export interface MultinomialOptions {
  /** How many numbers to draw from each row of weights. */
  samples: number;
  /** Whether a number may be drawn twice. */
  replacement: boolean;
}

/**
 * `multinomial(weights, samples, replacement)`: for each row of `categories` weights, `samples` indices drawn with
 * probabilities proportional to them. Rows lie one after the other in `weights` and in `out`. Errors are PyTorch's.
 *
 * ```ts
 * const out = new BigInt64Array(3);
 * const g = new Generator().manual_seed(0);
 * multinomial(out, Float32Array.of(0, 1, 3), 3, { samples: 3, replacement: true }, g); // 2n, 2n, 2n
 * ```
 */
export function multinomial(
  out: BigInt64Array,
  weights: Floats,
  categories: number,
  { samples, replacement }: MultinomialOptions,
  g: Generator,
): void {
  // As in PyTorch, a single sample is drawn the way that never repeats one.
  if (replacement && samples > 1) drawWithReplacement(out, weights, categories, samples, g);
  else drawWithoutReplacement(out, weights, categories, samples, g);
}

const SUM_IS_ZERO = "invalid multinomial distribution (sum of probabilities <= 0)";

/** Looks a float64 uniform up in the running sum of the row, kept in the dtype of the weights. */
function drawWithReplacement(
  out: BigInt64Array,
  weights: Floats,
  categories: number,
  samples: number,
  g: Generator,
): void {
  for (let row = 0; row * categories < weights.length; row++) {
    const sums = weights.slice(row * categories, (row + 1) * categories);
    accumulate(sums);
    for (let j = 0; j < samples; j++) out[row * samples + j] = BigInt(firstAtLeast(sums, g.uniform64()));
  }
}

/** Turns weights into their running sum, scaled to end with 1. */
function accumulate(weights: Floats): void {
  for (let j = 0; j < weights.length; j++) {
    const weight = weights[j]!;
    if (!(weight >= 0)) throw invalid("encountering probability entry < 0");
    if (weight === Infinity) throw invalid("encountering probability entry = infinity or NaN");
    if (j > 0) weights[j] = weights[j - 1]! + weight;
  }
  const last = weights.length - 1;
  const sum = weights[last]!;
  if (!(sum > 0)) throw new RuntimeError(SUM_IS_ZERO);
  for (let j = 0; j < last; j++) weights[j] = weights[j]! / sum;
  weights[last] = 1;
}

const invalid = (why: string): RuntimeError => new RuntimeError(`invalid multinomial distribution (${why})`);

function firstAtLeast(sorted: Floats, value: number): number {
  let left = 0;
  let right = sorted.length;
  while (left < right) {
    const middle = (left + right) >>> 1;
    if (sorted[middle]! < value) left = middle + 1;
    else right = middle;
  }
  return left;
}

/**
 * The indices of the greatest weight / e, where the e are exponential: see S. Efraimidis and P. Spirakis, "Weighted
 * random sampling with a reservoir" (2006). Equal ones, which only weights of 0 yield, stay in their order.
 */
function drawWithoutReplacement(
  out: BigInt64Array,
  weights: Floats,
  categories: number,
  samples: number,
  g: Generator,
): void {
  if (!weights.every((weight) => weight >= 0 && weight < Infinity)) {
    throw new RuntimeError("probability tensor contains either `inf`, `nan` or element < 0");
  }
  const rows = weights.length / categories;
  for (let row = 0; row < rows; row++) {
    const some = weights.subarray(row * categories, (row + 1) * categories).some((weight) => weight > 0);
    if (!some) throw new RuntimeError(SUM_IS_ZERO);
  }
  const keys = weights.slice();
  exponential(keys, 1, g);
  for (let i = 0; i < keys.length; i++) keys[i] = weights[i]! / keys[i]!;
  for (let row = 0; row < rows; row++) {
    const own = keys.subarray(row * categories, (row + 1) * categories);
    const order = Array.from(own.keys()).sort((a, b) => own[b]! - own[a]!);
    for (let j = 0; j < samples; j++) out[row * samples + j] = BigInt(order[j]!);
  }
}
