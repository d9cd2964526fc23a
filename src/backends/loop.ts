/** Drives kernels over N-dimensional operands: merges dimensions, then calls the kernel for the innermost ones. */
import type { PointwiseKernel, ReductionKernel, ScanKernel } from "../ir/kernel.ts";
import type { Sizes } from "../tensor/layout.ts";

/** Byte address and byte strides of an operand; operand 0 is the output. */
export interface Operand {
  address: number;
  strides: Sizes;
}

const noScalars: readonly number[] = [];

/** Merges neighbouring dimensions along which every operand advances evenly. Sizes and strides are outermost first. */
export function coalesce(sizes: Sizes, strides: Sizes[]): { sizes: number[]; strides: number[][] } {
  const outSizes: number[] = [];
  const out: number[][] = strides.map(() => []);
  for (let d = 0; d < sizes.length; d++) {
    if (sizes[d] === 1) continue;
    const last = outSizes.length - 1;
    if (last >= 0 && strides.every((s, k) => out[k][last] === s[d] * sizes[d])) {
      outSizes[last] *= sizes[d];
      strides.forEach((s, k) => (out[k][last] = s[d]));
    } else {
      outSizes.push(sizes[d]);
      strides.forEach((s, k) => out[k].push(s[d]));
    }
  }
  return { sizes: outSizes, strides: out };
}

/** Runs `kernel` over all elements of `sizes`, along the memory order of the output. */
export function runPointwise(
  kernel: PointwiseKernel,
  sizes: Sizes,
  operands: readonly Operand[],
  scalars: readonly (number | bigint)[] = noScalars,
): void {
  if (sizes.includes(0)) return;
  const merged = coalesce(...inMemoryOrder(sizes, operands.map((o) => o.strides)));
  const at = operands.map((o) => o.address);
  const inner = merged.sizes.pop() ?? 1;
  const step = merged.strides.map((s) => s.pop() ?? 0);
  const row = rowDimension(merged.sizes, merged.strides, step);
  const outer = row < 0 ? 1 : merged.sizes.splice(row, 1)[0];
  const outerStep = merged.strides.map((s) => (row < 0 ? 0 : s.splice(row, 1)[0]));
  const width = isTransposed(step, outerStep) ? Math.min(inner, TILE) : inner;
  forEachIndex(merged.sizes, merged.strides, at, () => {
    if (width === inner) return kernel(inner, outer, at, step, outerStep, scalars);
    for (let from = 0; from < inner; from += width) {
      kernel(Math.min(width, inner - from), outer, at.map((address, k) => address + from * step[k]), step, outerStep, scalars);
    }
  });
}

/** Columns that are worked on at once where rows lie across the memory of an operand, so that the cache keeps their lines from row to row. */
const TILE = 32;

/** Does some input go on by less from row to row than within a row? */
function isTransposed(step: Sizes, outerStep: Sizes): boolean {
  return step.some((s, k) => outerStep[k] > 0 && outerStep[k] < s);
}

/** Sizes and strides with the dimension along which the output advances most coming first. */
function inMemoryOrder(sizes: Sizes, strides: Sizes[]): [Sizes, Sizes[]] {
  const [out] = strides;
  if (out.every((s, d) => d === 0 || s <= out[d - 1])) return [sizes, strides];
  const order = [...sizes.keys()].sort((a, b) => out[b] - out[a] || a - b);
  return [order.map((d) => sizes[d]), strides.map((list) => order.map((d) => list[d]))];
}

/**
 * The dimension that makes the rows of kernel calls: the one along which an input that rows lie across advances least,
 * else the innermost of those left, or where that is short, the longest.
 */
function rowDimension(sizes: Sizes, strides: readonly Sizes[], step: Sizes): number {
  const last = sizes.length - 1;
  if (last < 1) return last;
  for (let k = 1; k < step.length; k++) {
    const steps = strides[k].map((s) => (s > 0 ? s : Infinity));
    const least = Math.min(...steps);
    if (least < step[k]) return steps.indexOf(least);
  }
  return sizes[last] >= SHORT ? last : sizes.indexOf(Math.max(...sizes));
}

/** Fewer rows than this hardly pay for a call. */
const SHORT = 16;

/** Calls `body` for each index of `sizes`, keeping the addresses `at` in step. */
export function forEachIndex(sizes: Sizes, strides: readonly Sizes[], at: number[], body: () => void): void {
  const ndim = sizes.length;
  if (ndim === 0) return body();
  const index = new Array<number>(ndim).fill(0);
  for (;;) {
    body();
    let d = ndim - 1;
    for (; d >= 0; d--) {
      if (++index[d] < sizes[d]) {
        for (let k = 0; k < at.length; k++) at[k] += strides[k][d];
        break;
      }
      index[d] = 0;
      for (let k = 0; k < at.length; k++) at[k] -= strides[k][d] * (sizes[d] - 1);
    }
    if (d < 0) return;
  }
}

/**
 * Runs a reduction: `kept` dimensions index the output, `reduced` ones are folded. At most two dimensions may remain
 * to fold after merging; returns false where more remain, and the caller makes the input contiguous first.
 */
export function runReduction(
  kernel: ReductionKernel,
  kept: { sizes: Sizes; out: Sizes; inputs: Sizes[] },
  reduced: { sizes: Sizes; inputs: Sizes[] },
  addresses: readonly number[],
  scalars: readonly (number | bigint)[] = noScalars,
): boolean {
  const fold = coalesce(reduced.sizes, reduced.inputs);
  if (fold.sizes.length > 2) return false;
  if (kept.sizes.includes(0)) return true;
  const empty = reduced.sizes.includes(0);
  const inner = empty ? 0 : fold.sizes.pop() ?? 1;
  const outer = empty ? 0 : fold.sizes.pop() ?? 1;
  const innerStep = [0, ...fold.strides.map((s) => s[s.length - 1] ?? 0)];
  const outerStep = [0, ...fold.strides.map((s) => (s.length > 1 ? s[0] : 0))];
  const walk = coalesce(kept.sizes, [kept.out, ...kept.inputs]);
  const at = addresses.slice();
  forEachIndex(walk.sizes, walk.strides, at, () => kernel(outer, inner, at, outerStep, innerStep, scalars));
  return true;
}

/** Runs a scan along one dimension of both operands; `sizes` and the strides of the others index the lanes. */
export function runScan(kernel: ScanKernel, n: number, step: readonly number[], sizes: Sizes, strides: Sizes[], addresses: readonly number[]): void {
  if (n === 0 || sizes.includes(0)) return;
  const merged = coalesce(sizes, strides);
  const lanes = merged.sizes.pop() ?? 1;
  const across = merged.strides.map((s) => s.pop() ?? 0);
  const at = addresses.slice();
  forEachIndex(merged.sizes, merged.strides, at, () => kernel(n, lanes, at, step, across, noScalars));
}
