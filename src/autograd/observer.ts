/** What autograd tells an attached observer. Dispatch adds the calls of ops; see `src/dispatch/observer.ts`. */
import type { Tensor } from "../tensor/tensor.ts";
import type { Grads, Node } from "./node.ts";

/** A call of `backward`, or of `grad` with its `inputs`. */
export interface BackwardCall {
  readonly call: "backward" | "grad";
  readonly roots: readonly unknown[];
  readonly inputs: readonly unknown[] | null;
  readonly retainGraph: boolean;
  readonly createGraph: boolean;
}

/** How a value leaves the graph, or a tensor is asked for its gradient or to have one; `reset` sets `.grad` to null. */
export type Reading = "data" | "detach_" | "grad" | "reset" | "requires_grad" | "freeze" | "item" | "tolist" | "toTypedArray" | "Number" | "print";

/** Readings that look at no element. */
export const asking: ReadonlySet<string> = new Set<Reading>(["data", "grad", "reset", "requires_grad", "freeze"]);

export interface GraphObserver {
  /** Does it look at gradients later on? Otherwise their memory is given back as soon as the graph has used them. */
  readonly keepsGradients: boolean;
  enterBackward(call: BackwardCall): void;
  /** `error` is what the call threw, null where it returned. */
  leaveBackward(error: unknown): void;
  /** Before and after a node runs; the results are as its formula gives them, and saved tensors are still there. */
  enterNode(node: Node, grads: Grads): void;
  leaveNode(node: Node, grads: Grads, results: Grads): void;
  /** `tensor` was read outside the graph; `result` is what was read. */
  read(tensor: Tensor, how: Reading, result: unknown): void;
  /** The program switched recording on or off, for good. */
  switched(enabled: boolean): void;
}

/** The attached observer; whoever has something to tell tests this one field. */
export const observed: { by: GraphObserver | null } = { by: null };

/** Runs a call of `backward` or `grad` under the attached observer, if there is one. */
export function observedBackward<T>(call: () => BackwardCall, body: () => T): T {
  const observer = observed.by;
  if (observer === null) return body();
  observer.enterBackward(call());
  let result: T;
  try {
    result = body();
  } catch (error) {
    observer.leaveBackward(error);
    throw error;
  }
  observer.leaveBackward(null);
  return result;
}
