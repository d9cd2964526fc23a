/** Layer norm: a function of torch and torch.nn.functional. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { RowFunction, type RowOperand } from "../../dispatch/rows.ts";
import { RuntimeError } from "../../errors.ts";
import { Expr } from "../../ir/expr.ts";
import type { RowFold, RowProgram } from "../../ir/rows.ts";
import { float64, type DType } from "../../tensor/dtype.ts";
import { listText, numelOf, sameSizes, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";
import { checkNormDtypes, momentsOver, normGradients, type Axes } from "./normalizing.ts";

type MaybeTensor = Tensor | null;

const count = Expr.scalar(0, float64);
const epsilon = Expr.scalar(1, float64);
const total = Expr.folded(float64);
const average = (map: Expr, finish = total.div(count)): RowFold => ({ name: "sum", map, accumulator: float64, finish: finish.to(map.dtype) });

/** Mean, then the mean square of what is left, then the output. Operands: x, output, mean, rstd, weight and bias. */
const forwardRows = new RowFunction((dtype: DType, weighed: boolean, shifted: boolean): RowProgram => {
  const deviation = Expr.input(0, dtype).sub(Expr.row(0, dtype));
  const scaled = deviation.mul(Expr.row(1, dtype));
  const weighted = weighed ? scaled.mul(Expr.input(4, dtype)) : scaled;
  const value = shifted ? weighted.add(Expr.input(5, dtype)) : weighted;
  return {
    passes: [
      { folds: [average(Expr.input(0, dtype))], stores: [] },
      { folds: [average(deviation.mul(deviation), total.div(count).add(epsilon).rsqrt())], stores: [] },
      { folds: [], stores: [{ operand: 1, value, dtype }] },
    ],
    results: [{ operand: 2, fold: 0, dtype }, { operand: 3, fold: 1, dtype }],
  };
});

/** The gradient of x. Operands: grad, x, mean, rstd, result and weight. */
const backwardRows = new RowFunction((dtype: DType, weighed: boolean): RowProgram => {
  const [grad, x, mean, rstd] = [0, 1, 2, 3].map((i) => Expr.input(i, dtype));
  const slope = weighed ? grad.mul(Expr.input(5, dtype)) : grad;
  const scaled = x.sub(mean).mul(rstd);
  const value = slope.sub(Expr.row(0, dtype)).sub(scaled.mul(Expr.row(1, dtype))).mul(rstd);
  return {
    passes: [
      { folds: [average(slope), average(slope.mul(scaled))], stores: [] },
      { folds: [], stores: [{ operand: 4, value, dtype }] },
    ],
    results: [],
  };
});

/** The gradients of weight and bias: for each element, sums over the rows. Operands: grad, x, mean, rstd and the two. */
const parameterRows = new RowFunction((dtype: DType): RowProgram => {
  const [grad, x, mean, rstd] = [0, 1, 2, 3].map((i) => Expr.input(i, dtype));
  const folds = [grad.mul(x.sub(mean)).mul(rstd), grad].map((map): RowFold => ({ name: "sum", map, accumulator: float64, finish: total.to(dtype) }));
  return { passes: [{ folds, stores: [] }], results: [{ operand: 4, fold: 0, dtype }, { operand: 5, fold: 1, dtype }] };
});

/** How many rows, of how many elements. */
function rowsOf(input: Tensor, shape: Sizes): [rows: number, n: number] {
  return [numelOf(input._sizes.slice(0, input._sizes.length - shape.length)), numelOf(shape)];
}

const element = (t: Tensor): RowOperand => [t, "element"];
const row = (t: Tensor): RowOperand => [t, "row"];
/** An operand that is left out is never read: any tensor stands for it. */
const place = (t: MaybeTensor, other: Tensor): RowOperand => [t === null ? other : rowMajor(t), "place"];

function forward(input: Tensor, shape: Sizes, weight: MaybeTensor, bias: MaybeTensor, eps: number): Tensor[] {
  check(input, shape, weight, bias);
  const { dtype, _sizes: sizes } = input;
  checkNormDtypes("LayerNormKernelImpl", input, [weight, bias]);
  const [rows, n] = rowsOf(input, shape);
  const kept = sizes.map((s, d) => (d < sizes.length - shape.length ? s : 1));
  if (input._numel === 0) return [emptyTensor(sizes, dtype), filled(kept, 0, dtype), filled(kept, NaN, dtype)];
  const x = rowMajor(input);
  const [output, mean, rstd] = [emptyTensor(sizes, dtype), emptyTensor(kept, dtype), emptyTensor(kept, dtype)];
  const key = 4 * dtype.code + 2 * Number(weight !== null) + Number(bias !== null);
  const operands = [element(x), element(output), row(mean), row(rstd), place(weight, x), place(bias, x)];
  forwardRows.run(key, [dtype, weight !== null, bias !== null], { outer: rows, n, inner: 1 }, operands, [n, eps]);
  return [output, mean, rstd];
}

interface Saved {
  input: Tensor;
  weight: MaybeTensor;
  normalized_shape: Sizes;
  eps: number;
  mean: Tensor;
  rstd: Tensor;
}

/** The gradients in two passes along the rows and one across them. */
function fusedGradients(gradient: Tensor, { input, weight, normalized_shape: shape, mean, rstd }: Saved): Tensor[] {
  const { dtype } = input;
  const [rows, n] = rowsOf(input, shape);
  const [grad, x] = [rowMajor(gradient), rowMajor(input)];
  const self = emptyTensor(input._sizes, dtype);
  const operands = [element(grad), element(x), row(mean), row(rstd), element(self), place(weight, x)];
  backwardRows.run(2 * dtype.code + Number(weight !== null), [dtype, weight !== null], { outer: rows, n, inner: 1 }, operands, [n]);
  const [ofWeight, ofBias] = [emptyTensor(shape, dtype), emptyTensor(shape, dtype)];
  // Seen from an element, the rows are the elements, and each moment has its place.
  const across = [element(grad), element(x), place(mean, x), place(rstd, x), row(ofWeight), row(ofBias)];
  parameterRows.run(dtype.code, [dtype], { outer: 1, n: rows, inner: n }, across);
  return [self, ofWeight, ofBias];
}

/** Of x as (rows, elements, 1). */
const axes: Axes = { moments: [1, 2], parameters: [0, 2] };

/** The same on tensors, for gradients of gradients. */
function recordedGradients(gradient: Tensor, { input, weight, normalized_shape: shape, eps }: Saved): Tensor[] {
  const [rows, n] = rowsOf(input, shape);
  const [grad, x] = [gradient, input].map((t) => t.reshape([rows, n, 1]));
  const gradients = normGradients(grad, x, momentsOver(x, axes.moments, eps), weight && weight.reshape([1, n, 1]), axes);
  return [gradients.self.reshape(input._sizes), gradients.weight.reshape(shape), gradients.bias.reshape(shape)];
}

const native = new KernelOverload(
  "native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor output, Tensor mean, Tensor rstd)",
  {
    forward,
    backward: {
      "input, weight, bias": ({ grad, input, weight, normalized_shape, eps, mean, rstd }) => {
        const saved = { input, weight, normalized_shape, eps, mean, rstd };
        return gradMode.enabled || input._numel === 0 ? recordedGradients(grad, saved) : fusedGradients(grad, saved);
      },
    },
    constants: ["mean", "rstd"],
    node: "NativeLayerNormBackward0",
  },
);

/** The output, and the mean and 1 / √(variance + eps) of each row, through which no gradient flows. */
export const native_layer_norm: FunctionOp<
  [input: Tensor, normalized_shape: Sizes, weight: MaybeTensor, bias: MaybeTensor, eps: number], unknown, readonly [Tensor, Tensor, Tensor]
> = makeOp("native_layer_norm", [native], false) as typeof native_layer_norm;

function check({ _sizes: sizes }: Tensor, shape: Sizes, weight: MaybeTensor, bias: MaybeTensor): void {
  if (shape.length === 0) {
    throw new RuntimeError("Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []");
  }
  for (const [name, t] of [["weight", weight], ["bias", bias]] as const) {
    if (t === null || sameSizes(t._sizes, shape)) continue;
    throw new RuntimeError(`Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape ${listText(t._sizes)} and normalized_shape = ${listText(shape)}`);
  }
  if (shape.length <= sizes.length && sameSizes(sizes.slice(sizes.length - shape.length), shape)) return;
  throw new RuntimeError(`Given normalized_shape=${listText(shape)}, expected input with shape [*, ${shape.join(", ")}], but got input of size${listText(sizes)}`);
}

interface LayerNormOptions {
  weight?: MaybeTensor;
  bias?: MaybeTensor;
  eps?: number;
}
type Positional = [input: Tensor, normalized_shape: Sizes, weight?: MaybeTensor, bias?: MaybeTensor, eps?: number];

const layerNorm = (input: Tensor, shape: Sizes, weight: MaybeTensor, bias: MaybeTensor, eps: number): Tensor =>
  (native.call([input, shape, weight, bias, eps]) as Tensor[])[0];

/** `torch.nn.functional.layer_norm`. `cudnn_enable` is accepted for PyTorch's sake. */
export const layer_norm: FunctionOp<[...Positional, cudnn_enable?: boolean], LayerNormOptions & { cudnn_enable?: boolean }> = composite(
  "layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor",
  layerNorm,
  { takesOut: false },
);

/**
 * (x - mean) / √(variance + eps) · weight + bias, where the moments are those of the last dimensions, whose sizes are `normalized_shape`.
 *
 * @throws RuntimeError where the input does not end in these sizes, or weight or bias has others.
 * @example
 * torch.nn.functional.layer_norm(torch.tensor([[1, 3]]), [2], { eps: 1e-12 }).tolist(); // [[-1, 1]]
 */
export const functionalLayerNorm: FunctionOp<Positional, LayerNormOptions> = composite(
  "layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> Tensor",
  layerNorm,
  { takesOut: false },
);
