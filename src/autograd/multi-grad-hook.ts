import { RuntimeError, ValueError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { currentRun, willExecute } from "./engine.ts";
import { disposable, type RemovableHandle } from "./hooks.ts";
import type { Grads, Node } from "./node.ts";
import { gradientNode } from "./variable.ts";

/**
 * Registers `fn` on several tensors at once. Mode "all": it is called once a backward, with the gradients of all
 * `tensors` when the last that takes part has come, null for the others. Mode "any": once, with the first that comes.
 *
 * @example
 * const handle = torch.autograd.graph.register_multi_grad_hook([w, b], (grads) => console.log(grads));
 */
export function register_multi_grad_hook(tensors: readonly Tensor[], fn: (grads: Grads) => void, options?: { mode?: "all" }): RemovableHandle;
export function register_multi_grad_hook(tensors: readonly Tensor[], fn: (grad: Tensor) => void, options: { mode: "any" }): RemovableHandle;
export function register_multi_grad_hook(
  tensors: readonly Tensor[],
  fn: ((grads: Grads) => void) | ((grad: Tensor) => void),
  { mode = "all" }: { mode?: "all" | "any" } = {},
): RemovableHandle {
  if (mode !== "all" && mode !== "any") throw new ValueError(`Expects mode to be one of ('all', 'any') but got ${String(mode)}`);
  const handles = mode === "all" ? hookAll(tensors, fn as (grads: Grads) => void) : hookAny(tensors, fn as (grad: Tensor) => void);
  return disposable(() => {
    for (const handle of handles) handle.remove();
  });
}

function hookAll(tensors: readonly Tensor[], fn: (grads: Grads) => void): RemovableHandle[] {
  const nodes = tensors.map((tensor) => {
    const node = gradientNode(tensor);
    if (node === null) throw new RuntimeError("Expected gradient function to be set");
    return node;
  });
  const seen = new WeakMap<object, { grads: Grads; missing: number }>();
  return tensors.map((tensor, i) =>
    tensor.register_hook((grad) => {
      const run = currentRun()!;
      let state = seen.get(run);
      if (state === undefined) seen.set(run, (state = { grads: tensors.map(() => null), missing: nodes.filter((node: Node) => willExecute(node)).length }));
      state.grads[i] = grad;
      if (--state.missing > 0) return;
      seen.delete(run);
      fn(state.grads);
    }),
  );
}

function hookAny(tensors: readonly Tensor[], fn: (grad: Tensor) => void): RemovableHandle[] {
  const seen = new WeakSet<object>();
  return tensors
    .filter((tensor) => tensor.requires_grad)
    .map((tensor) =>
      tensor.register_hook((grad) => {
        const run = currentRun()!;
        if (seen.has(run)) return;
        seen.add(run);
        fn(grad);
      }),
    );
}
