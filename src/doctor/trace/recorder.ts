/** Writes down everything that happens: ops with their call sites and values, the graph, backward, writes and reads. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { FunctionNode } from "../../autograd/function-node.ts";
import { GradientEdge } from "../../autograd/gradient-edge.ts";
import type { Grads, Node } from "../../autograd/node.ts";
import { asking, type BackwardCall, type Reading } from "../../autograd/observer.ts";
import { requiresGrad } from "../../autograd/variable.ts";
import { observed, type Observer } from "../../dispatch/observer.ts";
import type { AnyOp } from "../../dispatch/op.ts";
import { PointwiseNode } from "../../dispatch/pointwise-node.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { tensorsIn } from "./arguments.ts";
import { Births, type Call } from "./births.ts";
import { errorText, num, type Argument, type Event, type Num, type Place, type PoisonEvent, type Values } from "./events.ts";
import { currentSites } from "./sites.ts";
import { Tape } from "./tape.ts";
import { dropped, idlePlaces, snapshot, valuesOf } from "./values.ts";

/** How many entries of a list of arguments, and of what was read, are written down. */
const listed = 16;

interface OpFrame extends Call {
  readonly within: number | null;
  readonly run: number | null;
  /** The user's own line, and those that called the function around it. */
  readonly places: readonly Place[];
  readonly arguments: readonly Argument[];
  readonly inputs: readonly number[];
  readonly requiresGrad: boolean;
}

interface RunFrame {
  readonly run: number;
}

/** A number for each thing of a kind. */
class Numbers {
  private next = 0;
  private readonly known = new WeakMap<object, number>();
  of(thing: object, announce?: (id: number) => void): number {
    let id = this.known.get(thing);
    if (id === undefined) {
      this.known.set(thing, (id = this.next++));
      announce?.(id);
    }
    return id;
  }
  has(thing: object): boolean {
    return this.known.has(thing);
  }
  fresh(): number {
    return this.next++;
  }
}

export class Recorder implements Observer {
  readonly keepsGradients = true;
  private readonly sink: (event: Event) => void;
  private readonly tensors = new Numbers();
  private readonly storages = new Numbers();
  private readonly counters = new Numbers();
  private readonly nodes = new Numbers();
  private readonly ops = new Numbers();
  private readonly backwards = new Numbers();
  private readonly stack: (OpFrame | RunFrame)[] = [];
  private readonly running: { id: number; depth: number; node: Node | null; places: readonly Place[] }[] = [];
  private readonly births: Births;
  /** The last writes to each storage, with the counters that counted them. */
  private readonly writes = new WeakMap<object, { op: number; counter: object | null; order: number }[]>();
  private readonly savedAt = new WeakMap<Node, number>();
  private order = 0;
  /** Null where gradients are not to be checked. */
  private readonly tape: Tape | null;

  constructor(sink: (event: Event) => void, check: boolean) {
    this.sink = sink;
    this.tape = check ? new Tape() : null;
    this.births = new Births({ tensor: (t) => this.idOf(t), values: (t) => this.valuesOf(t), emit: sink });
  }

  /** Runs `body` unobserved: looking at tensors may call ops. */
  private quietly<T>(body: () => T): T {
    const { by } = observed;
    observed.by = null;
    try {
      return body();
    } finally {
      observed.by = by;
    }
  }

  private idOf(tensor: Tensor): number {
    return this.tensors.of(tensor, (id) => {
      this.sink({
        event: "tensor", tensor: id, shape: tensor._sizes.slice(), dtype: tensor.dtype.name, storage: this.storages.of(tensor._storage),
        requires_grad: requiresGrad(tensor), leaf: tensor._gradFn === null, base: tensor._view === null ? null : this.idOf(tensor._view.base), values: this.valuesOf(tensor),
      });
    });
  }

  /** What was looked at since memory may have been written last. */
  private looked = new WeakMap<Tensor, Values>();

  private valuesOf(tensor: Tensor): Values {
    let values = this.looked.get(tensor);
    if (values === undefined) this.looked.set(tensor, (values = valuesOf(tensor)));
    return values;
  }

  private isSick(tensor: Tensor): boolean {
    return tensor.dtype.kind === FLOAT && this.valuesOf(tensor).nonfinite.length > 0;
  }

  private get frame(): OpFrame | RunFrame | undefined {
    return this.stack[this.stack.length - 1];
  }

  enter(op: AnyOp, args: readonly unknown[], isMethod: boolean): void {
    const inplace = isMethod || writesSelf(op);
    this.looked = new WeakMap();
    this.quietly(() => {
      const { frame } = this;
      const outer = frame !== undefined && "op" in frame ? frame : null;
      const run = frame !== undefined && "op" in frame ? frame.run : (frame?.run ?? null);
      const tensors = tensorsIn(args);
      const self = args[0];
      const within = this.running[this.running.length - 1];
      this.stack.push({
        id: this.ops.fresh(), op, args, inplace, tensors, run,
        before: inplace && self instanceof Tensor && self.dtype.kind === FLOAT ? snapshot(self) : null,
        within: outer?.id ?? null,
        // Between nodes a hook may be at work, which has lines of its own; and so has a custom Function.
        places: outer?.places ?? (within !== undefined && this.stack.length > within.depth && !(within.node instanceof FunctionNode) ? within.places : currentPlaces()),
        arguments: args.slice(0, listed).map((a) => this.argument(a)),
        inputs: (onlyShapes(op) ? tensors.filter((t) => t !== self) : tensors).map((t) => this.idOf(t)),
        requiresGrad: tensors.some(requiresGrad),
      });
      if (outer === null && run === null && within === undefined) this.tape?.enter(op, args, isMethod);
    });
  }

  leave(op: AnyOp, _args: readonly unknown[], isMethod: boolean, result: unknown): void {
    const inplace = isMethod || writesSelf(op);
    this.looked = new WeakMap();
    this.quietly(() => {
      const frame = this.stack.pop() as OpFrame;
      const outputs = tensorsIn([result]);
      for (const output of outputs) this.idOf(output);
      if (frame.within === null && frame.run === null && this.running.length === 0) this.tape?.leave(op, frame.args, isMethod, result);
      // The op comes before the births that name it.
      const node = outputs.map((o) => o._gradFn as Node | null).find((n) => n !== null && !this.nodes.has(n)) ?? null;
      this.emitOp(frame, outputs, node === null ? null : this.nodes.of(node), null);
      if (inplace) {
        this.wrote(frame, outputs[0]);
        if (this.valuesOf(outputs[0]).zero === outputs[0]._numel) this.zeroed.add(outputs[0]);
      }
      const { out } = (frame.args[frame.args.length - 1] ?? {}) as { out?: unknown };
      for (const o of tensorsIn([out])) this.wrote(frame, o);
      for (const output of outputs) this.announceGraph(output, frame, outputs);
      this.births.opDone(frame, outputs, frame.run);
      if (frame.within === null && frame.run === null) this.drain(frame.tensors, outputs);
    });
  }

  /** Tensors that are not finite, and of which nothing was computed yet. */
  private readonly sinks = new Set<Tensor>();

  /** A comparison or a test of what is not finite uses it without passing it on. */
  private drain(inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
    if (outputs.some((o) => o.dtype.kind === FLOAT)) for (const input of inputs) this.sinks.delete(input);
    for (const output of outputs) if (this.births.of(output).length > 0) this.sinks.add(output);
  }

  fail(_op: AnyOp, _args: readonly unknown[], _inplace: boolean, error: unknown): void {
    this.quietly(() => this.emitOp(this.stack.pop() as OpFrame, [], null, error));
  }

  private emitOp(frame: OpFrame, outputs: readonly Tensor[], node: number | null, error: unknown): void {
    this.sink({
      event: "op", op: frame.id, name: frame.op.opName.replace(/_$/, ""), inplace: frame.inplace, within: frame.within, run: frame.run, place: frame.places[0] ?? null, callers: frame.within === null ? frame.places.slice(1) : [],
      arguments: frame.arguments, inputs: frame.inputs, outputs: outputs.map((o) => this.idOf(o)), grad_mode: gradMode.enabled,
      severs: frame.requiresGrad && !frame.inplace && outputs.length > 0 && !outputs.some(requiresGrad) && !onlyShapes(frame.op),
      node, values: frame.inplace ? outputs.map((o) => this.valuesOf(o)) : [],
      idle: this.idle(outputs[0], -1), idle_channels: this.idle(outputs[0], 1), error: error === null ? null : errorText(error),
    });
  }

  private idle(output: Tensor | undefined, dim: -1 | 1): number[] {
    if (output === undefined || output.dtype.kind !== FLOAT || (dim === 1 && output.dim() < 3)) return [];
    return idlePlaces(output, this.valuesOf(output).zero, dim);
  }

  private wrote(frame: OpFrame, tensor: Tensor): void {
    const { _storage: storage, _counter: counter } = tensor;
    const write = { op: frame.id, counter, order: this.order++ };
    const writes = this.writes.get(storage);
    if (writes === undefined) this.writes.set(storage, [write]);
    else writes.push(write);
    this.sink({
      event: "write", op: frame.id, tensor: this.idOf(tensor), storage: this.storages.of(storage),
      version: counter?.value ?? 0, counter: counter === null ? -1 : this.counters.of(counter),
    });
  }

  /** Tells of the nodes that an output brought, and of the accumulators that they lead to. A write through a view is its base's, which the view leads to. */
  private announceGraph(output: Tensor, frame: OpFrame | null, outputs: readonly Tensor[]): void {
    for (const node of [output._view?.base._gradFn ?? null, output._gradFn] as (Node | null)[]) {
      if (node !== null) this.announce(node, frame, outputs);
    }
  }

  private readonly announced = new WeakSet<Node>();

  private announce(node: Node, frame: OpFrame | null, outputs: readonly Tensor[]): number {
    const id = this.nodes.of(node);
    if (this.announced.has(node)) return id;
    this.announced.add(node);
    if (frame !== null && !node.isAccumulator) this.births.made(node, frame, outputs);
    // The backward of a custom Function is as it is written; a replay knows its forward alone.
    if (node instanceof FunctionNode) this.tape?.giveUp();
    this.savedAt.set(node, this.order);
    const next = node.nextNodes.map((n) => (n === null ? null : this.announce(n, null, [])));
    const saved = node.savedTensors().flatMap((s) => (s?.held ? [{ tensor: this.idOf(s.held), storage: this.storages.of(s.held._storage), version: s.version }] : []));
    const leaf = "variable" in node ? this.idOf(node.variable as Tensor) : null;
    this.sink({ event: "node", node: id, name: node.typeName, op: node.isAccumulator ? null : (frame?.id ?? null), next, saved, accumulates: leaf });
    return id;
  }

  enterBackward({ call, roots, inputs, retainGraph, createGraph }: BackwardCall): void {
    this.quietly(() => {
      const places = currentPlaces();
      const id = this.backwards.fresh();
      const tensors = roots.filter((r) => r instanceof Tensor);
      const nodes = roots.map((r) => (r instanceof Tensor ? r._gradFn : r instanceof GradientEdge ? r.node : null) as Node | null);
      this.running.push({ id, depth: this.stack.length, node: null, places });
      this.sink({
        event: "backward", backward: id, call, roots: tensors.map((t) => this.idOf(t)), nodes: nodes.map((n) => (n === null ? null : this.announce(n, null, []))),
        inputs: inputs?.flatMap((i) => (i instanceof Tensor ? [this.idOf(i)] : [])) ?? null, retain_graph: retainGraph, create_graph: createGraph, place: places[0] ?? null,
      });
      if (createGraph) this.tape?.giveUp();
      this.births.backwardStarts();
      tensors.forEach((root) => {
        if (root._gradFn !== null) this.births.rooted(root._gradFn as Node, root);
        if (this.isSick(root)) this.poisoned(root, "loss", id);
      });
      this.tape?.backward(id, tensors);
    });
  }

  private poisoned(tensor: Tensor, what: PoisonEvent["what"], backward: number | null): void {
    const births = this.births.of(tensor);
    if (births.length > 0) this.sink({ event: "poison", births, tensor: this.idOf(tensor), what, values: this.valuesOf(tensor), backward });
  }

  leaveBackward(error: unknown): void {
    this.quietly(() => {
      const { id, depth, node } = this.running.pop()!;
      this.stack.length = depth;
      this.sink({ event: "backward-end", backward: id, node: error === null || node === null ? null : this.nodes.of(node), error: error === null ? null : errorText(error) });
    });
  }

  enterNode(node: Node, _grads: Grads): void {
    this.running[this.running.length - 1].node = node;
    this.births.nodeStarts();
    this.stack.push({ run: this.ops.fresh() });
  }

  leaveNode(node: Node, grads: Grads, results: Grads): void {
    this.quietly(() => {
      const { run } = this.stack.pop() as RunFrame;
      const { id: backward } = this.running[this.running.length - 1];
      const given = results.map((g) => (g ? this.valuesOf(g) : null));
      // Only a zero drops anything.
      const mayDrop = node instanceof PointwiseNode && given.every((values) => values === null || values.zero > 0);
      this.sink({
        event: "run", run, backward, node: this.announce(node, null, []), grads: grads.map((g) => g && this.valuesOf(g)), results: given,
        dropped: mayDrop && grads[0] ? dropped(grads[0], results) : null, overwritten: this.overwritten(node),
      });
      this.births.nodeDone(node, run, grads, results);
      const [grad] = grads;
      if ("variable" in node && grad) {
        this.tape?.arrived(backward, node.variable as Tensor, grad);
        this.accumulated(node.variable as Tensor, backward);
      }
    });
  }

  private readonly accumulatedBefore = new WeakMap<Tensor, Tensor>();

  private accumulated(leaf: Tensor, backward: number): void {
    const grad = leaf._meta?.grad ?? null;
    if (grad === null) return;
    // A gradient that was there before this run is the same tensor, or one made of it.
    const before = this.accumulatedBefore.get(leaf) === grad && !this.zeroed.has(grad);
    this.accumulatedBefore.set(leaf, grad);
    this.zeroed.delete(grad);
    this.sink({ event: "accumulate", backward, tensor: this.idOf(leaf), before, values: this.valuesOf(grad) });
  }

  /** Gradients that were set to zero in place since the last accumulation. */
  private readonly zeroed = new WeakSet<Tensor>();

  private overwritten(node: Node): { tensor: number; op: number }[] {
    const since = this.savedAt.get(node) ?? 0;
    return node.savedTensors().flatMap((saved) => {
      const tensor = saved?.held;
      if (!tensor) return [];
      const hidden = (this.writes.get(tensor._storage) ?? []).filter((w) => w.order >= since && w.counter !== tensor._counter);
      return hidden.map(({ op }) => ({ tensor: this.idOf(tensor), op }));
    });
  }

  read(tensor: Tensor, how: Reading, result: unknown): void {
    if (this.stack.length > 0) return;
    this.quietly(() => {
      const id = this.idOf(tensor);
      const [place = null, ...callers] = currentPlaces();
      this.sink({
        event: "read", tensor: id, how, place, callers, requires_grad: requiresGrad(tensor),
        numbers: how === "print" || result instanceof Tensor ? [] : numbersIn(result), result: result instanceof Tensor ? this.idOf(result) : null,
      });
      if (!asking.has(how) && this.isSick(tensor)) this.poisoned(tensor, "read", null);
      if (how === "data") this.tape?.alias(tensor, result as Tensor);
    });
  }

  switched(enabled: boolean): void {
    this.sink({ event: "switch", enabled, place: currentPlaces()[0] ?? null });
  }

  /** To be called when the program has ended. Tells of what it left not finite, and checks the gradients that arrived at leaves. */
  finish(): void {
    this.quietly(() => {
      for (const tensor of this.sinks) this.poisoned(tensor, "output", null);
      this.tape?.differences((t) => this.idOf(t)).forEach(this.sink);
    });
  }

  private argument(value: unknown): Argument {
    if (value instanceof Tensor) return { tensor: this.idOf(value) };
    if (typeof value === "number") return { number: num(value) };
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return { list: Array.from((value as unknown[]).slice(0, listed), (v) => this.argument(v)) };
    return { text: typeof value === "object" && value !== null ? optionsText(value) : String(value) };
  }
}

/** The user's own lines, the innermost first; of more than these, the outermost are left out. */
const deepest = 16;

function currentPlaces(): Place[] {
  return currentSites().slice(0, deepest).map(({ path, line, column }) => ({ file: path, line, column }));
}

/** An op that has no other form than the one in place, such as `zero_`. */
function writesSelf(op: AnyOp): boolean {
  return op.opName.endsWith("_");
}

/** Does the op take only shape and dtype from `self`, as `zeros_like` does? Factories share the parameter that tells. */
function onlyShapes(op: AnyOp): boolean {
  const { positions } = op.overloads[0].signature.schema;
  return positions.has("pin_memory") && positions.get("self") === 0;
}

function numbersIn(value: unknown): Num[] {
  if (typeof value === "number") return [num(value)];
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from((value as unknown[]).slice(0, listed)).flatMap(numbersIn).slice(0, listed);
  return [];
}

function optionsText(value: object): string {
  return `{ ${Object.entries(value).map(([k, v]) => `${k}: ${v instanceof Tensor ? "tensor" : String(v)}`).join(", ")} }`;
}
