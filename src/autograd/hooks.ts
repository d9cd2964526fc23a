/// <reference lib="esnext.disposable" preserve="true" />
/** Undoes a registration; also usable with `using`. */
export interface RemovableHandle {
  remove(): void;
  [Symbol.dispose](): void;
}

// Node 20 lacks the symbol that `using` compiles to; this is the one TypeScript's helpers look for.
const dispose: typeof Symbol.dispose = (Symbol as { dispose?: typeof Symbol.dispose }).dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

/** A handle that undoes what it stands for by calling `remove`. */
export function disposable(remove: () => void): RemovableHandle {
  return { remove, [dispose]: remove } as RemovableHandle;
}

/** An ordered list of hooks, each removable on its own, also while the list runs. */
export class Hooks<F> {
  private entries: { hook: F }[] = [];

  get size(): number {
    return this.entries.length;
  }
  add(hook: F): RemovableHandle {
    const entry = { hook };
    this.entries.push(entry);
    return disposable(() => {
      this.entries = this.entries.filter((e) => e !== entry);
    });
  }
  /** The hooks at this moment, so that a hook may remove itself. */
  list(): F[] {
    return this.entries.map((e) => e.hook);
  }
}

/** What PyTorch's texts call a hook. */
export function hookName(hook: unknown): string {
  const { name } = hook as { name?: string };
  return name === undefined || name === "" ? "<lambda>" : name;
}
