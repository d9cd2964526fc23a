/** Arithmetic on sizes and strides (in elements), as PyTorch does it. */
import { IndexError, RuntimeError } from "../errors.ts";

export type Sizes = readonly number[];

export function numelOf(sizes: Sizes): number {
  let n = 1;
  for (let i = 0; i < sizes.length; i++) n *= sizes[i]!;
  return n;
}

/** Row-major strides; a dimension of size 0 counts as 1, as in PyTorch. */
export function contiguousStrides(sizes: Sizes): number[] {
  const strides = new Array<number>(sizes.length);
  let step = 1;
  for (let i = sizes.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= Math.max(sizes[i]!, 1);
  }
  return strides;
}

export function isContiguous(sizes: Sizes, strides: Sizes): boolean {
  let step = 1;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const size = sizes[i]!;
    if (size === 0) return true;
    if (size !== 1 && strides[i] !== step) {
      for (let j = i - 1; j >= 0; j--) if (sizes[j] === 0) return true;
      return false;
    }
    step *= size;
  }
  return true;
}

/** Do the strides of four or five dimensions step over channels first, as of images in PyTorch's channels_last format? */
export function isChannelsLast(sizes: Sizes, strides: Sizes): boolean {
  const ndim = sizes.length;
  if ((ndim !== 4 && ndim !== 5) || strides[1] === 0) return false;
  let least = 0;
  for (const d of channelsLastOrder(ndim)) {
    if (sizes[d] === 0 || strides[d]! < least || (d === 0 && least === strides[1])) return false;
    least = strides[d]! * sizes[d]!;
  }
  return true;
}

/** Strides with the channels, dimension 1, innermost. */
export function channelsLastStrides(sizes: Sizes): number[] {
  const strides = new Array<number>(sizes.length);
  let step = 1;
  for (const d of channelsLastOrder(sizes.length)) {
    strides[d] = step;
    step *= Math.max(sizes[d]!, 1);
  }
  return strides;
}

/** Dimensions from the fastest to the slowest. */
const channelsLastOrder = (ndim: number): number[] => [1, ...Array.from({ length: ndim - 2 }, (_, i) => ndim - 1 - i), 0];

/** No two elements share memory and no gaps lie between them, in whatever order of dimensions. */
export function isNonOverlappingAndDense(sizes: Sizes, strides: Sizes): boolean {
  if (sizes.length === 1) return sizes[0]! < 2 || strides[0] === 1;
  const order = sizes.map((_, i) => i).filter((i) => sizes[i] !== 1);
  if (order.some((i) => sizes[i] === 0)) return true;
  order.sort((a, b) => strides[a]! - strides[b]!);
  let step = 1;
  for (const i of order) {
    if (strides[i] !== step) return false;
    step *= sizes[i]!;
  }
  return true;
}

export function sameSizes(a: Sizes, b: Sizes): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The broadcast shape of two shapes, or PyTorch's error. */
export function broadcastSizes(a: Sizes, b: Sizes): Sizes {
  if (sameSizes(a, b)) return a;
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const lead = long.length - short.length;
  const out = long.slice();
  for (let i = short.length - 1; i >= 0; i--) {
    const l = long[lead + i]!;
    const s = short[i]!;
    if (l === s || s === 1) continue;
    if (l === 1) out[lead + i] = s;
    else {
      const [x, y] = long === a ? [l, s] : [s, l];
      throw new RuntimeError(
        `The size of tensor a (${x}) must match the size of tensor b (${y}) at non-singleton dimension ${lead + i}`,
      );
    }
  }
  return out;
}

/** Can `from` be expanded to `to`? */
export function isExpandable(from: Sizes, to: Sizes): boolean {
  const lead = to.length - from.length;
  if (lead < 0) return false;
  for (let i = 0; i < from.length; i++) if (from[i] !== to[lead + i] && from[i] !== 1) return false;
  return true;
}

/** Strides with which a tensor of `sizes` is read as if it had the broadcast shape `to`. */
export function expandedStrides(sizes: Sizes, strides: Sizes, to: Sizes): number[] {
  const lead = to.length - sizes.length;
  const out = new Array<number>(to.length).fill(0);
  for (let i = 0; i < sizes.length; i++) if (sizes[i] === to[lead + i]) out[lead + i] = strides[i]!;
  return out;
}

/** Wraps a negative dimension; a 0-dim tensor takes -1 and 0. */
export function wrapDim(dim: number, ndim: number): number {
  const n = Math.max(ndim, 1);
  if (!Number.isInteger(dim)) throw new TypeError(`'dim' must be an integer, not ${dim}`);
  if (dim < -n || dim >= n) {
    throw new IndexError(`Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`);
  }
  return dim < 0 ? dim + n : dim;
}

/** The same where a 0-dim tensor has none to speak of. */
export function existingDim(dim: number, ndim: number): number {
  if (ndim === 0) throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`);
  return wrapDim(dim, ndim);
}

/** Wrapped dimensions, refused where one occurs twice. */
export function wrapDims(dims: readonly number[], ndim: number): number[] {
  const wrapped = dims.map((d) => wrapDim(d, ndim));
  const repeated = wrapped.find((d, i) => wrapped.indexOf(d) !== i);
  if (repeated !== undefined) throw new RuntimeError(`dim ${repeated} appears multiple times in the list of dims`);
  return wrapped;
}

/** Replaces one -1 in `shape` by what `numel` leaves for it. */
export function inferSize(shape: Sizes, numel: number): number[] {
  const unknown = shape.indexOf(-1);
  let known = 1;
  shape.forEach((size, i) => {
    if (size === -1 && i !== unknown) throw new RuntimeError("only one dimension can be inferred");
    if (size < -1) throw new RuntimeError(`invalid shape dimension ${size} at index ${i} of shape ${listText(shape)}`);
    if (size >= 0) known *= size;
  });
  const fits = unknown >= 0 ? (known > 0 ? numel % known === 0 : numel === 0) : known === numel;
  if (!fits) throw new RuntimeError(`shape '${listText(shape)}' is invalid for input of size ${numel}`);
  const out = shape.slice();
  if (unknown < 0) return out;
  if (known === 0) {
    throw new RuntimeError(
      `cannot reshape tensor of 0 elements into shape ${listText(shape)} because the unspecified dimension size -1 can be any value and is ambiguous`,
    );
  }
  out[unknown] = numel / known;
  return out;
}

/** The strides with which a tensor can be viewed as `shape`, or null where only a copy can (at::detail::computeStride). */
export function viewStrides(sizes: Sizes, strides: Sizes, shape: Sizes): number[] | null {
  if (numelOf(sizes) === 0) return sameSizes(sizes, shape) ? strides.slice() : contiguousStrides(shape);
  if (sizes.length === 0) return new Array<number>(shape.length).fill(1);
  const out = new Array<number>(shape.length);
  let viewDim = shape.length - 1;
  let chunkStep = strides[strides.length - 1]!;
  let chunk = 1;
  let viewed = 1;
  for (let dim = sizes.length - 1; dim >= 0; dim--) {
    chunk *= sizes[dim]!;
    const chunkEnds = dim === 0 || (sizes[dim - 1] !== 1 && strides[dim - 1] !== chunk * chunkStep);
    if (!chunkEnds) continue;
    while (viewDim >= 0 && (viewed < chunk || shape[viewDim] === 1)) {
      out[viewDim] = viewed * chunkStep;
      viewed *= shape[viewDim]!;
      viewDim--;
    }
    if (viewed !== chunk) return null;
    if (dim > 0) {
      chunkStep = strides[dim - 1]!;
      chunk = 1;
      viewed = 1;
    }
  }
  return viewDim === -1 ? out : null;
}

/** `[2, 3]`, as PyTorch prints a shape in its texts. */
export function listText(sizes: Sizes): string {
  return `[${sizes.join(", ")}]`;
}

/** `torch.Size([2, 3])`, as Python prints a shape. */
export function sizeText(sizes: Sizes): string {
  return `torch.Size(${listText(sizes)})`;
}
