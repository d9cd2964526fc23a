/** `torch.autograd.graph.allow_mutation_on_saved_tensors`. */
import { AssertionError, RuntimeError } from "../errors.ts";
import type { Storage } from "../tensor/heap.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ops } from "./engine-ops.ts";
import { withGradMode } from "./grad-mode.ts";
import { saved_tensors_hooks } from "./saved-hooks.ts";
import { scoped } from "./scope.ts";
import { writes } from "./variable.ts";

/** A tensor that nodes have saved; a copy of it once it was written. */
interface Kept {
  tensor: Tensor;
}

class Context {
  /** What is saved of a storage and not copied yet. Only nodes keep it alive. */
  private readonly kept = new WeakMap<Storage, WeakRef<Kept>[]>();

  /** Several nodes that save one tensor share a copy. */
  keep(tensor: Tensor): Kept {
    const known = this.keptOf(tensor._storage);
    let kept = known.find((k) => k.tensor === tensor);
    if (kept === undefined) known.push((kept = { tensor }));
    this.kept.set(tensor._storage, known.map((k) => new WeakRef(k)));
    return kept;
  }
  /** Called before a write to `tensor`. */
  copy({ _storage: storage }: Tensor): void {
    const known = this.keptOf(storage);
    this.kept.delete(storage);
    for (const kept of known) kept.tensor = withGradMode(false, () => ops.clone(kept.tensor));
  }
  read(kept: Kept): Tensor {
    if (active !== this) {
      throw new AssertionError("Trying to backward outside of the 'allow_mutation_on_saved_tensors' contextin which the graph was originally recorded.");
    }
    return kept.tensor;
  }
  private keptOf(storage: Storage): Kept[] {
    return (this.kept.get(storage) ?? []).map((reference) => reference.deref()).filter((kept) => kept !== undefined);
  }
}

let active: Context | null = null;

/**
 * While `body` runs, tensors that a graph has saved may be written: the graph gets a copy of them first. Backward has
 * to run in `body` too.
 *
 * @throws RuntimeError where it is called in such a `body`.
 * @example
 * torch.autograd.graph.allow_mutation_on_saved_tensors(() => {
 *   const y = x.clone();
 *   const loss = y.pow(2).sum();
 *   y.zero_();
 *   loss.backward(); // the gradient is 2x
 * });
 */
export function allow_mutation_on_saved_tensors<T>(body: () => T): T {
  if (active !== null) throw new RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested");
  const context = new Context();
  const enter = (): (() => void) => {
    active = context;
    writes.watcher = (tensor) => context.copy(tensor);
    return () => (active = writes.watcher = null);
  };
  return saved_tensors_hooks((tensor) => context.keep(tensor), (kept) => context.read(kept), () => scoped(body, enter));
}
