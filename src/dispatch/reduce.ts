/** Runs a reduction over some dimensions of a tensor. */
import { compileReduction } from "../backends/reference/compile.ts";
import { runReduction } from "../backends/loop.ts";
import { RuntimeError } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { Expr } from "../ir/expr.ts";
import type { ReductionKernel } from "../ir/kernel.ts";
import { accumulatorOf, type ReductionName } from "../ir/reduction.ts";
import { dtypes, type DType } from "../tensor/dtype.ts";
import { contiguousStrides, expandedStrides, sameSizes, wrapDim, type Sizes } from "../tensor/layout.ts";
import { emptyTensor, Tensor } from "../tensor/tensor.ts";
import { byteStrides, destructuredNames, fused } from "./fused.ts";
import type { TensorOrNumber } from "./promote.ts";

const identity: Formula = ({ self }) => self;
const unchanged: Formula = ({ folded }) => folded;
const radix = dtypes.length + 1;

// Kernels take addresses and steps in arrays; these serve every reduction of contiguous tensors.
const at: number[] = [0, 0, 0, 0, 0];
const step: number[] = [0, 0, 0, 0, 0];
const noStep: readonly number[] = [0, 0, 0, 0, 0];
const scalars: (number | bigint)[] = [0, 0, 0, 0];

/**
 * A named fold over a formula of the elements, with its kernels by dtypes. `finish` makes the result out of what was
 * `folded`, which for floats is a float64: `new Reducer("sum", ({ self }) => self, ({ folded, count }) => folded.div(count))`.
 */
export class Reducer {
  private readonly name: ReductionName;
  private readonly map: Formula;
  private readonly finish: Formula;
  private readonly mapped: readonly string[];
  private readonly finishing: readonly string[];
  private readonly kernels = new Map<number, ReductionKernel>();

  constructor(name: ReductionName, map: Formula = identity, finish: Formula = unchanged) {
    this.name = name;
    this.map = map;
    this.finish = finish;
    this.mapped = destructuredNames(map);
    this.finishing = destructuredNames(finish).filter((n) => n !== "folded");
  }

  /**
   * Folds `dims` (wrapped, no duplicates; null for all) of the first operand into a new tensor of dtype `out`. The
   * operands are the values of the names of `map`, read as dtype `compute`, then those of `finish`: the first a tensor,
   * the others numbers or tensors that broadcast to it.
   */
  run(operands: readonly TensorOrNumber[], dims: readonly number[] | null, keepdim: boolean, compute: DType, out: DType): Tensor {
    const { _sizes: sizes } = operands[0] as Tensor;
    const kernel = this.kernel(operands, compute, out);
    const count = dims === null ? sizes.length : dims.length;
    const first = dims === null || count === sizes.length ? 0 : Math.min(...dims);
    const isStretch = count === sizes.length || (count > 0 && Math.max(...dims!) - first === count - 1);
    if (!isStretch || !alike(operands)) return this.runOver(kernel, operands, dims ?? sizes.map((_, d) => d), keepdim, compute, out);
    const result = emptyTensor(withoutStretch(sizes, first, count, keepdim), out);
    runLanes(kernel, operands, first, count, result);
    return result;
  }

  private runOver(kernel: ReductionKernel, operands: readonly TensorOrNumber[], dims: readonly number[], keepdim: boolean, compute: DType, out: DType): Tensor {
    const sizes = (operands[0] as Tensor)._sizes;
    const kept = sizes.flatMap((_, d) => (dims.includes(d) ? [] : [d]));
    const folded = sizes.flatMap((_, d) => (dims.includes(d) ? [d] : []));
    const strides = operands.map((t) => (t instanceof Tensor ? byteStrides(t, sizes) : sizes.map(() => 0)));
    const pick = (list: Sizes, order: readonly number[]): number[] => order.map((d) => list[d]);
    const result = emptyTensor(reducedSizes(sizes, dims, keepdim), out);
    const keptSizes = pick(sizes, kept);
    const done = runReduction(
      kernel,
      { sizes: keptSizes, out: contiguousStrides(keptSizes).map((s) => s * out.itemsize), inputs: strides.map((s) => pick(s, kept)) },
      { sizes: pick(sizes, folded), inputs: strides.map((s) => pick(s, folded)) },
      [result._address, ...operands.map((t) => (t instanceof Tensor ? t._address : 0))],
      operands.map((t) => (t instanceof Tensor ? 0 : typeof t === "boolean" ? Number(t) : t)),
    );
    if (done) return result;
    const rearranged = operands.map((t) => (t instanceof Tensor ? inOrder(t, sizes, [...kept, ...folded]) : t));
    return this.run(rearranged, folded.map((_, i) => kept.length + i), false, compute, out)._reshaped(result._sizes);
  }

  private kernel(operands: readonly TensorOrNumber[], compute: DType, out: DType): ReductionKernel {
    let key = compute.code * radix + out.code;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i];
      key = key * radix + (operand instanceof Tensor ? operand.dtype.code : dtypes.length);
    }
    let kernel = this.kernels.get(key);
    if (kernel === undefined) this.kernels.set(key, (kernel = this.compile(operands, compute, out)));
    return kernel;
  }

  private compile(operands: readonly TensorOrNumber[], compute: DType, out: DType): ReductionKernel {
    const accumulator = accumulatorOf(out);
    const values: Record<string, Expr> = {};
    this.mapped.forEach((name, i) => {
      const operand = operands[i];
      values[name] = operand instanceof Tensor ? Expr.input(i, operand.dtype).to(compute) : Expr.scalar(i, compute);
    });
    const ends: Record<string, Expr> = { folded: Expr.folded(accumulator) };
    this.finishing.forEach((name, i) => (ends[name] = Expr.scalar(this.mapped.length + i, accumulator)));
    const asExpr = (value: Expr | number, dtype: DType): Expr => (typeof value === "number" ? Expr.constant(value, dtype) : value);
    return compileReduction({ name: this.name, map: asExpr(this.map(values), compute), finish: asExpr(this.finish(ends), accumulator), dtype: out });
  }
}

/** Are all tensors contiguous, and of the sizes of the first or 0-dim? */
function alike(operands: readonly TensorOrNumber[]): boolean {
  const first = operands[0] as Tensor;
  for (let i = 0; i < operands.length; i++) {
    const t = operands[i];
    if (t instanceof Tensor && !(t._contiguous && (t._sizes === first._sizes || t._sizes.length === 0 || sameSizes(t._sizes, first._sizes)))) return false;
  }
  return true;
}

/** Folds `count` neighbouring dimensions of contiguous tensors, lane by lane. */
function runLanes(kernel: ReductionKernel, operands: readonly TensorOrNumber[], first: number, count: number, result: Tensor): void {
  const { _sizes: sizes } = operands[0] as Tensor;
  let [outer, n, inner] = [1, 1, 1];
  for (let d = 0; d < sizes.length; d++) {
    if (d < first) outer *= sizes[d];
    else if (d < first + count) n *= sizes[d];
    else inner *= sizes[d];
  }
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (operand instanceof Tensor) step[i + 1] = operand._sizes.length === 0 ? 0 : operand.dtype.itemsize * inner;
    else scalars[i] = typeof operand === "boolean" ? Number(operand) : operand;
  }
  at[0] = result._address;
  for (let lane = 0, lanes = outer * inner; lane < lanes; lane++) {
    const element = inner === 1 ? lane * n : Math.floor(lane / inner) * n * inner + (lane % inner);
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i];
      if (operand instanceof Tensor) at[i + 1] = operand._address + (step[i + 1] === 0 ? 0 : element * operand.dtype.itemsize);
    }
    kernel(1, n, at, noStep, step, scalars);
    at[0] += result.dtype.itemsize;
  }
}

function withoutStretch(sizes: Sizes, first: number, count: number, keepdim: boolean): number[] {
  const out: number[] = [];
  for (let d = 0; d < sizes.length; d++) {
    if (d < first || d >= first + count) out.push(sizes[d]);
    else if (keepdim) out.push(1);
  }
  return out;
}

/** A contiguous copy, broadcast to `sizes`, with the dimensions in another order. */
function inOrder(t: Tensor, sizes: Sizes, order: readonly number[]): Tensor {
  const strides = expandedStrides(t._sizes, t._strides, sizes);
  const copy = emptyTensor(order.map((d) => sizes[d]), t.dtype);
  return fused(identity).run([t._aliased(copy._sizes, order.map((d) => strides[d]), t._offset)], t.dtype, t.dtype, copy);
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
  return wrapDims(list, ndim);
}

/** Wrapped dimensions, each at most once; a 0-dim tensor's -1 and 0 stand for none. */
export function wrapDims(list: readonly number[], ndim: number): number[] {
  if (ndim > 64) throw new RuntimeError("only tensors with up to 64 dims are supported");
  const wrapped = list.map((d) => wrapDim(d, ndim));
  wrapped.forEach((d, i) => {
    if (wrapped.indexOf(d) !== i) throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
  });
  return ndim === 0 ? [] : wrapped;
}

/** How many elements are folded into one. */
export function foldedCount(sizes: Sizes, dims: readonly number[] | null): number {
  return (dims ?? []).length === 0 ? sizes.reduce((n, s) => n * s, 1) : reductionDims(dims, sizes.length).reduce((n, d) => n * sizes[d], 1);
}

/** Brings a reduction's result or gradient back to the input's rank: one size-1 dimension for each folded one. */
export function unfolded(reduced: Tensor, sizes: Sizes, dim: number | readonly number[] | null, keepdim: boolean): Tensor {
  if (keepdim || sizes.length === 0) return reduced;
  return reduced.view(reducedSizes(sizes, reductionDims(dim, sizes.length), true));
}
