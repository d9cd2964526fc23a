/**
 * The three products of a convolution, unrecorded: the convolution itself and, with respect to its input and its weight, its
 * adjoints. Each is linear in both of its tensors, and each is one product of matrices whose axes walk over patches.
 */
import { gemm } from "../../backends/gemm.ts";
import { padPlanes } from "../../backends/padding.ts";
import type { Axis, Factor } from "../../backends/product.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { channelsLastStrides, isChannelsLast, type Sizes } from "../../tensor/layout.ts";
import { emptyStrided, emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "../creation/copy.ts";
import { filled, fillWith } from "../creation/fill.ts";

/** How the window moves, for each spatial dimension. */
export interface Movement {
  readonly stride: Sizes;
  readonly padding: Sizes;
  readonly dilation: Sizes;
  readonly groups: number;
}

/** Sizes of the convolution of an input with a weight. */
export function convolvedSizes(input: Sizes, weight: Sizes, { stride, padding, dilation }: Movement): number[] {
  const spatial = input.slice(2).map((size, d) => Math.floor((size + 2 * padding[d] - dilation[d] * (weight[d + 2] - 1) - 1) / stride[d]) + 1);
  return [input[0], weight[0], ...spatial];
}

const scaled = (steps: Sizes, by: Sizes): number[] => steps.map((step, d) => step * by[d]);
const spatial = (list: Sizes): number[] => list.slice(2);
const axisOf = (sizes: Sizes, steps: Sizes): Axis => ({ sizes, steps });

const factor = (t: Tensor, batch: Axis, rows: Axis, columns: Axis, offset = 0): Factor => ({ storage: t._storage, offset: t._offset + offset, batch, rows, columns });

/** Zeros, of the spatial `sizes`, with the elements of `t` from `start` on in `step`s; what does not fit is left out. */
function spreadOut(t: Tensor, sizes: Sizes, start: Sizes, step: Sizes): Tensor {
  const isDense = step.every((s) => s === 1);
  if (isDense && sizes.every((size, d) => size === t._sizes[d + 2] && start[d] === 0)) return t;
  const first = start.map((s, d) => (s < 0 ? Math.ceil(-s / step[d]) : 0));
  const count = sizes.map((size, d) => Math.max(Math.min(t._sizes[d + 2], Math.floor((size - 1 - start[d]) / step[d]) + 1) - first[d], 0));
  const sum = (strides: Sizes, at: Sizes): number => at.reduce((offset, a, d) => offset + a * strides[d + 2], 0);
  const lengths = [t._sizes[0], t._sizes[1], ...count];
  const source = t._aliased(lengths, t._strides, t._offset + sum(t._strides, first));
  if (isDense && t.dtype.kind === FLOAT && sizes.length < 3 && t._strides.at(-1) === 1 && source._numel > 0) return framed(source, sizes, first.map((f, d) => start[d] + f));
  const zeros = filled([t._sizes[0], t._sizes[1], ...sizes], 0, t.dtype);
  const [n, c] = zeros._strides;
  const to = zeros._aliased(lengths, [n, c, ...scaled(spatial(zeros._strides), step)], sum(zeros._strides, first.map((f, d) => start[d] + f * step[d])));
  if (source._numel > 0) writeInto(to, source);
  return zeros;
}

/** Pictures, or lines, whose rows lie in one piece each, from `start` on in zeros of the spatial `sizes`. */
function framed(t: Tensor, sizes: Sizes, start: Sizes): Tensor {
  const out = emptyTensor([t._sizes[0], t._sizes[1], ...sizes], t.dtype);
  const [ns, cs, rowStep] = t._strides;
  const [rows, columns] = t._sizes.length === 4 ? spatial(t._sizes) : [1, t._sizes[2]];
  const [height, width, top, left] = sizes.length === 2 ? [...sizes, ...start] : [1, sizes[0], 0, start[0]];
  padPlanes(t.dtype, { planes: [t._sizes[0], t._sizes[1]], steps: [ns, cs], rows, columns, rowStep, height, width, top, left }, t._address, out._address);
  return out;
}

/** The input with its padding around it. */
function padded(input: Tensor, padding: Sizes): Tensor {
  if (padding.every((p) => p === 0)) return input;
  return spreadOut(input, spatial(input._sizes).map((size, d) => size + 2 * padding[d]), padding, padding.map(() => 1));
}

/** Gives the memory of a copy back that nobody else has seen, so that the next one need not take cold memory. */
function discard(copy: Tensor, original: Tensor): void {
  if (copy !== original) copy._storage.release();
}

/** `t`, but with its channels innermost if one of the pictures that it comes from has them so. */
function inOrderOf(t: Tensor, ...sources: readonly Tensor[]): Tensor {
  if (t._sizes.length !== 4 || !sources.some((s) => isChannelsLast(s._sizes, s._strides))) return t;
  return writeInto(emptyStrided(t._sizes, channelsLastStrides(t._sizes), t.dtype), t);
}

/** Writes `bias` over each channel. */
function startFrom(out: Tensor, bias: Tensor | null): void {
  if (bias !== null) writeInto(out, bias._aliased(out._sizes, out._sizes.map((_, d) => (d === 1 ? bias._strides[0] : 0)), bias._offset));
}

/** Windows over `input`, (n, c, …), with `weight`, (o, c / groups, …), plus `bias`. */
export function convolve(input: Tensor, weight: Tensor, bias: Tensor | null, move: Movement): Tensor {
  const out = emptyTensor(convolvedSizes(input._sizes, weight._sizes, move), input.dtype);
  startFrom(out, bias);
  const x = padded(input, move.padding);
  const [n, o] = out._sizes;
  const { groups } = move;
  const [, c] = weight._sizes;
  const [xs, ws] = [x._strides, weight._strides];
  const batch = [n, groups];
  gemm(out.dtype, {
    a: factor(weight, axisOf(batch, [0, (o / groups) * ws[0]]), axisOf([o / groups], [ws[0]]), axisOf(weight._sizes.slice(1), ws.slice(1))),
    b: factor(
      x,
      axisOf(batch, [xs[0], c * xs[1]]),
      axisOf([c, ...spatial(weight._sizes)], [xs[1], ...scaled(spatial(xs), move.dilation)]),
      axisOf(spatial(out._sizes), scaled(spatial(xs), move.stride)),
    ),
    out: { storage: out._storage, offset: out._offset },
    alpha: 1,
    beta: bias === null ? 0 : 1,
  });
  discard(x, input);
  return inOrderOf(out, input, weight);
}

/**
 * The adjoint in the input where windows move by more than one element and are not dilated: elements of the output as far apart as
 * the windows meet the same elements of the kernel, so they are the adjoint of that part of it, in which windows move by one.
 */
function spreadByPhase(grad: Tensor, weight: Tensor, bias: Tensor | null, sizes: Sizes, { stride, padding, dilation, groups }: Movement): Tensor {
  const out = emptyTensor(sizes, grad.dtype);
  const phases = stride.reduce<number[][]>((list, s, d) => list.flatMap((phase) => Array.from({ length: Math.min(s, sizes[d + 2]) }, (_, p) => [...phase, p])), [[]]);
  const every = (whole: Sizes, first: Sizes): number[] => first.map((f, d) => Math.max(Math.ceil((whole[d + 2] - f) / stride[d]), 0));
  /** The part of `t` that starts at `first`. */
  const part = (t: Tensor, first: Sizes): Tensor => {
    const [[n, c], [ns, cs, ...steps]] = [t._sizes, t._strides];
    return t._aliased([n, c, ...every(t._sizes, first)], [ns, cs, ...scaled(steps, stride)], first.reduce((offset, f, d) => offset + f * steps[d], t._offset));
  };
  for (const phase of phases) {
    const first = phase.map((p, d) => (p + padding[d]) % stride[d]);
    const [target, taps] = [part(out, phase), part(weight, first)];
    const move = { stride: stride.map(() => 1), padding: phase.map((p, d) => (p + padding[d] - first[d]) / stride[d]), dilation, groups };
    if (taps._numel === 0) startFrom(fillWith(target, 0), bias);
    else {
      const values = spreadWindows(grad, taps, bias, target._sizes, move);
      writeInto(target, values);
      discard(values, target);
    }
  }
  return out;
}

/** The adjoint in the input, of `sizes`: each element of `grad` spread over its window. It is a transposed convolution too, which may have a bias. */
export function spreadWindows(grad: Tensor, weight: Tensor, bias: Tensor | null, sizes: Sizes, move: Movement): Tensor {
  const { stride, padding, dilation, groups } = move;
  if (stride.some((s) => s > 1) && dilation.every((d) => d === 1)) return inOrderOf(spreadByPhase(grad, weight, bias, sizes, move), grad, weight);
  const out = emptyTensor(sizes, grad.dtype);
  startFrom(out, bias);
  const reach = spatial(weight._sizes).map((k, d) => dilation[d] * (k - 1));
  // Seen from an element of the input, the windows that hold it make a window over `grad`, turned around.
  const g = spreadOut(grad, spatial(sizes).map((size, d) => size + reach[d]), reach.map((r, d) => r - padding[d]), stride);
  const [o, c] = [weight._sizes[0] / groups, weight._sizes[1]];
  const [gs, ws] = [g._strides, weight._strides];
  const batch = [sizes[0], groups];
  const last = spatial(weight._sizes).reduce((offset, k, d) => offset + (k - 1) * ws[d + 2], 0);
  gemm(out.dtype, {
    a: factor(weight, axisOf(batch, [0, o * ws[0]]), axisOf([c], [ws[1]]), axisOf([o, ...spatial(weight._sizes)], [ws[0], ...spatial(ws).map((s) => -s)]), last),
    b: factor(g, axisOf(batch, [gs[0], o * gs[1]]), axisOf([o, ...spatial(weight._sizes)], [gs[1], ...scaled(spatial(gs), dilation)]), axisOf(spatial(sizes), spatial(gs))),
    out: { storage: out._storage, offset: out._offset },
    alpha: 1,
    beta: bias === null ? 0 : 1,
  });
  discard(g, grad);
  return inOrderOf(out, grad, weight);
}

/** The adjoint in the weight, of `sizes`: products of `grad` and the windows of `input`, summed over all places. */
export function correlate(grad: Tensor, input: Tensor, sizes: Sizes, move: Movement): Tensor {
  const out = emptyTensor(sizes, grad.dtype);
  const x = padded(input, move.padding);
  const { groups } = move;
  const [o, c] = [sizes[0] / groups, sizes[1]];
  const [gs, xs] = [grad._strides, x._strides];
  const places = [grad._sizes[0], ...spatial(grad._sizes)];
  gemm(out.dtype, {
    a: factor(grad, axisOf([groups], [o * gs[1]]), axisOf([o], [gs[1]]), axisOf(places, [gs[0], ...spatial(gs)])),
    b: factor(
      x,
      axisOf([groups], [c * xs[1]]),
      axisOf(places, [xs[0], ...scaled(spatial(xs), move.stride)]),
      axisOf([c, ...spatial(sizes)], [xs[1], ...scaled(spatial(xs), move.dilation)]),
    ),
    out: { storage: out._storage, offset: out._offset },
    alpha: 1,
    beta: 0,
  });
  discard(x, input);
  return inOrderOf(out, grad, input);
}
