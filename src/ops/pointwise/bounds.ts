/** Bounds and the larger or smaller of two elements. */
import { refuseBroadcastOutput } from "../../dispatch/iterate.ts";
import { foundDtype } from "../../dispatch/out.ts";
import { choose, overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { InplaceOp, Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { valueOnly, type Arithmetic, type Formula } from "../../ir/arithmetic.ts";
import { BOOL, typeMetaName, type DType } from "../../tensor/dtype.ts";
import { broadcastSizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { both, mustFit, noKernel } from "./refusals.ts";

type Pair = Op<[self: Tensor, other: Tensor]>;

/** At a tie each side gets half of the gradient. The comparison comes first in PyTorch, and so its operands in the formulas: its layout is the result's. */
function halved<V extends Arithmetic<V>>(grad: V, tie: V, lost: V): V {
  return grad.div(2).where(tie, grad).where(lost.logical_not(), 0);
}

/** The larger of two elements, NaN if either is; the gradient at a tie is halved. */
export const maximum: Pair = pointwise("maximum(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.maximum(other),
  backward: {
    self: ({ self, other, grad }) => halved(grad, self.eq(other), self.lt(other)),
    other: ({ self, other, grad }) => halved(grad, self.eq(other), self.gt(other)),
  },
  inplace: false,
  numbers: false,
});

/** The smaller of two elements, NaN if either is; the gradient at a tie is halved. */
export const minimum: Pair = pointwise("minimum(Tensor self, Tensor other) -> Tensor", {
  value: ({ self, other }) => self.minimum(other),
  backward: {
    self: ({ self, other, grad }) => halved(grad, self.eq(other), self.gt(other)),
    other: ({ self, other, grad }) => halved(grad, self.eq(other), self.lt(other)),
  },
  inplace: false,
  numbers: false,
});

/** The larger of two elements; a NaN counts as missing. */
export const fmax: Pair = pointwise("fmax(Tensor self, Tensor other) -> Tensor", {
  value: valueOnly(({ self, other }) => self.fmax(other)),
  backward: {
    self: ({ grad, self, other }) => grad.masked_fill(self.ge(other).logical_or(other.isnan()).logical_not(), 0),
    other: ({ grad, self, other }) => grad.masked_fill(self.ge(other).logical_or(other.isnan()), 0),
  },
  inplace: false,
  numbers: false,
});

/** The smaller of two elements; a NaN counts as missing. */
export const fmin: Pair = pointwise("fmin(Tensor self, Tensor other) -> Tensor", {
  value: valueOnly(({ self, other }) => self.fmin(other)),
  backward: {
    self: ({ grad, self, other }) => grad.masked_fill(self.le(other).logical_or(other.isnan()).logical_not(), 0),
    other: ({ grad, self, other }) => grad.masked_fill(self.le(other).logical_or(other.isnan()), 0),
  },
  inplace: false,
  numbers: false,
});

// As in PyTorch the comparison comes first, whose layout is the gradient's.
const boundsGrad: Formula = ({ self, min, max, grad }) => grad.where(self.ge(min).logical_and(self.le(max)), 0);
const lowerGrad: Formula = ({ self, min, grad }) => grad.where(self.ge(min), 0);
const upperGrad: Formula = ({ self, max, grad }) => grad.where(self.le(max), 0);
const bounded: Formula = ({ self, min, max }) => self.maximum(min).minimum(max);
const boundedBelow: Formula = ({ self, min }) => self.maximum(min);
const boundedAbove: Formula = ({ self, max }) => self.minimum(max);
const minGrad: Formula = ({ self, min, grad }) => grad.where(self.lt(min), 0);
const maxGrad: Formula = ({ self, max, grad }) => grad.where(self.gt(max), 0);
const minOfBothGrad: Formula = ({ self, min, max, grad }) => grad.where(self.lt(min).logical_and(min.lt(max)), 0);
const maxOfBothGrad: Formula = ({ self, min, max, grad }) => grad.where(self.gt(max).logical_or(min.gt(max)), 0);

const byBounds = (two: Formula, lower: Formula, upper: Formula): ReturnType<typeof choose> =>
  choose(["min", "max"], (min, max) => (max === null ? lower : min === null ? upper : two));

function checkBounds(values: readonly unknown[]): void {
  if (values[1] === null && values[2] === null) throw new RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None");
}

/** The kernel that bools lack depends on the bounds given. */
function refuseBoolScalars(values: readonly unknown[], common: DType): void {
  noKernel(values[2] === null ? "clamp_min_scalar_cpu" : values[1] === null ? "clamp_max_scalar_cpu" : "clamp_scalar_cpu", BOOL)(values, common);
}

function refuseBoolBounds(values: readonly unknown[], common: DType): void {
  if (values[1] !== null && values[2] !== null) noKernel("clamp_cpu", BOOL)(values, common);
}

/** PyTorch joins two comparisons in place, the second into the first; its shape must hold both. */
function refuseNarrowComparison(needed: readonly string[], saved: (name: string) => Tensor | null): void {
  const [self, min, max] = ["self", "min", "max"].map(saved);
  if (min === null || max === null) return;
  const joined: Record<string, [Tensor, Tensor, Tensor, Tensor]> = { min: [self!, min, min, max], max: [self!, max, max, min], self: [self!, min, self!, max] };
  for (const [name, [a, b, c, d]] of Object.entries(joined)) {
    if (!needed.includes(name)) continue;
    const into = broadcastSizes(a._sizes, b._sizes);
    refuseBroadcastOutput({ _sizes: into }, broadcastSizes(into, broadcastSizes(c._sizes, d._sizes)));
  }
}

type Bound = number | Tensor | null;
type Clamp = InplaceOp<[self: Tensor, min?: Bound, max?: Bound], { min?: Bound; max?: Bound }>;

const clampOf = (name: string): Clamp =>
  overloaded(
    {},
    new PointwiseOverload(`${name}.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor`, {
      value: byBounds(bounded, boundedBelow, boundedAbove),
      backward: {
        self: byBounds(boundsGrad, lowerGrad, upperGrad),
        min: choose(["max"], (max) => (max === null ? minGrad : minOfBothGrad)),
        max: choose(["min"], (min) => (min === null ? maxGrad : maxOfBothGrad)),
      },
      refuseBackward: refuseNarrowComparison,
      node: "ClampBackward0",
      check: both(checkBounds, refuseBoolBounds),
      numbers: false,
    }),
    new PointwiseOverload(`${name}(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor`, {
      value: byBounds(bounded, boundedBelow, boundedAbove),
      backward: { self: byBounds(boundsGrad, lowerGrad, upperGrad) },
      promoted: ["min", "max"],
      outRule: foundDtype,
      node: "ClampBackward1",
      check: both(checkBounds, refuseBoolScalars, mustFit(1, 2)),
      castName: typeMetaName,
    }),
  );

/** Each element brought into [min, max]; the slope is 1 at the bounds. */
export const clamp: Clamp = clampOf("clamp");
/** The same as `clamp`. */
export const clip: Clamp = clampOf("clip");

/** Each element, but at least `min`. */
export const clamp_min: InplaceOp<[self: Tensor, min: number | Tensor]> = overloaded(
  {},
  new PointwiseOverload("clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", {
    value: boundedBelow,
    backward: { self: lowerGrad, min: minGrad },
    node: "ClampMinBackward1",
    numbers: false,
  }),
  new PointwiseOverload("clamp_min(Tensor self, Scalar min) -> Tensor", {
    value: boundedBelow,
    backward: { self: lowerGrad },
    promoted: ["min"],
    outRule: foundDtype,
    check: both(noKernel("clamp_min_scalar_cpu", BOOL), mustFit(1)),
    castName: typeMetaName,
  }),
);

/** Each element, but at most `max`. */
export const clamp_max: InplaceOp<[self: Tensor, max: number | Tensor]> = overloaded(
  {},
  new PointwiseOverload("clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", {
    value: boundedAbove,
    backward: { self: upperGrad, max: maxGrad },
    node: "ClampMaxBackward1",
    numbers: false,
  }),
  new PointwiseOverload("clamp_max(Tensor self, Scalar max) -> Tensor", {
    value: boundedAbove,
    backward: { self: upperGrad },
    promoted: ["max"],
    outRule: foundDtype,
    check: both(noKernel("clamp_max_scalar_cpu", BOOL), mustFit(1)),
    castName: typeMetaName,
  }),
);
