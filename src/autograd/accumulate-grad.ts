import { typeText } from "../schema/arguments.ts";
import type { Hooks } from "./hooks.ts";
import { isNonOverlappingAndDense } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ops } from "./engine-ops.ts";
import { gradMode } from "./grad-mode.ts";
import { Node, type Grads } from "./node.ts";

/** Called with a leaf after its gradient was accumulated. */
export type PostAccumulateHook = (param: Tensor) => void;

/** The sink of a leaf: adds what arrives to `variable.grad`. */
export class AccumulateGrad extends Node {
  readonly variable: Tensor;
  constructor(variable: Tensor) {
    super([], [], false);
    this.variable = variable;
    this.addOutput(variable);
  }
  name(): string {
    return "torch::autograd::AccumulateGrad";
  }
  apply([grad]: Grads): Grads {
    if (grad === null || !this.variable._requiresGrad) return [];
    const meta = this.variable._autogradMeta;
    if (meta.grad === null) meta.grad = firstGrad(this.variable, grad);
    else if (gradMode.enabled) meta.grad = ops.add(meta.grad, grad);
    else ops.addInplace(meta.grad, grad);
    this.runPostHooks();
    return [];
  }

  private runPostHooks(): void {
    const hooks = this.variable._meta!.postAccumulateHooks as Hooks<PostAccumulateHook> | null;
    if (hooks === null) return;
    for (const hook of hooks.list()) {
      const result: unknown = hook(this.variable);
      if (result !== undefined && result !== null) {
        throw new TypeError(`expected Variable, but hook returned '${typeText(result)}'`);
      }
    }
  }
}

/**
 * The gradient as it is kept: an own tensor that obeys the layout contract of
 * torch/csrc/autograd/functions/accumulate_grad.h: a dense parameter's strides, else row-major.
 */
function firstGrad(variable: Tensor, grad: Tensor): Tensor {
  const dense = isNonOverlappingAndDense(variable._sizes, variable._strides);
  if (!gradMode.enabled && grad._owned && obeysContract(variable, grad, dense)) {
    grad._owned = false;
    return grad;
  }
  if (!dense) return ops.clone(grad);
  return ops.copyInto(ops.emptyStrided(grad._sizes, variable._strides, grad.dtype), grad);
}

function obeysContract(variable: Tensor, grad: Tensor, dense: boolean): boolean {
  if (!dense || variable._contiguous) return grad._contiguous;
  return variable._strides.every((s, i) => s === grad._strides[i] || grad._sizes[i] === 1);
}
