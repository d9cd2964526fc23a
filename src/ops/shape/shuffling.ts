/** Elements moved between channels and pixels: functions of torch and torch.nn.functional. */
import { kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { listText } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy } from "../creation/copy.ts";

/** What lies before the channels, and channels, height and width. */
const pictureSizes = ({ _sizes: sizes }: Tensor): [readonly number[], number, number, number] => [sizes.slice(0, -3), ...(sizes.slice(-3) as [number, number, number])];

/** Splits the last three dimensions into `sizes`, permutes the parts, and merges them again. */
function rearranged(self: Tensor, lead: readonly number[], parts: readonly number[], order: readonly number[], merged: readonly number[]): Tensor {
  const dims = [...lead.keys(), ...order.map((d) => lead.length + d)];
  return contiguousCopy(self.reshape([...lead, ...parts]).permute(dims)).view([...lead, ...merged]);
}

function checkPicture(name: string, what: string, self: Tensor, factor: number): void {
  if (self._sizes.length < 3) throw new RuntimeError(`${name} expects input to have at least 3 dimensions, but got input with ${self._sizes.length} dimension(s)`);
  if (factor <= 0) throw new RuntimeError(`${name} expects a positive ${what}, but got ${factor}`);
}

/**
 * Moves channels into space: (…, c·r², h, w) to (…, c, h·r, w·r), r being `upscale_factor`.
 *
 * @throws RuntimeError where the channels cannot be divided so.
 * @example
 * torch.pixel_shuffle(torch.tensor([[[1]], [[2]], [[3]], [[4]]]), 2).tolist(); // [[[1, 2], [3, 4]]]
 */
export const pixel_shuffle: FunctionOp<[self: Tensor, upscale_factor: number], { upscale_factor?: number }> = kernel("pixel_shuffle(Tensor self, int upscale_factor) -> Tensor", {
  forward: (self: Tensor, r: number) => {
    checkPicture("pixel_shuffle", "upscale_factor", self, r);
    const [lead, c, h, w] = pictureSizes(self);
    if (c % (r * r) !== 0) {
      throw new RuntimeError(`pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=${c} is not divisible by ${r * r}`);
    }
    const channels = c / (r * r);
    return rearranged(self, lead, [channels, r, r, h, w], [0, 3, 1, 4, 2], [channels, h * r, w * r]);
  },
  backward: { self: ({ grad, upscale_factor }) => pixel_unshuffle(grad, upscale_factor) },
  method: false,
  takesOut: false,
});

/** Moves space into channels: (…, c, h·r, w·r) to (…, c·r², h, w), r being `downscale_factor`. */
export const pixel_unshuffle: FunctionOp<[self: Tensor, downscale_factor: number], { downscale_factor?: number }> = kernel(
  "pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor",
  {
    forward: (self: Tensor, r: number) => {
      checkPicture("pixel_unshuffle", "downscale_factor", self, r);
      const [lead, c, h, w] = pictureSizes(self);
      if (h % r !== 0) throw new RuntimeError(`pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=${h} is not divisible by ${r}`);
      if (w % r !== 0) throw new RuntimeError(`pixel_unshuffle expects width to be divisible by downscale_factor, but input.size(-1)=${w} is not divisible by ${r}`);
      return rearranged(self, lead, [c, h / r, r, w / r, r], [0, 2, 4, 1, 3], [c * r * r, h / r, w / r]);
    },
    backward: { self: ({ grad, downscale_factor }) => pixel_shuffle(grad, downscale_factor) },
    method: false,
    takesOut: false,
  },
);

/** Takes the channels (dimension 1) in turn from each of `groups` groups. */
export const channel_shuffle: FunctionOp<[self: Tensor, groups: number], { groups?: number }> = kernel("channel_shuffle(Tensor self, int groups) -> Tensor", {
  forward: (self: Tensor, groups: number) => {
    const [n, c, ...rest] = self._sizes;
    if (self._sizes.length <= 2) throw new RuntimeError(`channel_shuffle expects input with > 2 dims, but got input with sizes ${listText(self._sizes)}`);
    if (groups <= 0) throw new RuntimeError(`Number of groups to divide channels in must be positive. Value of groups:${groups}`);
    if (c % groups !== 0) throw new RuntimeError(`Number of channels must be divisible by groups. Got ${c} channels and ${groups} groups.`);
    const size = rest.reduce((count, s) => count * s, 1);
    return self.reshape([n, groups, c / groups, size]).permute([0, 2, 1, 3]).contiguous().view(self._sizes);
  },
  backward: { self: ({ grad, groups }) => channel_shuffle(grad, grad._sizes[1] / groups) },
  method: false,
  takesOut: false,
});
