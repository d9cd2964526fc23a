/** Looks at the elements of tensors, behind the back of any observer. */
import { RowFunction } from "../../dispatch/rows.ts";
import { Expr } from "../../ir/expr.ts";
import type { ReductionName } from "../../ir/reduction.ts";
import type { RowFold, RowProgram } from "../../ir/rows.ts";
import { contiguousCopy } from "../../ops/creation/copy.ts";
import { FLOAT, float64, type DType } from "../../tensor/dtype.ts";
import { isNonOverlappingAndDense, type Sizes } from "../../tensor/layout.ts";
import { heapAs, readElement, viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { num, type Num, type Values } from "./events.ts";

const headLength = 8;
/** Tensors up to this many elements are kept whole. */
const small = 64;
const places = 16;

/** The elements in row-major order, as numbers; valid until the next allocation. */
export function elementsOf(tensor: Tensor): ArrayLike<number> {
  const elements = viewTyped(tensor._contiguous ? tensor : contiguousCopy(tensor));
  return elements instanceof BigInt64Array ? Array.from(elements, Number) : elements;
}

/** A copy of the elements that no later write changes. */
export function snapshot(tensor: Tensor): Float64Array {
  return new Float64Array(elementsOf(tensor));
}

/** A row of all that the elements are, in the order of memory: what is expanded is there once. Copied where it lies apart. */
function inMemory(tensor: Tensor): Tensor {
  if (tensor._contiguous) return tensor;
  const sizes = tensor._sizes.map((size, d) => (tensor._strides[d] === 0 ? 1 : size));
  const once = tensor._aliased(sizes, tensor._strides, tensor._offset);
  return isNonOverlappingAndDense(sizes, tensor._strides) ? once._aliased([once._numel], [1], once._offset) : contiguousCopy(once);
}

function folding(maps: readonly (readonly [name: ReductionName, map: Expr])[]): RowProgram {
  const folds = maps.map(([name, map]): RowFold => ({ name, map, accumulator: map.dtype, finish: Expr.folded(map.dtype).to(float64) }));
  return { passes: [{ folds, stores: [] }], results: folds.map((_, fold) => ({ operand: 1 + fold, fold, dtype: float64 })) };
}

/** The sum of x - x, which is 0 where all elements are finite. */
const remainder = new RowFunction((dtype: DType) => {
  const x = Expr.input(0, dtype);
  return folding([["sum", x.sub(x)]]);
});

/** The sum of squares, the number of zeros, and the extremes, in one pass. */
const summary = new RowFunction((dtype: DType) => {
  const x = Expr.input(0, dtype).to(float64);
  return folding([["sum", x.mul(x)], ["sum", x.eq(0).to(float64)], ["min", x], ["max", x]]);
});

const results = emptyTensor([4], float64);
const slots = [0, 1, 2, 3].map((i) => [results._aliased([1], [1], i), "row"] as const);

/** Folds the elements of `x` into the first numbers of an array, which is valid until the next fold. */
function folded(rows: RowFunction<[DType]>, x: Tensor, count: number): Float64Array {
  rows.run(x.dtype.code, [x.dtype], { outer: 1, n: x._numel, inner: 1 }, [[x, "element"], ...slots.slice(0, count)]);
  return viewTyped(results) as Float64Array;
}

export function valuesOf(tensor: Tensor): Values {
  const { _numel: numel } = tensor;
  if (numel <= small) return counted(elementsOf(tensor));
  const x = inMemory(tensor);
  const [squares, zeros, min, max] = folded(summary, x, 4);
  // What is not finite shows in the sum, and so do squares that are too large for it.
  if (!Number.isFinite(squares)) return counted(elementsOf(tensor));
  const times = numel / x._numel;
  const head = Array.from({ length: headLength }, (_, i) => num(elementIn(tensor, indicesOf(i, tensor._sizes))!));
  return { numel, nan: 0, inf: 0, zero: zeros * times, norm: Math.sqrt(squares * times), min, max, head, nonfinite: [] };
}

function counted(elements: ArrayLike<number>): Values {
  const { length } = elements;
  let [nan, inf, zero, squares, min, max] = [0, 0, 0, 0, Infinity, -Infinity];
  const nonfinite: number[] = [];
  for (let i = 0; i < length; i++) {
    const x = elements[i];
    if (x - x !== 0) {
      if (x !== x) nan++;
      else inf++;
      if (nonfinite.length < places) nonfinite.push(i);
      continue;
    }
    if (x === 0) zero++;
    squares += x * x;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (min > max) min = max = 0;
  const head = Array.from({ length: length <= small ? length : headLength }, (_, i) => num(elements[i]));
  return { numel: length, nan, inf, zero, norm: Math.sqrt(squares), min, max, head, nonfinite };
}

/** Does a tensor of floats hold a NaN or an infinity? */
export function hasNonFinite(tensor: Tensor): boolean {
  if (tensor.dtype.kind !== FLOAT || tensor._numel === 0) return false;
  const x = inMemory(tensor);
  if (x._numel > small) return folded(remainder, x, 1)[0] !== 0;
  const heap = heapAs(x.dtype);
  const first = x._address / x.dtype.itemsize;
  for (let i = first; i < first + x._numel; i++) if (!Number.isFinite(heap[i])) return true;
  return false;
}

/** Is every element zero? The first that is not ends the search. */
export function isZero(tensor: Tensor): boolean {
  const elements = elementsOf(inMemory(tensor));
  for (let i = 0; i < elements.length; i++) if (elements[i] !== 0) return false;
  return true;
}

/** The places along a dimension at which every element of a tensor with so many zeros is zero. */
export function idlePlaces(tensor: Tensor, zeros: number, dim: number): number[] {
  const sizes = tensor._sizes;
  const at = dim < 0 ? sizes.length + dim : dim;
  const n = sizes[at] ?? 1;
  const inner = sizes.slice(at + 1).reduce((product, size) => product * size, 1);
  if (zeros === 0 || zeros < tensor._numel / n) return [];
  const alive = new Set<number>();
  const elements = elementsOf(tensor);
  for (let i = 0; i < elements.length && alive.size < n; i++) if (elements[i] !== 0) alive.add(Math.floor(i / inner) % n);
  return Array.from({ length: n }, (_, place) => place).filter((place) => !alive.has(place));
}

/** The first position at which a gradient of a pointwise op is not zero and all that it gives is. */
export function dropped(grad: Tensor, results: readonly (Tensor | null | undefined)[]): { position: number; grad: Num } | null {
  const given = results.filter((result) => result != null);
  if (given.length === 0 || given.some((result) => result._numel !== grad._numel)) return null;
  // Reading one tensor may move the memory that another was read from.
  const [arriving, ...leaving] = [grad, ...given].map(snapshot);
  const position = arriving.findIndex((g, i) => g !== 0 && leaving.every((elements) => elements[i] === 0));
  return position < 0 ? null : { position, grad: num(arriving[position]) };
}

/** The element that stands at `indices` of the shape that a tensor is broadcast to; null where there is none. */
export function elementIn(tensor: Tensor, indices: readonly number[]): number | null {
  const { _sizes: sizes, _strides: strides } = tensor;
  const lead = indices.length - sizes.length;
  if (lead < 0) return null;
  let offset = tensor._offset;
  for (let d = 0; d < sizes.length; d++) {
    const index = sizes[d] === 1 ? 0 : indices[lead + d];
    if (index >= sizes[d]) return null;
    offset += index * strides[d];
  }
  return Number(readElement(tensor, offset));
}

/** The indices of the element at a row-major position. */
export function indicesOf(position: number, sizes: Sizes): number[] {
  const indices = new Array<number>(sizes.length).fill(0);
  let rest = position;
  for (let d = sizes.length - 1; d >= 0; d--) {
    indices[d] = rest % sizes[d];
    rest = Math.floor(rest / sizes[d]);
  }
  return indices;
}
