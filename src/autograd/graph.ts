/** torch.autograd.graph */
import { RuntimeError } from "../errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import { GradientEdge } from "./gradient-edge.ts";
import { bumpVersion, gradientNode } from "./variable.ts";

export { GradientEdge } from "./gradient-edge.ts";
export { allow_mutation_on_saved_tensors } from "./mutation.ts";
export { register_multi_grad_hook } from "./multi-grad-hook.ts";
export { Node } from "./node.ts";
export { disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks } from "./saved-hooks.ts";

/**
 * Where gradients for `tensor` arrive: the node that made it, or the accumulator of a leaf. `grad` and `backward` take
 * it in place of the tensor, which need not be kept then.
 */
export function get_gradient_edge(tensor: Tensor): GradientEdge {
  const node = gradientNode(tensor);
  if (node === null) throw new RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients");
  return new GradientEdge(node, tensor._outputNr);
}

/** Counts a write to each tensor that autograd has not seen. */
export function increment_version(tensor: Tensor | readonly Tensor[]): void {
  for (const t of tensor instanceof Tensor ? [tensor] : tensor) bumpVersion(t);
}
