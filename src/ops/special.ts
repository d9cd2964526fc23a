/** The namespace torch.special. */
export { log_softmax, logsumexp, softmax } from "./nn/normalization.ts";
export { erf, exp2, expm1, log1p, sigmoid as expit } from "./pointwise/exponential.ts";
export { digamma, digamma as psi, erfinv, i0, i1, lgamma as gammaln, mvlgamma as multigammaln, polygamma } from "./pointwise/gamma-functions.ts";
export { round } from "./pointwise/pointwise.ts";
export { entr, erfc, logit, ndtr, sinc, xlog1py, xlogy } from "./pointwise/special-functions.ts";
