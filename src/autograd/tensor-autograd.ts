/** The properties and methods of Tensor that autograd adds. */
import { RuntimeError, warn } from "../errors.ts";
import { checkCanRequireGrad, DType, typeMetaName } from "../tensor/dtype.ts";
import { listText, sameSizes } from "../tensor/layout.ts";
import { isInference, newCounter, Tensor } from "../tensor/tensor.ts";
import { VersionCounter } from "../tensor/version.ts";
import type { AccumulateGrad, PostAccumulateHook } from "./accumulate-grad.ts";
import { backwardMethod, type BackwardOptions, type TensorOrList } from "./backward.ts";
import { ops } from "./engine-ops.ts";
import { typeText } from "../schema/arguments.ts";
import { Hooks, type RemovableHandle } from "./hooks.ts";
import type { Node, TensorHook } from "./node.ts";
import { observed } from "./observer.ts";
import { forget, gradFn, gradientNode, keepSaved, requiresGrad } from "./variable.ts";

export interface TensorAutograd {
  /** Will gradients flow to this tensor? Settable on leaves. */
  requires_grad: boolean;
  /** The accumulated gradient of a leaf, or of a non-leaf that retains it; settable. */
  get grad(): Tensor | null;
  set grad(value: Tensor | null);
  /** The node that made this tensor; null for a leaf. */
  get grad_fn(): Node | null;
  /** True for a tensor that no recorded op made. */
  get is_leaf(): boolean;
  get retains_grad(): boolean;
  get output_nr(): number;
  /** The dtype that a leaf's gradients are cast to, by default its own; null takes them as they come. Settable. */
  grad_dtype: DType | null;
  /** The same memory outside the graph, with a version counter of its own; settable: takes the other's memory, shape and dtype. */
  get data(): Tensor;
  set data(value: Tensor);
  requires_grad_(requires_grad?: boolean): Tensor;
  /** Keeps the gradient of this non-leaf in `.grad` when backward passes it. */
  retain_grad(): void;
  /** Cuts this very tensor out of its graph. */
  detach_(): Tensor;
  /** Computes the gradients of this tensor with respect to the leaves of its graph. */
  backward(gradient?: Tensor | null, retain_graph?: boolean | null, create_graph?: boolean, inputs?: TensorOrList | null): void;
  backward(options: BackwardOptions & { gradient?: Tensor | null }): void;
  backward(gradient: Tensor | null, options: BackwardOptions): void;
  /** Calls `hook` with each gradient of this tensor; what it returns replaces the gradient. */
  register_hook(hook: TensorHook): RemovableHandle;
  /** Calls `hook` with this leaf after each accumulation of its gradient. */
  register_post_accumulate_grad_hook(hook: PostAccumulateHook): RemovableHandle;
}

const nonLeafGrad =
  "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information.";
const notLeaf = "you can only change requires_grad flags of leaf variables.";
const detachInstead =
  " If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().";
const detachedView =
  "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.";

function setRequiresGrad(tensor: Tensor, value: boolean, dtypeText: string): void {
  observed.by?.read(tensor, value ? "requires_grad" : "freeze", null);
  if (value) checkCanRequireGrad(tensor.dtype, dtypeText);
  if (tensor._counter === null && value && !isInference()) {
    throw new RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
  }
  tensor._requiresGrad = value;
}

/** Makes a fresh tensor a leaf that requires grad: what `requires_grad=True` of a factory does. */
export function markRequiresGrad(tensor: Tensor): Tensor {
  checkCanRequireGrad(tensor.dtype, "Only Tensors of floating point and complex dtype can require gradients");
  tensor._requiresGrad = true;
  return tensor;
}

export function retainGrad(tensor: Tensor): void {
  if (!requiresGrad(tensor)) throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False");
  const meta = tensor._autogradMeta;
  if (tensor._gradFn === null || meta.retainsGrad) return;
  gradFn(tensor)!.ensureHooks().retainGrad.set(tensor._outputNr, (grad) => {
    if (grad === null) return;
    meta.grad = meta.grad === null ? ops.contiguousClone(grad) : ops.add(meta.grad, grad);
  });
  meta.retainsGrad = true;
}

function checkGrad(tensor: Tensor, grad: Tensor | null): void {
  if (grad === null) return;
  if (!((grad as unknown) instanceof Tensor)) {
    throw new TypeError(`assigned grad expected to be a Tensor or None but got grad of type ${typeText(grad)}`);
  }
  if (grad === tensor) throw new RuntimeError("can't assign Variable as its own grad");
  const wanted = tensor._meta?.gradDtype === undefined ? tensor.dtype : tensor._meta.gradDtype;
  if (wanted !== null && grad.dtype !== wanted) {
    throw new RuntimeError(
      `attempting to assign a gradient with dtype '${typeMetaName(grad.dtype)}' to a tensor with grad_dtype '${wanted.title}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match.`,
    );
  }
  if (!sameSizes(grad._sizes, tensor._sizes)) {
    throw new RuntimeError(
      `attempting to assign a gradient of size '${listText(grad._sizes)}' to a tensor of size '${listText(tensor._sizes)}'. Please ensure that the gradient and the tensor are the same size`,
    );
  }
}

function setGradDtype(tensor: Tensor, value: DType | null): void {
  if (value !== null && !((value as unknown) instanceof DType)) throw new RuntimeError(`grad_dtype must be a torch.dtype or None, but got ${typeText(value)}`);
  if (gradFn(tensor) !== null) throw new RuntimeError("grad_dtype can only be set on leaf tensors.");
  const meta = tensor._autogradMeta;
  if (meta.grad !== null && value !== null && meta.grad.dtype !== value) {
    throw new RuntimeError(
      `Cannot set grad_dtype to '${value.title}' because there is already a gradient with dtype '${typeMetaName(meta.grad.dtype)}'. Please clear the gradient (.grad = None) before changing grad_dtype, or ensure the new grad_dtype matches the existing gradient's dtype.`,
    );
  }
  meta.gradDtype = value;
  (meta.accumulator as AccumulateGrad | null)?.expect();
}

function setData(tensor: Tensor, source: Tensor): void {
  if (!((source as unknown) instanceof Tensor)) throw new TypeError(`Variable data has to be a tensor, but got ${typeText(source)}`);
  if (requiresGrad(tensor)) checkCanRequireGrad(source.dtype, "data set to a tensor that requires gradients must be floating point or complex dtype");
  keepSaved(tensor);
  (tensor as { dtype: DType }).dtype = source.dtype;
  tensor._storage = source._storage;
  tensor._setGeometry(source._sizes, source._strides, source._offset);
}

const readOnly = (name: string) => () => {
  throw new TypeError(`attribute '${name}' of 'torch._C.TensorBase' objects is not writable`);
};

const properties: PropertyDescriptorMap & ThisType<Tensor & TensorAutograd> = {
  requires_grad: {
    get() {
      return requiresGrad(this);
    },
    set(value: unknown) {
      if (typeof value !== "boolean") throw new RuntimeError("requires_grad must be a bool");
      if (this._gradFn !== null) throw new RuntimeError(value ? notLeaf : notLeaf + detachInstead);
      setRequiresGrad(this, value, "only Tensors of floating point and complex dtype can require gradients");
    },
  },
  grad: {
    get() {
      const meta = this._meta;
      if (observed.by !== null) observed.by.read(this, "grad", meta?.grad ?? null);
      if (meta !== null && meta.grad !== null) return meta.grad;
      if (this._gradFn !== null && !meta?.retainsGrad) warn(nonLeafGrad);
      return null;
    },
    set(value: Tensor | null | undefined) {
      checkGrad(this, value ?? null);
      if (observed.by !== null && value == null) observed.by.read(this, "reset", null);
      this._autogradMeta.grad = value ?? null;
    },
  },
  grad_fn: { get() { return gradFn(this); }, set: readOnly("grad_fn") },
  is_leaf: { get() { return gradFn(this) === null; }, set: readOnly("is_leaf") },
  retains_grad: { get() { return this._meta?.retainsGrad ?? false; }, set: readOnly("retains_grad") },
  output_nr: { get() { return this._outputNr; }, set: readOnly("output_nr") },
  grad_dtype: {
    get() {
      if (gradFn(this) !== null) throw new RuntimeError("grad_dtype can only be accessed on leaf tensors.");
      const dtype = this._meta?.gradDtype;
      return dtype === undefined ? this.dtype : dtype;
    },
    set(value: DType | null) {
      setGradDtype(this, value);
    },
  },
  data: {
    get() {
      // That of a normal tensor is one in inference mode too.
      const counter = this._counter === null ? newCounter() : new VersionCounter();
      const data = new Tensor(this._storage, this._sizes, this._strides, this._offset, this.dtype, counter);
      if (observed.by !== null) observed.by.read(this, "data", data);
      return data;
    },
    set(value: Tensor) {
      setData(this, value);
    },
  },
};

const methods: ThisType<Tensor & TensorAutograd> & Record<string, unknown> = {
  requires_grad_(requires_grad = true) {
    if (this._gradFn !== null && !requires_grad) throw new RuntimeError(notLeaf + detachInstead);
    setRequiresGrad(this, requires_grad as boolean, "only Tensors of floating point dtype can require gradients");
    return this;
  },
  retain_grad() {
    retainGrad(this);
  },
  detach_() {
    if (isInference()) return this;
    if (this._view !== null) throw new RuntimeError(detachedView);
    if (observed.by !== null) observed.by.read(this, "detach_", this);
    forget(this);
    this._gradFn = null;
    this._outputNr = 0;
    this._requiresGrad = false;
    return this;
  },
  backward(...args: unknown[]) {
    backwardMethod([this, ...args]);
  },
  register_hook(hook: TensorHook) {
    if (!requiresGrad(this)) throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    const node = gradientNode(this);
    // No gradient comes to an unrecorded view of a leaf.
    if (node === null) return new Hooks<TensorHook>().add(hook);
    const hooks = node.ensureHooks().tensor;
    let list = hooks.get(this._outputNr);
    if (list === undefined) hooks.set(this._outputNr, (list = new Hooks()));
    return list.add(hook);
  },
  register_post_accumulate_grad_hook(hook: PostAccumulateHook) {
    if (!requiresGrad(this)) throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    if (gradFn(this) !== null) throw new RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors");
    const meta = this._autogradMeta;
    return ((meta.postAccumulateHooks ??= new Hooks<PostAccumulateHook>()) as Hooks<PostAccumulateHook>).add(hook);
  },
};

/** Adds autograd's properties and methods to Tensor. */
export function installAutograd(): void {
  for (const [name, descriptor] of Object.entries(properties)) Object.defineProperty(Tensor.prototype, name, { configurable: true, ...descriptor });
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
}

