/** How the outputs of a custom Function are tied to its node (torch/csrc/autograd/custom_function.cpp). */
import { RuntimeError, warn } from "../errors.ts";
import type { CreationMeta, Tensor } from "../tensor/tensor.ts";
import { ops } from "./engine-ops.ts";
import { isTensor, type FunctionCtx, type FunctionNode } from "./function-node.ts";
import { asView, bumpVersion, checkInplace, rebaseHistory, requiresGrad, setHistory } from "./variable.ts";

const notAnInput = "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be passed to ctx.mark_dirty().";
const dirtyViewOfMany =
  "If your Function modifies inplace an input that is a view of another Tensor, your Function cannot return more than one Tensor. This is not supported by the current autograd engine. You should either make sure the input is not a view (using .clone() for example) or make your Function only return one Tensor (potentially splitting it into two Functions: one doing the inplace that returns a single Tensor and a second one that does the other operations). You can ask on the forum https://discuss.pytorch.org/ if you need help to do this change.";

/** Makes `node`, or nothing where it is null, the maker of what `forward` returned; gives the outputs that the caller gets. */
export function wrapOutputs(returned: readonly unknown[], { _dirty, _nonDifferentiable }: FunctionCtx, inputs: readonly unknown[], node: FunctionNode | null): unknown[] {
  for (const tensor of _dirty) bumpVersion(tensor);
  let differentiable = 0;
  const outputs = returned.map((output) => {
    if (!isTensor(output)) {
      node?.addPlainOutput(output);
      return output;
    }
    const isInput = inputs.includes(output);
    const isDirty = _dirty.includes(output);
    let result: Tensor;
    if (node === null || _nonDifferentiable.includes(output) || !output.dtype.is_floating_point) {
      node?.addPlainOutput(output);
      result = untracked(output, isInput, isDirty);
    } else {
      differentiable++;
      result = isDirty ? rewritten(output, isInput, returned.length, node) : tracked(output, isInput, node);
    }
    if (!isInput || !isDirty) markView(result, "custom-function");
    return result;
  });
  if (differentiable > 1) for (const output of outputs) if (isTensor(output)) markView(output, "multi-output");
  if (_dirty.some((tensor) => !returned.includes(tensor))) {
    throw new RuntimeError(
      "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.",
    );
  }
  return outputs;
}

function markView(output: Tensor, creation: CreationMeta): void {
  if (output._view !== null) output._view.creation = creation;
}

/** An output through which gradients flow. */
function tracked(output: Tensor, isInput: boolean, node: FunctionNode): Tensor {
  const result = isInput ? viewOfItself(output) : output;
  setHistory(result, node);
  return result;
}

/** The same for one that `forward` wrote to. */
function rewritten(output: Tensor, isInput: boolean, count: number, node: FunctionNode): Tensor {
  if (!isInput && output._view !== null) throw new RuntimeError(notAnInput);
  if (!isInput) warn(notAnInput);
  if (output._view !== null) {
    if (count > 1) throw new RuntimeError(dirtyViewOfMany);
    checkInplace(output, true);
  } else if (output._gradFn === null && output._requiresGrad) {
    throw new RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.");
  }
  if (output._meta !== null) output._meta.grad = null;
  rebaseHistory(output, node);
  return output;
}

/** An output that takes no part in the graph. */
function untracked(output: Tensor, isInput: boolean, isDirty: boolean): Tensor {
  if (!requiresGrad(output)) return isInput && !isDirty ? viewOfItself(output) : output;
  if (isInput) return ops.detach(output);
  return output._view === null ? output.detach_() : output;
}

/** An input that is returned as it is stays what it was; the output is a view of all of it. */
function viewOfItself(input: Tensor): Tensor {
  const view = input._aliased(input._sizes, input._strides, input._offset);
  asView(view, input);
  return view;
}

/** A `setup_context` sees the input where the caller gets a view of it, and cannot save that. */
export function refuseSavedAsIs(returned: readonly unknown[], { _toSave, _dirty }: FunctionCtx, inputs: readonly unknown[]): void {
  const asIs = _toSave.filter((tensor) => tensor !== null && inputs.includes(tensor) && returned.includes(tensor) && !_dirty.includes(tensor));
  if (asIs.length === 0) return;
  throw new RuntimeError(
    "An input that has been returned as-is as output is being saved for backward. This is not supported if you override setup_context. You should return and save a view of the input instead, e.g. with x.view_as(x) or setup ctx inside the forward function itself.",
  );
}
