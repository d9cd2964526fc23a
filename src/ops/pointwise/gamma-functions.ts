/** The gamma function's kin, the inverse of erf, and Bessel functions, element by element. */
import { kernel } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import type { FunctionOp, InplaceOp } from "../../dispatch/op.ts";
import { castable } from "../../dispatch/out.ts";
import { choose, pointwise, type PointwiseDefinition } from "../../dispatch/pointwise.ts";
import { RuntimeError } from "../../errors.ts";
import { valueOnly, type Formula } from "../../ir/arithmetic.ts";
import { BOOL, FLOAT, get_default_dtype, INT } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "../creation/copy.ts";
import { finfo } from "../creation/type-info.ts";
import { noKernel } from "./refusals.ts";

type Unary = InplaceOp<[self: Tensor]>;

/** The logarithm of |Γ(x)|. */
export const lgamma: Unary = pointwise("lgamma(Tensor self) -> Tensor", {
  out: "float",
  value: valueOnly(({ self }) => self.lgamma()),
  backward: { self: ({ grad, self }) => grad.mul(self.digamma()) },
});

/** The slope of lgamma. */
export const digamma: Unary = pointwise("digamma(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.digamma(),
  backward: { self: ({ grad, self }) => grad.mul(self.polygamma(1)) },
});

interface Order {
  readonly value: Formula;
  readonly grad: Formula;
}
const orders = new Map<number, Order>();

/** The formulas of the n-th derivative, which are kept, for their kernels are kept with them. */
function orderOf(n: number): Order {
  if (n < 0) throw new RuntimeError("polygamma(n, x) does not support negative n.");
  let order = orders.get(n);
  if (order === undefined) orders.set(n, (order = { value: ({ self }) => self.polygamma(n), grad: ({ grad, self }) => grad.mul(self.polygamma(n + 1)) }));
  return order;
}

const derivative: PointwiseDefinition = {
  out: "float",
  value: choose(["n"], (n: number) => orderOf(n).value),
  backward: { self: choose(["n"], (n: number) => orderOf(n).grad) },
};

/** The n-th derivative of digamma. */
export const polygamma: FunctionOp<[n: number, input: Tensor]> = pointwise("polygamma(int n, Tensor self) -> Tensor", { ...derivative, method: false, inplace: false });
/** The same as a method, whose tensor comes first. */
export const polygammaMethod: InplaceOp<[self: Tensor, n: number]> = pointwise("polygamma(Tensor self, int n) -> Tensor", { ...derivative, takesOut: false });

const dimensions = new Map<number, Order>();

/** The formulas in p dimensions, which are kept as those of `orderOf` are. */
function dimensionsOf(p: number): Order {
  if (p < 1) throw new RuntimeError("p has to be greater than or equal to 1");
  let found = dimensions.get(p);
  if (found === undefined) {
    const halves = Array.from({ length: p }, (_, j) => -j / 2);
    const constant = (p * (p - 1) * Math.log(Math.PI)) / 4;
    found = {
      value: valueOnly(({ self }) => halves.map((h) => self.add(h).lgamma()).reduce((sum, term) => sum.add(term)).add(constant)),
      grad: ({ grad, self }) => grad.mul(halves.map((h) => self.add(h).digamma()).reduce((sum, term) => sum.add(term))),
    };
    dimensions.set(p, found);
  }
  return found;
}

/**
 * The logarithm of the gamma function in p dimensions: Σ lgamma(x - j / 2) over j < p, and p (p - 1) / 4 · log π.
 *
 * @throws RuntimeError where p is less than 1, or `self` holds bools.
 */
export const mvlgamma: InplaceOp<[self: Tensor, p: number]> = pointwise("mvlgamma(Tensor self, int p) -> Tensor", {
  out: "float",
  value: choose(["p"], (p: number) => dimensionsOf(p).value),
  backward: { self: choose(["p"], (p: number) => dimensionsOf(p).grad) },
  refuse: ([self]) => {
    if ((self as Tensor).dtype.kind === BOOL) throw new RuntimeError("The input tensor may not be a boolean tensor.");
  },
});

/** The number whose erf is `self`. */
export const erfinv: Unary = pointwise("erfinv(Tensor self) -> Tensor", {
  out: "float",
  value: valueOnly(({ self }) => self.erfinv()),
  backward: { self: ({ grad, self: _self, result }) => grad.mul(result.mul(result).exp().mul(Math.sqrt(Math.PI) / 2)) },
});

const valueIn = (formula: Formula) => (self: Tensor): Tensor => {
  const dtype = self.dtype.kind === FLOAT ? self.dtype : get_default_dtype();
  return fused(formula).run([self], dtype, dtype, null);
};

const valueOfI0 = valueIn(valueOnly(({ self }) => self.i0()));

/** The modified Bessel function of the first kind and of order 0. */
export const i0: InplaceOp<[self: Tensor]> = kernel("i0(Tensor self) -> Tensor", {
  forward: valueOfI0,
  backward: { self: ({ grad, self }) => grad.mul(i1(self)) },
  outRule: {},
  inplace: (self: Tensor) => {
    const result = valueOfI0(self);
    castable(self.dtype, result.dtype);
    writeInto(self, result);
  },
});

/** The slope of i1, i0(x) - i1(x) / x: 0.5 at 0, which second derivatives must not divide by. */
function slopeOfI1(self: Tensor, result: Tensor): Tensor {
  const isTiny = self.abs().le(finfo(self.dtype).eps);
  const safe = self.masked_fill(isTiny, 1);
  return i0(safe).sub(result.div(safe)).masked_fill(isTiny, 0.5);
}

/** The modified Bessel function of the first kind and of order 1. */
export const i1: FunctionOp<[input: Tensor]> = kernel("special_i1(Tensor self) -> Tensor", {
  forward: valueIn(valueOnly(({ self }) => self.i1())),
  backward: { self: ({ grad, self, result }) => grad.mul(slopeOfI1(self, result)) },
  outRule: {},
  method: false,
});

/** The next number after `self` towards `other` that the dtype can hold. */
export const nextafter: InplaceOp<[self: Tensor, other: Tensor]> = pointwise("nextafter(Tensor self, Tensor other) -> Tensor", {
  value: valueOnly(({ self, other }) => self.nextafter(other)),
  backward: {
    self: ({ grad, self, other }) => grad.where(self.ne(other), 0),
    other: ({ self: _self, other: _other }) => 0,
  },
  check: noKernel("nextafter_cpu", BOOL, INT),
  numbers: false,
});
