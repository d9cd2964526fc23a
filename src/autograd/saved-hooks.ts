/** What packs the tensors that a stretch of code saves for backward: `torch.autograd.graph.saved_tensors_hooks` and its kin. */
import { RuntimeError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defaultHooks, type SavedTensorHooks } from "./saved-tensor.ts";
import { scoped } from "./scope.ts";

function refuseIfDisabled(): void {
  if (defaultHooks.disabled !== null) throw new RuntimeError(defaultHooks.disabled);
}

/**
 * While `body` runs, each tensor that a node saves is handed to `pack`, and what that returns is kept in its stead;
 * backward hands it to `unpack` and goes on with the tensor it gets. Of several pairs the innermost counts.
 *
 * @throws RuntimeError where `pack` writes to its tensor, or hooks are disabled; TypeError where `unpack` returns no tensor.
 * @example
 * const y = torch.autograd.graph.saved_tensors_hooks((t) => t.to(torch.float64), (t) => t.float(), () => x.exp());
 */
export function saved_tensors_hooks<P, T>(pack_hook: (tensor: Tensor) => P, unpack_hook: (packed: P) => Tensor, body: () => T): T {
  return scoped(body, () => {
    refuseIfDisabled();
    const { stack } = defaultHooks;
    stack.push({ pack: pack_hook, unpack: unpack_hook as SavedTensorHooks["unpack"] });
    return () => void stack.pop();
  });
}

/** Keeps saved tensors on the CPU, where they are here in any case; in PyTorch this spares a GPU's memory. */
export function save_on_cpu<T>(body: () => T): T;
export function save_on_cpu<T>(pin_memory: boolean, body: () => T): T;
export function save_on_cpu<T>(...args: [() => T] | [boolean, () => T]): T {
  const same = (tensor: Tensor): Tensor => tensor;
  return saved_tensors_hooks(same, same, args[args.length - 1] as () => T);
}

/** While `body` runs, hooks on saved tensors are refused with `error_message`. */
export function disable_saved_tensors_hooks<T>(error_message: string, body: () => T): T {
  return scoped(body, () => {
    const previous = defaultHooks.disabled;
    defaultHooks.disabled = error_message;
    const restore = (): void => void (defaultHooks.disabled = previous);
    if (defaultHooks.stack.length === 0) return restore;
    restore();
    throw new RuntimeError(error_message);
  });
}
