/** torch.autograd.Variable, which every tensor is. */
import { RuntimeError } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";
import { FLOAT } from "../tensor/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ops } from "./engine-ops.ts";
import { queueCallback } from "./engine.ts";

interface Options {
  requires_grad?: boolean;
}

interface VariableClass {
  /** The same memory as a leaf, which requires grad if asked for. */
  (data: Tensor, requires_grad?: boolean | Options): Tensor;
  new (data: Tensor, requires_grad?: boolean | Options): Tensor;
  /** Is it a tensor? */
  [Symbol.hasInstance](value: unknown): boolean;
  /** The engine as PyTorch's own Python code reaches it. */
  readonly _execution_engine: {
    /** Calls `callback` when the running backward is complete; to be called in a hook. */
    queue_callback: typeof queueCallback;
  };
}

function makeVariable(data: Tensor, given: boolean | Options = false): Tensor {
  if (!(data instanceof Tensor)) throw new TypeError(`Variable data has to be a tensor, but got ${typeText(data)}`);
  const requiresGrad = typeof given === "boolean" ? given : given.requires_grad === true;
  if (requiresGrad && data.dtype.kind !== FLOAT) throw new RuntimeError("Only Tensors of floating point and complex dtype can require gradients");
  return ops.detach(data).requires_grad_(requiresGrad);
}

/**
 * Tensors as the programs of PyTorch's first years made them, with or without `new`; `value instanceof Variable` tells whether it is a tensor.
 *
 * @example
 * const { Variable } = torch.autograd;
 * new Variable(torch.ones(2), { requires_grad: true }).requires_grad; // true
 */
export const Variable: VariableClass = /* @__PURE__ */ Object.defineProperties(makeVariable, {
  [Symbol.hasInstance]: { value: (value: unknown) => value instanceof Tensor },
  _execution_engine: { value: { queue_callback: queueCallback } },
}) as unknown as VariableClass;
