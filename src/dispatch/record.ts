/** Recording: the node of an op, what it saves, and how results are tied to it. */
import { gradMode } from "../autograd/grad-mode.ts";
import { Node, skipped, type Grads } from "../autograd/node.ts";
import { SavedTensor } from "../autograd/saved-tensor.ts";
import { gradientNode, requiresGrad } from "../autograd/variable.ts";
import type { Schema } from "../schema/schema.ts";
import type { Storage } from "../tensor/heap.ts";
import { isNonOverlappingAndDense } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Gives the gradients of some inputs from those of the outputs. */
export interface GradientRule {
  /** Names of the inputs that this rule serves, as in derivatives.yaml `input, weight`. */
  readonly inputs: readonly string[];
  /** Names of the tensors to save when one of the inputs needs its gradient. */
  saves(attributes: readonly unknown[]): readonly string[];
  /** One gradient per input of the rule. */
  apply(node: OpNode, grads: Grads, needed: readonly boolean[]): Grads;
}

/** The autograd side of an overload. */
export interface Differentiable {
  readonly schema: Schema;
  readonly nodeName: string;
  readonly rules: readonly GradientRule[];
  /** Is a call on inference tensors alone recorded too? */
  readonly recordsInference?: boolean;
}

/** `AddBackward0` for `add`, `LogSoftmaxBackward0` for `log_softmax`. */
export function defaultNodeName(opName: string): string {
  const camel = opName.replace(/(^|_)([a-z0-9])/g, (_, _bar, c: string) => c.toUpperCase());
  return `${camel}Backward0`;
}

/** Does a call record a graph? PyTorch's autograd does not see calls on inference tensors alone. */
export function mustRecord(d: Differentiable, values: readonly unknown[]): boolean {
  if (!gradMode.enabled) return false;
  for (const rule of d.rules) {
    for (const name of rule.inputs) {
      const value = values[d.schema.positions.get(name)!];
      const input = Array.isArray(value) ? value.find((v) => v instanceof Tensor && requiresGrad(v)) : value;
      if (!(input instanceof Tensor)) continue;
      if (!input._requiresGrad && input._gradFn === null && (input._view === null || !requiresGrad(input))) continue;
      return input._counter !== null || d.recordsInference === true || values.flat().some((v) => v instanceof Tensor && v._counter !== null);
    }
  }
  return false;
}

/** Stands for a tensor argument among a node's attributes: its sizes and strides, not its memory. */
class Shape {
  readonly sizes: unknown;
  readonly strides: unknown;
  constructor(value: Tensor | readonly (Tensor | null)[]) {
    this.sizes = value instanceof Tensor ? value._sizes : value.map((t) => t?._sizes ?? null);
    this.strides = value instanceof Tensor ? value._strides : null;
  }
}

/** The node of an op from the table. */
export class OpNode extends Node {
  readonly op: Differentiable;
  /** The values of the call, tensors taken out. */
  readonly attributes: readonly unknown[];
  private saved: Map<string, SavedTensor | SavedTensor[]> | null = null;
  /** Edges of each rule's inputs: the first edge and how many, in order of the rules. */
  readonly spans: readonly (readonly [number, number])[];

  constructor(op: Differentiable, values: readonly unknown[]) {
    const edges: (Node | null)[] = [];
    const indices: number[] = [];
    let plain = true;
    const spans: [number, number][] = [];
    for (const rule of op.rules) {
      for (const name of rule.inputs) {
        const value = values[op.schema.positions.get(name)!];
        const tensors = Array.isArray(value) ? value : [value];
        spans.push([edges.length, tensors.length]);
        for (const t of tensors) {
          edges.push(t instanceof Tensor ? gradientNode(t) : null);
          const index = t instanceof Tensor ? t._outputNr : 0;
          if (index !== 0) plain = false;
          indices.push(index);
        }
      }
    }
    super(edges, plain ? undefined : indices);
    this.op = op;
    this.spans = spans;
    this.attributes = values.map((v) => (v instanceof Tensor || (Array.isArray(v) && v.some((e) => e instanceof Tensor)) ? new Shape(v) : v));
  }

  /** Sizes of a tensor argument, or of each tensor in a list. */
  sizesOf(name: string): unknown {
    return this.shapeOf(name)?.sizes ?? null;
  }

  /** Strides of a tensor argument. */
  stridesOf(name: string): unknown {
    return this.shapeOf(name)?.strides ?? null;
  }

  private shapeOf(name: string): Shape | null {
    const shape = this.attributes[this.op.schema.positions.get(name)!];
    return shape instanceof Shape ? shape : null;
  }

  name(): string {
    return this.op.nodeName;
  }

  /** Saves what the rules ask for whose inputs need gradients, and what several rules ask for. `replaced` stands in for a `self` about to be overwritten. */
  save(values: readonly unknown[], replaceSelf: (() => Tensor) | null): void {
    let span = 0;
    const { rules } = this.op;
    for (const rule of rules) {
      const from = this.spans[span][0];
      span += rule.inputs.length;
      const last = this.spans[span - 1];
      let needed = rules.length === 1;
      for (let i = from; i < last[0] + last[1]; i++) if (this.nextNodes[i] !== null) needed = true;
      for (const name of rule.saves(values)) {
        if (!needed && !rules.some((other) => other !== rule && other.saves(values).includes(name))) continue;
        const position = this.op.schema.positions.get(name);
        if (position === undefined || this.saved?.has(name)) continue;
        const value = values[position];
        if (value instanceof Tensor) {
          const kept = name === "self" && replaceSelf !== null ? replaceSelf() : value;
          (this.saved ??= new Map()).set(name, new SavedTensor(kept, false, kept !== value));
        } else if (Array.isArray(value) && value.some((v) => v instanceof Tensor)) {
          (this.saved ??= new Map()).set(name, value.map((v) => new SavedTensor(v instanceof Tensor ? v : null, false)));
        }
      }
    }
  }

  /** Saves outputs that the rules ask for, once there are any. */
  saveOutputs(outputs: readonly Tensor[]): void {
    this.op.schema.returns.forEach((name, i) => {
      const wanted = this.op.rules.some((rule) => rule.saves(this.attributes).includes(name));
      if (wanted && i < outputs.length) (this.saved ??= new Map()).set(name, new SavedTensor(outputs[i], true));
    });
  }

  /** The value of `name` for a gradient rule: a saved tensor, or an attribute of the call. */
  value(name: string): unknown {
    const saved = this.saved?.get(name);
    if (saved !== undefined) return Array.isArray(saved) ? saved.map((s) => s.unpack(this)) : saved.unpack(this);
    const position = this.op.schema.positions.get(name);
    const attribute = position === undefined ? undefined : this.attributes[position];
    return attribute instanceof Shape ? null : attribute;
  }

  override kept(name: string): unknown {
    const saved = this.saved?.get(name);
    if (saved !== undefined) return saved;
    if (name.endsWith("_sym_sizes")) return this.sizesOf(name.slice(0, -"_sym_sizes".length)) ?? undefined;
    const parameter = this.op.schema.parameters[this.op.schema.positions.get(name) ?? -1];
    const isTensor = parameter === undefined || parameter.type.startsWith("Tensor");
    if (isTensor && !this.op.rules.some((rule) => rule.saves(this.attributes).includes(name))) return undefined;
    return parameter === undefined || parameter.type === "Tensor" ? new SavedTensor(null, false) : this.value(name);
  }

  apply(grads: Grads): Grads {
    const results: Grads = new Array<Tensor | null>(this.nextNodes.length).fill(null);
    if (grads.every((g) => g === null)) return results;
    if (this.saved !== null && (this.saved.size > 1 || this.nextNodes[0] === null)) this.checkSaved();
    let span = 0;
    for (const rule of this.op.rules) {
      const spans = this.spans.slice(span, span + rule.inputs.length);
      span += rule.inputs.length;
      const needed = spans.map(([from, count]) => {
        for (let i = from; i < from + count; i++) if ((this.nextNodes[i]?.role ?? skipped) !== skipped) return true;
        return false;
      });
      if (!needed.includes(true)) continue;
      const out = rule.apply(this, grads, needed);
      spans.forEach(([from, count], k) => {
        const result: unknown = out[k] ?? null;
        if (Array.isArray(result)) result.forEach((g: Tensor | null, i) => (results[from + i] = g));
        else if (count > 0) results[from] = result as Tensor | null;
      });
    }
    if (!gradMode.enabled) this.markOwned(results, grads);
    return results;
  }

  /**
   * Marks the results that nobody else refers to, so that they may be kept, added to or released as they are: those in new
   * memory, and those in the memory of a gradient that was owned itself.
   */
  private markOwned(results: Grads, grads: Grads): void {
    for (let i = 0; i < results.length; i++) {
      const result = results[i];
      if (result === null) continue;
      const source = grads.find((grad) => grad?._storage === result._storage);
      const shared = results.some((other, k) => k !== i && other?._storage === result._storage) || this.mayHold(result._storage);
      const dense = result._contiguous || isNonOverlappingAndDense(result._sizes, result._strides);
      result._owned = !shared && dense && (source === undefined || source === null || source._owned);
    }
  }

  private mayHold(storage: Storage): boolean {
    if (this.saved === null) return false;
    for (const saved of this.saved.values()) {
      if (Array.isArray(saved) ? saved.some((s) => s.mayHold(storage)) : saved.mayHold(storage)) return true;
    }
    return false;
  }

  /** In the order in which PyTorch looks at them: by name, outputs last. */
  override savedTensors(): readonly SavedTensor[] {
    if (this.saved === null) return [];
    const { returns } = this.op.schema;
    const names = [...this.saved.keys()].sort((a, b) => Number(returns.includes(a)) - Number(returns.includes(b)) || (a < b ? -1 : 1));
    return names.flatMap((name) => this.saved!.get(name)!);
  }

  override releaseVariables(): void {
    if (this.saved === null) return;
    for (const saved of this.saved.values()) for (const s of Array.isArray(saved) ? saved : [saved]) s.free();
  }
}
