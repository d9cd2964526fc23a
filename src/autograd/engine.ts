/**
 * Runs a backward graph: PyTorch's engine (torch/csrc/autograd/engine.cpp) for one thread, without recursion.
 *
 * A node runs when all gradients for it have arrived; of several ready ones that made last runs first. This order
 * fixes the order in which gradients are added, and with it their last bits.
 */
import { RuntimeError } from "../errors.ts";
import { isExpandable, listText, sameSizes } from "../tensor/layout.ts";
import { isInference, type Tensor } from "../tensor/tensor.ts";
import { anomaly, reportAnomaly } from "./anomaly.ts";
import { runPostHooks, runPreHooks, runTensorHooks } from "./call-hooks.ts";
import { ops } from "./engine-ops.ts";
import { gradMode, withGradMode } from "./grad-mode.ts";
import { captured, evaluating, type Grads, type Node, type OutputMetadata, runs, skipped } from "./node.ts";
import { observed } from "./observer.ts";
import { ReadyQueue } from "./ready-queue.ts";
import { forgetUnpacked } from "./saved-tensor.ts";

/** Leads to one output of a node. */
export interface Edge {
  node: Node;
  index: number;
}

export interface Root extends Edge {
  grad: Tensor | null;
}

export interface BackwardRun {
  /** Keep saved tensors for another backward. */
  keepGraph: boolean;
  /** Record the backward itself. */
  createGraph: boolean;
  /** With targets: let them accumulate (`backward`) instead of handing out what arrives there (`grad`). */
  accumulate: boolean;
}

/** One call of `runBackward`. */
class Task {
  readonly keepGraph: boolean;
  /** Only what leads to a target runs. */
  readonly filtered: boolean;
  /** Which outputs of a node are handed out, and where; null without targets. */
  captures: Map<Node, { index: number; slot: number }[]> | null;
  captured: Grads;
  callbacks: (() => void)[] = [];
  /** What an enclosing run knows of nodes that this one came to as well. */
  displaced: ({ node: Node } & ReturnType<typeof stateOf>)[] = [];
  /** The node at work, for reports. */
  node: Node | null = null;

  constructor(keepGraph: boolean, targets: number) {
    this.keepGraph = keepGraph;
    this.filtered = targets > 0;
    this.captures = targets > 0 ? new Map() : null;
    this.captured = new Array<Tensor | null>(targets).fill(null);
  }
}

const running: Task[] = [];
const innermost = (): Task | undefined => running[running.length - 1];

/** Calls `callback` when the innermost running backward is complete. */
export function queueCallback(callback: () => void): void {
  const task = innermost();
  if (task === undefined) throw new RuntimeError("Final callbacks can only be installed during backward pass.");
  task.callbacks.push(callback);
}

/** Something that stands for the innermost running backward; null outside. */
export function currentRun(): object | null {
  return innermost() ?? null;
}

/** Will the innermost running backward come to `node`? */
export function willExecute(node: Node): boolean {
  const task = innermost()!;
  if (node.run !== task || node.role === skipped) return false;
  if (node.isAccumulator && task.captures?.has(node)) {
    throw new RuntimeError("A leaf node was passed to _will_engine_execute_node but we are currently running autograd.grad(). This is currently not supported.");
  }
  return true;
}

/**
 * Sends gradients into `roots`. Without `targets` every leaf accumulates its gradient; with them only what leads to a
 * target runs, and the gradients that reach the targets are returned, unless they accumulate.
 */
export function runBackward(roots: readonly Root[], { keepGraph, createGraph, accumulate }: BackwardRun, targets: readonly (Edge | null)[]): Grads {
  const task = new Task(keepGraph, targets.length);
  const previousMode = gradMode.enabled;
  const previousNode = evaluating.node;
  gradMode.enabled = createGraph && !isInference();
  evaluating.node = null;
  running.push(task);
  try {
    const reached = countDependencies(roots, task, task.filtered ? oldestOf(targets) : -1);
    if (task.filtered) assignRoles(reached, targets, task, accumulate);
    execute(roots, task);
    for (let i = 0; i < task.callbacks.length; i++) task.callbacks[i]();
    return task.captured;
  } catch (error) {
    if (anomaly.enabled && task.node !== null) reportAnomaly(task.node);
    throw error;
  } finally {
    running.pop();
    gradMode.enabled = previousMode;
    evaluating.node = previousNode;
    for (const { node, ...state } of task.displaced) Object.assign(node, state);
    // Nodes refer to the task until their next run.
    task.captures = null;
    task.captured = [];
    task.node = null;
  }
}

/** A node made before every target cannot lead to one, for edges lead to older nodes. */
function oldestOf(targets: readonly (Edge | null)[]): number {
  return targets.reduce((oldest, target) => (target === null ? oldest : Math.min(oldest, target.node.birth)), Infinity);
}

/** Counts for each node that is reached the edges that lead to it; those older than `oldest` are not followed. */
function countDependencies(roots: readonly Edge[], task: Task, oldest: number): Node[] {
  const reached: Node[] = [];
  for (const { node } of roots) if (node.run !== task) reached.push(claim(node, task));
  for (let i = 0; i < reached.length; i++) {
    const { sequenceNr, nextNodes } = reached[i];
    if (sequenceNr < oldest) continue;
    for (let k = 0; k < nextNodes.length; k++) {
      const next = nextNodes[k];
      if (next === null) continue;
      if (next.run !== task) reached.push(claim(next, task));
      next.dependencies++;
    }
  }
  return reached;
}

function claim(node: Node, task: Task): Node {
  if (running.length > 1 && running.includes(node.run as Task)) task.displaced.push({ node, ...stateOf(node) });
  node.run = task;
  node.dependencies = 0;
  node.buffer = null;
  node.role = task.filtered ? skipped : runs;
  return node;
}

const stateOf = ({ run, dependencies, buffer, role }: Node) => ({ run, dependencies, buffer, role });

/** With targets a node runs if one of its edges leads to a target or to a node that runs. */
function assignRoles(reached: Node[], targets: readonly (Edge | null)[], task: Task, accumulate: boolean): void {
  targets.forEach((target, slot) => {
    if (target === null || target.node.run !== task) return;
    const { node, index } = target;
    node.role = accumulate ? runs : captured;
    if (accumulate) return;
    const captures = task.captures!.get(node);
    if (captures === undefined) task.captures!.set(node, [{ index, slot }]);
    else captures.push({ index, slot });
  });
  // From the oldest on, what the edges lead to is known already.
  reached.sort((a, b) => a.birth - b.birth);
  for (const node of reached) {
    if (node.nextNodes.some((next) => next !== null && next.run === task && next.role !== skipped)) node.role = runs;
  }
}

function execute(roots: readonly Root[], task: Task): void {
  const ready = new ReadyQueue();
  roots.forEach(({ node, index, grad }, i) => {
    if (grad !== null) deposit(node, index, fitted(grad, node.outputs[index], i, null));
  });
  for (const { node } of roots) {
    // A lone root is reached even where it leads to no target.
    if (node.dependencies !== 0 || (node.role === skipped && roots.length > 1)) continue;
    node.dependencies = -1;
    ready.push(node);
  }
  for (let node = ready.pop(); node !== null; node = ready.pop()) evaluate(node, task, ready);
}

function deposit(node: Node, index: number, grad: Tensor): void {
  const buffer = (node.buffer ??= emptyBuffer(node));
  const old = buffer[index];
  if (old === null) {
    buffer[index] = grad;
  } else if (old._owned && !gradMode.enabled && sameSizes(old._sizes, grad._sizes) && old.dtype === grad.dtype) {
    ops.addInplace(old, grad);
    release(grad);
  } else {
    const sum = ops.add(old, grad);
    sum._owned = !gradMode.enabled;
    buffer[index] = sum;
    release(old);
    release(grad);
  }
}

/** Gives back the memory of a gradient that only this backward refers to, and that has done its work. */
function release(grad: Tensor): void {
  if (!grad._owned || gradMode.enabled || observed.by?.keepsGradients === true) return;
  grad._owned = false;
  grad._storage.release();
}

function emptyBuffer({ outputs }: Node): Grads {
  return outputs.length === 1 ? [null] : new Array<Tensor | null>(outputs.length).fill(null);
}

function evaluate(node: Node, task: Task, ready: ReadyQueue): void {
  task.node = node;
  const grads = node.buffer ?? emptyBuffer(node);
  node.buffer = null;
  if (task.filtered) {
    capture(node, grads, task);
    if (node.role !== runs) return;
  }
  const results = callNode(node, grads, task.filtered);
  if (!task.keepGraph) node.releaseVariables();
  for (const grad of grads) if (grad?._owned && !results.some((result) => result?._storage === grad._storage)) release(grad);
  if (anomaly.enabled && anomaly.checkNaN) refuseNaN(node, results);
  const { nextNodes, nextIndices } = node;
  for (let i = 0; i < nextNodes.length; i++) {
    const next = nextNodes[i];
    if (next === null || next.run !== task) continue;
    const isReady = --next.dependencies === 0;
    if (next.role === skipped) continue;
    const grad = results[i];
    if (grad !== null && grad !== undefined) deposit(next, nextIndices.length === 0 ? 0 : nextIndices[i], grad);
    if (isReady) ready.push(next);
  }
}

/** Hands out the gradients that have arrived at a target. */
function capture(node: Node, grads: Grads, task: Task): void {
  // A node that will run calls its tensor hooks then; any other that is reached calls them here.
  const seen = node.role === runs || node.hooks === null ? grads : runTensorHooks(node.hooks, grads);
  const captures = task.captures!.get(node);
  if (captures === undefined) return;
  for (const { index, slot } of captures) {
    const grad = seen[index];
    if (grad !== null) grad._owned = false;
    task.captured[slot] = grad;
  }
}

/**
 * Runs a node with its hooks around it, and brings the results to the shapes and dtypes that the edges expect.
 * `inPart`: not all of its gradients may be asked for.
 */
function callNode(node: Node, grads: Grads, inPart: boolean): Grads {
  const { hooks } = node;
  const inputs = hooks === null ? grads : runPreHooks(hooks, runTensorHooks(hooks, grads));
  evaluating.node = node;
  const observer = observed.by;
  if (observer !== null) observer.enterNode(node, inputs);
  if (inPart) node.checkSaved();
  const results = node.apply(inputs);
  if (observer !== null) observer.leaveNode(node, inputs, results);
  evaluating.node = null;
  forgetUnpacked();
  validate(node, results);
  return hooks === null ? results : runPostHooks(hooks, results, inputs);
}

/** Brings the gradients that a node gives to what the edges expect. */
function validate(node: Node, results: Grads): void {
  const { nextNodes, nextIndices } = node;
  for (let i = 0; i < nextNodes.length; i++) {
    const next = nextNodes[i];
    const grad = results[i];
    if (next === null || grad === null || grad === undefined) continue;
    const expected = next.outputs[nextIndices.length === 0 ? 0 : nextIndices[i]];
    if (grad._sizes === expected.sizes && grad.dtype === expected.dtype) continue;
    const fit = (results[i] = fitted(grad, expected, i, node));
    // Hooks after the node are shown the gradients that came in, of which this may be one.
    if (node.hooks === null && fit._storage !== grad._storage) release(grad);
  }
}

/** The broadcast adjoint and the cast to the input's dtype, done once for every op; `from` is null for a root. */
function fitted(grad: Tensor, { sizes, dtype, anyDtype }: OutputMetadata, i: number, from: Node | null): Tensor {
  let fit = grad;
  if (!sameSizes(grad._sizes, sizes)) {
    if (!isExpandable(sizes, grad._sizes)) {
      const returned = from === null ? "" : `Function ${from.name()} returned an `;
      throw new RuntimeError(`${returned}invalid gradient at index ${i} - got ${listText(grad._sizes)} but expected shape compatible with ${listText(sizes)}`);
    }
    fit = ops.sumToSize(grad, sizes);
    fit._owned = !gradMode.enabled && fit._storage !== grad._storage;
  }
  if (fit.dtype !== dtype && anyDtype !== true) {
    fit = ops.to(fit, dtype);
    fit._owned = !gradMode.enabled;
  }
  return fit;
}

function refuseNaN(node: Node, results: Grads): void {
  withGradMode(false, () => {
    for (const [i, grad] of results.entries()) {
      if (grad && ops.hasNaN(grad)) throw new RuntimeError(`Function '${node.name()}' returned nan values in its ${i}th output.`);
    }
  });
}
