/**
 * The cheap tier: tells whether a program gives a reason to look closer. No call sites, no copies; of elements only whether
 * they are finite: those of what ops give, of losses, of gradients that arrive, of values that are read.
 */
import { captured, type Grads, type Node, upcomingSequenceNr } from "../../autograd/node.ts";
import { asking, type BackwardCall, type Reading } from "../../autograd/observer.ts";
import type { Observer } from "../../dispatch/observer.ts";
import type { AnyOp } from "../../dispatch/op.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { hasNonFiniteNumber, tensorsIn } from "./arguments.ts";
import { LeafWatch } from "./leaf-watch.ts";
import type { Reason } from "./reason.ts";
import { crossBroadcast } from "./shapes.ts";
import { dropped, elementsOf, hasNonFinite, valuesOf } from "./values.ts";

/** A graph that is carried over so many backwards may grow with each. */
const rounds = 2;

/** So many graphs of earlier backwards are no chance. */
const graphs = 3;

export class Watch implements Observer {
  readonly keepsGradients = false;
  readonly reasons = new Set<Reason>();
  private depth = 0;
  private backwards = 0;
  private firstLoss: number | null = null;
  private inBackward = 0;
  private readonly leaves = new LeafWatch(this.reasons);
  /** Nodes with lower numbers were made before the last backward; was one of them used since, and after how many backwards? */
  private freed = 0;
  /** Those with lower numbers before the last but one; those of them whose tensors were read since. */
  private old = 0;
  private readonly kept = new Set<number>();
  private isCarried = false;
  private carried = 0;
  private readonly aliases = new WeakSet<object>();

  enter(op: AnyOp, args: readonly unknown[], inplace: boolean): void {
    this.depth++;
    if (this.inBackward > 0) return;
    let [first, second]: (Tensor | null)[] = [null, null];
    for (const arg of args) {
      if (Array.isArray(arg)) for (const part of arg) if (part instanceof Tensor) this.keeps(part);
      if (!(arg instanceof Tensor)) continue;
      if (arg._requiresGrad && arg._gradFn === null) this.leaves.meet(arg);
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
      if (result._requiresGrad && result._gradFn === null) {
        if (inplace) this.leaves.written(result);
        else this.leaves.meet(result);
      }
      this.look(result, args, inplace);
      if (result._gradFn !== null) this.isCarried ||= args.some((arg) => arg instanceof Tensor && arg._gradFn !== null && (arg._gradFn as Node).birth < this.freed);
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
    if (inputs !== null) for (const input of inputs) if (input instanceof Tensor) this.leaves.asked(input);
  }

  leaveBackward(error: unknown): void {
    this.inBackward--;
    if (error !== null) this.reasons.add("an error");
    if (this.isCarried && ++this.carried === rounds) this.reasons.add("a graph that grows");
    this.isCarried = false;
    this.old = this.freed;
    this.freed = upcomingSequenceNr();
  }

  /** A tensor is used whose graph was done with two backwards ago. */
  private keeps({ _gradFn: node }: Tensor): void {
    if (node === null || (node as Node).birth >= this.old || this.kept.size === graphs) return;
    if (this.kept.add((node as Node).birth).size === graphs) this.reasons.add("graphs that are kept");
  }

  enterNode(_node: Node, _grads: Grads): void {}

  leaveNode(node: Node, grads: Grads, results: Grads): void {
    for (let i = 0; i < results.length; i++) {
      const grad = results[i];
      if (grad && node.nextNodes[i]?.role === captured && hasNonFinite(grad)) this.reasons.add("a gradient that is not finite");
    }
    // Of an angle at the origin nothing else tells.
    if (node.typeName === "Atan2Backward0" && grads[0] && dropped(grads[0], results) !== null) this.reasons.add("a gradient that goes nowhere");
    if ("variable" in node) this.leaves.arrived(node.variable as Tensor, grads[0]);
  }

  read(tensor: Tensor, how: Reading, result: unknown): void {
    if (this.inBackward > 0) return;
    if (!asking.has(how)) {
      if (hasNonFinite(tensor)) this.reasons.add("a value that is not finite");
      this.keeps(tensor);
    }
    if (how === "requires_grad") {
      if (tensor.dtype.kind !== FLOAT) this.reasons.add("an error");
      else if (tensor._gradFn === null) this.leaves.meet(tensor);
    } else if (how === "data") this.aliases.add((result as Tensor)._counter ?? this);
    else if (how === "reset") this.leaves.reset(tensor);
    else if (how === "grad" && result !== null) this.leaves.used(tensor);
    else if (how === "grad" && this.backwards > 0) this.reasons.add("a gradient that is null");
  }

  switched(): void {}

  /** To be called when the program has ended; `error` is what ended it. */
  finish(error: unknown): void {
    if (error !== null) this.reasons.add("an error");
    if (this.backwards > 0) this.leaves.finish();
  }
}
