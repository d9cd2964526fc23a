/** Padding: a function of torch.nn.functional. */
import { composite, kernel, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, int64 } from "../../tensor/dtype.ts";
import { channelsLastStrides, contiguousStrides, isChannelsLast, listText, type Sizes } from "../../tensor/layout.ts";
import { emptyStrided, type Tensor } from "../../tensor/tensor.ts";
import { clone, writeInto } from "../creation/copy.ts";
import { fillWith, filled, fromData } from "../creation/fill.ts";

/** How much is added to each dimension: PyTorch lists the last dimension first. */
interface Edges {
  before: number[];
  after: number[];
}

function edgesOf(pad: Sizes, ndim: number): Edges {
  const edges: Edges = { before: new Array<number>(ndim).fill(0), after: new Array<number>(ndim).fill(0) };
  for (let i = 0; 2 * i < pad.length; i++) {
    edges.before[ndim - 1 - i] = pad[2 * i];
    edges.after[ndim - 1 - i] = pad[2 * i + 1];
  }
  return edges;
}

/** The part of a tensor that lies `edges` inwards, where they are positive. */
function inner(t: Tensor, { before, after }: Edges): Tensor {
  return t._sizes.reduce((view: Tensor, size, d) => {
    const [start, end] = [Math.max(before[d], 0), Math.max(after[d], 0)];
    return start + end === 0 ? view : view.narrow(d, start, size - start - end);
  }, t);
}

const negated = ({ before, after }: Edges): Edges => ({ before: before.map((n) => -n), after: after.map((n) => -n) });

function checkLengths(self: Tensor, pad: Sizes): void {
  const ndim = self._sizes.length;
  if (pad.length % 2 !== 0) throw new RuntimeError(`Length of pad must be even but instead it equals ${pad.length}`);
  if (pad.length > 2 * ndim) {
    throw new RuntimeError(
      `Length of pad should be no more than twice the number of dimensions of the input. Pad length is ${pad.length} while the input has ${ndim} dimensions.`,
    );
  }
}

/** `self` with `value` around it; a negative pad takes elements away. The first two numbers of `pad` are for the last dimension, and so on. */
export const constant_pad_nd: FunctionOp<[self: Tensor, pad: readonly number[], value?: number], { value?: number }> = kernel(
  "constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor",
  {
    forward: (self: Tensor, pad: Sizes, value: number) => {
      checkLengths(self, pad);
      const edges = edgesOf(pad, self._sizes.length);
      const sizes = self._sizes.map((size, d) => size + edges.before[d] + edges.after[d]);
      if (sizes.some((size) => size < 0)) throw new RuntimeError("narrow(): length must be non-negative.");
      const kept = inner(self, negated(edges));
      if (pad.every((n) => n <= 0)) return clone(kept);
      const strides = isChannelsLast(self._sizes, self._strides) ? channelsLastStrides(sizes) : contiguousStrides(sizes);
      const out = fillWith(emptyStrided(sizes, strides, self.dtype), value);
      if (kept._numel > 0) writeInto(inner(out, edges), kept);
      return out;
    },
    backward: { self: ({ grad, pad }) => constant_pad_nd(grad, pad.map((n: number) => -n)) },
    node: "ConstantPadNdBackward0",
    method: false,
  },
);

type Mode = "reflect" | "replicate" | "circular";

/** Where position `i`, which may lie outside, is read from along a dimension of `size`. */
const sources: Record<Mode, (i: number, size: number) => number> = {
  reflect: (i, size) => (i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i),
  replicate: (i, size) => Math.min(Math.max(i, 0), size - 1),
  circular: (i, size) => ((i % size) + size) % size,
};

/** The positions to read along a dimension, as an index. What goes round goes round what negative pads leave. */
function readPositions(size: number, before: number, after: number, mode: Mode): Tensor {
  const source = sources[mode];
  const first = mode === "circular" ? Math.max(-before, 0) : 0;
  const kept = size - first - (mode === "circular" ? Math.max(-after, 0) : 0);
  return fromData(BigInt64Array.from({ length: size + before + after }, (_, i) => BigInt(first + source(i - before - first, kept))), int64);
}

/** The dimensions that are padded, with what they are read from. */
function indices(sizes: Sizes, pad: Sizes, mode: Mode): [dim: number, index: Tensor][] {
  const { before, after } = edgesOf(pad, sizes.length);
  return sizes.flatMap((size, d): [number, Tensor][] => (before[d] === 0 && after[d] === 0 ? [] : [[d, readPositions(size, before[d], after[d], mode)]]));
}

const gathered = (self: Tensor, list: readonly [number, Tensor][]): Tensor => list.reduce((t, [d, index]) => t.index_select(d, index), self);

/** What each element was read for, added up. */
const scattered = (grad: Tensor, sizes: Sizes, list: readonly [number, Tensor][]): Tensor =>
  list.toReversed().reduce((t, [d, index]) => filled(t._sizes.map((size, i) => (i === d ? sizes[d] : size)), 0, t.dtype).index_add(d, index, t), grad);

function edgeKernel(mode: Mode, name: string, node: string): KernelOverload {
  const slope = new KernelOverload(`${name}_backward(Tensor grad_output, Tensor self, int[] pad) -> Tensor`, {
    forward: (grad: Tensor, self: Tensor, pad: Sizes) => scattered(grad, self._sizes, indices(self._sizes, pad, mode)),
    backward: {
      grad_output: ({ grad, pad }) => padded.call([grad, pad]) as Tensor,
      self: ({ grad }) => filled(grad._sizes, 0, grad.dtype),
    },
    node: node.replace("Backward0", "BackwardBackward0"),
  });
  const padded: KernelOverload = new KernelOverload(`${name}(Tensor self, int[] pad) -> Tensor`, {
    forward: (self: Tensor, pad: Sizes) => {
      const list = indices(self._sizes, pad, mode);
      return list.length === 0 ? self.clone() : gathered(self, list);
    },
    backward: { self: ({ grad, self, pad }) => slope.call([grad, self, pad]) as Tensor },
    node,
  });
  return padded;
}

const edgeKernels: Record<"reflect" | "replicate", readonly KernelOverload[]> = {
  reflect: [1, 2, 3].map((n) => edgeKernel("reflect", `reflection_pad${n}d`, `ReflectionPad${n}DBackward0`)),
  replicate: [1, 2, 3].map((n) => edgeKernel("replicate", `replication_pad${n}d`, `ReplicationPad${n}DBackward0`)),
};

const COMBINATIONS =
  "Supported combinations for non-constant padding:\n  - 2D or 3D input: padding size = 2 (pads last dimension)\n  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)";

/** Refuses what a padding that copies elements cannot take from the input. */
function checkEdges(self: Tensor, pad: Sizes, mode: Mode): void {
  const [ndim, padded] = [self._sizes.length, pad.length / 2];
  if (padded > 3 || (ndim !== padded + 1 && ndim !== padded + 2)) throw new NotImplementedError(`Padding size ${pad.length} is not supported for ${ndim}D input tensor.\n${COMBINATIONS}`);
  const { before, after } = edgesOf(pad, ndim);
  for (let d = ndim - padded; d < ndim; d++) {
    const size = self._sizes[d];
    if (mode === "circular" && (before[d] > size || after[d] > size)) throw new RuntimeError("Padding value causes wrapping around more than once.");
  }
  if (mode === "circular") return;
  const inside = ndim === padded + 2 ? self._sizes.slice(1) : self._sizes;
  if (inside.includes(0)) {
    throw new RuntimeError(`Expected ${padded + 1}D or ${padded + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: ${listText(self._sizes)}`);
  }
  if (self.dtype.kind === BOOL) throw new NotImplementedError(`"${mode === "reflect" ? "reflection" : "replication"}_pad${padded}d" not implemented for 'Bool'`);
  if (mode !== "reflect") return;
  for (let i = 0; i < padded; i++) {
    const d = ndim - 1 - i;
    if (before[d] < self._sizes[d] && after[d] < self._sizes[d]) continue;
    throw new RuntimeError(
      `Argument #${4 + 2 * i}: Padding size should be less than the corresponding input dimension, but got: padding (${before[d]}, ${after[d]}) at dimension ${d} of input ${listText(self._sizes)}`,
    );
  }
}

type PadMode = "constant" | Mode;

/**
 * `input` with more elements around it. `pad` lists how many, before and after, from the last dimension on; negative numbers take away.
 * Mode "constant" adds `value` (0); "reflect" mirrors at the edge, "replicate" repeats it, "circular" goes on at the other end.
 *
 * @throws RuntimeError or NotImplementedError where the mode cannot do so.
 * @example
 * torch.nn.functional.pad(torch.tensor([[1, 2, 3]]), [1, 1], { mode: "reflect" }).tolist(); // [[2, 1, 2, 3, 2]]
 */
export const pad: FunctionOp<[input: Tensor, pad: readonly number[], mode?: PadMode, value?: number | null], { mode?: PadMode; value?: number | null }> = composite(
  "pad(Tensor input, int[] pad, str mode='constant', float? value=None) -> Tensor",
  (input: Tensor, sizes: Sizes, mode: string, value: number | null) => {
    if (sizes.length % 2 !== 0) throw new RuntimeError("Padding length must be divisible by 2");
    const ndim = input._sizes.length;
    if (sizes.length > 2 * ndim) {
      throw new RuntimeError(`Padding length should be less than or equal to two times the input dimension but got padding length ${sizes.length} and input of dimension ${ndim}`);
    }
    if (mode === "constant") return constant_pad_nd(input, sizes, value ?? 0);
    if (value !== null && value !== 0) throw new RuntimeError(`Padding mode "${mode}" doesn't take in value argument`);
    if (mode !== "reflect" && mode !== "replicate" && mode !== "circular") throw new NotImplementedError(`Unrecognised padding mode ${mode}`);
    checkEdges(input, sizes, mode);
    if (mode !== "circular") return edgeKernels[mode][sizes.length / 2 - 1].call([input, sizes]);
    const list = indices(input._sizes, sizes, mode);
    return list.length === 0 ? input.clone() : gathered(input, list);
  },
  { takesOut: false },
);
