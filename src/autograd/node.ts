import { RuntimeError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Sizes } from "../tensor/layout.ts";
import type { GraphNode, Tensor } from "../tensor/tensor.ts";
import { anomaly, captureTraceback } from "./anomaly.ts";
import { Hooks, type RemovableHandle } from "./hooks.ts";
import type { SavedTensor } from "./saved-tensor.ts";

export type Grads = (Tensor | null)[];

/** Shape and dtype of a forward output: what a gradient that arrives for it must have. */
export interface OutputMetadata {
  sizes: Sizes;
  dtype: DType;
  /** A leaf whose `grad_dtype` is null takes gradients of other dtypes as they are. */
  anyDtype?: boolean;
}

export interface NodeMetadata {
  traceback_?: string[];
  parent_?: Node;
}

/** Called with one gradient; a tensor it returns replaces the gradient. */
export type TensorHook = (grad: Tensor) => Tensor | null | undefined | void;
export type NodePreHook = (gradOutputs: Grads) => Grads | null | undefined | void;
export type NodeHook = (gradInputs: Grads, gradOutputs: Grads) => Grads | null | undefined | void;

/** The hooks of a node; few nodes have any, so they lie apart. */
export class NodeHooks {
  /** Tensor hooks, by output. */
  tensor = new Map<number, Hooks<TensorHook>>();
  /** What keeps the gradient of a non-leaf that retains it, by output; run after the tensor hooks. */
  retainGrad = new Map<number, (grad: Tensor | null) => void>();
  before = new Hooks<NodePreHook>();
  after = new Hooks<NodeHook>();
}

let nextSequenceNr = 0;
const noIndices: readonly number[] = [];
const noOutputs: OutputMetadata[] = [];

/** The node whose formula is running; a node made meanwhile has it as anomaly parent. */
export const evaluating: { node: Node | null } = { node: null };

/** What the running backward wants of a node: nothing, a gradient that arrives there, or that it runs. */
export type Role = typeof skipped | typeof captured | typeof runs;
export const skipped = 0;
export const captured = 1;
export const runs = 2;

/** A backward that is running; the engine knows more of it. */
export interface Run {
  readonly keepGraph: boolean;
}

/** What comes before every numbered node. A small integer as long as the others are: V8 boxes larger ones, each on its own. */
function unnumbered(): number {
  const largest = 2 ** 31 - 1;
  return nextSequenceNr < largest ? largest : Number.MAX_SAFE_INTEGER;
}

/** Takes a number that no node has: the place in the graph of one that runs before every numbered node. */
export function takeSequenceNr(): number {
  return nextSequenceNr++;
}

/** The number of the node that is made next. */
export function upcomingSequenceNr(): number {
  return nextSequenceNr;
}

/**
 * A step of the backward graph: takes the gradients of its forward outputs and gives those of its inputs.
 * An edge leads to another node and to the output of that node's forward op.
 */
export abstract class Node implements GraphNode {
  readonly sequenceNr: number;
  nextNodes: (Node | null)[];
  /** Output numbers of the edges; empty stands for all zero. */
  nextIndices: readonly number[];
  /** How many hold it, as far as that is known: tensors that it made, and edges of nodes that are held. PyTorch drops a node that nothing holds. */
  uses = 0;
  outputs: OutputMetadata[] = noOutputs;
  hooks: NodeHooks | null = null;
  /** The backward that came here last; the next three fields are its own. */
  run: Run | null = null;
  /** Edges over which a gradient, or null, has yet to come. */
  dependencies: number = 0;
  /** The gradients of the outputs so far; null before the first. */
  buffer: Grads | null = null;
  role: Role = runs;
  private anomalyMetadata: NodeMetadata | null = null;
  /** What backward was given to keep, under the names of PyTorch; see saved-attributes.ts. */
  [saved: `_saved_${string}` | `_raw_saved_${string}`]: unknown;

  constructor(nextNodes: (Node | null)[], nextIndices: readonly number[] = noIndices, numbered = true) {
    this.nextNodes = nextNodes;
    this.nextIndices = nextIndices;
    this.sequenceNr = numbered ? nextSequenceNr++ : unnumbered();
    if (anomaly.enabled) {
      this.anomalyMetadata = { traceback_: captureTraceback() };
      if (evaluating.node !== null) this.anomalyMetadata.parent_ = evaluating.node;
    }
  }

  abstract name(): string;
  /** Maps gradients of the outputs to gradients of the inputs; null where there is none. */
  abstract apply(grads: Grads): Grads;
  /** Lets go of saved tensors; a second backward then fails. */
  releaseVariables(): void {}
  /** Called by whoever holds it from now on: a tensor that it made, or a node with an edge to it. The first makes it hold what its edges lead to. */
  hold(): void {
    if (this.uses++ > 0) return;
    const { nextNodes } = this;
    for (let i = 0; i < nextNodes.length; i++) nextNodes[i]?.hold();
  }
  /** Called by one of its holders: the last of them takes it, and so its edges, along. */
  letGo(): void {
    const left: Node[] = [this];
    for (const node of left) if (--node.uses === 0) for (const next of node.holds()) if (next !== null) left.push(next);
  }
  /** The nodes that it holds. */
  protected holds(): readonly (Node | null)[] {
    return this.nextNodes;
  }
  /** Throws where a saved tensor was written since or let go of, needed now or not: PyTorch's nodes unpack all they have. */
  checkSaved(): void {
    for (const saved of this.savedTensors()) saved?.unpack(this);
  }
  savedTensors(): readonly (SavedTensor | null)[] {
    return [];
  }
  /** What is kept under a name of the op: a SavedTensor, a list of them, another value; undefined for nothing. */
  kept(_name: string): unknown {
    return undefined;
  }

  /** Nodes that lead to this one have at least this number. */
  get birth(): number {
    return this.sequenceNr;
  }
  get isAccumulator(): boolean {
    return false;
  }
  get metadata(): NodeMetadata {
    return (this.anomalyMetadata ??= {});
  }
  get next_functions(): readonly (readonly [Node | null, number])[] {
    return this.nextNodes.map((node, i) => [node, this.nextIndices.length === 0 ? 0 : this.nextIndices[i]] as const);
  }
  /** Calls `hook(grad_inputs, grad_outputs)` after this node ran; an array it returns replaces grad_inputs. */
  register_hook(hook: NodeHook): RemovableHandle;
  register_hook(hook: NodeHook, ...more: unknown[]): RemovableHandle {
    if (more.length > 0) throw new TypeError(`${this.typeName}.register_hook() takes no keyword arguments`);
    return this.ensureHooks().after.add(hook);
  }
  /** Calls `hook(grad_outputs)` before this node runs; an array it returns replaces grad_outputs. */
  register_prehook(hook: NodePreHook): RemovableHandle {
    return this.ensureHooks().before.add(hook);
  }
  ensureHooks(): NodeHooks {
    return (this.hooks ??= new NodeHooks());
  }
  addOutput(tensor: Tensor): number {
    const made: OutputMetadata = { sizes: tensor._sizes, dtype: tensor.dtype };
    if (this.outputs !== noOutputs) return this.outputs.push(made) - 1;
    // Most nodes have one output; an array that begins with a push makes room for many.
    this.outputs = [made];
    return 0;
  }
  /** The name as PyTorch shows it to Python: without the namespace of native nodes. */
  get typeName(): string {
    return this.name().replace("torch::autograd::", "");
  }
  toString(): string {
    return `<${this.typeName} object at 0x${this.sequenceNr.toString(16).padStart(12, "0")}>`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** What error texts call the forward op of a node: `Mul` for MulBackward0, `Sum1` for SumBackward1. */
export function forwardOpName(node: GraphNode): string {
  return node.name().replace(/Backward(\d*)$/, (_, index: string) => (index === "0" ? "" : index));
}

/** Stands where a graph was cut in a way that a second derivative must not cross. */
export class ErrorNode extends Node {
  private readonly message: string;
  private readonly born = takeSequenceNr();
  constructor(message: string, nextNodes: (Node | null)[] = []) {
    super(nextNodes, noIndices, false);
    this.message = message;
  }
  name(): string {
    return "torch::autograd::Error";
  }
  override get birth(): number {
    return this.born;
  }
  apply(): Grads {
    throw new RuntimeError(this.message);
  }
}

/** Made by an op for which PyTorch has no derivative; complains only when a gradient arrives. */
export class NotImplementedNode extends ErrorNode {
  constructor(opName: string, nextNodes: (Node | null)[]) {
    super(`derivative for ${opName} is not implemented`, nextNodes);
  }
  override name(): string {
    return "torch::autograd::NotImplemented";
  }
}
