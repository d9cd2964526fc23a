/** Covariances and correlations of variables. */
import { composite } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { RuntimeError, warn } from "../../errors.ts";
import { BOOL, FLOAT, INT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";

function checkRank(op: string, self: Tensor): void {
  const ndim = self._sizes.length;
  if (ndim > 2) throw new RuntimeError(`${op}(): expected input to have two or fewer dimensions but got an input with ${ndim} dimensions`);
}

/** Refuses weights of observations that are of no use: one for each is wanted, and none may be negative. */
function checkWeights(name: string, weights: Tensor, count: number, wanted: string, fits: boolean): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(`cov(): ${text}`);
  };
  if (weights._sizes.length > 1) refuse(`expected ${name} to have one or fewer dimensions but got ${name} with ${weights._sizes.length} dimensions`);
  if (!fits) refuse(`expected ${name} to have ${wanted} dtype but got ${name} with ${weights.dtype.title} dtype`);
  if (weights._numel !== count) refuse(`expected ${name} to have the same numel as there are observations in the input but got ${weights._numel} != ${count}`);
  if (count > 0 && weights.lt(0).any().item() === true) refuse(`${name} cannot be negative`);
}

interface Weighting {
  correction?: number;
  fweights?: Tensor | null;
  aweights?: Tensor | null;
}

/**
 * Covariances of the variables in the rows of `self`, whose columns are observations; of a lone variable its variance.
 * `fweights` says how often each observation was made, `aweights` how much it counts.
 *
 * @throws RuntimeError where there are more than two dimensions, or weights do not fit. Warns where there are too few observations.
 * @example
 * torch.tensor([[0, 1, 2], [2, 1, 0]]).cov().tolist(); // [[1, -1], [-1, 1]]
 */
export const cov: Op<[self: Tensor], Weighting> = composite(
  "cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor",
  (self: Tensor, correction: number, fweights: Tensor | null, aweights: Tensor | null) => {
    checkRank("cov", self);
    if (self.dtype.kind === BOOL) throw new RuntimeError("cov(): bool dtype is not supported for input");
    const variables = self._sizes.length < 2 ? self.view(1, -1) : self;
    const count = variables._sizes[1];
    if (fweights !== null) checkWeights("fweights", fweights, count, "integral", fweights.dtype.kind === INT);
    if (aweights !== null) checkWeights("aweights", aweights, count, "floating point", aweights.dtype.kind === FLOAT);
    const weights = fweights !== null && aweights !== null ? fweights.mul(aweights) : (fweights ?? aweights);
    const weighted = (t: Tensor): Tensor => (weights === null ? t : t.mul(weights));
    const total = weights === null ? count : weights.sum();
    if (typeof total !== "number" && total.item() === 0) throw new RuntimeError("cov(): weights sum to zero, can't be normalized");

    const deviations = variables.sub(weighted(variables).sum(1).div(total).unsqueeze(1));
    return deviations.mm(weighted(deviations).t()).div(freedomOf(total, correction, weights, aweights)).squeeze();
  },
  { takesOut: false },
);

/** What the sum of products is divided by. */
function freedomOf(total: Tensor | number, correction: number, weights: Tensor | null, aweights: Tensor | null): Tensor | number {
  let freedom = typeof total === "number" ? total - correction : total.sub(correction);
  if (typeof total !== "number" && weights !== null && aweights !== null && correction !== 0) freedom = total.sub(weights.mul(aweights).sum().mul(correction).div(total));
  if (Number(typeof freedom === "number" ? freedom : freedom.item()) > 0) return freedom;
  warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.");
  return 0;
}

/**
 * Pearson's correlations of the variables in the rows of `self`, whose columns are observations.
 *
 * @throws RuntimeError where there are more than two dimensions.
 * @example
 * torch.tensor([[0, 1, 2], [2, 1, 0]]).corrcoef().tolist(); // [[1, -1], [-1, 1]]
 */
export const corrcoef: Op<[self: Tensor]> = composite(
  "corrcoef(Tensor self) -> Tensor",
  (self: Tensor) => {
    checkRank("corrcoef", self);
    const covariances = self.cov();
    if (covariances._sizes.length === 0) return covariances.div(covariances);
    const deviations = covariances.diag().sqrt();
    return covariances.div(deviations.view(-1, 1)).div(deviations.view(1, -1)).clip(-1, 1);
  },
  { takesOut: false },
);
