/** `torch.explain`: what autograd knows of one tensor, in a sentence or two. */
import { Tensor } from "../tensor/tensor.ts";
import { FLOAT } from "../tensor/dtype.ts";
import type { Node } from "./node.ts";
import { gradFn, requiresGrad } from "./variable.ts";

/**
 * Says why `x` is a leaf or not, and has a gradient or not, and what would change that.
 *
 * @throws TypeError where `x` is no tensor.
 * @example
 * const x = torch.tensor([1, 2], { requires_grad: true });
 * console.log(torch.explain(x.mul(2)));
 */
export function explain(x: Tensor): string {
  if (!(x instanceof Tensor)) throw new TypeError("explain(): expected a Tensor");
  if (!requiresGrad(x)) return withoutGrad(x);
  let node: Node | null;
  try {
    node = gradFn(x);
  } catch {
    return "It is a view of no more use: it was made while nothing was recorded, and its base was written since. Take the view anew, after the write.";
  }
  if (node === null && !x._requiresGrad) return "It is a leaf in name alone: a view, made while nothing was recorded, of a tensor that requires grad. No gradient comes to it, and none passes it. Take the view while grad mode is on.";
  return node === null ? ofLeaf(x) : ofResult(x, opNameOf(node.name()));
}

/** `mean` of `MeanBackward1`: the op as it is called. */
function opNameOf(node: string): string {
  const name = node.replace(/^torch::autograd::/, "").replace(/Backward(s|\d*)$/, "");
  const known: Readonly<Record<string, string>> = { CopySlices: "a write to a part of its memory", ToCopy: "a cast", UnsafeView: "a view" };
  return known[name] ?? name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

function withoutGrad(x: Tensor): string {
  const why = "It is a leaf, and no gradient flows to it: nothing that made it was recorded, and it does not require grad.";
  if (x.dtype.kind !== FLOAT) return `${why} Its dtype is ${x.dtype.name}, and only floats have gradients: x.float() makes one that can require grad.`;
  return `${why} x.requires_grad_() asks for its gradient; if it was computed from a tensor that requires grad, the graph was cut on the way, by detach, no_grad or the like.`;
}

function ofLeaf(x: Tensor): string {
  const why = "It is a leaf that requires grad: no recorded op made it.";
  return x._meta?.grad
    ? `${why} It has a gradient, the sum over all backwards so far; x.grad = null starts anew.`
    : `${why} It has no gradient: no backward has come to it yet, or it was reset. Call backward on a scalar that is computed from it by recorded ops.`;
}

function ofResult(x: Tensor, op: string): string {
  const why = `It is no leaf: ${op} made it, and was recorded because an input requires grad.`;
  if (!x._meta?.retainsGrad) return `${why} backward keeps no gradient of it; x.retain_grad() before backward would. x.detach() gives its values as a leaf.`;
  return x._meta.grad ? `${why} It has a gradient, because retain_grad() was called before backward.` : `${why} retain_grad() was called, so the next backward that passes it leaves a gradient.`;
}
