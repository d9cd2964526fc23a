import { RuntimeError } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";
import { contiguousStrides, isNonOverlappingAndDense, sameSizes } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ops } from "./engine-ops.ts";
import { gradMode } from "./grad-mode.ts";
import type { Hooks } from "./hooks.ts";
import { Node, upcomingSequenceNr, type Grads } from "./node.ts";

/** Called with a leaf after its gradient was accumulated. */
export type PostAccumulateHook = (param: Tensor) => void;

/** The sink of a leaf: adds what arrives to `variable.grad`. */
export class AccumulateGrad extends Node {
  readonly variable: Tensor;
  private readonly born = upcomingSequenceNr();
  constructor(variable: Tensor) {
    super([], [], false);
    this.variable = variable;
    this.expect();
  }
  name(): string {
    return "torch::autograd::AccumulateGrad";
  }
  override get birth(): number {
    return this.born;
  }
  override get isAccumulator(): boolean {
    return true;
  }
  /** Takes gradients of the leaf's shape and `grad_dtype` from now on. */
  expect(): void {
    const { _sizes: sizes, dtype, _meta: meta } = this.variable;
    this.outputs = [meta?.gradDtype === null ? { sizes, dtype, anyDtype: true } : { sizes, dtype: meta?.gradDtype ?? dtype }];
  }
  /** Does a gradient of the shape and dtype of `tensor` fit? */
  accepts(tensor: Tensor): boolean {
    const { sizes, dtype } = this.outputs[0];
    return dtype === (tensor._meta?.gradDtype ?? tensor.dtype) && sameSizes(sizes, tensor._sizes);
  }
  apply(grads: Grads): Grads {
    const { variable } = this;
    const [grad] = grads;
    if (grad === null) return [];
    if (variable._gradFn !== null) throw new RuntimeError("leaf variable has been moved into the graph interior");
    if (!variable._requiresGrad) return [];
    const meta = variable._autogradMeta;
    if (meta.grad === null) {
      meta.grad = firstGrad(variable, grad);
      // Hooks after this node are shown what is kept: PyTorch keeps the very gradient that came.
      if (this.hooks !== null && !gradMode.enabled) grads[0] = meta.grad;
    } else if (gradMode.enabled) {
      meta.grad = ops.add(meta.grad, grad);
    } else {
      ops.addInplace(meta.grad, grad);
    }
    if (meta.postAccumulateHooks !== null) callPostHooks(meta.postAccumulateHooks as Hooks<PostAccumulateHook>, variable);
    return [];
  }
}

function callPostHooks(hooks: Hooks<PostAccumulateHook>, variable: Tensor): void {
  for (const hook of hooks.list()) {
    const result: unknown = hook(variable);
    if (result === variable) continue;
    if (result instanceof Tensor) throw new RuntimeError("Tensor post accumulate grad hooks should return None.");
    if (result !== undefined && result !== null) throw new TypeError(`expected Variable, but hook returned '${typeText(result)}'`);
  }
}

/**
 * The gradient as it is kept: an own tensor that obeys the layout contract of
 * torch/csrc/autograd/functions/accumulate_grad.h: a dense parameter's strides, else row-major.
 */
function firstGrad(variable: Tensor, grad: Tensor): Tensor {
  const dense = variable._contiguous || isNonOverlappingAndDense(variable._sizes, variable._strides);
  if (!gradMode.enabled && grad._owned && obeysContract(variable, grad, dense)) {
    grad._owned = false;
    return grad._view === null ? grad : ops.detach(grad);
  }
  // The variable may have another shape by now, which the copy refuses or broadcasts to, as in PyTorch.
  const kept = dense ? ops.emptyStrided(variable._sizes, variable._strides, grad.dtype) : ops.emptyStrided(grad._sizes, contiguousStrides(grad._sizes), grad.dtype);
  return ops.copyInto(kept, grad);
}

function obeysContract(variable: Tensor, grad: Tensor, dense: boolean): boolean {
  if (!dense) return grad._contiguous;
  for (let i = 0; i < grad._sizes.length; i++) {
    if (grad._sizes[i] === 1 ? grad._strides[i] === 0 : grad._strides[i] !== variable._strides[i]) return false;
  }
  return true;
}
