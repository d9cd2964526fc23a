/** `torch.explain`: what autograd knows of one tensor, in a sentence or two. */
import { Tensor } from "../tensor/tensor.ts";
import { FLOAT } from "../tensor/dtype.ts";
import { forwardOpName } from "./node.ts";
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
  const node = gradFn(x);
  return node === null ? ofLeaf(x) : ofResult(x, forwardOpName(node).replace("torch::autograd::", ""));
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
    : `${why} It has no gradient yet: no backward has come to it. Call backward on a scalar that is computed from it by recorded ops.`;
}

function ofResult(x: Tensor, op: string): string {
  const why = `It is no leaf: ${op} made it, and was recorded because an input requires grad.`;
  if (!x._meta?.retainsGrad) return `${why} backward keeps no gradient of it; x.retain_grad() before backward would. x.detach() gives its values as a leaf.`;
  return x._meta.grad ? `${why} It has a gradient, because retain_grad() was called before backward.` : `${why} retain_grad() was called, so the next backward that passes it leaves a gradient.`;
}
