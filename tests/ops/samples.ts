/** Samples for ops that the OpInfo fixture does not have, and ops that central differences cannot judge. */
import * as torch from "leafgrad";
import { _log_softmax_backward_data, _softmax_backward_data } from "../../src/ops/nn/normalization.ts";
import { recurrence, shifted, suffixSum } from "../../src/ops/reductions/recurrence.ts";
import { alias, slice, slice_backward } from "../../src/ops/shape/slicing.ts";

type Tensor = torch.Tensor;
interface Sample {
  fn: (...inputs: Tensor[]) => unknown;
  inputs: () => Tensor[];
}

const values = (...numbers: number[]): Tensor => torch.tensor(numbers, { dtype: torch.float64, requires_grad: true });
const matrix = (): Tensor => torch.tensor([[0.5, -1.5, 2], [1.25, 0.75, -0.5]], { dtype: torch.float64, requires_grad: true });
const one = (fn: (x: Tensor) => unknown): Sample => ({ fn: (x) => fn(x!), inputs: () => [matrix()] });
const two = (fn: (x: Tensor, y: Tensor) => unknown): Sample => ({ fn: (x, y) => fn(x!, y!), inputs: () => [matrix(), matrix().detach().sin().requires_grad_()] });

export const extraSamples: Record<string, Sample> = {
  copy: { fn: (x, y) => x!.mul(1).copy_(y!), inputs: () => [values(1, 2), values(3, 4)] },
  "pow.Scalar": { fn: (x) => torch.pow(1.5, x!), inputs: () => [matrix()] },
  special_entr: one((x) => torch.special.entr(x.abs().add(0.1))),
  special_ndtr: one((x) => torch.special.ndtr(x)),
  special_i1: one((x) => torch.special.i1(x)),
  special_xlog1py: two((x, y) => torch.special.xlog1py(x, y.abs())),
  clip: one((x) => torch.clip(x, -1, 1.5)),
  _softmax_backward_data: two((x, y) => _softmax_backward_data(x, y, 1, torch.float64)),
  _log_softmax_backward_data: two((x, y) => _log_softmax_backward_data(x, y, 1, torch.float64)),
  _to_copy: one((x) => x.to(torch.float64, { copy: true }).mul(x)),
  _unsafe_view: one((x) => x.t().reshape(6).pow(2)),
  _reshape_alias: one((x) => x.reshape(3, 2).pow(2)),
  alias: one((x) => alias(x).pow(2)),
  as_strided_scatter: { fn: (x, y) => torch.as_strided_scatter(x!.pow(2), y!.pow(2), [2], [2], 1), inputs: () => [matrix(), values(3, 4)] },
  slice_scatter: { fn: (x, y) => torch.slice_scatter(x!.pow(2), y!.pow(2).expand(2, 2), 1, 1), inputs: () => [matrix(), values(3, 4)] },
  slice: one((x) => slice(x, 1, 0, 3, 2).pow(2)),
  slice_backward: one((x) => slice_backward(x.pow(2), [2, 5], 1, 1, 4, 1)),
  select_copy: one((x) => torch.select_copy(x, 1, 2).pow(2)),
  slice_copy: one((x) => torch.slice_copy(x, 1, 0, 2).pow(2)),
  split_copy: one((x) => torch.split_copy(x.pow(2), 2, 1)),
  unsafe_split_with_sizes: one((x) => torch.unsafe_split_with_sizes(x.pow(2), [1, 2], 1)),
  linalg_vector_norm: one((x) => torch.linalg.vector_norm(x, 3, 1)),
  suffix_sum: one((x) => suffixSum(x, 1).pow(2)),
  convolution: {
    fn: (x, w, b) => torch.convolution(x!, w!, b!, [2, 1], [1, 0], [1, 2], true, [1, 0], 2),
    inputs: () => [[1, 4, 2, 3], [4, 1, 3, 2], [2]].map((sizes, salt) => torch.arange(sizes.reduce((p, q) => p * q), { dtype: torch.float64 }).add(salt).sin().reshape(sizes).requires_grad_()),
  },
  im2col: { fn: (x) => torch.nn.functional.unfold(x!.pow(2), [2, 1], { padding: [0, 1], stride: [1, 2] }), inputs: () => [torch.arange(6, { dtype: torch.float64 }).sin().view(1, 2, 3).requires_grad_()] },
  col2im: { fn: (x) => torch.nn.functional.fold(x!.pow(2), [2, 3], [2, 1], { padding: [0, 1], stride: [1, 2] }), inputs: () => [torch.arange(6, { dtype: torch.float64 }).sin().view(2, 3).requires_grad_()] },
  _trilinear: two((x, y) => torch.nn.functional.bilinear(x, y, torch.arange(18, { dtype: torch.float64 }).sin().view(2, 3, 3))),
  "cov, weighted": { fn: (x, w) => torch.cov(x!, { aweights: w!, fweights: torch.tensor([2, 1, 3], { dtype: torch.int64 }) }), inputs: () => [matrix(), values(0.5, 1, 0.25)] },
  "gradient.tensorarray": one((x) => torch.gradient(x.pow(2), { spacing: [values(0, 1, 3)], dim: [1], edge_order: 2 })),
  shifted: one((x) => shifted(x, 1, 1, 0).pow(2)),
  _linalg_cholesky_ex: one((x) => torch.linalg.cholesky(x.mT.matmul(x).add(torch.eye(3, { dtype: torch.float64 })))),
  "linalg.cholesky, upper": one((x) => torch.linalg.cholesky(x.mT.matmul(x).add(torch.eye(3, { dtype: torch.float64 })), { upper: true })),
  _linalg_det: one((x) => torch.linalg.det(torch.cat([x, x.narrow(0, 0, 1).mul(2).add(x.narrow(0, 1, 1))]))),
  _linalg_slogdet: one((x) => torch.slogdet(x.matmul(x.mT)).logabsdet),
  linalg_solve_triangular: two((x, y) => torch.linalg.solve_triangular(x.matmul(x.mT).add(1), y, { upper: true })),
  _linalg_svd: one((x) => torch.linalg.svd(x, false)),
  linalg_eigh: one((x) => torch.linalg.eigh(x.mT.matmul(x).add(torch.arange(3, { dtype: torch.float64 }).diag()))),
  linalg_qr: one((x) => [...torch.linalg.qr(x), ...torch.linalg.qr(x.mT)]),
  linalg_lu: one((x) => [...torch.linalg.lu(x), ...torch.linalg.lu(x.mT)].filter((t) => t.requires_grad)),
  linalg_lu_factor: one((x) => [torch.linalg.lu_factor(x).LU, torch.linalg.lu_factor(x.mT).LU]),
  cholesky: one((x) => torch.cholesky(x.mT.matmul(x).add(torch.eye(3, { dtype: torch.float64 })), true)),
  linalg_matrix_exp: one((x) => torch.linalg.matrix_exp(x.mT.matmul(x))),
  linalg_pinv: one((x) => [torch.linalg.pinv(x), torch.linalg.pinv(x.mT)]),
  linalg_lstsq: two((x, y) => torch.linalg.lstsq(x.mT, y.mT, { driver: "gelsd" }).solution),
  recurrence: two((x, y) => recurrence(x, y, 1, false)),
};

const drawn = "draws random numbers; its gradient is zero, or a mask of the draw";
const discrete = "piecewise constant in-place form; PyTorch has no derivative, or zero";

/** Op or entry → why a central difference says nothing about it. */
export const notSmooth = new Map<string, string>([
  ...["bernoulli", "cauchy", "exponential", "geometric", "log_normal", "native_dropout", "normal", "poisson", "random", "uniform"].map((name) => [name, drawn] as const),
  ...["eq", "ne", "lt", "le", "gt", "ge", "floor_divide", "heaviside", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift"].map((name) => [name, discrete] as const),
  ["__rpow__", "the sample has a negative base, of which the derivative is NaN; pow.Scalar has one of its own"],
  ["linalg.svd", "the samples have vectors that the matrix leaves undetermined; _linalg_svd has a sample of its own"],
  ...["cholesky", "linalg.cholesky", "linalg.cholesky_ex", "linalg.eigh", "linalg.eigvalsh", "linalg.pinv.hermitian"].map((name) => [name, "the gradient is that of a symmetric matrix, half of it in either triangle; symmetric matrices have samples of their own"] as const),
  ["linalg.norm.subgradients_at_zero", "norms have a kink at zero; OpInfo checks the slope there"],
  ["native_layer_norm", "the saved moments are outputs without a gradient; nn.functional.layer_norm checks the rest"],
  ["native_batch_norm", "the saved moments are outputs without a gradient; nn.functional.batch_norm checks the rest"],
  ...[1, 2, 3].map((n) => [`nn.functional.max_unpool${n}d`, "positions repeat in the samples, which PyTorch's derivative does not know of; in those of the entry with .grad none does"] as const),
  ["cov", "the sample's weights are float32, too coarse for a central difference; there is another"],
  ["float", "gives float32, too coarse for a central difference"],
  ["to", "the sample asks for a memory format that leafgrad does not have; _to_copy has one of its own"],
  ["double", "the sample asks for a memory format that leafgrad does not have; _to_copy has one of its own"],
]);
