/** Runs a reduction over some dimensions of a tensor. */
import { compileReduction } from "../backends/reference/compile.ts";
import { runReduction } from "../backends/loop.ts";
import { RuntimeError } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { Expr } from "../ir/expr.ts";
import type { ReductionKernel } from "../ir/kernel.ts";
import type { ReductionName } from "../ir/reduction.ts";
import type { DType } from "../tensor/dtype.ts";
import { contiguousStrides, wrapDim, type Sizes } from "../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../tensor/tensor.ts";
import { fused } from "./fused.ts";

/** The value that is folded, out of one element: `self` itself, its square, … */
export type Map1 = (self: Expr) => Expr;

const identity: Formula = ({ self }) => self;

/** A named fold of a mapped element, with its kernels by dtypes. */
export class Reducer {
  private readonly name: ReductionName;
  private readonly map: Map1;
  private readonly kernels = new Map<number, ReductionKernel>();

  constructor(name: ReductionName, map: Map1 = (self) => self) {
    this.name = name;
    this.map = map;
  }

  /** Folds `dims` (wrapped, no duplicates) of `self`, read as `compute`, into a tensor of dtype `out`. */
  run(self: Tensor, dims: readonly number[], keepdim: boolean, compute: DType, out: DType): Tensor {
    const isReduced = self._sizes.map((_, d) => dims.includes(d));
    const sizes = reducedSizes(self._sizes, dims, keepdim);
    const result = emptyTensor(sizes, out);
    const kept = pickDims(self, isReduced, false);
    const folded = pickDims(self, isReduced, true);
    const outStrides = contiguousStrides(kept.sizes).map((s) => s * out.itemsize);
    const done = runReduction(
      this.kernel(self.dtype, compute, out),
      { sizes: kept.sizes, out: outStrides, inputs: [kept.strides] },
      { sizes: folded.sizes, inputs: [folded.strides] },
      [result._address, self._address],
    );
    return done ? result : this.run(foldedLast(self, isReduced), foldedLastDims(self, dims), false, compute, out)._reshaped(sizes);
  }

  private kernel(input: DType, compute: DType, out: DType): ReductionKernel {
    const key = (input.code * 16 + compute.code) * 16 + out.code;
    let kernel = this.kernels.get(key);
    if (kernel === undefined) {
      kernel = compileReduction({ name: this.name, map: this.map(Expr.input(0, input).to(compute)), dtype: out });
      this.kernels.set(key, kernel);
    }
    return kernel;
  }
}

function pickDims(self: Tensor, isReduced: readonly boolean[], want: boolean): { sizes: number[]; strides: number[] } {
  const dims = isReduced.flatMap((r, d) => (r === want ? [d] : []));
  return { sizes: dims.map((d) => self._sizes[d]), strides: dims.map((d) => self._strides[d] * self.dtype.itemsize) };
}

/** A contiguous copy with the folded dimensions last, where they do not merge into two strides. */
function foldedLast(self: Tensor, isReduced: readonly boolean[]): Tensor {
  const order = [...isReduced.keys()].sort((a, b) => Number(isReduced[a]) - Number(isReduced[b]) || a - b);
  const copy = emptyTensor(order.map((d) => self._sizes[d]), self.dtype);
  const permuted = self._aliased(order.map((d) => self._sizes[d]), order.map((d) => self._strides[d]), self._offset);
  return fused(identity).run([permuted], self.dtype, self.dtype, copy);
}

function foldedLastDims(self: Tensor, dims: readonly number[]): number[] {
  return dims.map((_, i) => self._sizes.length - dims.length + i);
}

export function reducedSizes(sizes: Sizes, dims: readonly number[], keepdim: boolean): number[] {
  const out: number[] = [];
  sizes.forEach((size, d) => {
    if (!dims.includes(d)) out.push(size);
    else if (keepdim) out.push(1);
  });
  return out;
}

/** Wrapped dimensions of a reduction; none or an empty list means all. */
export function reductionDims(dims: number | readonly number[] | null | undefined, ndim: number): number[] {
  const list = dims === null || dims === undefined ? [] : typeof dims === "number" ? [dims] : dims;
  if (list.length === 0) return Array.from({ length: ndim }, (_, i) => i);
  const wrapped = list.map((d) => wrapDim(d, ndim));
  wrapped.forEach((d, i) => {
    if (wrapped.indexOf(d) !== i) throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
  });
  return ndim === 0 ? [] : wrapped;
}

/** Brings a reduction's gradient back to the input's rank: one size-1 dimension for each folded one. */
export function unfolded(grad: Tensor, sizes: Sizes, dim: readonly number[] | null, keepdim: boolean): Tensor {
  if (keepdim || sizes.length === 0) return grad;
  return grad.view(reducedSizes(sizes, reductionDims(dim, sizes.length), true));
}
