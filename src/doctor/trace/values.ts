/** Looks at the elements of tensors, behind the back of any observer. */
import { contiguousCopy } from "../../ops/copy.ts";
import { FLOAT, float32 } from "../../tensor/dtype.ts";
import { heap } from "../../tensor/heap.ts";
import { viewTyped } from "../../tensor/read.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { num, type Values } from "./events.ts";

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
  return Float64Array.from(elementsOf(tensor));
}

export function valuesOf(tensor: Tensor): Values {
  return statistics(elementsOf(tensor));
}

function statistics(elements: ArrayLike<number>): Values {
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
  if (tensor.dtype.kind !== FLOAT) return false;
  if (tensor.dtype === float32 && tensor._contiguous) {
    const first = tensor._address >> 2;
    return !allFinite(heap.f32, first, first + tensor._numel);
  }
  const elements = elementsOf(tensor);
  for (let i = 0; i < elements.length; i++) if (!Number.isFinite(elements[i])) return true;
  return false;
}

/** Is every element zero? The first that is not ends the search. */
export function isZero(tensor: Tensor): boolean {
  const elements = elementsOf(tensor);
  for (let i = 0; i < elements.length; i++) if (elements[i] !== 0) return false;
  return true;
}

/** For one type of array, so that its loop compiles to plain additions: x - x is 0 for a finite x alone. */
function allFinite(elements: Float32Array, start: number, end: number): boolean {
  // Four sums, so that the additions need not wait for one another.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    a += elements[i] - elements[i];
    b += elements[i + 1] - elements[i + 1];
    c += elements[i + 2] - elements[i + 2];
    d += elements[i + 3] - elements[i + 3];
  }
  for (; i < end; i++) a += elements[i] - elements[i];
  return a + b + c + d === 0;
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

/** The row-major position in `sizes` of what stands at `indices` of the shape that it is broadcast to; null where there is none. */
export function positionIn(sizes: Sizes, indices: readonly number[]): number | null {
  const lead = indices.length - sizes.length;
  if (lead < 0) return null;
  let position = 0;
  for (let d = 0; d < sizes.length; d++) {
    const index = sizes[d] === 1 ? 0 : indices[lead + d];
    if (index >= sizes[d]) return null;
    position = position * sizes[d] + index;
  }
  return position;
}
