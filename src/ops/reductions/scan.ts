/** Running sums, products and extrema along one dimension. */
import { runningExtremum } from "../../backends/extrema.ts";
import { lanesOf, type FloatArray } from "../../backends/reference/lanes.ts";
import { logCumulativeSumLanes } from "../../backends/reference/recurrence.ts";
import { kernel } from "../../dispatch/define.ts";
import { refuseInternalOverlap } from "../../dispatch/iterate.ts";
import type { InplaceOp, Op } from "../../dispatch/op.ts";
import { exactDtype, sameDtype } from "../../dispatch/out.ts";
import { Scanner } from "../../dispatch/scan.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, FLOAT, float32, int64, typeMetaName, type DType } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import type { ValuesAndIndices } from "./order-statistics.ts";
import { runningProductBackward, suffixSum } from "./recurrence.ts";

type Running = InplaceOp<[self: Tensor, dim: number], { dim?: number; dtype?: DType | null }>;

/** What a running sum or product does: integers and bools become int64, in place they stay what they are. */
function running(name: "cumsum" | "cumprod", scanner: Scanner) {
  const refuseBool = (self: Tensor, dtype: DType): void => {
    if (dtype.kind === BOOL && self._numel > 0 && self._sizes.length > 0) throw new NotImplementedError(`"${name}_out_cpu" not implemented for 'Bool'`);
  };
  return {
    outRule: { ...exactDtype, setsDtype: true },
    forward: (self: Tensor, dim: number, dtype: DType | null) => {
      const d = wrapDim(dim, self._sizes.length);
      if (dtype !== null) refuseBool(self, dtype);
      return scanner.run(self, d, dtype ?? (self.dtype.kind === FLOAT ? self.dtype : int64));
    },
    inplace: (self: Tensor, dim: number, dtype: DType | null) => {
      const d = wrapDim(dim, self._sizes.length);
      if (dtype !== null && dtype !== self.dtype) {
        throw new RuntimeError(`Bad in-place call: input tensor dtype ${typeMetaName(self.dtype)} and output tensor dtype ${typeMetaName(dtype)} should match`);
      }
      refuseBool(self, self.dtype);
      refuseInternalOverlap(self);
      scanner.run(self, d, self.dtype, { target: self });
    },
  };
}

/**
 * The sums of the elements up to each one along `dim`; integers and bools are summed as int64.
 *
 * @throws IndexError where `dim` is out of range.
 * @example
 * torch.tensor([1, 2, 3]).cumsum(0).tolist(); // [1, 3, 6]
 */
export const cumsum: Running = kernel("cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", {
  ...running("cumsum", new Scanner("sum")),
  backward: { self: ({ grad, dim }) => (grad._numel <= 1 || grad.size(dim) === 1 ? grad : suffixSum(grad, wrapDim(dim, grad._sizes.length))) },
});

/** The products of the elements up to each one along `dim`; the gradient is exact where elements are zero. */
export const cumprod: Running = kernel("cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", {
  ...running("cumprod", new Scanner("prod")),
  backward: {
    self: ({ grad, self, dim, result }) =>
      grad._numel <= 1 || self.size(dim) === 1 ? grad : runningProductBackward(grad, self.to(grad.dtype), wrapDim(dim, self._sizes.length), result),
  },
});

const foundScalarType = sameDtype((out, result) => `expected scalar_type ${result.title} but found ${out.title}`);

type RunningExtremum = Op<[self: Tensor, dim: number], { dim?: number }, ValuesAndIndices>;

/** The dimension of cummax and cummin, which look at it only where there are elements. */
function checkedDim(name: string, self: Tensor, dim: number): number {
  if (self._sizes.length === 0 && dim !== 0 && dim !== -1) throw new IndexError(`${name}(): Expected reduction dim -1 or 0 for scalar but got ${dim}`);
  return self._numel === 0 ? 0 : wrapDim(dim, self._sizes.length);
}

const cumulative = (name: "cummax" | "cummin"): RunningExtremum =>
  kernel(`${name}(Tensor self, int dim) -> (Tensor values, Tensor indices)`, {
    forward: (self: Tensor, dim: number) => {
      const d = checkedDim(name, self, dim);
      const [values, indices] = [emptyTensor(self._sizes, self.dtype), emptyTensor(self._sizes, int64)];
      const input = rowMajor(self);
      runningExtremum(self.dtype, lanesOf(self._sizes, d), name === "cummax", input._address, values._address, indices._address);
      return [values, indices];
    },
    outRule: foundScalarType,
    backward: {
      self: ({ grad, self, indices, dim }) => (self._sizes.length === 0 || self._numel === 0 ? grad : self.new_zeros(self._sizes).scatter_add(dim, indices, grad)),
    },
  });

/** The largest element up to each one along `dim`, with its position (the last of equals). */
export const cummax: RunningExtremum = cumulative("cummax");
/** The smallest element up to each one along `dim`, with its position (the last of equals). */
export const cummin: RunningExtremum = cumulative("cummin");

/** Stands for log 0 in sums of exponentials: infinities would give NaN when they are differentiated again. */
const lowest = (dtype: DType): number => (dtype === float32 ? -3.4028234663852886e38 : -Number.MAX_VALUE);

/** Positive and negative gradients apart, each in logarithms, so that nothing overflows (logcumsumexp_backward). */
function logCumulativeSumBackward(grad: Tensor, self: Tensor, result: Tensor, dim: number): Tensor {
  if (grad._numel === 0 || grad._sizes.length === 0) return grad;
  const part = (taken: Tensor): Tensor => {
    const left = taken.logical_not();
    const magnitude = grad.abs().masked_fill(left, 1).log().masked_fill(left, lowest(grad.dtype));
    return magnitude.sub(result).flip([dim]).logcumsumexp(dim).flip([dim]).add(self).exp();
  };
  return part(grad.gt(0)).sub(part(grad.lt(0)));
}

/** The logarithm of the sum of exp(x) over the elements up to each one along `dim`. */
export const logcumsumexp: Op<[self: Tensor, dim: number], { dim?: number }> = kernel("logcumsumexp(Tensor self, int dim) -> Tensor", {
  outRule: foundScalarType,
  forward: (self: Tensor, dim: number) => {
    const d = wrapDim(dim, self._sizes.length);
    if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"logcumsumexp_out_cpu" not implemented for '${self.dtype.title}'`);
    const out = emptyTensor(self._sizes, self.dtype);
    const input = rowMajor(self);
    logCumulativeSumLanes(viewTyped(input) as FloatArray, viewTyped(out) as FloatArray, lanesOf(self._sizes, d));
    return out;
  },
  backward: { self: ({ grad, self, dim, result }) => logCumulativeSumBackward(grad, self, result, dim) },
});
