/** torch.autograd.function: steps of a graph whose gradient a program writes itself. */
import { NotImplementedError, RuntimeError } from "../errors.ts";
import { ops } from "./engine-ops.ts";
import { FunctionCtx, FunctionNode, isTensor } from "./function-node.ts";
import { refuseSavedAsIs, wrapOutputs } from "./function-outputs.ts";
import { gradMode, no_grad } from "./grad-mode.ts";
import { ErrorNode } from "./node.ts";
import { gradientNode, requiresGrad, setHistory } from "./variable.ts";

export { FunctionCtx } from "./function-node.ts";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each Function has parameters of its own
type Method = (...args: any[]) => any;
/** The parameters of `apply`: those of `forward`, less the `ctx` that it has unless there is a `setup_context`. */
type Inputs<F extends Method> = Parameters<F> extends [FunctionCtx, ...infer Rest] ? Rest : Parameters<F>;

/** The static methods of a subclass. */
interface Methods {
  readonly name: string;
  readonly forward?: Method;
  readonly setup_context?: Method;
  readonly backward?: Method;
  /** `backward` by another name. */
  readonly vjp?: Method;
}

interface FunctionBase {
  new (): object;
  /**
   * Runs `forward` and records the step. It may be called by itself, as PyTorch's programs do: `const exp = Exp.apply`.
   *
   * @throws RuntimeError where a tensor is marked dirty that may not be written or that `forward` does not return.
   */
  apply<F extends Method>(this: { readonly forward: F } | void, ...inputs: Inputs<F>): ReturnType<F>;
}

/**
 * A step with a gradient of its own. A subclass has two static methods: `forward(ctx, ...inputs)` computes, unrecorded;
 * `backward(ctx, ...grads)` is given a gradient for each output and returns one for each input, null for what is no
 * tensor. Arrays stand for Python's tuples. With a `setup_context(ctx, inputs, output)`, `forward` takes no `ctx`.
 *
 * @example
 * class Exp extends torch.autograd.Function {
 *   static forward(ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor) {
 *     const result = x.exp();
 *     ctx.save_for_backward(result);
 *     return result;
 *   }
 *   static backward(ctx: torch.autograd.function.FunctionCtx, grad: torch.Tensor) {
 *     return grad.mul(ctx.saved_tensors[0]!);
 *   }
 * }
 * const y = Exp.apply(x);
 */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- PyTorch asks for a class whose methods are static
export const Function: FunctionBase = class {
  /** A getter, so that the function knows its class without being called on it. */
  static get apply(): (...inputs: unknown[]) => never {
    return (...inputs) => run(this as Methods, inputs) as never;
  }
};

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

function run(cls: Methods, inputs: readonly unknown[]): unknown {
  const { forward, setup_context } = cls;
  if (forward === undefined) throw new NotImplementedError("You must implement the forward function for custom autograd.Function.");
  const ctx = new FunctionCtx();
  ctx.needs_input_grad = inputs.map((input) => isTensor(input) && requiresGrad(input));
  const recorded = gradMode.enabled && ctx.needs_input_grad.includes(true);
  const node = new FunctionNode(cls.name, backwardOf(cls), ctx, inputs, recorded);
  const returned: unknown = no_grad(() => {
    const output: unknown = setup_context === undefined ? forward.call(cls, ctx, ...inputs) : forward.call(cls, ...inputs);
    setup_context?.call(cls, ctx, inputs, output);
    return output;
  });
  if (setup_context !== undefined) refuseSavedAsIs(listOf(returned), ctx, inputs);
  const outputs = wrapOutputs(listOf(returned), ctx, inputs, recorded ? node : null);
  if (recorded) node.save();
  return Array.isArray(returned) ? outputs : outputs[0];
}

function backwardOf(cls: Methods): Method {
  return (ctx: FunctionCtx, ...grads: unknown[]): unknown => {
    const { backward, vjp } = cls;
    if (backward !== undefined && vjp !== undefined) {
      throw new RuntimeError("Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of them.");
    }
    const method = backward ?? vjp;
    if (method !== undefined) return method.call(cls, ctx, ...grads);
    throw new NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD.");
  };
}

/**
 * Wraps a `backward` whose own operations cannot be differentiated: they are not recorded, and a second derivative throws.
 *
 * @example
 * class Halve extends torch.autograd.Function {
 *   static forward = (ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor) => x.div(2);
 *   static backward = torch.autograd.function.once_differentiable((ctx, grad: torch.Tensor) => grad.div(2));
 * }
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each Function has parameters of its own
export function once_differentiable<A extends any[], R>(backward: (ctx: FunctionCtx, ...grads: A) => R): (ctx: FunctionCtx, ...grads: A) => R {
  return (ctx, ...grads) => {
    const returned = no_grad(() => backward(ctx, ...grads));
    if (!gradMode.enabled || !grads.some((grad) => isTensor(grad) && requiresGrad(grad))) return returned;
    const results = cut(listOf(returned), "trying to differentiate twice a function that was marked with @once_differentiable");
    return (Array.isArray(returned) ? results : results[0]) as R;
  };
}

/** The same values, but a gradient that arrives at one of them throws. */
function cut(values: readonly unknown[], message: string): unknown[] {
  const leaves = values.map((value) => (isTensor(value) ? ops.detach(value).requires_grad_() : null));
  const node = new ErrorNode(message, leaves.map((leaf) => (leaf === null ? null : gradientNode(leaf))));
  return leaves.map((leaf, i) => {
    if (leaf === null) return values[i];
    const result = ops.detach(leaf);
    setHistory(result, node);
    return result;
  });
}
