/** Runs a reduction over some dimensions of a tensor. */
import { compileReduction } from "../backends/reference/compile.ts";
import { runReduction } from "../backends/loop.ts";
import { forEachRows, reduceRows, type ReductionKernels } from "../backends/rows.ts";
import { Unsupported } from "../backends/wasm/elements.ts";
import { compileRows } from "../backends/wasm/rows.ts";
import { RuntimeError } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { Expr } from "../ir/expr.ts";
import type { ReductionKernel } from "../ir/kernel.ts";
import { accumulatorOf, type Reduction, type ReductionName } from "../ir/reduction.ts";
import type { RowKernel, RowProgram } from "../ir/rows.ts";
import { bool, dtypes, type DType } from "../tensor/dtype.ts";
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

/** Reductions of fewer elements than these are done before a vector kernel has been told of them. */
const SMALL = 128;

interface Kernels {
  readonly small: ReductionKernel;
  /** The same by vectors; undefined until it is needed, null where vectors lack an operation. */
  vectors: ReductionKernels | null | undefined;
}

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
  private readonly kernels = new Map<number, Kernels>();

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
    const kernels = this.kernelsOf(operands, compute, out);
    const count = dims === null ? sizes.length : dims.length;
    const first = dims === null || count === sizes.length ? 0 : Math.min(...dims);
    const isStretch = count === sizes.length || (count > 0 && Math.max(...dims!) - first === count - 1);
    const vectors = (operands[0] as Tensor)._numel >= SMALL ? this.vectorsOf(kernels, operands, compute, out) : null;
    if (!isStretch || !alike(operands)) return this.runOver(kernels.small, vectors, operands, dims ?? sizes.map((_, d) => d), keepdim, compute, out);
    const result = emptyTensor(withoutStretch(sizes, first, count, keepdim), out);
    if (vectors !== null) reduceStretch(vectors, operands, first, count, result);
    else runLanes(kernels.small, operands, first, count, result);
    return result;
  }

  private runOver(small: ReductionKernel, vectors: ReductionKernels | null, operands: readonly TensorOrNumber[], dims: readonly number[], keepdim: boolean, compute: DType, out: DType): Tensor {
    const sizes = (operands[0] as Tensor)._sizes;
    const kept = sizes.flatMap((_, d) => (dims.includes(d) ? [] : [d]));
    const folded = sizes.flatMap((_, d) => (dims.includes(d) ? [d] : []));
    const strides = operands.map((t) => (t instanceof Tensor ? byteStrides(t, sizes) : sizes.map(() => 0)));
    const pick = (list: Sizes, order: readonly number[]): number[] => order.map((d) => list[d]);
    const result = emptyTensor(reducedSizes(sizes, dims, keepdim), out);
    const keptSizes = pick(sizes, kept);
    const numbers = operands.map(numberOf);
    if (vectors !== null) {
      const steps = contiguousStrides(keptSizes);
      const places = sizes.map((_, d) => (dims.includes(d) ? 0 : steps[kept.indexOf(d)] * out.itemsize));
      const all = [...operands.map((t, i) => ({ address: addressOf(t), strides: strides[i] })), { address: result._address, strides: places }];
      if (forEachRows(sizes, folded, all, (shape, starts) => reduceRows(vectors, shape, starts, numbers))) return result;
    }
    const done = vectors === null && runReduction(
      small,
      { sizes: keptSizes, out: contiguousStrides(keptSizes).map((s) => s * out.itemsize), inputs: strides.map((s) => pick(s, kept)) },
      { sizes: pick(sizes, folded), inputs: strides.map((s) => pick(s, folded)) },
      [result._address, ...operands.map(addressOf)],
      numbers,
    );
    if (done) return result;
    const rearranged = operands.map((t) => (t instanceof Tensor ? inOrder(t, sizes, [...kept, ...folded]) : t));
    return this.run(rearranged, folded.map((_, i) => kept.length + i), false, compute, out)._reshaped(result._sizes);
  }

  private kernelsOf(operands: readonly TensorOrNumber[], compute: DType, out: DType): Kernels {
    let key = compute.code * radix + out.code;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i];
      key = key * radix + (operand instanceof Tensor ? operand.dtype.code : dtypes.length);
    }
    let kernels = this.kernels.get(key);
    if (kernels === undefined) this.kernels.set(key, (kernels = { small: compileReduction(this.trace(operands, compute, out)), vectors: undefined }));
    return kernels;
  }

  private vectorsOf(kernels: Kernels, operands: readonly TensorOrNumber[], compute: DType, out: DType): ReductionKernels | null {
    if (kernels.vectors === undefined) kernels.vectors = compileVectors(this.trace(operands, compute, out), operands.length);
    return kernels.vectors;
  }

  private trace(operands: readonly TensorOrNumber[], compute: DType, out: DType): Reduction {
    const accumulator = accumulatorOf(out);
    const values: Record<string, Expr> = {};
    this.mapped.forEach((name, i) => {
      const operand = operands[i];
      values[name] = operand instanceof Tensor ? Expr.input(i, operand.dtype).to(compute) : Expr.scalar(i, compute);
    });
    const ends: Record<string, Expr> = { folded: Expr.folded(accumulator) };
    this.finishing.forEach((name, i) => (ends[name] = Expr.scalar(this.mapped.length + i, accumulator)));
    const asExpr = (value: Expr | number, dtype: DType): Expr => (typeof value === "number" ? Expr.constant(value, dtype) : value);
    // Bools are added by or, and multiplied by and.
    const name = out !== bool ? this.name : this.name === "sum" ? "any" : this.name === "prod" ? "all" : this.name;
    return { name, map: asExpr(this.map(values), compute), finish: asExpr(this.finish(ends), accumulator), dtype: out };
  }
}

/** The kernels of a reduction whose result is the operand after `inputs` others. */
function compileVectors({ name, map, finish, dtype }: Reduction, inputs: number): ReductionKernels | null {
  const accumulator = accumulatorOf(dtype);
  const program = (of: Expr, end: Expr, operand: number, as: DType): RowProgram => {
    return { passes: [{ folds: [{ name, map: of, accumulator, finish: end }], stores: [] }], results: [{ operand, fold: 0, dtype: as }] };
  };
  try {
    const whole = compileRows(program(map, finish, inputs, dtype));
    const later = (make: () => RowProgram): RowKernel => {
      let kernel: RowKernel | null = null;
      return (shape, starts, numbers) => (kernel ??= compileRows(make()))(shape, starts, numbers);
    };
    return {
      whole,
      partial: later(() => program(map, Expr.folded(accumulator), inputs, accumulator)),
      combined: later(() => program(name === "any" || name === "all" ? Expr.input(0, accumulator).to(bool) : Expr.input(0, accumulator), finish, 1, dtype)),
      itemsize: accumulator.itemsize,
    };
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
}

const addressOf = (t: TensorOrNumber): number => (t instanceof Tensor ? t._address : 0);
const numberOf = (t: TensorOrNumber): number | bigint => (t instanceof Tensor ? 0 : typeof t === "boolean" ? Number(t) : t);

/** Folds `count` neighbouring dimensions of contiguous tensors by vectors. */
function reduceStretch(vectors: ReductionKernels, operands: readonly TensorOrNumber[], first: number, count: number, result: Tensor): void {
  const { outer, n, inner } = stretchOf((operands[0] as Tensor)._sizes, first, count);
  const steps: number[] = [];
  // Rows that follow one another are rows of one dimension.
  const push = (itemsize: number): unknown => (inner === 1 ? steps.push(0, n * itemsize, 0, itemsize) : steps.push(n * inner * itemsize, itemsize, 0, inner * itemsize));
  for (const operand of operands) push(operand instanceof Tensor && operand._sizes.length > 0 ? operand.dtype.itemsize : 0);
  const { itemsize } = result.dtype;
  if (inner === 1) steps.push(0, itemsize, 0, 0);
  else steps.push(inner * itemsize, itemsize, 0, 0);
  const sizes = inner === 1 ? [1, outer, 1, n] : [outer, inner, 1, n];
  reduceRows(vectors, { sizes, steps }, [...operands.map(addressOf), result._address], operands.map(numberOf));
}

/** Contiguous sizes as `outer` × `n` × `inner`, where n are the `count` dimensions from `first` on. */
function stretchOf(sizes: Sizes, first: number, count: number): { outer: number; n: number; inner: number } {
  let [outer, n, inner] = [1, 1, 1];
  for (let d = 0; d < sizes.length; d++) {
    if (d < first) outer *= sizes[d];
    else if (d < first + count) n *= sizes[d];
    else inner *= sizes[d];
  }
  return { outer, n, inner };
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
  const { outer, n, inner } = stretchOf((operands[0] as Tensor)._sizes, first, count);
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
