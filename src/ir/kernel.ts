/**
 * What a compiled kernel is, for every backend. Addresses and steps are in bytes; operand 0 is the output.
 * A kernel knows nothing of shapes: the loop driver calls it once per stretch of the innermost dimensions.
 */

/** Runs `n` elements: operand i starts at `at[i]` and advances by `step[i]`. */
export type PointwiseKernel = (n: number, at: readonly number[], step: readonly number[], scalars: readonly (number | bigint)[]) => void;

/** Folds `outer` × `inner` elements of the inputs into the one element of operand 0. (A scan is a PointwiseKernel: one lane a call.) */
export type ReductionKernel = (
  outer: number,
  inner: number,
  at: readonly number[],
  outerStep: readonly number[],
  innerStep: readonly number[],
  scalars: readonly (number | bigint)[],
) => void;
