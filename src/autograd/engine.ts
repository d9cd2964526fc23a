/**
 * Runs a backward graph: PyTorch's engine (torch/csrc/autograd/engine.cpp) for one thread, without recursion.
 *
 * A node runs when all gradients for it have arrived; of several ready ones that made last runs first. This order
 * fixes the order in which gradients are added, and with it their last bits.
 */
import { RuntimeError } from "../errors.ts";
import { isExpandable, listText, sameSizes } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { anomaly, reportAnomaly } from "./anomaly.ts";
import { ops } from "./engine-ops.ts";
import { gradMode } from "./grad-mode.ts";
import { typeText } from "../schema/arguments.ts";
import { hookName } from "./hooks.ts";
import { evaluating, type Grads, Node, type NodeHooks } from "./node.ts";

export interface Edge {
  node: Node;
  index: number;
}

/** What one run knows of a node. */
interface NodeState {
  task: GraphTask;
  dependencies: number;
  buffer: Grads | null;
  /** With given inputs: must this node run? Always true without. */
  needed: boolean;
  captures: { index: number; slot: number }[] | null;
}

interface GraphTask {
  keepGraph: boolean;
  captured: Grads;
  filtered: boolean;
  /** States that nodes had in an enclosing run, put back at the end. */
  displaced: [Node, unknown][];
  callbacks: (() => void)[];
}

const running: GraphTask[] = [];

/** Calls `callback` when the running backward is complete. */
export function queueCallback(callback: () => void): void {
  if (running.length === 0) throw new RuntimeError("Final callbacks can only be installed during backward pass.");
  running[0].callbacks.push(callback);
}

/**
 * Sends `grads` into `roots`. Without `targets` every leaf accumulates its gradient; with them only what leads to a
 * target runs, and the gradients that reach the targets are returned, or accumulated if `accumulate`.
 */
export function runBackward(
  roots: (Edge & { grad: Tensor | null })[],
  options: { keepGraph: boolean; createGraph: boolean; accumulate: boolean },
  targets: (Edge | null)[],
): Grads {
  const task: GraphTask = {
    keepGraph: options.keepGraph,
    captured: targets.map(() => null),
    filtered: targets.length > 0,
    displaced: [],
    callbacks: [],
  };
  const previousMode = gradMode.enabled;
  const previousNode = evaluating.node;
  gradMode.enabled = options.createGraph;
  running.push(task);
  try {
    const order = countDependencies(roots, task);
    if (task.filtered) markNeeded(order, targets, options.accumulate);
    execute(roots, task);
    for (const callback of task.callbacks) callback();
  } finally {
    running.pop();
    gradMode.enabled = previousMode;
    evaluating.node = previousNode;
    for (const [node, state] of task.displaced) node.task = state;
  }
  const { captured } = task;
  task.captured = []; // nodes keep a reference to the task until their next run
  return captured;
}

function stateOf(node: Node, task: GraphTask): NodeState {
  const known = node.task as NodeState | null;
  if (known !== null && known.task === task) return known;
  if (known !== null && running.includes(known.task)) task.displaced.push([node, known]);
  const state: NodeState = { task, dependencies: 0, buffer: null, needed: !task.filtered, captures: null };
  node.task = state;
  return state;
}

/** Counts for each reachable node the edges that lead to it; returns the nodes in discovery order. */
function countDependencies(roots: readonly Edge[], task: GraphTask): Node[] {
  const order: Node[] = [];
  const visit = (node: Node): NodeState => {
    const seen = node.task as NodeState | null;
    const state = stateOf(node, task);
    if (seen !== state) order.push(node);
    return state;
  };
  for (const { node } of roots) visit(node);
  for (let i = 0; i < order.length; i++) {
    const next = order[i].nextNodes;
    for (let k = 0; k < next.length; k++) {
      const node = next[k];
      if (node !== null) visit(node).dependencies++;
    }
  }
  return order;
}

/** With given inputs a node is needed if one of its edges leads to a target or to a needed node. */
function markNeeded(order: readonly Node[], targets: readonly (Edge | null)[], accumulate: boolean): void {
  targets.forEach((target, slot) => {
    const state = target?.node.task as NodeState | null | undefined;
    if (!target || !state || state.task !== running[running.length - 1]) return;
    if (accumulate) state.needed = true;
    else (state.captures ??= []).push({ index: target.index, slot });
  });
  const users = new Map<Node, Node[]>();
  for (const node of order) {
    for (const next of node.nextNodes) {
      if (next === null) continue;
      const list = users.get(next);
      if (list === undefined) users.set(next, [node]);
      else list.push(node);
    }
  }
  const wanted = order.filter((node) => (node.task as NodeState).needed || (node.task as NodeState).captures !== null);
  for (let i = 0; i < wanted.length; i++) {
    for (const user of users.get(wanted[i]) ?? []) {
      const state = user.task as NodeState;
      if (state.needed) continue;
      state.needed = true;
      if (state.captures === null) wanted.push(user);
    }
  }
}

function execute(roots: readonly (Edge & { grad: Tensor | null })[], task: GraphTask): void {
  const ready = new ReadyQueue();
  for (const { node, index, grad } of roots) {
    const state = node.task as NodeState;
    if (grad !== null) deposit(node, state, index, grad);
    else state.buffer ??= node.outputs.map(() => null);
  }
  for (const { node } of roots) {
    const state = node.task as NodeState;
    if (state.dependencies === 0) {
      state.dependencies = -1;
      ready.push(node);
    }
  }
  for (let node = ready.pop(); node !== null; node = ready.pop()) evaluate(node, task, ready);
}

function deposit(node: Node, state: NodeState, index: number, grad: Tensor): void {
  const buffer = (state.buffer ??= node.outputs.length === 1 ? [null] : node.outputs.map(() => null));
  const old = buffer[index];
  if (old === null) {
    buffer[index] = grad;
  } else if (old._owned && !gradMode.enabled && sameSizes(old._sizes, grad._sizes) && old.dtype === grad.dtype) {
    ops.addInplace(old, grad);
  } else {
    const sum = ops.add(old, grad);
    sum._owned = !gradMode.enabled;
    buffer[index] = sum;
  }
}

function evaluate(node: Node, task: GraphTask, ready: ReadyQueue): void {
  const state = node.task as NodeState;
  let grads = state.buffer ?? node.outputs.map(() => null);
  state.buffer = null;
  if (state.captures !== null) grads = capture(node, state, grads, task);
  if (task.filtered && !state.needed) return;
  const results = callNode(node, grads);
  if (!task.keepGraph) node.releaseVariables();
  if (anomaly.enabled && anomaly.checkNaN) refuseNaN(node, results);
  const { nextNodes, nextIndices } = node;
  for (let i = 0; i < nextNodes.length; i++) {
    const next = nextNodes[i];
    if (next === null) continue;
    const nextState = next.task as NodeState;
    const grad = results[i] ?? null;
    const wanted = !task.filtered || nextState.needed || nextState.captures !== null;
    if (wanted && grad !== null) deposit(next, nextState, nextIndices.length === 0 ? 0 : nextIndices[i], grad);
    if (--nextState.dependencies === 0 && wanted) ready.push(next);
  }
}

function capture(node: Node, state: NodeState, grads: Grads, task: GraphTask): Grads {
  // A node that will run calls its tensor hooks then; one that only hands over a gradient calls them here.
  const seen = state.needed || node.hooks === null ? grads : runTensorHooks(node.hooks, grads);
  for (const { index, slot } of state.captures!) {
    const grad = seen[index];
    if (grad !== null) grad._owned = false;
    task.captured[slot] = grad;
  }
  return grads;
}

/** Runs a node with its hooks around it, and brings the results to the shapes and dtypes that the edges expect. */
function callNode(node: Node, grads: Grads): Grads {
  let inputs = grads;
  const { hooks } = node;
  if (hooks !== null) {
    inputs = runTensorHooks(hooks, inputs);
    for (const hook of hooks.before.list()) {
      inputs = checkedHookResult(hook, hook(inputs) ?? null, inputs);
    }
  }
  evaluating.node = node;
  let results: Grads;
  try {
    results = node.apply(inputs);
    validate(node, results);
  } catch (error) {
    if (anomaly.enabled) reportAnomaly(node);
    throw error;
  }
  if (hooks !== null) {
    for (const hook of hooks.after.list()) results = checkedHookResult(hook, hook(results, inputs) ?? null, results);
  }
  return results;
}

function runTensorHooks(hooks: NodeHooks, grads: Grads): Grads {
  const out = grads.slice();
  for (const grad of out) if (grad !== null) grad._owned = false;
  for (const [index, list] of hooks.tensor) {
    for (const hook of list.list()) {
      const before = out[index];
      const result: unknown = hook(before as Tensor);
      if (result === undefined || result === null) continue;
      out[index] = checkedTensorHook(hook, result, before);
    }
  }
  for (const [index, retain] of hooks.retainGrad) retain(out[index]);
  return out;
}

function checkedTensorHook(hook: unknown, result: unknown, before: Tensor | null): Tensor {
  if (!(result instanceof Tensor)) throw new TypeError(`expected Variable, but hook returned '${typeText(result)}'`);
  if (before !== null) {
    if (result.dtype !== before.dtype) {
      throw new RuntimeError(
        `hook '${hookName(hook)}' has changed the type of value (was torch.${before.dtype.title}Tensor got torch.${result.dtype.title}Tensor)`,
      );
    }
    if (!sameSizes(result._sizes, before._sizes)) throw new RuntimeError(`hook '${hookName(hook)}' has changed the size of value`);
  }
  return result;
}

function checkedHookResult(hook: unknown, result: Grads | Tensor | null, before: Grads): Grads {
  for (const grad of before) if (grad !== null) grad._owned = false;
  if (result === null) return before;
  const list = Array.isArray(result) ? result : [result];
  if (list.length !== before.length) {
    throw new RuntimeError(
      `hook '${hookName(hook)}' has returned an incorrect number of values (got ${list.length}, but expected ${before.length})`,
    );
  }
  return list.map((grad, i) => {
    const expected = before[i];
    if (grad === null || grad === undefined) {
      if (expected !== null) throw new RuntimeError(`can't replace a non-None gradient with a None value`);
      return null;
    }
    if (expected === null) throw new RuntimeError(`can't replace a None gradient with a non-None value`);
    return checkedTensorHook(hook, grad, expected);
  });
}

/** The broadcast adjoint and the cast to the input's dtype, done once for every op. */
function validate(node: Node, results: Grads): void {
  const { nextNodes, nextIndices } = node;
  for (let i = 0; i < nextNodes.length; i++) {
    const next = nextNodes[i];
    const grad = results[i];
    if (next === null || grad === null || grad === undefined) continue;
    const { sizes, dtype } = next.outputs[nextIndices.length === 0 ? 0 : nextIndices[i]];
    let fitted = grad;
    if (grad._sizes !== sizes && !sameSizes(grad._sizes, sizes)) {
      if (!isExpandable(sizes, grad._sizes)) {
        throw new RuntimeError(
          `Function ${node.name()} returned an invalid gradient at index ${i} - got ${listText(grad._sizes)} but expected shape compatible with ${listText(sizes)}`,
        );
      }
      fitted = ops.sumToSize(grad, sizes);
      fitted._owned = !gradMode.enabled && fitted._storage !== grad._storage;
    }
    if (fitted.dtype !== dtype) fitted = ops.to(fitted, dtype);
    if (fitted !== grad) results[i] = fitted;
  }
}

function refuseNaN(node: Node, results: Grads): void {
  results.forEach((grad, i) => {
    if (grad === null || grad === undefined || !ops.hasNaN(grad)) return;
    reportAnomaly(node);
    throw new RuntimeError(`Function '${node.name()}' returned nan values in its ${i}th output.`);
  });
}

/** A binary heap: the node made last comes first, accumulators before all others. */
class ReadyQueue {
  private heap: Node[] = [];

  push(node: Node): void {
    const { heap } = this;
    let i = heap.push(node) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent].sequenceNr >= node.sequenceNr) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = node;
  }

  pop(): Node | null {
    const { heap } = this;
    if (heap.length === 0) return null;
    const first = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].sequenceNr > heap[child].sequenceNr) child++;
      if (heap[child].sequenceNr <= last.sequenceNr) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return first;
  }
}
