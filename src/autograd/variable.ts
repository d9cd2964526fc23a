/**
 * The autograd side of a tensor: its node, its edge in the graph, and the rules for views and in-place writes.
 * Follows torch/csrc/autograd/variable.cpp and VariableTypeUtils.h.
 */
import { RuntimeError } from "../errors.ts";
import type { CreationMeta, Tensor } from "../tensor/tensor.ts";
import { isInference } from "../tensor/tensor.ts";
import { AccumulateGrad } from "./accumulate-grad.ts";
import { gradMode } from "./grad-mode.ts";
import { forwardOpName, type Node } from "./node.ts";
import { AsStridedNode, CopySlices } from "./view-nodes.ts";

export function requiresGrad(tensor: Tensor): boolean {
  if (tensor._requiresGrad || tensor._gradFn !== null) return true;
  return tensor._view !== null && requiresGrad(tensor._view.base);
}

/** The node that made `tensor`; that of a view whose base was written since is regenerated first. */
export function gradFn(tensor: Tensor): Node | null {
  const view = tensor._view;
  if (view === null || tensor._counter === null) return tensor._gradFn as Node | null;
  if (tensor._gradFn === null && !requiresGrad(view.base)) return null;
  if (view.attrVersion !== tensor._counter.value) {
    refuseViewWrite(tensor, "its base or another view of its base has been");
    const regenerated = new AsStridedNode(view.base, tensor);
    moveRetainedGrad(tensor, regenerated);
    regenerated.hold();
    (tensor._gradFn as Node | null)?.letGo();
    tensor._gradFn = regenerated;
    tensor._outputNr = 0;
    view.attrVersion = tensor._counter.value;
  }
  return tensor._gradFn as Node | null;
}

/** The node that takes gradients of `tensor`, null where it takes none. Its output number is `tensor._outputNr` or 0. */
export function gradientNode(tensor: Tensor): Node | null {
  if (tensor._view === null && tensor._gradFn !== null) return tensor._gradFn as Node;
  return gradFn(tensor) ?? gradAccumulator(tensor);
}

/** The one accumulator of a leaf that requires grad; an unrecorded view of one has none. */
export function gradAccumulator(tensor: Tensor): AccumulateGrad | null {
  if (!tensor._requiresGrad) return null;
  const meta = tensor._autogradMeta;
  const known = meta.accumulator as AccumulateGrad | null;
  if (known?.accepts(tensor)) return known;
  // The tensor has another shape or dtype by now (`data =`, `t_`).
  return renewAccumulator(tensor);
}

/** Gives a leaf another accumulator: graphs made so far keep the old one. The leaf's hooks stay with it. */
export function renewAccumulator(tensor: Tensor): AccumulateGrad {
  const meta = tensor._autogradMeta;
  const known = meta.accumulator as AccumulateGrad | null;
  const made = new AccumulateGrad(tensor);
  if (known !== null && known.hooks !== null) made.ensureHooks().tensor = known.hooks.tensor;
  meta.accumulator = made;
  return made;
}

/** Tells the graph that nothing refers to `tensor` any more, which only the op that made it on its way can know. */
export function forget(tensor: Tensor): void {
  (tensor._gradFn as Node | null)?.letGo();
}

/** Makes `node` the maker of `tensor`, which becomes its next output. */
export function setHistory(tensor: Tensor, node: Node): void {
  tensor._outputNr = node.addOutput(tensor);
  node.hold();
  if (tensor._gradFn !== null) (tensor._gradFn as Node).letGo();
  tensor._gradFn = node;
  if (tensor._view !== null && tensor._counter !== null) tensor._view.attrVersion = tensor._counter.value;
}

/** Makes `view` a differentiable view of `self`'s base; those of inference tensors are none. */
export function asView(view: Tensor, self: Tensor, multiOutput = false): void {
  if (self._counter === null) return;
  let creation: CreationMeta = isInference() ? "inference" : !gradMode.enabled ? "no-grad" : multiOutput ? "multi-output" : "default";
  if (creation === "default" && self._view !== null) creation = self._view.creation;
  const base = self._view === null ? self : self._view.base;
  view._view = { base, creation, attrVersion: self._counter.value };
}

/** Who is told of each write before it happens. */
export const writes: { watcher: ((self: Tensor) => void) | null } = { watcher: null };

/** Throws PyTorch's text where `self` may not be written; called before anything is changed. */
export function checkInplace(self: Tensor, anyRequiresGrad: boolean): void {
  checkHistory(self, anyRequiresGrad);
  refuseInferenceWrite(self);
}

/** Is it an inference tensor outside inference mode? */
export const refusesWrite = (self: Tensor): boolean => self._counter === null && !isInference();

/** PyTorch notices it when it counts the write, after all other refusals. */
export function refuseInferenceWrite(self: Tensor): void {
  if (!refusesWrite(self)) return;
  throw new RuntimeError(
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.",
  );
}

/** `checkInplace` but for inference tensors. */
export function checkHistory(self: Tensor, anyRequiresGrad: boolean): void {
  if (writes.watcher !== null) writes.watcher(self);
  if (!anyRequiresGrad || !gradMode.enabled) return;
  if (self._view !== null) {
    refuseViewWrite(self, "is being");
    if (self._view.base._gradFn === null && requiresGrad(self)) {
      throw new RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.");
    }
  }
  if (self._gradFn === null && requiresGrad(self)) {
    throw new RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.");
  }
}

/** Called before `tensor` is given other memory: the node that made it may have saved it as it was. */
export function keepSaved(tensor: Tensor): void {
  const node = tensor._gradFn as Node | null;
  if (node !== null) for (const saved of node.savedTensors()) saved?.keep(tensor);
}

/** Counts a write to `self`'s storage. */
export function bumpVersion(self: Tensor): void {
  if (self._counter !== null) self._counter.value++;
}

/** After an in-place write recorded by `node`: `self` is what `node` made; a view hands the change on to its base. */
export function rebaseHistory(self: Tensor, node: Node): void {
  if (self._view !== null) {
    const { base } = self._view;
    node.addOutput(self);
    const copySlices = new CopySlices(base, self, node, gradientNode(base));
    moveRetainedGrad(base, copySlices);
    setHistory(base, copySlices);
    gradFn(self);
    return;
  }
  moveRetainedGrad(self, node);
  setHistory(self, node);
}

/** Hooks stay with the value they were registered on; only the retained gradient follows the tensor to its new node. */
function moveRetainedGrad(tensor: Tensor, to: Node): void {
  const from = tensor._gradFn as Node | null;
  if (tensor._meta === null || !tensor._meta.retainsGrad || from === null || from.hooks === null) return;
  const retain = from.hooks.retainGrad.get(tensor._outputNr);
  if (retain === undefined) return;
  from.hooks.retainGrad.delete(tensor._outputNr);
  to.ensureHooks().retainGrad.set(0, retain);
}

const hints: Record<Exclude<CreationMeta, "default">, string> = {
  "multi-output":
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.",
  "no-grad":
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).",
  inference:
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).",
  "custom-function":
    "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.",
};

/** Throws where a view of this kind may not follow a write; `what` says which tensor is written. */
function refuseViewWrite(tensor: Tensor, what: string): void {
  const creation = tensor._view!.creation;
  if (creation === "default") return;
  const node = tensor._gradFn as Node | null;
  let text: string;
  if (creation === "no-grad" || creation === "inference" || node === null) {
    const made = node === null ? "A view was created in" : `Output ${tensor._outputNr} of ${forwardOpName(node)} is a view of a view which was created in`;
    const mode = creation === "inference" ? ["inference", "in normal mode"] : ["no_grad", "with grad mode enabled"];
    text = `${made} ${mode[0]} mode and ${what} modified inplace ${mode[1]}.`;
  } else {
    text = `Output ${tensor._outputNr} of ${forwardOpName(node)} is a view and ${what} modified inplace.`;
  }
  throw new RuntimeError(`${text} ${hints[creation]}`);
}
