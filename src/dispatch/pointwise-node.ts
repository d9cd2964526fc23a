/** The node of a pointwise op: what it saves, and how its gradient formulas are run. */
import { ops } from "../autograd/engine-ops.ts";
import { gradMode } from "../autograd/grad-mode.ts";
import { Node, skipped, takeSequenceNr, type Grads } from "../autograd/node.ts";
import { backwardTwice, SavedTensor } from "../autograd/saved-tensor.ts";
import { gradientNode } from "../autograd/variable.ts";
import { RuntimeError } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { FLOAT, float64, INT, type DType } from "../tensor/dtype.ts";
import { emptyTensor, Tensor } from "../tensor/tensor.ts";
import { evaluateOnTensors, type Fused } from "./fused.ts";
import type { PointwiseOverload } from "./pointwise.ts";
import type { TensorOrNumber } from "./promote.ts";

/** Room for the arguments and the result. (The method `fill` takes longer than small kernels do.) */
function nothingSaved(arity: number): (SavedTensor | null)[] {
  const saved = new Array<SavedTensor | null>(arity + 1);
  for (let i = 0; i <= arity; i++) saved[i] = null;
  return saved;
}

/** The node of a pointwise op. */
export class PointwiseNode extends Node {
  private readonly op: PointwiseOverload;
  private readonly common: DType;
  /** Arguments of the call that are not tensors, by position; null where there are none. */
  private attributes: readonly unknown[] | null = null;
  private savedCount = 0;
  /** A tensor is saved that no formula of this node reads; it is checked all the same. */
  private savesMore = false;
  /** A number stands where PyTorch saves a tensor, so that it is freed like one. */
  private savesNumber = false;
  /** Saved tensors by position; the result comes last. */
  private saved: (SavedTensor | null)[] | null = null;
  /** The formula of each edge, null where no gradient flows. */
  private readonly formulas: readonly (Fused | null)[];

  constructor(op: PointwiseOverload, values: readonly unknown[], common: DType, numbered = true) {
    const { differentiable } = op;
    const count = differentiable.length;
    const nodes = new Array<Node | null>(count);
    const formulas = new Array<Fused | null>(count);
    let indices: number[] | undefined;
    for (let i = 0; i < count; i++) {
      const value = values[differentiable[i].position];
      const node = value instanceof Tensor ? gradientNode(value) : null;
      nodes[i] = node;
      // A lone gradient is prepared even if no edge takes it: a view made without recording has none, and yet requires grad.
      formulas[i] = node === null && count > 1 ? null : op.formulaOf(differentiable[i].formula, values);
      if (node !== null && (value as Tensor)._outputNr !== 0) (indices ??= new Array<number>(count).fill(0))[i] = (value as Tensor)._outputNr;
    }
    super(nodes, indices, numbered);
    this.op = op;
    this.common = common;
    this.formulas = formulas;
  }

  name(): string {
    return this.op.nodeName;
  }

  /** Saves what the formulas ask for; `overwritten` is a self about to be written, of which a copy is kept. */
  save(values: readonly unknown[], result: Tensor | null, overwritten: Tensor | null): void {
    let complete = true;
    for (const formula of this.formulas) {
      if (formula === null) complete = false;
      else for (const name of formula.names) this.saveValue(name, values, result, overwritten);
    }
    if (!complete) for (const name of this.op.sharedBy(values)) if (this.saveValue(name, values, result, overwritten)) this.savesMore = true;
  }

  /** Saves one value unless it is saved already; tells whether it did. */
  private saveValue(name: string, values: readonly unknown[], result: Tensor | null, overwritten: Tensor | null): boolean {
    if (name === "grad") return false;
    const { parameters, positions } = this.op.schema;
    const arity = values.length;
    const position = name === "result" ? arity : positions.get(name)!;
    if (this.saved?.[position]) return false;
    const value = position === arity ? result : values[position];
    if (value instanceof Tensor) {
      const kept = value === overwritten && position === 0 ? ops.clone(value) : value;
      (this.saved ??= nothingSaved(arity))[position] = new SavedTensor(kept, position === arity, kept !== value);
      this.savedCount++;
      return true;
    }
    if (position !== arity) {
      this.attributes ??= values.map((v) => (v instanceof Tensor ? null : v));
      if (parameters[position].type === "Tensor") this.savesNumber = true;
    }
    return false;
  }

  /** Saves the result of an in-place op, which exists only after the write. */
  saveResult(values: readonly unknown[], result: Tensor): void {
    if (this.op.reads("result")) this.save(values, result, result);
  }

  private valueAt(name: string, grad: Tensor): TensorOrNumber {
    if (name === "grad") return grad;
    const { positions } = this.op.schema;
    const position = name === "result" ? this.op.schema.parameters.length : positions.get(name)!;
    const saved = this.saved?.[position];
    if (saved) return saved.unpack(this)!;
    if (this.attributes === null) throw new RuntimeError(backwardTwice);
    return this.attributes[position] as TensorOrNumber;
  }

  /** The formula of an edge with the values that it reads, for whoever explains a gradient; null where no gradient flows. */
  formulaAt(edge: number, grad: Tensor): { formula: Formula; values: Record<string, TensorOrNumber> } | null {
    const fused = this.formulas[edge];
    if (fused === null || this.nextNodes[edge] === null) return null;
    return { formula: fused.formula, values: Object.fromEntries(fused.names.map((name) => [name, this.valueAt(name, grad)])) };
  }

  apply([grad]: Grads): Grads {
    const { formulas, nextNodes, nextIndices } = this;
    const results: Grads = new Array<Tensor | null>(formulas.length).fill(null);
    if (grad === null) return results;
    if (this.savedCount > 1 || this.savesMore || nextNodes[0] === null) this.checkSaved();
    this.op.definition.refuseBackward?.(this.wanted(), (name) => this.saved?.[this.op.schema.positions.get(name)!]?.unpack(this) ?? null);
    for (let i = 0; i < formulas.length; i++) {
      const formula = formulas[i];
      const next = nextNodes[i];
      if (formula === null || next === null || next.role === skipped) continue;
      if (formula.isIdentity && formula.names[0] === "grad") {
        if (results.includes(grad)) grad._owned = false;
        results[i] = grad;
        continue;
      }
      const { names } = formula;
      const inputs = new Array<TensorOrNumber>(names.length);
      for (let k = 0; k < names.length; k++) inputs[k] = this.valueAt(names[k], grad);
      const { dtype } = next.outputs[nextIndices.length === 0 ? 0 : nextIndices[i]];
      const target = formula.isRowMajor ? emptyTensor(grad._sizes, dtype) : null;
      if (formula.constant !== null) {
        results[i] = ops.copyInto(target ?? ops.emptyLike(grad, dtype), ops.full([], formula.constant, dtype));
      } else if (gradMode.enabled) {
        results[i] = this.onTensors(formula, inputs, grad);
      } else {
        const result = formula.run(inputs, this.common, dtype, target);
        result._owned = true;
        results[i] = result;
      }
    }
    return results;
  }

  /** The inputs whose gradients the running backward wants. */
  private wanted(): string[] {
    return this.op.differentiable.filter((_, i) => this.nextNodes[i] !== null && this.nextNodes[i]!.role !== skipped).map(({ name }) => name);
  }

  override savedTensors(): readonly (SavedTensor | null)[] {
    return this.saved ?? [];
  }

  override checkSaved(): void {
    if (this.saved !== null) for (const position of this.op.unpacked) this.saved[position]?.unpack(this);
    if (this.savesNumber && this.attributes === null) throw new RuntimeError(backwardTwice);
  }

  /** The formula in recorded tensor ops. Integers are cast, as they were for the value; numbers enter as 0-dim tensors that rank lowest in promotion. */
  private onTensors(formula: Fused, inputs: readonly TensorOrNumber[], grad: Tensor): Tensor {
    const values: Record<string, Tensor> = {};
    const { unpromoted } = this.op.definition;
    formula.names.forEach((name, i) => {
      const input = inputs[i];
      if (!(input instanceof Tensor)) values[name] = wrappedFloat(input);
      else values[name] = input.dtype.kind === INT && this.common.kind === FLOAT && !unpromoted?.includes(name) ? ops.to(input, this.common) : input;
    });
    const result = evaluateOnTensors(formula.formula, values);
    return typeof result === "number" ? ops.full(grad._sizes, result, grad.dtype) : result;
  }

  override releaseVariables(): void {
    if (this.saved !== null) for (const s of this.saved) s?.free();
    if (this.savesNumber) this.attributes = null;
  }

  override kept(name: string): unknown {
    const { parameters, positions } = this.op.schema;
    const position = name === "result" ? parameters.length : positions.get(name);
    if (position === undefined || !this.op.reads(name)) return undefined;
    const saved = this.saved?.[position];
    if (saved) return saved;
    const attribute = this.attributes?.[position] ?? null;
    if (parameters[position]?.type !== "Tensor" && name !== "result") return attribute;
    if (this.savesNumber && this.attributes === null) throw new RuntimeError(backwardTwice);
    return new SavedTensor(attribute === null ? null : wrappedNumber(attribute as number), false);
  }
}

/** The node of an op that PyTorch has no derivative for; it runs before all numbered ones, and complains when a gradient arrives. */
export class UnderivedNode extends PointwiseNode {
  private readonly born = takeSequenceNr();
  private readonly called: string;

  /** `called`: the op's name, with the underscore of a call in place. */
  constructor(op: PointwiseOverload, values: readonly unknown[], common: DType, called: string) {
    super(op, values, common, false);
    this.called = called;
  }

  override get birth(): number {
    return this.born;
  }

  override apply([grad]: Grads): Grads {
    if (grad === null) return this.nextNodes.map(() => null);
    throw new RuntimeError(`derivative for aten::${this.called} is not implemented`);
  }
}

/** In gradients all numbers count as floats, which keeps the precision of their functions. */
function wrappedFloat(value: number | bigint | boolean): Tensor {
  const tensor = ops.full([], Number(value), float64);
  tensor._wrapped = true;
  return tensor;
}

/** A number as a 0-dim tensor. */
export function wrappedNumber(value: number | bigint | boolean): Tensor {
  const tensor = ops.scalarTensor(value);
  tensor._wrapped = true;
  return tensor;
}
