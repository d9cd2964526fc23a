/**
 * Finds where values stop being finite, and follows them. A *birth* is an element that is NaN or infinite although all it was
 * computed from is finite; or a NaN made of an infinity that the user gave. What comes of it inherits its number.
 */
import type { Grads, Node } from "../../autograd/node.ts";
import { captured } from "../../autograd/node.ts";
import { PointwiseNode } from "../../dispatch/pointwise-node.ts";
import type { AnyOp } from "../../dispatch/op.ts";
import type { TensorOrNumber } from "../../dispatch/promote.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { sameSizes } from "../../tensor/layout.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { hasNonFiniteNumber } from "./arguments.ts";
import { backwardEquation, elementAt, forwardEquation, gradientAt, pointwiseCall, type PointwiseCall } from "./equation.ts";
import { num, type BirthEvent, type Equation, type Event, type Values, type Zero } from "./events.ts";
import type { Traced } from "./traced.ts";
import { elementsOf, indicesOf } from "./values.ts";

/** What the recorder knows that births are told with. */
export interface Names {
  tensor(tensor: Tensor): number;
  values(tensor: Tensor): Values;
  emit(event: Event): void;
}

/** A call of an op, as it was entered. */
export interface Call {
  readonly id: number;
  readonly op: AnyOp;
  readonly args: readonly unknown[];
  readonly inplace: boolean;
  readonly tensors: readonly Tensor[];
  /** The elements of `self` before an in-place op wrote them. */
  readonly before: Float64Array | null;
}

/** A node that ran in the current backward. */
interface Run {
  readonly node: Node;
  readonly sizes: readonly number[];
  /** Did a gradient arrive that is zero nowhere? */
  readonly isFed: boolean;
  readonly formulas: readonly ({ formula: Formula; values: Record<string, TensorOrNumber> } | null)[];
}

export class Births {
  private readonly names: Names;
  private next = 0;
  /** Births that a tensor's elements go back to. */
  private readonly poison = new WeakMap<Tensor, readonly number[]>();
  private readonly calls = new WeakMap<Node, { call: Call; outputs: readonly Tensor[] }>();
  /** For each node of the current backward: births in what has arrived, and the runs that sent it. */
  private arrived = new Map<Node, number[]>();
  private senders = new Map<Node, { run: Run; edge: number }[]>();
  /** The birth among the ops that the running node calls, if there was one. */
  private inner: { op: number; equation: Equation | null } | null = null;

  constructor(names: Names) {
    this.names = names;
  }

  private isSick(tensor: Tensor): boolean {
    return tensor.dtype.kind === FLOAT && this.names.values(tensor).nonfinite.length > 0;
  }

  /** Remembers which call a node was recorded for. */
  made(node: Node, call: Call, outputs: readonly Tensor[]): void {
    this.calls.set(node, { call, outputs });
  }

  of(tensor: Tensor): readonly number[] {
    return this.poison.get(tensor) ?? [];
  }

  /** After an op: its outputs are born, inherit, or are sound. `run` is the node at work, null in forward. */
  opDone(call: Call, outputs: readonly Tensor[], run: number | null): void {
    for (const output of outputs) {
      if (!this.isSick(output)) {
        this.poison.delete(output);
        continue;
      }
      // A composite hands on what its inner ops made, and has been told of it.
      if (this.poison.has(output) && !call.inplace && !call.tensors.includes(output)) continue;
      this.poison.set(output, this.judged(call, output, run));
    }
  }

  private judged(call: Call, output: Tensor, run: number | null): readonly number[] {
    const sick = call.tensors.filter((t) => (call.before !== null && t === call.tensors[0] ? call.before.some((x) => !Number.isFinite(x)) : this.isSick(t)));
    const values = this.names.values(output);
    const pointwise = pointwiseCall(call.op, call.args, call.inplace);
    const position = pointwise === null ? (sick.length === 0 ? values.nonfinite[0] : undefined) : values.nonfinite.find((p) => this.isNew(call, output, p));
    const inherited = [...new Set(sick.flatMap((t) => this.of(t)))];
    if (position !== undefined) {
      // An infinity that the program wrote may be a mask; a NaN is never meant.
      if (hasNonFiniteNumber(call.args) && values.nan === 0) return inherited;
      return [...inherited, this.forwardBirth(call, output, position, pointwise, run)];
    }
    // An infinity that the user gave (a mask of -inf) has no birth; the NaN made of it has.
    const madeNaN = values.nan > 0 && inherited.length === 0 && !sick.some((t) => this.names.values(t).nan > 0);
    if (!madeNaN) return inherited;
    const elements = elementsOf(output);
    const first = values.nonfinite.find((p) => Number.isNaN(elements[p])) ?? values.nonfinite[0];
    return [this.forwardBirth(call, output, first, pointwise, run)];
  }

  /** Are the inputs finite where the output is not? */
  private isNew(call: Call, output: Tensor, position: number): boolean {
    const indices = indicesOf(position, output._sizes);
    return call.tensors.every((t, i) => {
      const before = i === 0 ? call.before : null;
      const element = before !== null && t === output ? before[position] : elementAt(t, indices);
      return Number.isFinite(element) || t.dtype.kind !== FLOAT;
    });
  }

  private forwardBirth(call: Call, output: Tensor, position: number, pointwise: PointwiseCall | null, run: number | null): number {
    const element = indicesOf(position, output._sizes);
    const before = (t: Tensor): TensorOrNumber => (call.before !== null && t === output ? call.before[position] : t);
    const equation = pointwise === null ? null : forwardEquation(pointwise, element, this.names.tensor, before);
    const value = elementsOf(output)[position];
    const id = this.emit({
      kind: Number.isNaN(value) ? "nan" : "inf", phase: run === null ? "forward" : "backward", op: call.id, run, edge: null,
      tensor: this.names.tensor(output), shape: output._sizes.slice(), count: this.names.values(output).nan + this.names.values(output).inf, element, equation, zero: null,
    }, run !== null);
    if (run !== null) this.inner = { op: call.id, equation };
    return id;
  }

  private emit(birth: Omit<BirthEvent, "event" | "birth">, silent = false): number {
    const id = this.next++;
    if (!silent) this.names.emit({ event: "birth", birth: id, ...birth });
    return id;
  }

  backwardStarts(): void {
    this.arrived = new Map();
    this.senders = new Map();
  }

  /** What a root carries into the graph. */
  rooted(node: Node, root: Tensor): void {
    const births = this.of(root);
    if (births.length > 0) this.arrived.set(node, [...births]);
  }

  nodeStarts(): void {
    this.inner = null;
  }

  /** After a node ran: each gradient is born here, inherits, or is sound. */
  nodeDone(node: Node, run: number, grads: Grads, results: Grads): void {
    const [grad] = grads;
    const record: Run = {
      node,
      sizes: grad?._sizes ?? [],
      isFed: grad != null && this.names.values(grad).zero === 0,
      formulas: results.map((_, edge) => (node instanceof PointwiseNode && grad ? formulaAt(node, edge, grad) : null)),
    };
    results.forEach((result, edge) => {
      const next = node.nextNodes[edge];
      if (!result || !next) return;
      const list = this.senders.get(next) ?? [];
      this.senders.set(next, [...list, { run: record, edge }]);
      if (!this.isSick(result)) return;
      const births = this.judgedGradient(record, edge, run, grads, result);
      this.arrived.set(next, [...new Set([...(this.arrived.get(next) ?? []), ...births])]);
      this.poison.set(result, births);
      if (next.isAccumulator || next.role === captured) this.reached(next, result);
    });
  }

  private reached(node: Node, grad: Tensor): void {
    const tensor = "variable" in node ? (node.variable as Tensor) : this.calls.get(node)?.outputs[0];
    if (tensor === undefined) return;
    this.names.emit({ event: "poison", births: this.of(grad), tensor: this.names.tensor(tensor), what: "grad", values: this.names.values(fold(grad, tensor)), backward: null });
  }

  private judgedGradient(record: Run, edge: number, run: number, grads: Grads, result: Tensor): readonly number[] {
    const { node } = record;
    const values = this.names.values(result);
    const saved = node.savedTensors().flatMap((s) => (s?.held ? [s.held] : []));
    const inherited = [...new Set([...grads.flatMap((g) => (g ? this.of(g) : [])), ...(grads.some((g) => g && this.isSick(g)) ? (this.arrived.get(node) ?? []) : []), ...saved.filter((t) => this.isSick(t)).flatMap((t) => this.of(t))])];
    const call = this.calls.get(node);
    const formula = record.formulas[edge];
    const position = values.nonfinite.find((p) => {
      const indices = indicesOf(p, result._sizes);
      return formula === null ? inherited.length === 0 : Object.values(formula.values).every((v) => Number.isFinite(elementAt(v, indices)));
    });
    if (position === undefined && (inherited.length > 0 || formula !== null)) {
      if (inherited.length > 0) return inherited;
    }
    const at = position ?? values.nonfinite[0];
    const element = indicesOf(at, result._sizes);
    const pointwise = call === undefined ? null : pointwiseCall(call.call.op, call.call.args, call.call.inplace);
    const equation = formula === null ? (this.inner?.equation ?? null) : backwardEquation(formula.formula, { values: formula.values, indices: element }, pointwise, this.names.tensor);
    const isZero = equation !== null && equation.grad === 0;
    const source = call === undefined ? undefined : pointwise === null ? call.call.tensors[edge] : (pointwise.values[pointwise.overload.differentiable[edge]?.position ?? 0] as Tensor);
    const birth = this.emit({
      kind: Number.isNaN(elementsOf(result)[at]) ? "nan" : "inf", phase: "backward", run, edge,
      // The backward of a custom Function is code of the program's own.
      op: call?.call.id ?? this.inner?.op ?? null,
      tensor: source instanceof Tensor ? this.names.tensor(source) : null, shape: result._sizes.slice(), count: values.nan + values.inf, element, equation,
      zero: isZero ? this.zeroFor(node, element, record.sizes) : null,
    });
    return [...inherited, birth];
  }

  /** Why the gradient of `node`'s output is zero at `element`: back through those that sent it. */
  private zeroFor(node: Node, element: readonly number[], sizes: readonly number[]): Zero | null {
    let [sender, shape] = [this.senders.get(node)?.[0], sizes];
    while (sender !== undefined) {
      const { run, edge }: { run: Run; edge: number } = sender;
      const op = this.calls.get(run.node)?.call.id ?? null;
      const formula = run.formulas[edge];
      if (formula === null) return run.isFed ? { op, tensor: null, element: null, number: null } : null;
      if (!sameSizes(shape, run.sizes)) return null;
      const factor = gradientAt(formula.formula, { values: formula.values, indices: element }).zeroFactor;
      if (factor.name !== "grad") return this.zeroOf(factor, formula.values, element, op);
      [sender, shape] = [this.senders.get(run.node)?.[0], run.sizes];
    }
    return null;
  }

  private zeroOf(factor: Traced, values: Record<string, TensorOrNumber>, element: readonly number[], op: number | null): Zero {
    const tensor = factor.name === null ? undefined : values[factor.name];
    if (!(tensor instanceof Tensor)) return { op, tensor: null, element: null, number: num(factor.value) };
    const lead = element.length - tensor._sizes.length;
    return { op, tensor: this.names.tensor(tensor), element: tensor._sizes.map((size, d) => (size === 1 ? 0 : element[lead + d])), number: num(factor.value) };
  }
}

/** The gradient in the shape of what it belongs to, where it can be told at once. */
function fold(grad: Tensor, tensor: Tensor): Tensor {
  return grad._numel === tensor._numel ? grad : grad.sum_to_size(tensor._sizes);
}

function formulaAt(node: PointwiseNode, edge: number, grad: Tensor): ReturnType<PointwiseNode["formulaAt"]> {
  try {
    return node.formulaAt(edge, grad);
  } catch {
    // What was saved is gone; the error that says so comes from the node itself.
    return null;
  }
}
