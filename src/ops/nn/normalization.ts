/** Softmax and its logarithm, and the logarithm of a sum of exponentials. */
import { lanesOf } from "../../backends/reference/lanes.ts";
import { composite, kernel, KernelOverload } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import { refuseBroadcastOutput } from "../../dispatch/iterate.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { exactDtype } from "../../dispatch/out.ts";
import { Reducer, reductionDims, unfolded } from "../../dispatch/reduce.ts";
import { RowFunction } from "../../dispatch/rows.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { Expr } from "../../ir/expr.ts";
import type { RowFold, RowPass, RowProgram } from "../../ir/rows.ts";
import { FLOAT, float64, get_default_dtype, type DType } from "../../tensor/dtype.ts";
import { wrapDim, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";

type Softmax = Op<[self: Tensor, dim: number, dtype?: DType | null], { dim?: number; dtype?: DType | null }>;
type SoftmaxBackward = FunctionOp<[grad_output: Tensor, output: Tensor, dim: number, input_dtype: DType]>;

const total = Expr.folded(float64);
const sumOf = (map: Expr, finish = total): RowFold => ({ name: "sum", map, accumulator: float64, finish: finish.to(map.dtype) });
const store = (operand: number, value: Expr): RowPass => ({ folds: [], stores: [{ operand, value, dtype: value.dtype }] });

/** What is made of a row: the quotients, their logarithms, or quotients that are 0 in a row of -∞. */
const kinds = ["softmax", "log_softmax", "safe_softmax"] as const;
type Kind = (typeof kinds)[number];

/** The largest element of a row; the sum of exponentials; what is made of them. Operands: x and the result. */
const forwardRows = new RowFunction((dtype: DType, kind: Kind): RowProgram => {
  const isSafe = kind === "safe_softmax";
  const x = Expr.input(0, dtype);
  const top = isSafe ? total.masked_fill(total.eq(-Infinity), 0) : total;
  const largest: RowFold = { name: "max", map: x, accumulator: float64, finish: top.to(dtype) };
  const below = x.sub(Expr.row(0, dtype));
  const e = below.exp();
  const share = isSafe ? total.reciprocal().masked_fill(total.eq(0), 0) : total.reciprocal();
  const passes = kind === "log_softmax"
    ? [{ folds: [sumOf(e, total.log())], stores: [] }, store(1, below.sub(Expr.row(1, dtype)))]
    : [{ folds: [sumOf(e, share)], stores: [{ operand: 1, value: e, dtype }] }, store(1, Expr.input(1, dtype).mul(Expr.row(1, dtype)))];
  return { passes: [{ folds: [largest], stores: [] }, ...passes], results: [] };
});

/** One of the kinds of softmax along a dimension; unrecorded. */
export function softmaxOf(kind: Kind, self: Tensor, dim: number): Tensor {
  const { dtype } = self;
  const out = emptyTensor(self._sizes, dtype);
  const operands = [rowMajor(self), out].map((t) => [t, "element"] as const);
  if (out._numel > 0) forwardRows.run(kinds.length * dtype.code + kinds.indexOf(kind), [dtype, kind], lanesOf(self._sizes, dim), operands);
  return out;
}

/** Operands: the gradient, y and the result. For y = softmax(x), (grad - Σ grad · y) · y; for y = log_softmax(x), grad - exp(y) · Σ grad. */
const backwardRows = new RowFunction((dtype: DType, logarithm: boolean): RowProgram => {
  const [grad, y] = [Expr.input(0, dtype), Expr.input(1, dtype)];
  const sum = Expr.row(0, dtype);
  const value = logarithm ? grad.sub(y.exp().mul(sum)) : grad.sub(sum).mul(y);
  return { passes: [{ folds: [sumOf(logarithm ? grad : grad.mul(y))], stores: [] }, store(2, value)], results: [] };
});

/** The gradient of softmax, or of its logarithm, out of what it gave; unrecorded. */
export function softmaxGradient(logarithm: boolean, grad: Tensor, output: Tensor, dim: number): Tensor {
  const { dtype } = output;
  const out = emptyTensor(output._sizes, dtype);
  const operands = [rowMajor(grad, dtype), rowMajor(output), out].map((t) => [t, "element"] as const);
  if (out._numel > 0) backwardRows.run(2 * dtype.code + Number(logarithm), [dtype, logarithm], lanesOf(output._sizes, wrapDim(dim, output._sizes.length)), operands);
  return out;
}

const wrapped = (t: Tensor, dim: number): number[] => (t._sizes.length === 0 ? [] : [dim]);

/** The gradient of softmax: (grad - Σ grad · output) · output. */
export const _softmax_backward_data: SoftmaxBackward = kernel(
  "_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor",
  {
    forward: (grad: Tensor, output: Tensor, dim: number) => softmaxGradient(false, grad, output, dim),
    backward: {
      grad_output: ({ grad, output, dim, input_dtype }) => _softmax_backward_data(grad, output, dim, input_dtype),
      output: ({ grad, grad_output, output, dim }) => {
        const dims = wrapped(output, dim);
        const inner = grad_output.sub(grad_output.mul(output).sum(dims, true));
        return grad.mul(inner).sub(grad_output.mul(grad.mul(output).sum(dims, true)));
      },
    },
    node: "SoftmaxBackwardDataBackward0",
  },
);

/** The gradient of log_softmax: grad - exp(output) · Σ grad. */
export const _log_softmax_backward_data: SoftmaxBackward = kernel(
  "_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor",
  {
    forward: (grad: Tensor, output: Tensor, dim: number) => softmaxGradient(true, grad, output, dim),
    backward: {
      grad_output: ({ grad, output, dim }) => grad.sub(grad.mul(output.exp()).sum(wrapped(output, dim), true)),
      output: ({ grad, grad_output, output, dim }) => grad_output.sum(wrapped(output, dim), true).neg().mul(output.exp()).mul(grad),
    },
    node: "LogSoftmaxBackwardDataBackward0",
  },
);

function softmaxOp(name: "softmax" | "log_softmax", backwardOf: SoftmaxBackward): Softmax {
  const plain = new KernelOverload(`${name}.int(Tensor self, int dim) -> Tensor`, {
    forward: (self: Tensor, dim: number) => {
      const d = wrapDim(dim, self._sizes.length);
      if (self._numel > 0 && self.dtype.kind !== FLOAT) {
        const kernelName = d === Math.max(self._sizes.length, 1) - 1 ? `${name}_lastdim_kernel_impl` : `${name}_kernel_impl`;
        throw new NotImplementedError(`"${kernelName}" not implemented for '${self.dtype.title}'`);
      }
      return softmaxOf(name, self, d);
    },
    backward: { self: ({ grad, result, dim }) => backwardOf(grad, result, dim, result.dtype) },
  });
  return composite(
    `${name}.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor`,
    (self: Tensor, dim: number, dtype: DType | null) => plain.call([dtype === null ? self : self.to(dtype), dim]),
    { outRule: exactDtype },
  );
}

/**
 * exp(x) / Σ exp(x) along `dim`; `dtype` casts first.
 *
 * @throws NotImplementedError where the dtype is no float.
 * @example
 * torch.tensor([1, 1]).softmax(0).tolist(); // [0.5, 0.5]
 */
export const softmax: Softmax = softmaxOp("softmax", _softmax_backward_data);
/** log(softmax(x)) along `dim`, computed so that it neither over- nor underflows; `dtype` casts first. */
export const log_softmax: Softmax = softmaxOp("log_softmax", _log_softmax_backward_data);

const largest = new Reducer("max");
const logOfSum = new Reducer("sum", ({ self, shift }) => self.sub(shift).exp(), ({ folded }) => folded.log());
/** An infinite maximum is taken for 0, so that infinities are not subtracted from each other. */
const finiteOrZero: Formula = ({ self }) => self.masked_fill(self.abs().eq(Infinity), 0);
const raised: Formula = ({ self, shift }) => self.add(shift);

/** The logarithm of the sum of exp(x) over `dim`, computed without overflow. */
export const logsumexp: Op<[self: Tensor, dim: number | readonly number[], keepdim?: boolean], { dim?: number | readonly number[]; keepdim?: boolean }> = kernel(
  "logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor",
  {
    outRule: {
      dtype(out) {
        if (out.kind !== FLOAT) throw new RuntimeError(`logsumexp(): Expected floating point type for result tensor, but got: ${out.title}`);
      },
    },
    forward: (self: Tensor, dim: Sizes, keepdim: boolean) => {
      const input = self.dtype.kind === FLOAT ? self : rowMajor(self, get_default_dtype());
      const { dtype } = input;
      const dims = reductionDims(dim, self._sizes.length);
      const kept = dims.length < self._sizes.length;
      if (dim.length === 0 && !keepdim && self._numel > 0) refuseBroadcastOutput({ _sizes: [] }, self._sizes.map(() => 1));
      const top = self._numel === 0 ? filled([], 0, dtype) : largest.run([input], dims, kept, dtype, dtype);
      const shift = fused(finiteOrZero).run([top], dtype, dtype, null);
      const log = logOfSum.run([input, shift], dims, keepdim, dtype, dtype);
      return self._numel === 0 ? log : fused(raised).run([log, shift._reshaped(log._sizes)], dtype, dtype, null);
    },
    backward: {
      self: ({ grad, self, result, dim, keepdim }) => {
        const [g, r] = [grad, result].map((t) => unfolded(t, self._sizes, dim, keepdim));
        return g.mul(self.sub(r).exp());
      },
    },
  },
);
