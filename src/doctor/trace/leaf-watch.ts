/** What watching keeps of each leaf: whether its gradients arrive, and what the program does with them. */
import type { Tensor } from "../../tensor/tensor.ts";
import type { Reason } from "./reason.ts";
import { isZero, valuesOf } from "./values.ts";

interface Facts {
  /** How many gradients arrived. */
  count: number;
  /** Was one of them not all zero? */
  moved: boolean;
  /** `.grad` after the last, how often it was written then, and the leaf's version; and that at the first. */
  grad: Tensor | null;
  writes: number;
  version: number;
  first: number;
  /** Zeros in the first gradient. */
  zeros: number;
  /** Was one read since the last backward, and how many were reset unread, or without an update? */
  read: boolean;
  dropped: number;
}

/** So many gradients that were asked for in vain are no chance. */
const drops = 3;

const versionOf = (tensor: Tensor): number => tensor._counter?.value ?? 0;

export class LeafWatch {
  private readonly facts = new Map<Tensor, Facts>();
  private readonly reasons: Set<Reason>;

  constructor(reasons: Set<Reason>) {
    this.reasons = reasons;
  }

  meet(leaf: Tensor): Facts {
    let facts = this.facts.get(leaf);
    if (facts === undefined) this.facts.set(leaf, (facts = { count: 0, moved: false, grad: null, writes: 0, version: 0, first: 0, zeros: 0, read: false, dropped: 0 }));
    return facts;
  }

  /** A gradient was asked for by name, with `grad`. */
  asked(leaf: Tensor): void {
    this.meet(leaf).count++;
  }

  /** A gradient arrived, and was added to `.grad`. */
  arrived(leaf: Tensor, grad: Tensor | null): void {
    const facts = this.meet(leaf);
    const isFirst = facts.count++ === 0;
    facts.read = false;
    if (grad !== null) this.looked(facts, grad, isFirst);
    const total = leaf._meta?.grad ?? null;
    if (total === null) return;
    const version = versionOf(leaf);
    if (isFirst) facts.first = version;
    if (facts.grad === total && facts.version !== version && versionOf(total) === facts.writes + 1) this.reasons.add("a gradient that was not reset");
    // Zeroed without an update since.
    if (facts.grad === total && facts.version === version && versionOf(total) > facts.writes + 1) this.drop(facts);
    Object.assign(facts, { grad: total, version, writes: versionOf(total) });
  }

  /** Its `.grad` was read. */
  used(leaf: Tensor): void {
    const facts = this.facts.get(leaf);
    if (facts !== undefined) facts.read = true;
  }

  /** Its `.grad` is set to null. */
  reset(leaf: Tensor): void {
    const facts = this.facts.get(leaf);
    if (facts !== undefined && leaf._meta?.grad != null && !facts.read) this.drop(facts);
  }

  private drop(facts: Facts): void {
    if (++facts.dropped === drops) this.reasons.add("a gradient that nobody reads");
  }

  private looked(facts: Facts, grad: Tensor, isFirst: boolean): void {
    const { numel, nan, inf, zero, norm } = valuesOf(grad);
    if (nan + inf > 0) this.reasons.add("a gradient that is not finite");
    // The first gradient tells whether what lies between leaf and loss passes one on; later ones may be small because all is learnt.
    else if (isFirst && (norm > 1e6 || norm < 1e-6)) this.reasons.add("a gradient that is extreme");
    if (isFirst) facts.zeros = zero;
    else if (zero - facts.zeros >= numel / 4) this.reasons.add("a gradient that has become zero");
    if (zero < numel) facts.moved = true;
  }

  /** A leaf was written in place. */
  written(leaf: Tensor): void {
    const grad = leaf._meta?.grad ?? null;
    if (grad !== null && this.facts.get(leaf)?.moved === true && isZero(grad)) this.reasons.add("an update by a gradient of zeros");
  }

  /** When the program has ended, and has called backward. */
  finish(): void {
    const all = [...this.facts];
    const isUpdated = ([leaf, { count, first }]: [Tensor, Facts]): boolean => count > 1 && versionOf(leaf) !== first;
    const isTraining = all.some(isUpdated);
    if (all.filter(([, { count }]) => count === 1).length > 2) this.reasons.add("leaves of one backward each");
    for (const entry of all) {
      const [leaf, { count, moved }] = entry;
      if (count === 0 && leaf._requiresGrad) this.reasons.add("a leaf without a gradient");
      else if (leaf._meta?.grad && !moved) this.reasons.add("a gradient that is zero");
      if (isTraining && count > 1 && !isUpdated(entry)) this.reasons.add("a leaf that no update changes");
    }
  }
}
