/** What PyTorch refuses, in its words; each function gives the `check` of a pointwise op. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { requiresGrad } from "../../autograd/variable.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { BOOL, checkFits, type DType, type Kind } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";

type Check = (values: readonly unknown[], common: DType) => void;

/** There is no kernel for these kinds of dtype. */
export function noKernel(kernel: string, ...kinds: readonly Kind[]): Check {
  return (_values, common) => {
    if (kinds.includes(common.kind)) throw new NotImplementedError(`"${kernel}" not implemented for '${common.title}'`);
  };
}

/** Bools are refused. */
export function refuseBool(text: string): Check {
  return (_values, common) => {
    if (common.kind === BOOL) throw new RuntimeError(text);
  };
}

export const boolNegation =
  "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.";
export const boolDifference =
  "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.";

export const twoBoolDifference = "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.";

/** The number at `position` has to fit the dtype that the op computes in. */
export function mustFit(...positions: readonly number[]): Check {
  return (values, common) => {
    for (const position of positions) {
      const value = values[position];
      if (typeof value === "number" || typeof value === "bigint") checkFits(value, common);
    }
  };
}

export function both(...checks: readonly Check[]): Check {
  return (values, common) => {
    for (const check of checks) check(values, common);
  };
}

/** Refuses tensors that require a gradient which `op` has not. */
export function refuseGradient(op: string, inputs: Record<string, Tensor | null>): void {
  if (!gradMode.enabled) return;
  for (const [name, t] of Object.entries(inputs)) {
    if (t !== null && requiresGrad(t)) throw new RuntimeError(`The function '${op}' is not differentiable with respect to argument '${name}'. This input cannot have requires_grad True.`);
  }
}
