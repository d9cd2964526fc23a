import { RuntimeError } from "../errors.ts";
import { listText } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { anomaly } from "./anomaly.ts";
import { ops } from "./engine-ops.ts";
import { gradMode, withGradMode } from "./grad-mode.ts";
import { typeText } from "../schema/arguments.ts";
import { forwardOpName, type Node } from "./node.ts";
import { gradFn } from "./variable.ts";

export const backwardTwice =
  "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.";

const inferenceSaved =
  "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.";

export interface SavedTensorHooks {
  pack: (tensor: Tensor) => unknown;
  unpack: (packed: unknown) => Tensor;
}

/** Hooks that apply to each tensor saved now; the innermost pair counts. */
export const savedTensorHooks: { stack: SavedTensorHooks[]; disabled: string | null } = { stack: [], disabled: null };

/** A tensor that backward will need, with the version it had when it was saved. */
export class SavedTensor {
  private tensor: Tensor | null;
  private readonly version: number;
  private readonly isOutput: boolean;
  private readonly wasLeaf: boolean;
  private hooks: SavedTensorHooks | null = null;
  private packed: unknown = undefined;
  private freed = false;

  constructor(tensor: Tensor | null, isOutput: boolean) {
    this.tensor = tensor;
    this.isOutput = isOutput;
    if (tensor === null) {
      this.version = 0;
      this.wasLeaf = true;
      return;
    }
    if (tensor._counter === null) throw new RuntimeError(inferenceSaved);
    this.version = tensor._counter.value;
    this.wasLeaf = isOutput ? false : tensor._view === null ? tensor._gradFn === null : gradFn(tensor) === null;
    const { stack } = savedTensorHooks;
    if (stack.length > 0) this.setHooks(stack[stack.length - 1]);
  }

  private setHooks(hooks: SavedTensorHooks): void {
    const tensor = this.tensor!;
    const before = tensor._version;
    const saved = this.isOutput || !this.wasLeaf ? ops.detach(tensor) : tensor;
    const packed = withGradMode(false, () => hooks.pack(saved));
    if (tensor._version !== before) {
      throw new RuntimeError(
        "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need to perform in-place operations on the input to a pack hook.",
      );
    }
    this.hooks = hooks;
    this.packed = packed;
  }

  /** `grad_fn._raw_saved_*.register_hooks(pack, unpack)` of PyTorch. */
  register_hooks(pack: SavedTensorHooks["pack"], unpack: SavedTensorHooks["unpack"]): void {
    if (typeof pack !== "function" || typeof unpack !== "function") {
      throw new TypeError("register_hooks(): incompatible function arguments: expected (pack_hook: Callable, unpack_hook: Callable)");
    }
    if (this.freed) {
      throw new RuntimeError(
        "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved variables after calling backward.",
      );
    }
    if (this.tensor === null) throw new RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden");
    if (this.hooks !== null) {
      throw new RuntimeError(
        "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair of hooks is allowed at a time.",
      );
    }
    this.setHooks({ pack, unpack });
  }

  /** The saved tensor, or PyTorch's error where it was written since or let go. */
  unpack(savedFor: Node): Tensor | null {
    if (this.freed) throw new RuntimeError(backwardTwice);
    const { tensor } = this;
    if (tensor === null) return null;
    if (this.hooks !== null) return this.unpackHooked(savedFor);
    const maker = this.isOutput ? savedFor : gradFn(tensor);
    if (tensor._counter!.value !== this.version) throw modified(tensor, maker, this.wasLeaf, this.version);
    if (!this.isOutput || tensor._gradFn === savedFor || !gradMode.enabled) return tensor;
    return attached(ops.detach(tensor), savedFor, tensor._outputNr);
  }

  private unpackHooked(savedFor: Node): Tensor {
    const result: unknown = this.hooks!.unpack(this.packed);
    if (!(result instanceof Tensor)) {
      throw new TypeError(`Output of saved tensor unpack_hook expected to be a Tensor but got result of type ${typeText(result)}`);
    }
    const tensor = this.tensor!;
    if (this.wasLeaf) return result;
    return attached(ops.detach(result), this.isOutput ? savedFor : gradFn(tensor), tensor._outputNr);
  }

  free(): void {
    this.freed = true;
    this.tensor = null;
    this.packed = undefined;
  }
}

function attached(tensor: Tensor, maker: Node | null, outputNr: number): Tensor {
  tensor._gradFn = maker;
  tensor._outputNr = outputNr;
  return tensor;
}

function modified(tensor: Tensor, maker: Node | null, wasLeaf: boolean, expected: number): RuntimeError {
  const which = !wasLeaf && maker !== null ? `, which is output ${tensor._outputNr} of ${forwardOpName(maker)},` : "";
  const hint = anomaly.enabled
    ? "the backtrace further above shows the operation that failed to compute its gradient. The variable in question was changed in there or anywhere later. Good luck!"
    : "enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).";
  return new RuntimeError(
    `one of the variables needed for gradient computation has been modified by an inplace operation: [torch.${tensor.dtype.title}Tensor ${listText(tensor._sizes)}]${which} is at version ${tensor._version}; expected version ${expected} instead. Hint: ${hint}`,
  );
}
