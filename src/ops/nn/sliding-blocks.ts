/** Blocks of pictures as columns, and back: functions of torch.nn.functional. */
import { kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import type { Geometry } from "../../autograd/engine-ops.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, INT } from "../../tensor/dtype.ts";
import { contiguousStrides, listText, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { asStridedBackward } from "../shape/as-strided.ts";
import { contiguousCopy, rowMajor } from "../creation/copy.ts";
import { constant_pad_nd } from "./padding.ts";

/** How blocks lie in a picture: each list has the vertical number, then the horizontal one. */
interface Blocks {
  readonly kernel_size: Sizes;
  readonly dilation: Sizes;
  readonly padding: Sizes;
  readonly stride: Sizes;
}

const short: Record<keyof Blocks, string> = { kernel_size: "kernel", dilation: "dilation", padding: "pad", stride: "stride" };
const pairText = ([height, width]: Sizes): string => `(${height}, ${width})`;

function pairOf(name: string, list: Sizes): Sizes {
  if (list.length !== 2) throw new RuntimeError(`It is expected ${name} equals to 2, but got size ${list.length}`);
  return list;
}

/** The four lists, refused in the given order where one has a number that is too small. */
function blocksOf(kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes, order: readonly (keyof Blocks)[]): Blocks {
  const blocks: Blocks = { kernel_size: pairOf("kernel_size", kernel_size), dilation: pairOf("dilation", dilation), padding: pairOf("padding", padding), stride: pairOf("stride", stride) };
  for (const name of order) {
    const [height, width] = blocks[name];
    if (Math.min(height, width) > (name === "padding" ? -1 : 0)) continue;
    const bound = name === "padding" ? "non-negative" : "greater than zero";
    throw new RuntimeError(`${name.replace("_", " ")} should be ${bound}, but got ${short[name]}_height: ${height} ${short[name]}_width: ${width}`);
  }
  return blocks;
}

/** How many blocks there are below and beside one another. */
const countsOf = (picture: Sizes, { kernel_size, dilation, padding, stride }: Blocks): Sizes =>
  picture.map((size, d) => Math.floor((size + 2 * padding[d] - dilation[d] * (kernel_size[d] - 1) - 1) / stride[d]) + 1);

const paddedSizes = (lead: Sizes, picture: Sizes, { padding }: Blocks): Sizes => [...lead, ...picture.map((size, d) => size + 2 * padding[d])];

/** The blocks as a view of padded pictures in row-major order, whose other dimensions are `lead`. */
function viewOf(lead: Sizes, padded: Sizes, counts: Sizes, { kernel_size, dilation, stride }: Blocks): Geometry {
  const strides = contiguousStrides(padded);
  const [down, right] = strides.slice(-2);
  return {
    sizes: [...lead, ...kernel_size, ...counts],
    strides: [...strides.slice(0, -2), dilation[0] * down, dilation[1] * right, stride[0] * down, stride[1] * right],
    offset: 0,
  };
}

function checkPicture(self: Tensor): void {
  const sizes = self._sizes;
  const filled = self.size(1) !== 0 && self.size(2) !== 0;
  if (filled && ((sizes.length === 3 && sizes[0] !== 0) || (sizes.length === 4 && sizes[3] !== 0))) return;
  throw new RuntimeError(`Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: ${listText(sizes)}`);
}

type Extent = number | readonly number[];
interface Options {
  dilation?: Extent;
  padding?: Extent;
  stride?: Extent;
}

/**
 * The blocks of `kernel_size` of each picture, of (n, c, h, w) or (c, h, w), as the columns of (n, c·kernel, blocks). `padding` is filled with zeros.
 *
 * @throws RuntimeError where no block fits.
 * @example
 * torch.nn.functional.unfold(torch.tensor([[[1, 2, 3]]]), [1, 2]).tolist(); // [[1, 2], [2, 3]]
 */
export const unfold: FunctionOp<[input: Tensor, kernel_size: Extent, dilation?: Extent, padding?: Extent, stride?: Extent], Options> = kernel(
  "im2col(Tensor self, int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] stride=1) -> Tensor",
  {
    forward: (self: Tensor, ...lists: [Sizes, Sizes, Sizes, Sizes]) => {
      const blocks = blocksOf(...lists, ["kernel_size", "dilation", "padding", "stride"]);
      checkPicture(self);
      const [lead, picture] = [self._sizes.slice(0, -2), self._sizes.slice(-2)];
      const counts = countsOf(picture, blocks);
      if (Math.min(...counts) < 1) {
        throw new RuntimeError(
          `Given input with spatial size ${pairText(picture)}, kernel_size=${pairText(blocks.kernel_size)}, dilation=${pairText(blocks.dilation)}, padding=${pairText(blocks.padding)}, calculated shape of the array of sliding blocks as ${pairText(counts)}, but its components must be at least one.`,
        );
      }
      if (self.dtype.kind === INT) throw new NotImplementedError(`"im2col_out_cpu" not implemented for '${self.dtype.title}'`);
      const [[down, right], padded] = [blocks.padding, paddedSizes(lead, picture, blocks)];
      const { sizes, strides, offset } = viewOf(lead, padded, counts, blocks);
      const columns = contiguousCopy(rowMajor(constant_pad_nd(self, [right, right, down, down]))._aliased(sizes, strides, offset));
      return columns._reshaped([...lead.slice(0, -1), lead.at(-1)! * blocks.kernel_size[0] * blocks.kernel_size[1], counts[0] * counts[1]]);
    },
    backward: {
      self: ({ grad, self_sizes, kernel_size, dilation, padding, stride }) => fold(grad, self_sizes.slice(-2), kernel_size, dilation, padding, stride),
    },
    node: "Im2ColBackward0",
    method: false,
  },
);

function checkColumns(self: Tensor, picture: Sizes, blocks: Blocks): Sizes {
  const sizes = self._sizes;
  if ((sizes.length !== 2 && sizes.length !== 3) || sizes.slice(-2).includes(0)) {
    throw new RuntimeError(`Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: ${listText(sizes)}`);
  }
  const { kernel_size, dilation, padding, stride } = blocks;
  const [rows, length] = sizes.slice(-2);
  if (rows % (kernel_size[0] * kernel_size[1]) !== 0) {
    throw new RuntimeError(`Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=${rows} and kernel_size=${pairText(kernel_size)}.`);
  }
  const counts = countsOf(picture, blocks);
  const given = `Given output_size=${pairText(picture)}, kernel_size=${pairText(kernel_size)}, dilation=${pairText(dilation)}, padding=${pairText(padding)}, stride=${pairText(stride)}`;
  if (counts[0] * counts[1] !== length) {
    throw new RuntimeError(`${given}, expected size of input's dimension 2 to match the calculated number of sliding blocks ${counts[0]} * ${counts[1]} = ${counts[0] * counts[1]}, but got input.size(2)=${length}.`);
  }
  if (Math.min(...counts) < 1) throw new RuntimeError(`${given}, calculated shape of the array of sliding blocks as ${pairText(counts)}, which is too small (non-positive)`);
  if (Math.min(...picture) < 1) throw new RuntimeError(`Expected output spatial size to be positive, but got: output_size=${pairText(picture)}.`);
  return counts;
}

/**
 * The pictures of `output_size` in which the blocks that are the columns of `input`, as `unfold` gives them, are added up where they overlap.
 *
 * @throws RuntimeError where the columns are not those of such pictures.
 * @example
 * torch.nn.functional.fold(torch.tensor([[1, 2], [2, 3]]), [1, 3], [1, 2]).tolist(); // [[[1, 4, 3]]]
 */
export const fold: FunctionOp<[input: Tensor, output_size: Extent, kernel_size: Extent, dilation?: Extent, padding?: Extent, stride?: Extent], Options> = kernel(
  "col2im(Tensor self, int[2] output_size, int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] stride=1) -> Tensor",
  {
    forward: (self: Tensor, output_size: Sizes, ...lists: [Sizes, Sizes, Sizes, Sizes]) => {
      const picture = pairOf("output_size", output_size);
      const blocks = blocksOf(...lists, ["kernel_size", "stride", "dilation", "padding"]);
      const counts = checkColumns(self, picture, blocks);
      if (self.dtype.kind === INT) throw new NotImplementedError(`"col2im_out_cpu" not implemented for '${self.dtype.title}'`);
      const lead = [...self._sizes.slice(0, -2), self._sizes.at(-2)! / (blocks.kernel_size[0] * blocks.kernel_size[1])];
      const padded = paddedSizes(lead, picture, blocks);
      const view = viewOf(lead, padded, counts, blocks);
      // A sum of bools is whether one of them is true.
      const columns = self.dtype.kind === BOOL ? self.float() : self;
      const sums = asStridedBackward(rowMajor(columns)._reshaped(view.sizes), { sizes: padded, strides: contiguousStrides(padded), offset: 0 }, view);
      const inside = blocks.padding.reduce((t, border, d) => t.narrow(d - 2, border, picture[d]), sums);
      return contiguousCopy(inside, self.dtype);
    },
    backward: { self: ({ grad, kernel_size, dilation, padding, stride }) => unfold(grad, kernel_size, dilation, padding, stride) },
    node: "Col2ImBackward0",
    method: false,
  },
);
