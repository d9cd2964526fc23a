/**
 * The cheap tier: tells whether a program gives a reason to look closer. No call sites, no copies; of elements only whether
 * they are finite: those of what ops give, of losses, of gradients that arrive, of values that are read.
 */
import { captured, type Grads, type Node } from "../../autograd/node.ts";
import type { BackwardCall, Reading } from "../../autograd/observer.ts";
import type { Observer } from "../../dispatch/observer.ts";
import type { AnyOp } from "../../dispatch/op.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { hasNonFiniteNumber, tensorsIn } from "./arguments.ts";
import { crossBroadcast } from "./shapes.ts";
import { elementsOf, hasNonFinite, isZero, valuesOf } from "./values.ts";

/** Why a program is run again with recording. */
export type Reason =
  | "an error" | "a value that is not finite" | "a gradient that is not finite" | "a gradient that is null" | "a leaf without a gradient"
  | "a gradient that is extreme" | "a loss that grows" | "a gradient that was not reset" | "a gradient that is zero" | "shapes that broadcast" | "a write that no version counts";

export class Watch implements Observer {
  readonly keepsGradients = false;
  readonly reasons = new Set<Reason>();
  private depth = 0;
  private backwards = 0;
  private firstLoss: number | null = null;
  private inBackward = 0;
  private readonly leaves = new Set<Tensor>();
  private readonly reached = new WeakSet<Tensor>();
  /** Leaves that got a gradient which is not all zero. */
  private readonly moved = new WeakSet<Tensor>();
  /** Gradients as each leaf had them after its last accumulation, and the leaf's version then. */
  private readonly seen = new WeakMap<Tensor, { grad: Tensor; version: number; writes: number }>();
  private readonly aliases = new WeakSet<object>();

  enter(op: AnyOp, args: readonly unknown[], inplace: boolean): void {
    this.depth++;
    if (this.inBackward > 0) return;
    let [first, second]: (Tensor | null)[] = [null, null];
    for (const arg of args) {
      if (!(arg instanceof Tensor)) continue;
      if (arg._requiresGrad && arg._gradFn === null) this.leaves.add(arg);
      if (first === null) first = arg;
      else second ??= arg;
    }
    if ((inplace || op.opName.endsWith("_")) && first !== null && this.aliases.has(first._counter ?? this)) this.reasons.add("a write that no version counts");
    if (first !== null && second !== null && crossBroadcast(first._sizes, second._sizes) && op.overloads.length > 0) this.reasons.add("shapes that broadcast");
  }

  leave(_op: AnyOp, args: readonly unknown[], inplace: boolean, result: unknown): void {
    this.depth--;
    if (this.depth > 0 || this.inBackward > 0) return;
    if (result instanceof Tensor) {
      if (result._requiresGrad) this.leaves.add(result);
      this.look(result, args, inplace);
    } else if (Array.isArray(result)) for (const part of result) if (part instanceof Tensor) this.look(part, args, inplace);
  }

  /** Memory that was found to hold what is not finite. */
  private readonly sick = new WeakSet<object>();

  /** Is a result not finite although all that it was made of is, or NaN although none of that is? Then that was born here. */
  private look(result: Tensor, args: readonly unknown[], inplace: boolean): void {
    if (!hasNonFinite(result)) return;
    const wasSick = inplace && this.sick.has(result._storage);
    this.sick.add(result._storage);
    const given = tensorsIn(args).filter((arg) => arg !== result);
    // What a factory is given is the program's own data.
    if (given.length === 0 && !inplace) return;
    const isGiven = wasSick || hasNonFiniteNumber(args) || given.some(hasNonFinite);
    const isNaN = valuesOf(result).nan > 0 && !wasSick && !given.some((arg) => valuesOf(arg).nan > 0);
    if (!isGiven || isNaN) this.reasons.add("a value that is not finite");
  }

  fail(): void {
    this.depth--;
    this.reasons.add("an error");
  }

  enterBackward({ roots, inputs }: BackwardCall): void {
    for (const root of roots) if (root instanceof Tensor && hasNonFinite(root)) this.reasons.add("a value that is not finite");
    const [root] = roots;
    if (root instanceof Tensor && root._numel === 1) {
      const loss = Math.abs(elementsOf(root)[0]);
      this.firstLoss ??= loss;
      if (loss > 1e3 * this.firstLoss) this.reasons.add("a loss that grows");
    }
    this.backwards++;
    this.inBackward++;
    if (inputs !== null) for (const input of inputs) if (input instanceof Tensor) this.reached.add(input);
  }

  leaveBackward(error: unknown): void {
    this.inBackward--;
    if (error !== null) this.reasons.add("an error");
  }

  enterNode(_node: Node, _grads: Grads): void {}

  leaveNode(node: Node, grads: Grads, results: Grads): void {
    for (let i = 0; i < results.length; i++) {
      const grad = results[i];
      if (grad && node.nextNodes[i]?.role === captured && hasNonFinite(grad)) this.reasons.add("a gradient that is not finite");
    }
    if (!("variable" in node)) return;
    const leaf = node.variable as Tensor;
    const [grad] = grads;
    this.leaves.add(leaf);
    this.reached.add(leaf);
    if (grad && hasNonFinite(grad)) this.reasons.add("a gradient that is not finite");
    if (grad && !this.seen.has(leaf) && isExtreme(grad)) this.reasons.add("a gradient that is extreme");
    if (grad && !this.moved.has(leaf) && !isZero(grad)) this.moved.add(leaf);
    const total = leaf._meta?.grad ?? null;
    if (total === null) return;
    const before = this.seen.get(leaf);
    const version = leaf._counter?.value ?? 0;
    if (before !== undefined && before.grad === total && before.version !== version && total._counter?.value === before.writes + 1) this.reasons.add("a gradient that was not reset");
    this.seen.set(leaf, { grad: total, version, writes: total._counter?.value ?? 0 });
  }

  read(tensor: Tensor, how: Reading, result: unknown): void {
    if (this.inBackward > 0) return;
    if (how !== "data" && how !== "grad" && hasNonFinite(tensor)) this.reasons.add("a value that is not finite");
    if (how === "requires_grad") {
      if (tensor.dtype.kind !== FLOAT) this.reasons.add("an error");
    } else if (how === "data") this.aliases.add((result as Tensor)._counter ?? this);
    else if (how === "grad" && result === null && this.backwards > 0) this.reasons.add("a gradient that is null");
  }

  /** To be called when the program has ended; `error` is what ended it. */
  finish(error: unknown): void {
    if (error !== null) this.reasons.add("an error");
    if (this.backwards === 0) return;
    for (const leaf of this.leaves) {
      if (!this.reached.has(leaf)) this.reasons.add("a leaf without a gradient");
      else if (leaf._meta?.grad && !this.moved.has(leaf)) this.reasons.add("a gradient that is zero");
    }
  }
}

/** The first gradient of a leaf tells whether what lies between it and the loss passes one on; later ones may be small because all is learnt. */
function isExtreme(grad: Tensor): boolean {
  const { norm } = valuesOf(grad);
  return norm > 1e6 || norm < 1e-6;
}
