/** Pictures read at places that a tensor names, and the places of an affine map: functions of torch.nn.functional. */
import { grad as gradientsOf } from "../../autograd/backward.ts";
import { gradMode, withGradMode } from "../../autograd/grad-mode.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError, warn } from "../../errors.ts";
import { FLOAT, int64 } from "../../tensor/dtype.ts";
import { listText, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ones, zeros } from "../creation/creation.ts";
import { linspace } from "../creation/ranges.ts";
import { hardtanhForm } from "../pointwise/activation-forms.ts";
import { where } from "../pointwise/selection.ts";
import { stack } from "../shape/joining.ts";

type Mode = "bilinear" | "nearest" | "bicubic";
type Padding = "zeros" | "border" | "reflection";

const clipped = (at: Tensor, size: number): Tensor => hardtanhForm.call([at, 0, size - 1]);

/** Positions beyond the border reflected at it: at the outermost elements, or at their outer edges. */
function reflected(at: Tensor, size: number, corners: boolean): Tensor {
  const [low, span] = corners ? [0, size - 1] : [-0.5, size];
  if (span === 0) return at.mul(0);
  const distance = at.sub(low).abs();
  const flips = distance.detach().div(span).floor();
  const rest = distance.sub(flips.mul(span));
  return where(flips.remainder(2).eq(0), rest.add(low), rest.neg().add(span + low));
}

function padded(at: Tensor, size: number, padding: Padding, corners: boolean): Tensor {
  if (padding === "zeros") return at;
  return clipped(padding === "border" ? at : reflected(at, size, corners), size);
}

/** The elements at whole positions, one tensor a dimension, the last dimension first; 0 outside. */
function read(input: Tensor, positions: readonly Tensor[]): Tensor {
  const [n, c] = input._sizes;
  const sizes = input._sizes.slice(2).toReversed();
  let [offset, stride] = [zeros(positions[0]._sizes, { dtype: int64 }), 1];
  let inside: Tensor | null = null;
  for (const [d, at] of positions.entries()) {
    const within = at.ge(0).logical_and(at.lt(sizes[d]));
    inside = inside === null ? within : inside.logical_and(within);
    offset = offset.add(where(within, at, 0).to(int64).mul(stride));
    stride *= sizes[d];
  }
  const values = input.reshape([n, c, -1]).gather(2, offset.reshape([n, 1, -1]).expand([n, c, -1]));
  return values.view([n, c, ...offset._sizes.slice(1)]).mul(inside!.unsqueeze(1));
}

/** Weights of the four neighbours at the distance t of the second (Keys, 1981). */
function cubicWeights(t: Tensor): Tensor[] {
  const near = (x: Tensor): Tensor => x.mul(1.25).sub(2.25).mul(x).mul(x).add(1);
  const far = (x: Tensor): Tensor => x.mul(-0.75).add(3.75).mul(x).sub(6).mul(x).add(3);
  const u = t.neg().add(1);
  return [far(t.add(1)), near(t), near(u), far(u.add(1))];
}

/** Sums `term` over all ways to choose one of `count` neighbours in each dimension. */
function overNeighbours(dims: number, count: number, term: (choice: number[]) => Tensor): Tensor {
  const choices = Array.from({ length: count ** dims }, (_, i) => Array.from({ length: dims }, (_, d) => Math.floor(i / count ** d) % count));
  return choices.map(term).reduce((sum, t) => sum.add(t));
}

function sampled(input: Tensor, grid: Tensor, mode: Mode, padding: Padding, corners: boolean): Tensor {
  const sizes = input._sizes.slice(2).toReversed();
  const raw = sizes.map((size, d) => {
    const at = grid.select(-1, d).add(1);
    // Rounded as PyTorch does, for the slope jumps at whole positions.
    return corners ? at.mul((size - 1) / 2) : sizes.length === 2 ? at.mul(size / 2).sub(0.5) : at.mul(size).sub(1).div(2);
  });
  const places = mode === "bicubic" ? raw : raw.map((at, d) => padded(at, sizes[d], padding, corners));
  if (mode === "nearest") return read(input, places.map((at) => at.detach().round()));
  const lower = places.map((at) => at.detach().floor());
  const parts = places.map((at, d) => at.sub(lower[d]));
  const weights = parts.map(mode === "bicubic" ? cubicWeights : (t) => [t.neg().add(1), t]);
  const first = mode === "bicubic" ? -1 : 0;
  return overNeighbours(sizes.length, weights[0].length, (choice) => {
    const at = choice.map((k, d) => lower[d].add(first + k)).map((t, d) => (mode === "bicubic" ? padded(t, sizes[d], padding, corners) : t));
    return read(input, at).mul(choice.map((k, d) => weights[d][k]).reduce((a, b) => a.mul(b)).unsqueeze(1));
  });
}

/** The gradients that autograd finds for the formula. */
function gradients(grad: Tensor, inputs: readonly Tensor[], needed: readonly boolean[], mode: Mode, padding: Padding, corners: boolean): (Tensor | null)[] {
  const recorded = gradMode.enabled;
  const own = recorded ? inputs : inputs.map((t) => t.detach().requires_grad_());
  const wanted = own.filter((_, i) => needed[i]);
  const found = withGradMode(true, () =>
    gradientsOf([sampled(own[0], own[1], mode, padding, corners)], wanted, [grad], { create_graph: recorded, allow_unused: true, materialize_grads: true }),
  );
  return own.map((_, i) => (needed[i] ? found.shift()! : null));
}

const sampler = (dims: number): KernelOverload =>
  new KernelOverload(`grid_sampler_${dims}d(Tensor input, Tensor grid, str mode, str padding_mode, bool align_corners) -> Tensor`, {
    forward: sampled,
    backward: { "input, grid": ({ grad, input, grid, mode, padding_mode, align_corners, needed }) => gradients(grad, [input, grid], needed, mode, padding_mode, align_corners) },
    node: `GridSampler${dims}DBackward0`,
  });
const samplers = [sampler(2), sampler(3)];

function check(input: Tensor, grid: Tensor, mode: string): void {
  const [a, b] = [listText(input._sizes), listText(grid._sizes)];
  const ndim = input._sizes.length;
  const fail = (text: string): never => {
    throw new RuntimeError(`grid_sampler(): ${text}`);
  };
  if (input._sizes[0] !== grid._sizes[0]) fail(`expected grid and input to have same batch size, but got input with sizes ${a} and grid with sizes ${b}`);
  if (grid._sizes.at(-1) !== ndim - 2) fail(`expected grid to have size ${ndim - 2} in last dimension, but got grid with sizes ${b}`);
  const empty = input._sizes.findIndex((size, d) => d > 1 && size === 0);
  if (empty > 0) fail(`expected input to have non-empty spatial dimensions, but input has sizes ${a} with dimension ${empty} being empty`);
  if (ndim < 4 || ndim > 5 || ndim !== grid._sizes.length) fail(`expected ${ndim === 4 ? 4 : 5}D input and grid with same number of dimensions, but got input with sizes ${a} and grid with sizes ${b}`);
  if (ndim === 5 && mode === "bicubic") fail("bicubic interpolation only supports 4D input");
  if (input.dtype.kind !== FLOAT) throw new NotImplementedError(`"grid_sampler_${ndim - 2}d_cpu_kernel_impl" not implemented for '${input.dtype.title}'`);
  if (input.dtype !== grid.dtype) throw new RuntimeError(`expected scalar type ${input.dtype.title} but found ${grid.dtype.title}`);
}

function cornersOrNot(given: boolean | null): boolean {
  if (given === null) {
    warn(
      "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
    );
  }
  return given === true;
}

/**
 * `input` (n, c, h, w) read at the places of `grid` (n, h', w', 2), whose x and y run from -1 to 1 over the picture; or both with a depth more.
 *
 * @throws RuntimeError, ValueError or NotImplementedError where arguments or sizes do not fit.
 * @example
 * torch.nn.functional.grid_sample(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 1, 2), { align_corners: false }).item(); // 1
 */
export const grid_sample: FunctionOp<
  [input: Tensor, grid: Tensor, mode?: Mode, padding_mode?: Padding, align_corners?: boolean | null],
  { mode?: Mode; padding_mode?: Padding; align_corners?: boolean | null }
> = composite(
  "grid_sample(Tensor input, Tensor grid, str mode='bilinear', str padding_mode='zeros', bool? align_corners=None) -> Tensor",
  (input: Tensor, grid: Tensor, mode: Mode, padding: Padding, corners: boolean | null) => {
    const name = "nn.functional.grid_sample()";
    if (!["bilinear", "nearest", "bicubic"].includes(mode)) throw new ValueError(`${name}: expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`);
    if (!["zeros", "border", "reflection"].includes(padding)) {
      throw new ValueError(`${name}: expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${padding}'`);
    }
    const aligned = cornersOrNot(corners);
    check(input, grid, mode);
    return samplers[input._sizes.length - 4].call([input, grid, mode, padding, aligned]);
  },
  { takesOut: false },
);

/** The places of a picture before the map: for each element its coordinates, the last dimension first, and 1. */
function places(sizes: Sizes, corners: boolean, like: Tensor): Tensor {
  const axes = sizes.map((size, d) => {
    const line = size > 1 ? linspace(-1, 1, size, { dtype: like.dtype }).mul(corners ? 1 : size - 1).div(corners ? 1 : size) : zeros(1, { dtype: like.dtype });
    return line.view(sizes.map((_, k) => (k === d ? -1 : 1))).expand(sizes);
  });
  return stack([...axes.toReversed(), ones(sizes, { dtype: like.dtype })], -1).view([1, -1, sizes.length + 1]);
}

const generator = new KernelOverload("affine_grid_generator(Tensor theta, int[] size, bool align_corners) -> Tensor", {
  forward: (theta: Tensor, [n, , ...sizes]: Sizes, corners: boolean) => {
    const base = places(sizes, corners, theta);
    return base.expand([n, -1, -1]).bmm(theta.mT).view([n, ...sizes, sizes.length]);
  },
  backward: {
    theta: ({ grad, theta_sizes, size, align_corners }) => {
      const [n, , ...sizes] = size;
      return grad.reshape([n, -1, theta_sizes[1]]).mT.matmul(places(sizes, align_corners, grad).expand([n, -1, -1]));
    },
  },
});

/**
 * The grid that `grid_sample` takes for the affine maps `theta` (n, 2, 3) and pictures of `size` (n, c, h, w); or (n, 3, 4) with a depth more.
 *
 * @throws ValueError, NotImplementedError or RuntimeError where sizes do not fit.
 * @example
 * torch.nn.functional.affine_grid(torch.eye(2, 3).unsqueeze(0), [1, 1, 2, 2], true).shape; // [1, 2, 2, 2]
 */
export const affine_grid: FunctionOp<[theta: Tensor, size: Sizes, align_corners?: boolean | null], { align_corners?: boolean | null }> = composite(
  "affine_grid(Tensor theta, int[] size, bool? align_corners=None) -> Tensor",
  (theta: Tensor, size: Sizes, corners: boolean | null) => {
    const aligned = cornersOrNot(corners);
    const [text, dims] = [listText(size), size.length - 2];
    if (theta.dtype.kind !== FLOAT) throw new ValueError(`Expected theta to have floating point type, but got ${theta.dtype}`);
    if (dims !== 2 && dims !== 3) {
      throw new NotImplementedError(`affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size ${text}.`);
    }
    const [rows, columns] = theta._sizes.slice(-2);
    if (theta._sizes.length !== 3 || rows !== dims || columns !== dims + 1) {
      throw new ValueError(`Expected a batch of ${dims}D affine matrices of shape Nx${dims}x${dims + 1} for size ${text}. Got torch.Size(${listText(theta._sizes)}).`);
    }
    if (size.some((s) => s <= 0)) throw new ValueError(`Expected non-zero, positive output size. Got ${text}`);
    return generator.call([theta, size, aligned]);
  },
  { takesOut: false },
);
