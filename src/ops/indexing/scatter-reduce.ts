/** scatter_reduce and index_reduce: joining elements at named places by a sum, product, mean or extremum. */
import type { Combine } from "../../backends/reference/gather.ts";
import { ErrorNode } from "../../autograd/node.ts";
import { gradMode } from "../../autograd/grad-mode.ts";
import { gradientNode, requiresGrad, setHistory } from "../../autograd/variable.ts";
import { kernel } from "../../dispatch/define.ts";
import type { InplaceOp } from "../../dispatch/op.ts";
import { IndexError, NotImplementedError, RuntimeError, warn } from "../../errors.ts";
import { BOOL, bool, FLOAT, type DType } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { where } from "../pointwise/selection.ts";
import { writeInto } from "../creation/copy.ts";
import { ones_like, zeros_like } from "../creation/creation.ts";
import { filled } from "../creation/fill.ts";
import { dimensioned, offsetTable, writingForms } from "./index-table.ts";
import { checkIndexed, checkScatter, joinEntries, scatterInto } from "./scatter-into.ts";

export type Reduction = "sum" | "prod" | "mean" | "amax" | "amin";

const combines: Record<Reduction, Combine> = { sum: "add", prod: "multiply", mean: "add", amax: "amax", amin: "amin" };

/** What joining changes nothing in. */
function neutral(reduce: Reduction, dtype: DType): number | bigint {
  if (reduce === "prod") return 1;
  if (reduce === "sum" || reduce === "mean") return 0;
  if (dtype.kind === FLOAT) return reduce === "amax" ? -Infinity : Infinity;
  if (dtype.kind === BOOL) return reduce === "amax" ? 0 : 1;
  const bits = BigInt(dtype.itemsize * 8 - (dtype.is_signed ? 1 : 0));
  const least = dtype.is_signed ? -(1n << bits) : 0n;
  return reduce === "amax" ? least : (1n << bits) - 1n;
}

/** Divides sums by how many terms each has; integers are rounded down. */
function divideByCount(self: Tensor, count: Tensor): void {
  const divisor = count.masked_fill(count.eq(0), 1);
  writeInto(self, self.dtype.kind === FLOAT ? self.div(divisor) : self.div(divisor, { rounding_mode: "floor" }));
}

/** The ways to read and write the places that an op names, from which its reduction and gradient are made. */
interface Access {
  opName: string;
  pick(t: Tensor): Tensor;
  add(t: Tensor, src: Tensor): Tensor;
  clear(t: Tensor): Tensor;
  reduce(t: Tensor, src: Tensor, reduce: Reduction, includeSelf: boolean): Tensor;
}

interface ReduceValues {
  grad: Tensor;
  self: Tensor;
  src: Tensor;
  result: Tensor;
  reduce: Reduction;
  include_self: boolean;
}

/** Gradients of `self` and `src` (scatter_reduce_backward and index_reduce_backward in FunctionsManual.cpp). */
function reduceGradients(values: ReduceValues, access: Access): [Tensor, Tensor] {
  const [self, src] = gradients[values.reduce](values, access);
  return [values.include_self ? self : access.clear(self), src];
}

const gradients: Record<Reduction, (values: ReduceValues, access: Access) => [Tensor, Tensor]> = {
  sum: ({ grad }, { pick }) => [grad, pick(grad)],
  mean({ grad, src, include_self }, { pick, add }) {
    const terms = add(include_self ? ones_like(grad) : zeros_like(grad), ones_like(src));
    const count = terms.masked_fill(terms.eq(0), 1);
    return [grad.div(count), pick(grad).div(pick(count))];
  },
  prod({ grad, self, src, result, include_self }, { opName, pick, add, reduce }) {
    const maskedSelf = self.masked_fill(self.eq(0), 1);
    const gradSelf = grad.mul(reduce(maskedSelf, src, "prod", include_self)).div(maskedSelf);
    const isZero = src.eq(0);
    const zeros = pick(add(zeros_like(self), isZero.to(self.dtype)));
    const isOnlyZero = isZero.logical_and(zeros.eq(1));
    const withoutZero = reduce(self, src.masked_fill(isOnlyZero, 1), "prod", include_self);
    const gradSrc = where(isOnlyZero, pick(grad.mul(withoutZero)), pick(grad.mul(result)).div(src.masked_fill(isZero, 1)));
    if (zeros.gt(1).sum().item() === 0) return [gradSelf, gradSrc];
    const what = opName === "scatter_reduce" ? "src" : "source";
    return [gradSelf, failingTwice(gradSrc, `${opName}(): Double backward is unsupported for ${what} when >1 zeros in ${what} are scattered to the same position in self`)];
  },
  amax: extremumGradients,
  amin: extremumGradients,
};

/** The gradient is shared evenly among all that equal the extremum. */
function extremumGradients({ grad, self, src, result }: ReduceValues, { pick, add }: Access): [Tensor, Tensor] {
  const selfIsIt = self.eq(result).to(self.dtype);
  const srcIsIt = src.eq(pick(result)).to(self.dtype);
  const share = grad.div(add(selfIsIt, srcIsIt));
  return [selfIsIt.mul(share), srcIsIt.mul(pick(share))];
}

/** The same value, whose own gradient is an error (torch::autograd::DelayedError). */
function failingTwice(value: Tensor, message: string): Tensor {
  if (!gradMode.enabled || !requiresGrad(value)) return value;
  const out = value.detach();
  setHistory(out, new ErrorNode(message, [gradientNode(value)]));
  return out;
}

function scatterReduceInto(self: Tensor, dim: number, index: Tensor, src: Tensor, reduce: Reduction, includeSelf: boolean): void {
  if (!(reduce in combines)) throw new RuntimeError(`reduce argument must be either sum, prod, mean, amax or amin, got ${String(reduce)}`);
  checkScatter(self, wrapDim(dim, self._sizes.length), index, src);
  if (reduce === "mean" && self.dtype === bool) throw new NotImplementedError(`"scatter_gather_tensor_cpu_reduce_mean" not implemented for 'Bool'`);
  if (!includeSelf) scatterInto(self, dim, index, filled([], neutral(reduce, self.dtype), self.dtype).expand(src._sizes), "assign");
  scatterInto(self, dim, index, src, combines[reduce]);
  if (reduce !== "mean") return;
  const count = filled(self._sizes, includeSelf ? 1 : 0, self.dtype);
  scatterInto(count, dim, index, ones_like(src), "add");
  divideByCount(self, count);
}

const scatterAccess = (dim: number, index: Tensor): Access => ({
  opName: "scatter_reduce",
  pick: (t) => t.gather(dim, index),
  add: (t, src) => t.scatter_add(dim, index, src),
  clear: (t) => t.scatter(dim, index, 0),
  reduce: (t, src, reduce, include_self) => t.scatter_reduce(dim, index, src, reduce, { include_self }),
});

type ReduceOp = InplaceOp<[self: Tensor, dim: number, index: Tensor, src: Tensor, reduce: Reduction], { include_self?: boolean; reduce?: Reduction }>;

/** `self` with the elements of `src` joined to the places along `dim` that `index` names; `include_self: false` leaves out what was there. */
export const scatter_reduce: ReduceOp = kernel(
  "scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor",
  {
    ...writingForms(scatterReduceInto),
    backward: {
      "self, src": ({ grad, self, dim, index, src, reduce, include_self, result }) => reduceGradients({ grad, self, src, result, reduce, include_self }, scatterAccess(dim, index)),
    },
  },
);

function indexReduceInto(self: Tensor, dim: number, index: Tensor, source: Tensor, reduce: Reduction, includeSelf: boolean): void {
  if (!(reduce in combines) || reduce === "sum") throw new RuntimeError(`index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ${String(reduce)}.`);
  warn("index_reduce() is in beta and the API may change at any time.");
  const d = wrapDim(dim, self._sizes.length);
  checkIndexed("index_reduce", self, d, index, source);
  if (source._numel === 0) return;
  if (self.dtype.kind === BOOL) throw new NotImplementedError(`"${includeSelf ? "index_func_" : "index_reduce_func_exclude_input_init"}" not implemented for 'Bool'`);
  const { sizes } = dimensioned(self);
  const outOfRange = (entry: number): IndexError => new IndexError(`index ${entry} is out of bounds for dimension ${d} with size ${sizes[d]}`);
  const table = (t: Tensor): Uint32Array => offsetTable(index, sizes[d], dimensioned(t).strides[d], false, outOfRange);
  const offsets = table(self);
  const all = (value: number | bigint): Tensor => filled([], value, self.dtype)._aliased(source._sizes, source._sizes.map(() => 0), 0);
  if (!includeSelf) joinEntries(self, d, offsets, all(neutral(reduce, self.dtype)), "assign");
  joinEntries(self, d, offsets, source, combines[reduce]);
  if (reduce !== "mean") return;
  const count = filled(self._sizes, includeSelf ? 1 : 0, self.dtype);
  joinEntries(count, d, table(count), all(1), "add");
  divideByCount(self, count);
}

const indexAccess = (dim: number, index: Tensor): Access => ({
  opName: "index_reduce",
  pick: (t) => t.index_select(dim, index),
  add: (t, src) => t.index_add(dim, index, src),
  clear: (t) => t.index_fill(dim, index, 0),
  reduce: (t, src, reduce, include_self) => t.index_reduce(dim, index, src, reduce, { include_self }),
});

/** `self` with the entries of `source` along `dim` joined to those that `index` names, by "prod", "mean", "amax" or "amin". */
export const index_reduce: ReduceOp = kernel(
  "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor",
  {
    ...writingForms(indexReduceInto),
    backward: {
      "self, source": ({ grad, self, dim, index, source, reduce, include_self, result }) =>
        reduceGradients({ grad, self, src: source, result, reduce, include_self }, indexAccess(dim, index)),
    },
  },
);
