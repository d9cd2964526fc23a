/** `grad_fn._saved_self`, `grad_fn._raw_saved_self`, …: what a node keeps, under PyTorch's names. */
import { Node } from "./node.ts";
import { SavedTensor } from "./saved-tensor.ts";

/** Gives nodes the two properties of each of `names`; nodes that keep nothing of a name answer undefined. */
export function exposeSaved(names: Iterable<string>): void {
  for (const name of names) {
    if (Object.hasOwn(Node.prototype, `_saved_${name}`)) continue;
    define(`_saved_${name}`, (node) => unpacked(node.kept(name), node));
    define(`_raw_saved_${name}`, (node) => {
      const kept = node.kept(name);
      return isSaved(kept) ? kept : undefined;
    });
  }
}

function define(property: string, read: (node: Node) => unknown): void {
  Object.defineProperty(Node.prototype, property, { get(this: Node) { return read(this); }, configurable: true });
}

function isSaved(kept: unknown): boolean {
  return kept instanceof SavedTensor || (Array.isArray(kept) && kept[0] instanceof SavedTensor);
}

function unpacked(kept: unknown, node: Node): unknown {
  if (kept instanceof SavedTensor) return kept.unpack(node);
  return isSaved(kept) ? (kept as SavedTensor[]).map((saved) => saved.unpack(node)) : kept;
}
