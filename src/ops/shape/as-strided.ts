/** The gradient of as_strided (as_strided_backward in torch/csrc/autograd/FunctionsManual.cpp). */
import type { Geometry } from "../../autograd/engine-ops.ts";
import { isNonOverlappingAndDense } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { zeros } from "../creation/creation.ts";
import { arange } from "../creation/ranges.ts";

/** Lays the gradient of a strided view out in a storage of zeros, and reads it there as the input lay. */
export function asStridedBackward(grad: Tensor, input: Geometry, view: Geometry): Tensor {
  const first = Math.min(input.offset, view.offset);
  const length = Math.max(reach(input, first), reach(view, first));
  const flat = zeros([length], { dtype: grad.dtype });
  const place = view.offset - first;
  if (!mayOverlap(view)) {
    flat.as_strided(view.sizes, view.strides, place).copy_(grad);
  } else {
    const positions = arange(length).as_strided(view.sizes, view.strides, place);
    flat.index_add_(0, positions.reshape(-1), grad.reshape(-1));
  }
  const gathered = flat.as_strided(input.sizes, input.strides, input.offset - first);
  if (!mayOverlap(input)) return gathered;
  // An input several of whose elements share memory shares the gradient among them.
  const counts = zeros([length], { dtype: grad.dtype });
  const slots = arange(length).as_strided(input.sizes, input.strides, input.offset - first);
  counts.index_add_(0, slots.reshape(-1), zeros([slots.numel()], { dtype: grad.dtype }).add(1));
  return gathered.div(counts.as_strided(input.sizes, input.strides, input.offset - first));
}

function reach({ sizes, strides, offset }: Geometry, first: number): number {
  if (sizes.includes(0)) return 0;
  return sizes.reduce((n, s, i) => n + (s - 1) * strides[i], offset - first) + 1;
}

/** Might two indices lead to one element? Exact for layouts whose strides, sorted, step over each other. */
function mayOverlap({ sizes, strides }: Geometry): boolean {
  if (isNonOverlappingAndDense(sizes, strides)) return false;
  const order: number[] = [...sizes.keys()].filter((d) => sizes[d] > 1).sort((a, b) => strides[a] - strides[b]);
  let extent = 0;
  for (const d of order) {
    if (strides[d] <= extent) return true;
    extent += strides[d] * (sizes[d] - 1);
  }
  return false;
}

