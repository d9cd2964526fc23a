import { RuntimeError } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";
import { tensorTypeName } from "../tensor/dtype.ts";
import type { Storage } from "../tensor/heap.ts";
import { listText, type Sizes } from "../tensor/layout.ts";
import { type GraphNode, Tensor } from "../tensor/tensor.ts";
import { anomaly } from "./anomaly.ts";
import { ops } from "./engine-ops.ts";
import { gradMode, withGradMode } from "./grad-mode.ts";
import { evaluating, forwardOpName, type Node } from "./node.ts";
import { forget, gradAccumulator, gradFn, requiresGrad } from "./variable.ts";

export const backwardTwice =
  "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.";

const inferenceSaved =
  "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.";

/** What packs a saved tensor into anything, and makes a tensor of it again. */
export interface SavedTensorHooks {
  pack: (tensor: Tensor) => unknown;
  unpack: (packed: unknown) => unknown;
}

/** Hooks that apply to each tensor saved now, the innermost pair; `disabled` is why there may be none. */
export const defaultHooks: { stack: SavedTensorHooks[]; disabled: string | null } = { stack: [], disabled: null };

/** What is kept of a saved tensor whose memory was packed: its place in the graph. */
interface Packed {
  /** What was made of it for the node at work. */
  unpacked: Tensor | null;
  readonly hooks: SavedTensorHooks;
  readonly value: unknown;
  readonly maker: Node | null;
  readonly outputNr: number;
  readonly accumulator: GraphNode | null;
}

/** What was unpacked for the node at work; the engine lets go of it when the node is done. */
const unpackedNow: Packed[] = [];

export function forgetUnpacked(): void {
  if (unpackedNow.length === 0) return;
  for (const packed of unpackedNow) packed.unpacked = null;
  unpackedNow.length = 0;
}

/** A tensor that backward will need, with the version it had when it was saved. */
export class SavedTensor {
  private tensor: Tensor | null;
  private packed: Packed | null = null;
  private freed = false;
  /** The version that the tensor had when it was saved. */
  readonly version: number;
  /** The sizes of an output, or of a view written in place, when it was saved; `t_` and its kin change those of the tensor. */
  private readonly sizes: Sizes;
  private readonly wasLeaf: boolean;
  /** Which of its maker's outputs it was when it was saved. */
  private readonly outputNr: number;
  /** The node that saves it made it. A view written in place is made anew out of its base, by another node. */
  private readonly isOutput: boolean;
  /** The node of a view written in place, when it was saved; PyTorch names it for as long as anything refers to it. */
  private readonly viewMaker: Node | null;

  /** A copy made to be saved, which nothing else refers to. */
  private readonly isCopy: boolean;

  constructor(tensor: Tensor | null, isOutput: boolean, isCopy = false) {
    if (tensor === undefined) throw new RuntimeError("Trying to create a SavedTensor object from Python is forbidden.");
    this.tensor = tensor;
    this.isCopy = isCopy;
    this.sizes = tensor?._sizes ?? [];
    if (tensor === null) {
      this.version = 0;
      this.outputNr = 0;
      this.wasLeaf = true;
      this.isOutput = false;
      this.viewMaker = null;
      return;
    }
    if (tensor._counter === null) throw new RuntimeError(inferenceSaved);
    this.version = tensor._counter.value;
    this.outputNr = tensor._outputNr;
    this.isOutput = isOutput && tensor._gradFn !== null && tensor._view === null;
    this.viewMaker = isOutput && tensor._view !== null ? (tensor._gradFn as Node | null) : null;
    this.wasLeaf = !this.isOutput && tensor._gradFn === null;
    const { stack } = defaultHooks;
    if (stack.length > 0 && !tensor._wrapped) this.pack(tensor, tensor, stack[stack.length - 1]);
  }

  /** The tensor as it is kept, unchecked; null where there is none, it was packed, or it was let go of. */
  get held(): Tensor | null {
    return this.tensor;
  }

  /** What is kept: what the pack hook made of it, else the tensor; an output without its place in the graph. */
  get data(): unknown {
    if (this.packed !== null) return this.packed.value;
    return this.isOutput && this.tensor !== null ? ops.detach(this.tensor) : this.tensor;
  }
  get unpack_hook(): SavedTensorHooks["unpack"] | null {
    return this.packed?.hooks.unpack ?? null;
  }

  /** May a tensor that it gives lie in `storage`? Nobody knows what an unpack hook gives. */
  mayHold(storage: Storage): boolean {
    return this.tensor === null ? this.packed !== null : this.tensor._storage === storage;
  }

  private pack(tensor: Tensor, shown: Tensor, hooks: SavedTensorHooks): void {
    const before = tensor._version;
    const value = withGradMode(false, () => hooks.pack(shown));
    if (tensor._version !== before) {
      throw new RuntimeError(
        "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need to perform in-place operations on the input to a pack hook.",
      );
    }
    this.packed = {
      unpacked: null,
      hooks,
      value,
      maker: this.isOutput || this.wasLeaf ? null : gradFn(tensor),
      outputNr: this.isOutput ? this.outputNr : tensor._outputNr,
      accumulator: this.wasLeaf ? gradAccumulator(tensor) : null,
    };
    this.tensor = null;
  }

  /** `grad_fn._raw_saved_*.register_hooks(pack, unpack)` of PyTorch. */
  register_hooks(pack: SavedTensorHooks["pack"], unpack: SavedTensorHooks["unpack"]): void {
    if (typeof pack !== "function" || typeof unpack !== "function") {
      throw new TypeError("register_hooks(): incompatible function arguments: expected (pack_hook: Callable, unpack_hook: Callable)");
    }
    if (this.packed !== null) {
      throw new RuntimeError(
        "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of hooks is allowed at a time.",
      );
    }
    if (this.freed) {
      throw new RuntimeError(
        "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved variables after calling backward.",
      );
    }
    if (this.tensor === null) throw new RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden");
    this.pack(this.tensor, ops.detach(this.tensor), { pack, unpack });
  }

  private maker(tensor: Tensor, savedFor: Node): Node | null {
    const { viewMaker } = this;
    if (viewMaker === null) return gradFn(tensor);
    return viewMaker.uses > 0 ? viewMaker : savedFor;
  }

  /** The saved tensor, or PyTorch's error where it was written since or let go. */
  unpack(savedFor: Node): Tensor | null {
    if (this.freed) throw new RuntimeError(backwardTwice);
    if (this.packed !== null) return this.unpacked(this.packed, savedFor);
    const { tensor } = this;
    if (tensor === null) return null;
    const written = tensor._counter!.value !== this.version;
    if (this.isOutput) {
      if (written) throw modified(tensor, this.sizes, savedFor, this.outputNr, this.version);
      // Gradients of `tensor` may go elsewhere, or nowhere, by now or by the time of the second derivative.
      return !gradMode.enabled ? tensor : outputOf(savedFor, this.outputNr, tensor);
    }
    if (!this.wasLeaf && tensor._gradFn === null && gradFn(tensor) === null) {
      throw new RuntimeError(
        "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, please use out-of-place `.detach()` instead",
      );
    }
    // PyTorch keeps no output number of such a tensor, and says 0.
    if (written) throw modified(tensor, this.viewMaker === null ? tensor._sizes : this.sizes, this.maker(tensor, savedFor), 0, this.version);
    return tensor;
  }

  /** A node may ask several times in one go, but its hook is called once. */
  private unpacked(packed: Packed, savedFor: Node): Tensor {
    if (packed.unpacked !== null) return packed.unpacked;
    const tensor = this.restored(packed, savedFor);
    if (evaluating.node === savedFor) {
      packed.unpacked = tensor;
      unpackedNow.push(packed);
    }
    return tensor;
  }

  private restored({ hooks, value, maker, outputNr, accumulator }: Packed, savedFor: Node): Tensor {
    const tensor = hooks.unpack(value);
    if (!(tensor instanceof Tensor)) {
      throw new TypeError(`Output of saved tensor unpack_hook expected to be a Tensor but got result of type ${typeText(tensor)}`);
    }
    if (this.isOutput) return outputOf(savedFor, outputNr, tensor);
    if (maker !== null) return outputOf(maker, outputNr, tensor);
    if (accumulator === null && !requiresGrad(tensor)) return tensor;
    const leaf = ops.detach(tensor);
    leaf._requiresGrad = accumulator !== null;
    leaf._autogradMeta.accumulator = accumulator;
    return leaf;
  }

  /** Called before `tensor` is given other memory: an output was saved with the memory it had. */
  keep(tensor: Tensor): void {
    if (this.isOutput && this.tensor === tensor) this.tensor = outputOf(tensor._gradFn!, this.outputNr, tensor);
  }

  free(): void {
    if (this.isCopy && this.tensor !== null) forget(this.tensor);
    this.freed = true;
    this.tensor = null;
    this.packed = null;
  }
}

/** The memory of `tensor` now, as an output of `maker`. */
function outputOf(maker: GraphNode, outputNr: number, tensor: Tensor): Tensor {
  const alias = ops.detach(tensor);
  alias._gradFn = maker;
  alias._outputNr = outputNr;
  return alias;
}

function modified(tensor: Tensor, sizes: Sizes, maker: GraphNode | null, outputNr: number, expected: number): RuntimeError {
  const which = maker === null ? "" : `, which is output ${outputNr} of ${forwardOpName(maker)},`;
  const hint = anomaly.enabled
    ? "the backtrace further above shows the operation that failed to compute its gradient. The variable in question was changed in there or anywhere later. Good luck!"
    : "enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).";
  return new RuntimeError(
    `one of the variables needed for gradient computation has been modified by an inplace operation: [${tensorTypeName(tensor.dtype)} ${listText(sizes)}]${which} is at version ${tensor._version}; expected version ${expected} instead. Hint: ${hint}`,
  );
}
