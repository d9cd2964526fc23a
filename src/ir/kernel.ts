/**
 * What a compiled kernel is, for every backend. Addresses and steps are in bytes; operand 0 is the output.
 * A kernel knows nothing of shapes: the loop driver calls it for two dimensions at a time.
 */

/**
 * Runs `outer` rows of `inner` elements: operand i starts at `at[i]`, advances by `step[i]` in a row and by `outerStep[i]`
 * from row to row. Elements do not depend on one another; where an input is the output itself, each is read before it is written.
 */
export type PointwiseKernel = (
  inner: number,
  outer: number,
  at: readonly number[],
  step: readonly number[],
  outerStep: readonly number[],
  scalars: readonly (number | bigint)[],
) => void;

/**
 * Runs along `lanes` lanes of `n` elements: operand i starts at `at[i]`, advances by `step[i]` along a lane and by `across[i]` from lane
 * to lane. Lanes do not depend on one another; where the input is the output itself, each element is read before it is written.
 */
export type ScanKernel = (
  n: number,
  lanes: number,
  at: readonly number[],
  step: readonly number[],
  across: readonly number[],
  scalars: readonly (number | bigint)[],
) => void;

/** Folds `outer` × `inner` elements of the inputs into the one element of operand 0. */
export type ReductionKernel = (
  outer: number,
  inner: number,
  at: readonly number[],
  outerStep: readonly number[],
  innerStep: readonly number[],
  scalars: readonly (number | bigint)[],
) => void;
