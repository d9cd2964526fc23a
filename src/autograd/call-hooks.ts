/** How hooks are called and what they may return (torch/csrc/autograd/python_hook.cpp). */
import { RuntimeError } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";
import { tensorTypeName } from "../tensor/dtype.ts";
import { sameSizes } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { hookName } from "./hooks.ts";
import type { Grads, NodeHooks } from "./node.ts";

/** Tensor hooks of each output, then what retains its gradient. */
export function runTensorHooks(hooks: NodeHooks, grads: Grads): Grads {
  const out = shown(grads).slice();
  for (const [index, list] of hooks.tensor) {
    for (const hook of list.list()) out[index] = replacement(hook, hook(out[index] as Tensor) ?? null, out[index]);
  }
  for (const [index, retain] of hooks.retainGrad) retain(out[index]);
  return out;
}

/** Hooks before a node: they see and may replace the gradients of its outputs. */
export function runPreHooks(hooks: NodeHooks, grads: Grads): Grads {
  let inputs = grads;
  for (const hook of hooks.before.list()) inputs = replacements(hook, hook(shown(inputs)) ?? null, inputs);
  return inputs;
}

/** Hooks after a node: they see both sides and may replace the gradients of its inputs. */
export function runPostHooks(hooks: NodeHooks, results: Grads, grads: Grads): Grads {
  let outputs = results;
  for (const hook of hooks.after.list()) outputs = replacements(hook, hook(shown(outputs), shown(grads)) ?? null, outputs);
  return outputs;
}

/** Gradients that a hook has seen may live on outside of the backward. */
function shown(grads: Grads): Grads {
  for (const grad of grads) if (grad) grad._owned = false;
  return grads;
}

function replacement(hook: unknown, result: unknown, before: Tensor | null): Tensor | null {
  if (result === null || result === undefined || result === before) return before;
  if (before === null) throw new RuntimeError("can't replace a None gradient with a non-None value");
  if (!(result instanceof Tensor)) throw new TypeError(`expected Variable, but hook returned '${typeText(result)}'`);
  if (result.dtype !== before.dtype) {
    throw new RuntimeError(
      `hook '${hookName(hook)}' has changed the type of value (was ${tensorTypeName(before.dtype)} got ${tensorTypeName(result.dtype)})`,
    );
  }
  if (!sameSizes(result._sizes, before._sizes)) throw new RuntimeError(`hook '${hookName(hook)}' has changed the size of value`);
  return result;
}

function replacements(hook: unknown, result: unknown, before: Grads): Grads {
  if (result === null) return before;
  if (!Array.isArray(result)) throw new TypeError(`expected tuple, but hook returned '${typeText(result)}'`);
  if (result.length !== before.length) {
    throw new RuntimeError(
      `hook '${hookName(hook)}' has returned an incorrect number of values (got ${result.length}, but expected ${before.length})`,
    );
  }
  // Unlike a lone tensor hook's, a null here drops the gradient.
  return result.map((grad: unknown, i) => (grad === null || grad === undefined ? null : replacement(hook, grad, before[i] ?? null)));
}
