/** The shape and the layout of a pointwise result: what TensorIterator works out. */
import { RuntimeError, warn } from "../errors.ts";
import { broadcastSizes, channelsLastStrides, contiguousStrides, expandedStrides, isContiguous, isNonOverlappingAndDense, listText, sameSizes, type Sizes } from "../tensor/layout.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

export function broadcastTensors(tensors: readonly Tensor[]): Sizes {
  let sizes = tensors[0]._sizes;
  for (let i = 1; i < tensors.length; i++) sizes = broadcastSizes(sizes, tensors[i]._sizes);
  return sizes;
}

/** How a tensor lies in memory. */
export type Layout = Pick<Tensor, "_sizes" | "_strides" | "_numel" | "_contiguous">;

/** How an operand lies once it is cast to the dtype of the computation: a cast makes a dense copy. */
export function layoutIn(t: Tensor, common: DType): Layout {
  if (t.dtype === common || t._contiguous || isNonOverlappingAndDense(t._sizes, t._strides)) return t;
  const strides = resultStrides(t._sizes, [t]);
  return { _sizes: t._sizes, _strides: strides, _numel: t._numel, _contiguous: isContiguous(t._sizes, strides) };
}

/** Row-major strides for the sizes of a contiguous tensor; its own may differ along dimensions of size 1, or where it is empty. */
export function canonicalStrides({ _sizes, _strides }: Layout): Sizes {
  let step = 1;
  for (let d = _sizes.length - 1; d >= 0; d--) {
    if (_strides[d] !== step) return contiguousStrides(_sizes);
    step *= Math.max(_sizes[d], 1);
  }
  return _strides;
}

/**
 * Strides of a result of `sizes`: the memory order of the inputs is kept, as TensorIterator keeps it. `alike`: the
 * inputs may all have these sizes, and no number stands for one that has not.
 */
export function resultStrides(sizes: Sizes, inputs: readonly Layout[], alike = true): Sizes {
  const first = inputs[0];
  if (alike && inputs.every((t) => sameSizes(t._sizes, sizes))) {
    if (inputs.every((t) => t._contiguous)) return canonicalStrides(first);
    if (sizes.length === 4 && inputs.every((t) => isDenseChannelsLast(t))) return channelsLastStrides(sizes);
    if (inputs.every((t) => sameSizes(t._strides, first._strides)) && isNonOverlappingAndDense(sizes, first._strides)) return first._strides;
  }
  const strides = inputs.map((t) => expandedStrides(t._sizes, t._strides, sizes));
  const order = memoryOrder(sizes, strides);
  if (order.every((dim, i) => dim === sizes.length - 1 - i)) return contiguousStrides(sizes);
  const out = new Array<number>(sizes.length);
  let step = 1;
  for (const dim of order) {
    out[dim] = step;
    step *= sizes[dim];
  }
  return out;
}

/** Are these the elements of images with the channels innermost, without gaps? Dimensions of size 1 may have any stride. */
function isDenseChannelsLast({ _sizes, _strides }: Layout): boolean {
  return channelsLastStrides(_sizes).every((s, d) => _sizes[d] === 1 || _strides[d] === s);
}

/** Dimensions from the fastest to the slowest (TensorIteratorBase::reorder_dimensions). */
export function memoryOrder(sizes: Sizes, strides: readonly Sizes[]): number[] {
  const order = sizes.map((_, i) => sizes.length - 1 - i);
  const compare = (a: number, b: number): number => {
    for (const s of strides) {
      if (s[a] === 0 || s[b] === 0) continue;
      if (s[a] !== s[b]) return s[a] < s[b] ? -1 : 1;
      if (sizes[a] > sizes[b]) return 1;
    }
    return 0;
  };
  for (let i = 1; i < order.length; i++) {
    let dim1 = i;
    for (let dim0 = i - 1; dim0 >= 0; dim0--) {
      const c = compare(order[dim0], order[dim1]);
      if (c > 0) {
        [order[dim0], order[dim1]] = [order[dim1], order[dim0]];
        dim1 = dim0;
      } else if (c < 0) {
        break;
      }
    }
  }
  return order;
}

/** Refuses to write through a tensor several of whose elements share memory. */
export function refuseInternalOverlap(out: Tensor): void {
  if (isExpanded(out)) {
    throw new RuntimeError(
      "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.",
    );
  }
}

/** Some ops still write through such a tensor; `indexing` is how they are written with an index. */
export function warnOfExpanded(out: Tensor, name: string, indexing = "tensor[mask] = scalar"): void {
  if (!isExpanded(out)) return;
  warn(`Use of ${name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. This also applies to advanced indexing e.g. ${indexing}`);
}

export function isExpanded({ _contiguous, _strides, _sizes }: Tensor): boolean {
  return !_contiguous && _strides.some((s, i) => s === 0 && _sizes[i] > 1);
}

/** Refuses an input that shares part, but not all, of its memory with the output. */
export function refusePartialOverlap(out: Tensor, input: Tensor): void {
  if (out === input || out._storage !== input._storage || out._numel === 0 || input._numel === 0) return;
  if (!isNonOverlappingAndDense(out._sizes, out._strides) || !isNonOverlappingAndDense(input._sizes, input._strides)) return;
  const a = out._address;
  const b = input._address;
  const endA = a + out._numel * out.dtype.itemsize;
  const endB = b + input._numel * input.dtype.itemsize;
  if (a === b && endA === endB && sameSizes(out._strides, input._strides)) return;
  if (a < endB && b < endA) throw overlap();
}

function overlap(): RuntimeError {
  return new RuntimeError(
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.",
  );
}

/** Refuses an input that shares any memory with the output (at::assert_no_overlap). */
export function refuseOverlap(out: Tensor, input: Tensor): void {
  refusePartialOverlap(out, input);
  const whole = out._storage === input._storage && out._address === input._address && out._numel === input._numel && out._numel > 0;
  if (out === input || (whole && isNonOverlappingAndDense(out._sizes, out._strides) && isNonOverlappingAndDense(input._sizes, input._strides))) throw overlap();
}

export function refuseBroadcastOutput(out: Pick<Tensor, "_sizes">, sizes: Sizes): void {
  if (sameSizes(out._sizes, sizes)) return;
  throw new RuntimeError(`output with shape ${listText(out._sizes)} doesn't match the broadcast shape ${listText(sizes)}`);
}
