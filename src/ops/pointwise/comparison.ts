/** Comparisons: bool results, which never require grad. */
import { withGradMode } from "../../autograd/grad-mode.ts";
import { composite, kernel } from "../../dispatch/define.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { InplaceOp, Op, TensorLike } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { bool, FLOAT, get_default_dtype } from "../../tensor/dtype.ts";
import { sameSizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { emptyLike, fillWith } from "../creation/fill.ts";

type Comparison = InplaceOp<[self: Tensor, other: TensorLike]>;

const zero: Formula = () => 0;

/** Written in place over a float tensor, a comparison is recorded, with gradient 0. */
function comparison(name: string, value: Formula): Comparison {
  const camel = name[0].toUpperCase() + name.slice(1);
  return overloaded(
    {},
    new PointwiseOverload(`${name}.Tensor(Tensor self, Tensor other) -> Tensor`, {
      out: "bool", value, backward: { self: zero, other: zero }, node: `${camel}Backward1`, inplace: true, numbers: false,
    }),
    new PointwiseOverload(`${name}.Scalar(Tensor self, Scalar other) -> Tensor`, {
      out: "bool", value, backward: { self: zero }, promoted: ["other"], inplace: true,
    }),
  );
}

/** self == other. */
export const eq: Comparison = comparison("eq", ({ self, other }) => self.eq(other));
/** self != other. */
export const ne: Comparison = comparison("ne", ({ self, other }) => self.ne(other));
/** self < other. */
export const lt: Comparison = comparison("lt", ({ self, other }) => self.lt(other));
/** self <= other. */
export const le: Comparison = comparison("le", ({ self, other }) => self.le(other));
/** self > other. */
export const gt: Comparison = comparison("gt", ({ self, other }) => self.gt(other));
/** self >= other. */
export const ge: Comparison = comparison("ge", ({ self, other }) => self.ge(other));

/** Is each element not a number? */
export const isnan: Op<[self: Tensor]> = pointwise("isnan(Tensor self) -> Tensor", { out: "bool", value: ({ self }) => self.isnan(), takesOut: false });

/** Is each element infinite? Unlike `isfinite` it asks for the absolute value outside the graph. */
export const isinf: Op<[self: Tensor]> = composite(
  "isinf(Tensor self) -> Tensor",
  (self: Tensor) => (self.dtype.kind === FLOAT ? withGradMode(false, () => eq(self.abs(), Infinity)) : fillWith(emptyLike(self, bool), false)),
  { takesOut: false },
);

/** Is each element finite? */
export const isfinite: Op<[self: Tensor]> = composite(
  "isfinite(Tensor self) -> Tensor",
  (self: Tensor) => (self.dtype.kind === FLOAT ? eq(self, self).mul(ne(self.abs(), Infinity)) : fillWith(emptyLike(self, bool), true)),
  { takesOut: false },
);

/** Is each element +∞? */
export const isposinf: Op<[self: Tensor]> = pointwise("isposinf(Tensor self) -> Tensor", { out: "bool", value: ({ self }) => self.eq(Infinity), outRule: sameDtype(() => "isposinf does not support non-boolean outputs.") });

/** Is each element -∞? */
export const isneginf: Op<[self: Tensor]> = pointwise("isneginf(Tensor self) -> Tensor", { out: "bool", value: ({ self }) => self.eq(-Infinity), outRule: sameDtype(() => "isneginf does not support non-boolean outputs.") });

/** True for every element: there are no complex tensors. */
export const isreal: Op<[self: Tensor]> = kernel("isreal(Tensor self) -> Tensor", {
  forward: (self: Tensor) => fillWith(emptyLike(self, bool), true),
  takesOut: false,
});

interface Tolerances {
  rtol?: number;
  atol?: number;
  equal_nan?: boolean;
}
type Close<R> = Op<[self: Tensor, other: Tensor, rtol?: number, atol?: number, equal_nan?: boolean], Tolerances, R>;

function closeTo(self: Tensor, other: Tensor, rtol: number, atol: number, equalNaN: boolean): Tensor {
  if (self.dtype !== other.dtype) throw new RuntimeError(`${self.dtype.title} did not match ${other.dtype.title}`);
  for (const [name, value] of Object.entries({ rtol, atol })) {
    if (!(value >= 0)) throw new RuntimeError(`${name} must be greater than or equal to zero, but got ${value}`);
  }
  const close = self.eq(other);
  if (equalNaN && self.dtype.kind === FLOAT) close.logical_or_(self.isnan().logical_and(other.isnan()));
  if (rtol === 0 && atol === 0) return close;
  const [a, b] = self.dtype.kind === FLOAT ? [self, other] : [self.to(get_default_dtype()), other.to(get_default_dtype())];
  const allowed = b.mul(rtol).abs().add(atol);
  const actual = a.sub(b).abs();
  return close.logical_or_(actual.isfinite().logical_and(actual.le(allowed)));
}

/** |self - other| <= atol + rtol · |other|, element by element; both of one dtype. */
export const isclose: Close<Tensor> = composite(
  "isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor",
  closeTo,
);

/** Are all elements close, in the sense of `isclose`? */
export const allclose: Close<boolean> = composite(
  "allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool",
  (self: Tensor, other: Tensor, rtol: number, atol: number, equalNaN: boolean) => closeTo(self, other, rtol, atol, equalNaN).all().item(),
);

/** Have both tensors the same sizes and elements? NaN differs from itself. */
export const equal: Op<[self: Tensor, other: Tensor], unknown, boolean> = composite("equal(Tensor self, Tensor other) -> bool", (self: Tensor, other: Tensor) => {
  return sameSizes(self._sizes, other._sizes) && self.eq(other).all().item();
});
