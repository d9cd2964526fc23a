/** What the losses have in common: their reductions and parameters. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { fused } from "../../dispatch/fused.ts";
import { castable } from "../../dispatch/out.ts";
import { resultDtype } from "../../dispatch/promote.ts";
import { Reducer } from "../../dispatch/reduce.ts";
import { NotImplementedError, RuntimeError, ValueError, warn } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { castTo } from "../creation/copy.ts";

/** What becomes of the losses of the elements. */
export type Reduction = "none" | "mean" | "sum";

export const none = 0;
export const mean = 1;
export const sum = 2;

/** The number that kernels take for the name of a reduction. */
export function reductionCode(reduction: string): number {
  if (reduction === "elementwise_mean") {
    warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.");
    return mean;
  }
  const code = ["none", "mean", "sum"].indexOf(reduction);
  if (code < 0) throw new ValueError(`${reduction} is not a valid value for reduction`);
  return code;
}

/** The reduction that the deprecated `size_average` and `reduce` stand for. */
export function legacyReduction(sizeAverage: boolean | null, reduce: boolean | null, reduction: string): string {
  if (sizeAverage === null && reduce === null) return reduction;
  const named = reduce === false ? "none" : sizeAverage === false ? "sum" : "mean";
  warn(`size_average and reduce args will be deprecated, please use reduction='${named}' instead.`);
  return named;
}

/** The losses of the elements, reduced by ops. */
export function reduced(losses: Tensor, reduction: number): Tensor {
  return reduction === none ? losses : reduction === mean ? losses.mean() : losses.sum();
}

/** The forward of a loss: one kernel, its reduction included. `kernelName` is what PyTorch's refusal of integers calls it. */
export function lossForward(value: Formula, kernelName: string) {
  const total = new Reducer("sum", value);
  const average = new Reducer("sum", value, ({ folded, count }) => folded.div(count));
  return (self: Tensor, target: Tensor, reduction: number, ...parameters: (Tensor | number)[]): Tensor => {
    const dtype = resultDtype([self, target])!;
    if (dtype.kind !== FLOAT) throw new NotImplementedError(`"${kernelName}" not implemented for '${dtype.title}'`);
    const operands = [self, target, ...parameters];
    if (reduction === none) return fused(value).run(operands, dtype, dtype, null);
    if (reduction === sum) return total.run(operands, null, false, dtype, dtype);
    return average.run([...operands, self._numel], null, false, dtype, dtype);
  };
}

type LossForward = ReturnType<typeof lossForward>;

/** The same for losses that PyTorch computes in the dtype of `self`. */
export function lossInOwnDtype(forward: LossForward): LossForward {
  return (self, target, reduction, ...parameters) => {
    const dtype = resultDtype([self, target])!;
    castable(self.dtype, dtype);
    return castTo(forward(self, target, reduction, ...parameters), self.dtype);
  };
}

/** The forward of the slope of a loss, which PyTorch writes over zeros in row-major order, however the tensors lie. */
export function lossSlope(value: Formula) {
  return (grad: Tensor, self: Tensor, target: Tensor, ...parameters: number[]): Tensor => {
    const dtype = resultDtype([grad, self, target])!;
    castable(self.dtype, dtype);
    return fused(value).run([grad, self, target, ...parameters], dtype, self.dtype, emptyTensor(self._sizes, self.dtype));
  };
}

/** Refuses tensors of another dtype than `self` has, where PyTorch promotes nothing. */
export function refuseOtherDtypes(self: Tensor, ...others: readonly (Tensor | null)[]): void {
  for (const other of others) {
    if (other !== null && other.dtype !== self.dtype) throw new RuntimeError(`Found dtype ${other.dtype.title} but expected ${self.dtype.title}`);
  }
}

/** What the gradient of the loss is multiplied by for each element. */
export const share = (self: Tensor, reduction: number): number => (reduction === mean ? 1 / self._numel : 1);

/** A gradient that nothing else refers to may be kept as it is. */
export function owned(grad: Tensor): Tensor {
  grad._owned = !gradMode.enabled;
  return grad;
}

/** Named parameters of most losses. Deprecated: `size_average` and `reduce`; say `reduction`. */
export interface LossOptions {
  size_average?: boolean | null;
  reduce?: boolean | null;
  reduction?: Reduction;
}
/** The positional parameters of most losses. */
export type Positional = [input: Tensor, target: Tensor, size_average?: boolean | null, reduce?: boolean | null, reduction?: Reduction];
/** The schema of those parameters. */
export const legacy = "Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, str reduction='mean'";
