/** Distances and similarities between vectors. */
import { distanceBetween, gradientAdder, type Rows } from "../../backends/reference/distance.ts";
import type { FloatArray } from "../../backends/reference/lanes.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../../errors.ts";
import { FLOAT, promote_types } from "../../tensor/dtype.ts";
import { broadcastSizes, sameSizes, type Sizes } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { addNumber } from "../pointwise/number-forms.ts";
import { normOverload } from "../reductions/vector-norm.ts";

const floats = (t: Tensor): FloatArray => viewTyped(t) as FloatArray;
const rowsOf = (t: Tensor): Rows => ({ array: floats(t), width: t._sizes.at(-1)! });

const notDifferentiable = (name: string) => (): never => {
  throw new NotImplementedError(`the derivative for '${name}' is not implemented.`);
};

const between = new KernelOverload("_cdist_forward(Tensor x1, Tensor x2, float p) -> Tensor", {
  forward: (x1: Tensor, x2: Tensor, p: number) => {
    const [a, b] = [rowMajor(x1), rowMajor(x2)];
    const [rows, columns] = [x1.size(-2), x2.size(-2)];
    const out = emptyTensor([...x1._sizes.slice(0, -1), columns], x1.dtype);
    const result = floats(out);
    const distance = distanceBetween(rowsOf(a), rowsOf(b), p);
    for (let at = 0; at < result.length; at++) {
      const row = Math.floor(at / columns);
      result[at] = distance(row, Math.floor(row / rows) * columns + (at % columns));
    }
    return out;
  },
  backward: {
    x1: ({ grad, x1, x2, p, result }) => betweenSlope.call([grad, x1, x2, p, result]) as Tensor,
    x2: ({ grad, x1, x2, p, result }) => betweenSlope.call([grad.mT.contiguous(), x2, x1, p, result.mT.contiguous()]) as Tensor,
  },
  node: "CdistBackward0",
});

/** The gradient of the distances by the first rows. */
const betweenSlope: KernelOverload = new KernelOverload("_cdist_backward(Tensor grad, Tensor x1, Tensor x2, float p, Tensor cdist) -> Tensor", {
  forward: (grad: Tensor, x1: Tensor, x2: Tensor, p: number, cdist: Tensor) => {
    const [g, a, b, d] = [grad, x1, x2, cdist].map((t) => rowMajor(t));
    const [rows, columns] = [x1.size(-2), x2.size(-2)];
    const out = filled(x1._sizes, 0, x1.dtype);
    const add = gradientAdder(rowsOf(a), rowsOf(b), floats(out), p);
    const [grads, distances] = [floats(g), floats(d)];
    for (let at = 0; at < grads.length; at++) {
      const row = Math.floor(at / columns);
      add(row, Math.floor(row / rows) * columns + (at % columns), grads[at], distances[at]);
    }
    return out;
  },
  backward: { grad: notDifferentiable("_cdist_backward"), x1: notDifferentiable("_cdist_backward"), x2: notDifferentiable("_cdist_backward"), cdist: notDifferentiable("_cdist_backward") },
  node: "CdistBackwardBackward0",
});

/** `x` itself where it has these sizes. */
const expandedTo = (x: Tensor, sizes: Sizes): Tensor => (sameSizes(x._sizes, sizes) ? x : x.expand(sizes));

const modes = ["use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"];

/**
 * The `p`-norm distance between each row of `x1` (…, n, d) and each of `x2` (…, m, d), as (…, n, m). `compute_mode` is accepted
 * for PyTorch's sake; distances are always summed from the differences.
 *
 * @throws RuntimeError where the tensors are not of floats, or their shapes do not fit.
 * @example
 * torch.cdist(torch.tensor([[0, 0]]), torch.tensor([[3, 4]])).item(); // 5
 */
export const cdist: FunctionOp<[x1: Tensor, x2: Tensor, p?: number, compute_mode?: string], { p?: number; compute_mode?: string }> = composite(
  `cdist(Tensor x1, Tensor x2, float p=2.0, str compute_mode='${modes[0]}') -> Tensor`,
  (x1: Tensor, x2: Tensor, p: number, mode: string) => {
    if (!modes.includes(mode)) throw new ValueError(`${mode} is not a valid value for compute_mode`);
    const operands = Object.entries({ X1: x1, X2: x2 });
    for (const [name, x] of operands) if (x._sizes.length < 2) throw new RuntimeError(`cdist only supports at least 2D tensors, ${name} got: ${x._sizes.length}D`);
    if (x1.size(-1) !== x2.size(-1)) throw new RuntimeError(`X1 and X2 must have the same number of columns. X1: ${x1.size(-1)} X2: ${x2.size(-1)}`);
    for (const [name, x] of operands) if (x.dtype.kind !== FLOAT) throw new RuntimeError(`cdist only supports floating-point dtypes, ${name} got: ${x.dtype.title}`);
    if (p < 0) throw new RuntimeError("cdist only supports non-negative p values");
    const batch = broadcastSizes(x1._sizes.slice(0, -2), x2._sizes.slice(0, -2));
    if (x1.dtype !== x2.dtype && x1._numel > 0 && x2._numel > 0) throw new RuntimeError(`expected scalar type ${x1.dtype.title} but found ${x2.dtype.title}`);
    const [a, b] = [x1, x2].map((x) => expandedTo(x, [...batch, ...x._sizes.slice(-2)]));
    return between.call([a, b, p]);
  },
  { method: false, takesOut: false },
);

/** Calls `body` for each pair i < j, in the order in which pdist lists them. */
function forEachPair(n: number, body: (i: number, j: number, at: number) => void): void {
  for (let i = 0, at = 0; i < n; i++) for (let j = i + 1; j < n; j++) body(i, j, at++);
}

const within = new KernelOverload("_pdist_forward(Tensor self, float p) -> Tensor", {
  forward: (self: Tensor, p: number) => {
    const input = rowMajor(self);
    const [n] = self._sizes;
    const out = emptyTensor([(n * Math.max(n - 1, 0)) / 2], self.dtype);
    const result = floats(out);
    const distance = distanceBetween(rowsOf(input), rowsOf(input), p);
    forEachPair(n, (i, j, at) => (result[at] = distance(i, j)));
    return out;
  },
  backward: { self: ({ grad, self, p, result }) => withinSlope.call([grad, self, p, result]) as Tensor },
  node: "PdistBackward0",
});

const withinSlope: KernelOverload = new KernelOverload("_pdist_backward(Tensor grad, Tensor self, float p, Tensor pdist) -> Tensor", {
  forward: (grad: Tensor, self: Tensor, p: number, pdist: Tensor) => {
    const [g, x, d] = [grad, self, pdist].map((t) => rowMajor(t));
    const out = filled(self._sizes, 0, self.dtype);
    const add = gradientAdder(rowsOf(x), rowsOf(x), floats(out), p);
    const [grads, distances] = [floats(g), floats(d)];
    forEachPair(self._sizes[0], (i, j, at) => {
      add(i, j, grads[at], distances[at]);
      add(j, i, grads[at], distances[at]);
    });
    return out;
  },
  backward: { grad: notDifferentiable("_pdist_backward"), self: notDifferentiable("_pdist_backward"), pdist: notDifferentiable("_pdist_backward") },
  node: "PdistBackwardBackward0",
});

/** The `p`-norm distance between every two rows i < j of `self` (n, d), as a vector of n (n - 1) / 2 elements. */
export const pdist: FunctionOp<[self: Tensor, p?: number], { p?: number }> = composite(
  "pdist(Tensor self, float p=2) -> Tensor",
  (self: Tensor, p: number) => {
    if (self._sizes.length !== 2) throw new RuntimeError(`pdist only supports 2D tensors, got: ${self._sizes.length}D`);
    if (self.dtype.kind !== FLOAT) throw new RuntimeError("pdist only supports floating-point dtypes");
    if (p < 0) throw new RuntimeError("pdist only supports non-negative p values");
    return within.call([self.contiguous(), p]);
  },
  { method: false, takesOut: false },
);

const norm = normOverload("norm", "NormBackward1");

/** The `p`-norm of x1 - x2 + eps over the last dimension. */
export const pairwise_distance: FunctionOp<[x1: Tensor, x2: Tensor, p?: number, eps?: number, keepdim?: boolean], { p?: number; eps?: number; keepdim?: boolean }> = composite(
  "pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False) -> Tensor",
  (x1: Tensor, x2: Tensor, p: number, eps: number, keepdim: boolean) => norm.call([addNumber(x1.sub(x2), eps), p, [-1], keepdim, null]),
  { takesOut: false },
);

/** `x` divided by its norm along `dim`, which counts as no less than `eps` although its gradient flows. */
function direction(x: Tensor, dim: number, eps: number): Tensor {
  const norm = x.norm(2, dim, true).clone();
  norm.detach().clamp_min_(eps);
  return x.div(norm);
}

/**
 * The cosine of the angle between x1 and x2 along `dim`; norms are taken for no less than `eps`.
 *
 * @throws RuntimeError where the common dtype is no float, or the shapes do not broadcast.
 * @example
 * torch.cosine_similarity(torch.tensor([1, 0]), torch.tensor([1, 1]), 0).item(); // 0.7071067690849304
 */
export const cosine_similarity: FunctionOp<[x1: Tensor, x2: Tensor, dim?: number, eps?: number], { dim?: number; eps?: number }> = composite(
  "cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor",
  (x1: Tensor, x2: Tensor, dim: number, eps: number) => {
    const dtype = promote_types(x1.dtype, x2.dtype);
    if (dtype.kind !== FLOAT) throw new RuntimeError(`expected common dtype to be floating point, yet common dtype is ${dtype.title}`);
    const sizes = broadcastSizes(x1._sizes, x2._sizes);
    const expands = !sameSizes(x1._sizes, x2._sizes);
    const [a, b] = [x1, x2].map((x) => direction(expands ? x.to(dtype).expand(sizes) : x.to(dtype), dim, eps));
    return a.mul(b).sum(dim);
  },
  { takesOut: false },
);
