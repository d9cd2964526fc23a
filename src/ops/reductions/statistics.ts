/** Variances and standard deviations. */
import { CompositeOverload, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import { foldedCount, Reducer, reductionDims, unfolded } from "../../dispatch/reduce.ts";
import { RuntimeError, warn } from "../../errors.ts";
import { FLOAT, float64 } from "../../tensor/dtype.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Dims } from "./reduction.ts";

interface Options {
  dim?: Dims;
  /** How much is taken off the number of elements; 1 by default. */
  correction?: number | null;
  unbiased?: boolean;
  keepdim?: boolean;
}
/** `x.var(dim, unbiased, keepdim)`, `x.var(unbiased)` or `x.var(dim, { correction, keepdim })`. */
type Positional = [self: Tensor, dim?: Dims | boolean, unbiased?: boolean, keepdim?: boolean];

const means = new Reducer("sum", ({ self }) => self, ({ folded, count }) => folded.div(count));
const variances = new Reducer("sum", ({ self, mean }) => self.sub(mean).mul(self.sub(mean)), ({ folded, freedom }) => folded.div(freedom));
const deviations = new Reducer("sum", ({ self, mean }) => self.sub(mean).mul(self.sub(mean)), ({ folded, freedom }) => folded.div(freedom).sqrt());

interface Spread {
  reducer: Reducer;
  name: "var" | "std" | "var_mean" | "std_mean";
}

/** Mean in float64 with folded dimensions kept, and the spread around it: two passes, so that nothing cancels. */
function spreadOf({ reducer, name }: Spread, self: Tensor, dim: Sizes | null, correction: number | null, keepdim: boolean): { spread: Tensor; mean: Tensor } {
  if (self.dtype.kind !== FLOAT) {
    throw new RuntimeError(`${name.endsWith("_mean") ? name : "std and var"} only support floating point and complex dtypes`);
  }
  const dims = reductionDims(dim, self._sizes.length);
  const count = foldedCount(self._sizes, dim);
  const freedom = (self._numel === 0 ? 0 : count) - (correction ?? 1);
  if (freedom <= 0) {
    warn(`${name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel divided by output numel).`);
  }
  const mean = means.run([self, count], dims, dims.length < self._sizes.length, float64, float64);
  return { spread: reducer.run([self, mean, Math.max(freedom, 0)], dims, keepdim, float64, self.dtype), mean };
}

/** Gradient of the variance (var_backward in torch/csrc/autograd/FunctionsManual.cpp). */
function varBackward(grad: Tensor, self: Tensor, dim: Sizes | null, correction: number | null, keepdim: boolean): Tensor {
  const freedom = foldedCount(self._sizes, dim) - (correction ?? 1);
  if (dim === null || self._sizes.length === 0) {
    const mean = self.mean();
    if (freedom > 0) return grad.mul(2 / freedom).mul(self.sub(mean));
    // NaN at the mean, infinite elsewhere.
    return grad.mul(self.ne(mean).to(self.dtype).mul(Infinity));
  }
  return unfolded(grad, self._sizes, dim, keepdim).mul(2 / freedom).mul(self.sub(self.mean(dim, true)));
}

/** The slope of the root is taken as 0 where all elements are equal. */
function stdBackward(result: Tensor, grad: Tensor, self: Tensor, dim: Sizes | null, correction: number | null, keepdim: boolean): Tensor {
  return varBackward(grad.div(result.mul(2)).masked_fill(result.eq(0), 0), self, dim, correction, keepdim);
}

function meanBackward(grad: Tensor, self: Tensor, dim: Sizes | null, keepdim: boolean): Tensor {
  return unfolded(grad, self._sizes, dim, keepdim).expand(self._sizes).div(foldedCount(self._sizes, dim));
}

const added = (a: Tensor | null, b: Tensor | null): Tensor | null => (a === null || b === null ? (a ?? b) : a.add(b));

/** The forms with `unbiased` in front of the one with `correction`, in PyTorch's order. */
function forms(name: Spread["name"], returns: string, correction: KernelOverload) {
  const of = (self: Tensor, dim: Sizes | null, unbiased: boolean, keepdim: boolean): unknown => correction.call([self, dim, unbiased ? 1 : 0, keepdim]);
  return [
    new CompositeOverload(`${name}.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> ${returns}`, of),
    correction,
    new CompositeOverload(`${name}(Tensor self, bool unbiased=True) -> ${returns}`, (self: Tensor, unbiased: boolean) => of(self, null, unbiased, false)),
  ] as const;
}

const schema = (name: Spread["name"], returns: string): string =>
  `${name}.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> ${returns}`;

/**
 * The variance of all elements, or over `dim`: Σ (x - mean)² / (n - correction).
 *
 * @throws RuntimeError where the dtype is no float. Warns where n ≤ correction.
 * @example
 * torch.tensor([1, 2, 3, 4]).var().item(); // 1.6666666269302368
 */
const variance: Op<Positional, Options> = overloaded(
  {},
  ...forms("var", "Tensor", new KernelOverload(schema("var", "Tensor"), {
    forward: (self, dim, correction, keepdim) => spreadOf({ reducer: variances, name: "var" }, self, dim, correction, keepdim).spread,
    backward: { self: ({ grad, self, dim, correction, keepdim }) => varBackward(grad, self, dim, correction, keepdim) },
    outRule: {},
  })),
);

export { variance as var };

/** The square root of the variance; its slope is 0 where all elements are equal. */
export const std: Op<Positional, Options> = overloaded(
  {},
  ...forms("std", "Tensor", new KernelOverload(schema("std", "Tensor"), {
    forward: (self, dim, correction, keepdim) => spreadOf({ reducer: deviations, name: "std" }, self, dim, correction, keepdim).spread,
    backward: { self: ({ grad, self, result, dim, correction, keepdim }) => stdBackward(result, grad, self, dim, correction, keepdim) },
    outRule: {},
  })),
);

function withMean(spread: Spread) {
  return (self: Tensor, dim: Sizes | null, correction: number | null, keepdim: boolean): [Tensor, Tensor] => {
    const { spread: first, mean } = spreadOf(spread, self, dim, correction, keepdim);
    return [first, mean.to(self.dtype)._reshaped(first._sizes)];
  };
}

type Pair = readonly [Tensor, Tensor];

/** The variance and the mean. */
export const var_mean: FunctionOp<Positional, Options, Pair> = overloaded(
  { method: false },
  ...forms("var_mean", "(Tensor, Tensor)", new KernelOverload(schema("var_mean", "(Tensor, Tensor)"), {
    forward: withMean({ reducer: variances, name: "var_mean" }),
    backward: {
      self: ({ grads, self, dim, correction, keepdim }) =>
        added(grads[0] && varBackward(grads[0], self, dim, correction, keepdim), grads[1] && meanBackward(grads[1], self, dim, keepdim)),
    },
  })),
);

/** The standard deviation and the mean. */
export const std_mean: FunctionOp<Positional, Options, Pair> = overloaded(
  { method: false },
  ...forms("std_mean", "(Tensor, Tensor)", new KernelOverload(schema("std_mean", "(Tensor, Tensor)"), {
    forward: withMean({ reducer: deviations, name: "std_mean" }),
    backward: {
      self: ({ grads, self, result0, dim, correction, keepdim }) =>
        added(grads[0] && stdBackward(result0, grads[0], self, dim, correction, keepdim), grads[1] && meanBackward(grads[1], self, dim, keepdim)),
    },
  })),
);
