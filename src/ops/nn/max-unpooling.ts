/** The way back from the maxima of windows: functions of torch.nn.functional. */
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../../errors.ts";
import { FLOAT, int64 } from "../../tensor/dtype.ts";
import { listText, numelOf, sameSizes, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";
import { inFormatOf } from "../creation/memory-order.ts";

function check(self: Tensor, indices: Tensor, dims: number): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(text);
  };
  const sizes = self._sizes;
  if (indices.dtype !== int64) refuse(`elements in indices should be type int64${dims === 2 ? ` but got: ${indices.dtype.title}` : ""}`);
  if (sizes.length !== dims + 1 && sizes.length !== dims + 2) {
    refuse(`Input to max_unpooling${dims}d should be a ${dims + 1}d or ${dims + 2}d Tensor, but got a tensor with ${sizes.length} dimensions.`);
  }
  if (!sameSizes(sizes, indices._sizes)) {
    refuse(`Expected shape of indices to be same as that of the input tensor (${listText(sizes)}) but got indices tensor with shape: ${listText(indices._sizes)}`);
  }
  const empty = sizes.findIndex((size, d) => size === 0 && d > 0);
  if (empty > 0) {
    const where = `max_unpooling${dims}d_forward_out_cpu()`;
    refuse(`${where}: Expected input to have non-zero size for non-batch dimensions, but got ${listText(sizes)} with dimension ${empty} being empty.`);
  }
  if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"max_unpool${dims}d" not implemented for '${self.dtype.title}'`);
}

/** Refuses a position outside its plane of so many elements. */
function checkPositions(indices: Tensor, volume: Sizes): void {
  const outside = indices.lt(0).logical_or(indices.ge(numelOf(volume)));
  if (outside.any().item() !== true) return;
  const first = indices.masked_select(outside).select(0, 0).item();
  throw new RuntimeError(`Found an invalid max index: ${first} (output volumes are of size ${volume.join("x")})`);
}

const unpooling = (dims: number): KernelOverload =>
  new KernelOverload(`max_unpool${dims}d(Tensor self, Tensor indices, int[] output_size) -> Tensor`, {
    forward: (self: Tensor, indices: Tensor, volume: Sizes) => {
      check(self, indices, dims);
      checkPositions(indices, volume);
      const out = filled([...self._sizes.slice(0, -dims), ...volume], 0, self.dtype);
      if (self._numel > 0) out.flatten(-dims).scatter_(-1, indices.flatten(-dims), self.flatten(-dims));
      return dims === 2 ? inFormatOf(self, out) : out;
    },
    backward: { self: ({ grad, indices }) => grad.flatten(-dims).gather(-1, indices.flatten(-dims)).view(indices._sizes) },
    node: `MaxUnpool${dims}DBackward0`,
  });
const unpool2d = unpooling(2);
const unpool3d = unpooling(3);

type Extent = number | readonly number[];
interface Options {
  stride?: Extent | null;
  padding?: Extent;
  output_size?: readonly number[] | null;
}
type MaxUnpool = FunctionOp<[input: Tensor, indices: Tensor, kernel_size: Extent, stride?: Extent | null, padding?: Extent, output_size?: readonly number[] | null], Options>;

/** The spatial sizes of the result: those asked for, where the pooling could have led from them to `input`. */
function volumeOf(input: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, asked: Sizes | null): Sizes {
  const dims = kernel.length;
  const usual = kernel.map((k, d) => (input.size(d - dims) - 1) * stride[d] + k - 2 * padding[d]);
  if (asked === null) return usual;
  const volume = asked.length === dims + 2 ? asked.slice(2) : asked;
  if (volume.length !== dims) throw new ValueError(`output_size should be a sequence containing ${dims} or ${dims + 2} elements, but it has a length of '${volume.length}'`);
  for (const [d, size] of volume.entries()) {
    const [least, most] = [usual[d] - stride[d], usual[d] + stride[d]];
    if (size <= least || size >= most) throw new ValueError(`invalid output_size "${listText(volume)}" (dim ${d} must be between ${least} and ${most})`);
  }
  return volume;
}

const maxUnpool = (dims: number, run: (input: Tensor, indices: Tensor, volume: Sizes) => Tensor): MaxUnpool =>
  composite(
    `max_unpool${dims}d(Tensor input, Tensor indices, int[${dims}] kernel_size, int[${dims}]? stride=None, int[${dims}] padding=0, int[]? output_size=None) -> Tensor`,
    (input: Tensor, indices: Tensor, kernel: Sizes, stride: Sizes | null, padding: Sizes, asked: Sizes | null) => {
      const [k, s, p] = [kernel, stride ?? kernel, padding].map((list) => (list.length === 1 ? new Array<number>(dims).fill(list[0]) : list));
      const volume = volumeOf(input, k, s, p, asked);
      if (dims === 3 && s.some((step) => step <= 0)) throw new RuntimeError(`strides should be greater than zero, but got stride: ${listText(s)}`);
      return run(input, indices, volume);
    },
    { method: false, takesOut: false },
  );

/** Puts the maxima that `max_pool1d` gave with `return_indices` back to their places in (n, c, l) or (c, l), with zeros around them. */
export const max_unpool1d: MaxUnpool = maxUnpool(1, (input, indices, volume) => (unpool2d.call([input.unsqueeze(-1), indices.unsqueeze(-1), [...volume, 1]]) as Tensor).squeeze(-1));
/**
 * Puts the maxima that `max_pool2d` gave with `return_indices` back to their places in (n, c, h, w) or (c, h, w), with zeros around them.
 * `output_size` decides where several sizes lead to that of `input`.
 *
 * @throws RuntimeError where a position lies outside; ValueError where `output_size` does not fit.
 * @example
 * torch.nn.functional.max_unpool2d(torch.tensor([[[4]]]), torch.tensor([[[3]]], { dtype: torch.int64 }), 2).tolist(); // [[[0, 0], [0, 4]]]
 */
export const max_unpool2d: MaxUnpool = maxUnpool(2, (...values) => unpool2d.call(values) as Tensor);
/** Puts the maxima that `max_pool3d` gave with `return_indices` back to their places, as `max_unpool2d`. */
export const max_unpool3d: MaxUnpool = maxUnpool(3, (...values) => unpool3d.call(values) as Tensor);
