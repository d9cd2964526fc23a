/** Largest, smallest and middle elements, with their positions. */
import { kthSmallest, medianOf } from "../../backends/reference/extrema.ts";
import { lanesOf } from "../../backends/reference/lanes.ts";
import { CompositeOverload, kernel, KernelOverload } from "../../dispatch/define.ts";
import type { Op, SplitOp } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import { Reducer, reducedSizes, reductionDims, unfolded } from "../../dispatch/reduce.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, FLOAT, int32, int64, can_cast } from "../../tensor/dtype.ts";
import { wrapDim, type Sizes } from "../../tensor/layout.ts";
import { onlyElement, viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { asserted } from "../../schema/cpp-text.ts";
import { elementsAt, findExtrema } from "./extremum-search.ts";
import { filled } from "../creation/fill.ts";
import type { Dims } from "./reduction.ts";

/** A list `[values, indices]` that has the two as fields too. */
export type ValuesAndIndices = readonly [Tensor, Tensor] & { readonly values: Tensor; readonly indices: Tensor };

interface DimOptions {
  dim?: number;
  keepdim?: boolean;
}
interface DimsOptions {
  dim?: Dims;
  keepdim?: boolean;
}

const largest = new Reducer("max");
const smallest = new Reducer("min");

/** An extremum of nothing does not exist. */
function refuseEmptyDim(name: string, self: Tensor, dim: number): void {
  if (self._sizes.length > 0 && self._sizes.at(dim) === 0) throw new IndexError(`${name}: Expected reduction dim ${dim} to have non-zero size.`);
}
function refuseEmpty(name: string, self: Tensor): void {
  if (self._numel > 0) return;
  throw new RuntimeError(`${name}: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`);
}

/** `grad` shared evenly among the elements of each folded stretch that `mask` picks. */
function shared(grad: Tensor, mask: Tensor, dims: readonly number[]): Tensor {
  return grad.mul(mask).div(mask.sum(dims, true));
}

/** `grad` shared evenly among the elements equal to `result`, or NaN where that is NaN. */
function sharedAmongEquals(grad: Tensor, self: Tensor, result: Tensor): Tensor {
  const mask = Number.isNaN(Number(onlyElement(result))) ? self.isnan() : self.eq(result);
  return filled(self._sizes, 0, grad.dtype).masked_fill(mask, grad.div(mask.sum()));
}

/** Zeros with `grad` at the positions that a reduction over `dim` picked. */
export function placed(grad: Tensor, indices: Tensor, sizes: Sizes, dim: number, keepdim: boolean): Tensor {
  const zeros = filled(sizes, 0, grad.dtype);
  if (sizes.length === 0) return zeros.add(grad);
  return zeros.scatter(dim, unfolded(indices, sizes, dim, keepdim), unfolded(grad, sizes, dim, keepdim));
}

type Amax = Op<[self: Tensor, dim?: Dims, keepdim?: boolean], DimsOptions>;

const amaxLike = (name: "amax" | "amin", reducer: Reducer): Amax =>
  kernel(`${name}(Tensor self, int[1]? dim=[], bool keepdim=False) -> Tensor`, {
    forward: (self: Tensor, dim: Sizes | null, keepdim: boolean) => {
      if (dim === null || dim.length === 0) refuseEmpty(`${name}()`, self);
      else for (const d of dim) refuseEmptyDim(`${name}()`, self, d);
      const dims = reductionDims(dim, self._sizes.length);
      return reducer.run([self], dims, keepdim, self.dtype, self.dtype);
    },
    backward: {
      self: ({ grad, self, result, dim, keepdim }) =>
        shared(unfolded(grad, self._sizes, dim, keepdim), unfolded(result, self._sizes, dim, keepdim).eq(self), dim ?? []),
    },
    outRule: {
      refuses({ dtype }, self: Tensor) {
        if (dtype !== self.dtype) throw new RuntimeError(`Expected the dtype for input and out to match, but got ${self.dtype.title} for input's dtype and ${dtype.title} for out's dtype.`);
      },
    },
  });

/** The largest element of all, or over `dim`; NaN if there is one. The gradient is shared evenly among equals. */
export const amax: Amax = amaxLike("amax", largest);
/** The smallest element of all, or over `dim`; NaN if there is one. The gradient is shared evenly among equals. */
export const amin: Amax = amaxLike("amin", smallest);

type MinAndMax = readonly [Tensor, Tensor] & { readonly min: Tensor; readonly max: Tensor };

/** The smallest and the largest element, of all or over one dimension. */
export const aminmax: Op<[self: Tensor], { dim?: number | null; keepdim?: boolean }, MinAndMax> = kernel(
  "aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)",
  {
    forward: (self: Tensor, dim: number | null, keepdim: boolean) => {
      const dims = reductionDims(dim, self._sizes.length);
      if (dim !== null) for (const d of dims) refuseEmptyDim("aminmax", self, d);
      else if (self._numel === 0) throw new RuntimeError("aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
      return [smallest, largest].map((reducer) => reducer.run([self], dims, keepdim, self.dtype, self.dtype));
    },
    backward: {
      self: ({ grads, self, dim, keepdim, min, max }) => {
        const parts = [min, max].flatMap((extremum: Tensor, i) => {
          if (grads[i] === null) return [];
          const [full, grad] = [extremum, grads[i]].map((t) => unfolded(t, self._sizes, dim, keepdim));
          return [shared(grad, full.eq(self), dim === null ? [] : [dim])];
        });
        return parts.length === 2 ? parts[0].add(parts[1]) : parts[0];
      },
    },
  },
);

type Extremum = SplitOp<
  [self: Tensor, other?: Tensor], { other?: Tensor }, Tensor,
  [self: Tensor, dim: number, keepdim?: boolean], DimOptions, ValuesAndIndices
>;

function alongDim(name: string, self: Tensor, dim: number, keepdim: boolean): { d: number; values: Tensor; indices: Tensor; input: Tensor } {
  const d = wrapDim(dim, self._sizes.length);
  refuseEmptyDim(name, self, d);
  const sizes = reducedSizes(self._sizes, self._sizes.length === 0 ? [] : [d], keepdim);
  return { d, values: emptyTensor(sizes, self.dtype), indices: emptyTensor(sizes, int64), input: rowMajor(self) };
}

const castAsserted = asserted("canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype()))");

function extremum(name: "max" | "min", reducer: Reducer): Extremum {
  const node = name === "max" ? "MaxBackward" : "MinBackward";
  return overloaded(
    {},
    new KernelOverload(`${name}(Tensor self) -> Tensor`, {
      forward: (self: Tensor) => {
        refuseEmpty(`${name}()`, self);
        return reducer.run([self], null, false, self.dtype, self.dtype);
      },
      backward: { self: ({ grad, self, result }) => sharedAmongEquals(grad, self, result) },
      node: `${node}1`,
      outRule: {
        dtype(out, result) {
          if (!can_cast(result, out)) throw new RuntimeError(castAsserted);
        },
      },
    }),
    new CompositeOverload(`${name}.other(Tensor self, Tensor other) -> Tensor`, (self: Tensor, other: Tensor) => (name === "max" ? self.maximum(other) : self.minimum(other)), {
      outRule: { keepsInputs: true },
    }),
    new KernelOverload(`${name}.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)`, {
      forward: (self: Tensor, dim: number, keepdim: boolean) => {
        const { d, values, indices, input } = alongDim(`${name}()`, self, dim, keepdim);
        const lanes = lanesOf(self._sizes, d);
        findExtrema(name, input, lanes, indices);
        elementsAt(input, lanes, indices, values);
        return [values, indices];
      },
      backward: { self: ({ grad, self_sizes, dim, keepdim, indices }) => placed(grad, indices, self_sizes, dim, keepdim) },
      node: `${node}0`,
    }),
  );
}

/**
 * The largest element (its gradient shared evenly among equals); over `dim`, `[values, indices]` with the first of equals;
 * of two tensors, the same as `maximum`. NaN is the largest.
 *
 * @throws RuntimeError or IndexError where there is no element.
 * @example
 * const { values, indices } = torch.tensor([[1, 3, 3]]).max(1); // values [3], indices [1]
 */
export const max: Extremum = extremum("max", largest);
/** The smallest element, as `max`. NaN is the smallest. */
export const min: Extremum = extremum("min", smallest);

type ArgExtremum = Op<[self: Tensor, dim?: number | null, keepdim?: boolean], { dim?: number | null; keepdim?: boolean }>;

const argLike = (name: "argmax" | "argmin"): ArgExtremum =>
  kernel(`${name}(Tensor self, int? dim=None, bool keepdim=False) -> Tensor`, {
    forward: (self: Tensor, dim: number | null, keepdim: boolean) => {
      if (self.dtype.kind === BOOL) throw new RuntimeError(`${name}(): does not support bool input`);
      if (dim === null) {
        if (self._numel === 0) throw new IndexError(`${name}(): Expected reduction dim to be specified for input.numel() == 0.`);
        const whole = rowMajor(self)._reshaped([self._numel]);
        const indices = alongAll(name, whole);
        return keepdim ? indices._reshaped(self._sizes.map(() => 1)) : indices;
      }
      const { d, indices, input } = alongDim(`${name}()`, self, dim, keepdim);
      findExtrema(name === "argmax" ? "max" : "min", input, lanesOf(self._sizes, d), indices);
      return indices;
    },
  });

function alongAll(name: "argmax" | "argmin", whole: Tensor): Tensor {
  const indices = emptyTensor([], int64);
  findExtrema(name === "argmax" ? "max" : "min", whole, lanesOf(whole._sizes, 0), indices);
  return indices;
}

/** The position of the largest element (the first of equals) in the flattened tensor, or along `dim`; int64. */
export const argmax: ArgExtremum = argLike("argmax");
/** The position of the smallest element (the first of equals) in the flattened tensor, or along `dim`; int64. */
export const argmin: ArgExtremum = argLike("argmin");

type Median = SplitOp<[self: Tensor], unknown, Tensor, [self: Tensor, dim: number, keepdim?: boolean], DimOptions, ValuesAndIndices>;

function refuseBool(self: Tensor, kernelName: string): void {
  if (self.dtype.kind === BOOL) throw new NotImplementedError(`"${kernelName}" not implemented for 'Bool'`);
}

/** The median of nothing is NaN, and what C++ makes of that in each dtype. */
function medianOfNothing({ dtype }: Tensor): Tensor {
  if (dtype === int64 || dtype === int32) return filled([], -(2n ** BigInt(8 * dtype.itemsize - 1)), dtype);
  return filled([], dtype.kind === FLOAT ? NaN : dtype.kind === BOOL, dtype);
}

function medianLike(name: "median" | "nanmedian"): Median {
  const ignoreNaN = name === "nanmedian";
  const node = ignoreNaN ? "NanmedianBackward" : "MedianBackward";
  return overloaded(
    {},
    new KernelOverload(`${name}(Tensor self) -> Tensor`, {
      forward: (self: Tensor) => {
        if (self._numel === 0) return medianOfNothing(self);
        refuseBool(self, "median_cpu");
        const [values, indices] = [emptyTensor([], self.dtype), emptyTensor([], int64)];
        const input = rowMajor(self);
        medianOf(viewTyped(input), { outer: 1, n: input._numel, inner: 1 }, ignoreNaN, viewTyped(values), viewTyped(indices) as BigInt64Array);
        return values;
      },
      backward: { self: ({ grad, self, result }) => sharedAmongEquals(grad, self, result) },
      node: `${node}0`,
    }),
    new KernelOverload(`${name}.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)`, {
      forward: (self: Tensor, dim: number, keepdim: boolean) => {
        const { d, values, indices, input } = alongDim("median()", self, dim, keepdim);
        refuseBool(self, "median_out");
        medianOf(viewTyped(input), lanesOf(self._sizes, d), ignoreNaN, viewTyped(values), viewTyped(indices) as BigInt64Array);
        return [values, indices];
      },
      backward: { self: ({ grad, self_sizes, dim, keepdim, indices }) => placed(grad, indices, self_sizes, dim, keepdim) },
      node: `${node}1`,
    }),
  );
}

/** The lower median of all elements, or over `dim` with its position; NaN if there is one. */
export const median: Median = medianLike("median");
/** The lower median of the elements that are not NaN, of all or over `dim` with its position. */
export const nanmedian: Median = medianLike("nanmedian");

/** The `k`-th smallest element over `dim` (k from 1), with its position. */
export const kthvalue: Op<[self: Tensor, k: number, dim?: number, keepdim?: boolean], { k?: number } & DimOptions, ValuesAndIndices> = kernel(
  "kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
  {
    forward: (self: Tensor, k: number, dim: number, keepdim: boolean) => {
      const { d, values, indices, input } = alongDim("kthvalue()", self, dim, keepdim);
      const lanes = lanesOf(self._sizes, d);
      if (k < 1 || k > lanes.n) throw new RuntimeError(`kthvalue(): selected number k out of range for dimension ${d}`);
      if (self._sizes.length > 0) refuseBool(self, "kthvalue_cpu");
      kthSmallest(viewTyped(input), lanes, k, viewTyped(values), viewTyped(indices) as BigInt64Array);
      return [values, indices];
    },
    backward: { self: ({ grad, self_sizes, dim, keepdim, indices }) => placed(grad, indices, self_sizes, dim, keepdim) },
    outRule: { ...sameDtype((_out, _result, index) => (index === 0 ? "output values must be of same type as input" : "output indices must be of scalar type Long")), apart: true },
  },
);
