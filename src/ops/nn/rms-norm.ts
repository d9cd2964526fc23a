/** RMS norm: a function of torch and torch.nn.functional. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { requiresGrad } from "../../autograd/variable.ts";
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RowFunction, type RowOperand } from "../../dispatch/rows.ts";
import { NotImplementedError, RuntimeError, ValueError, warn } from "../../errors.ts";
import { Expr } from "../../ir/expr.ts";
import type { RowProgram } from "../../ir/rows.ts";
import { FLOAT, float64, typeMetaName, type DType } from "../../tensor/dtype.ts";
import { listText, numelOf, sameSizes, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { addNumber } from "../pointwise/number-forms.ts";
import { finfo } from "../creation/type-info.ts";

type MaybeTensor = Tensor | null;

/** The mean square of a row, then the output. Operands: x, output and weight; scalars: the number of elements, and eps. */
const rows = new RowFunction((dtype: DType, weighed: boolean): RowProgram => {
  const x = Expr.input(0, dtype);
  const meanSquare = Expr.folded(float64).div(Expr.scalar(0, float64));
  const finish = meanSquare.add(Expr.scalar(1, float64)).rsqrt().to(dtype);
  const scaled = x.mul(Expr.row(0, dtype));
  const value = weighed ? scaled.mul(Expr.input(2, dtype)) : scaled;
  return {
    passes: [
      { folds: [{ name: "sum", map: x.mul(x), accumulator: float64, finish }], stores: [] },
      { folds: [], stores: [{ operand: 1, value, dtype }] },
    ],
    results: [],
  };
});

function fusedNorm(input: Tensor, shape: Sizes, weight: MaybeTensor, eps: number): Tensor {
  const { dtype, _sizes: sizes } = input;
  const output = emptyTensor(sizes, dtype);
  if (input._numel === 0) return output;
  const n = numelOf(shape);
  const x = rowMajor(input);
  // A weight that is left out is never read: x stands for it.
  const operands: RowOperand[] = [[x, "element"], [output, "element"], [weight === null ? x : rowMajor(weight), "place"]];
  rows.run(2 * dtype.code + Number(weight !== null), [dtype, weight !== null], { outer: input._numel / n, n, inner: 1 }, operands, [n, eps]);
  return output;
}

/** The same in tensor ops, which record the nodes that PyTorch's gradients have. */
function recordedNorm(input: Tensor, shape: Sizes, weight: MaybeTensor, eps: number): Tensor {
  const dims = shape.map((_, i) => input._sizes.length - 1 - i);
  const scaled = input.mul(addNumber(input.pow(2).mean(dims, true), eps).rsqrt());
  return (weight === null ? scaled : scaled.mul(weight)).to(input.dtype).contiguous();
}

function check(input: Tensor, shape: Sizes, weight: MaybeTensor): void {
  const { _sizes: sizes } = input;
  if (shape.length === 0) {
    throw new RuntimeError("Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []");
  }
  if (weight !== null && !sameSizes(weight._sizes, shape)) {
    throw new RuntimeError(`Expected weight to be of same shape as normalized_shape, but got weight of shape ${listText(weight._sizes)} and normalized_shape = ${listText(shape)}`);
  }
  if (sizes.length < shape.length) throw new ValueError(`Input tensor must have at least ${shape.length} dimensions, but got ${sizes.length}`);
  if (!sameSizes(sizes.slice(sizes.length - shape.length), shape)) {
    throw new RuntimeError(`Given normalized_shape=${listText(shape)}, expected input with shape [*${shape.join(", ")}], but got input of size${listText(sizes)}`);
  }
  if (input.dtype.kind !== FLOAT) throw new NotImplementedError(`"rms_norm" not implemented for '${input.dtype.title}'`);
}

/**
 * x / √(mean square + eps) · weight, where the mean is over the last dimensions, whose sizes are `normalized_shape`.
 * `eps` is the distance from 1 to the next number of the dtype unless it is given.
 *
 * @throws RuntimeError where the input does not end in these sizes, or the weight has others.
 * @throws NotImplementedError where the dtype is no float.
 * @example
 * torch.rms_norm(torch.tensor([[3, 3]]), [2], { eps: 0 }).tolist(); // [[1, 1]]
 */
export const rms_norm: FunctionOp<
  [input: Tensor, normalized_shape: Sizes, weight?: MaybeTensor, eps?: number | null], { weight?: MaybeTensor; eps?: number | null }
> = composite(
  "rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor",
  (input: Tensor, shape: Sizes, weight: MaybeTensor, eps: number | null) => {
    check(input, shape, weight);
    const small = eps ?? finfo(input.dtype).eps;
    const mixed = weight !== null && weight.dtype !== input.dtype;
    if (mixed) {
      const [of, other] = [input, weight].map(({ dtype }) => typeMetaName(dtype));
      warn(`Mismatch dtype between input and weight: input dtype = ${of}, weight dtype = ${other}, Cannot dispatch to fused implementation.`);
    }
    const recorded = gradMode.enabled && (requiresGrad(input) || (weight !== null && requiresGrad(weight)));
    return mixed || recorded ? recordedNorm(input, shape, weight, small) : fusedNorm(input, shape, weight, small);
  },
  { takesOut: false },
);
