/** The node of a custom Function, and what its `forward` and `backward` are given to talk to it. */
import { RuntimeError } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";
import { float32 } from "../tensor/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ops } from "./engine-ops.ts";
import { Node, type Grads, type OutputMetadata } from "./node.ts";
import { backwardTwice, SavedTensor } from "./saved-tensor.ts";
import { gradFn, gradientNode } from "./variable.ts";

export const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;
const isNothing = (value: unknown): boolean => value === null || value === undefined;

/** What `forward` hands to `backward`: tensors by `save_for_backward`, anything else as properties of its own. */
export class FunctionCtx {
  /** Of each input: is it a tensor that requires grad? Gradients of the others go nowhere. */
  needs_input_grad: boolean[] = [];
  /** @internal */ _node: FunctionNode | null = null;
  /** @internal */ _toSave: readonly (Tensor | null)[] = [];
  /** @internal */ _dirty: readonly Tensor[] = [];
  /** @internal */ _nonDifferentiable: readonly Tensor[] = [];
  /** @internal */ _materializeGrads = true;
  /** Is `backward` given zeros for outputs that are marked as not differentiable? */
  _materialize_non_diff_grads = true;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- programs keep here what they like
  [attribute: string]: any;

  /** Keeps inputs and outputs, or null, for `backward`. Called once, by `forward` or `setup_context`. */
  save_for_backward(...tensors: (Tensor | null)[]): void {
    this._toSave = tensors;
  }
  /** In `backward`, what was saved; throws where a saved tensor was written since, or the graph was freed. */
  get saved_tensors(): Tensor[] {
    return (this._node?.saved_tensors ?? []) as Tensor[];
  }
  /** Says that `forward` wrote to these inputs. It must return each of them. */
  mark_dirty(...inputs: Tensor[]): void {
    refuseOthers("mark_dirty can only accept variables", inputs);
    this._dirty = inputs;
  }
  /** Says that no gradient flows through these outputs. */
  mark_non_differentiable(...outputs: Tensor[]): void {
    refuseOthers("mark_non_differentiable only accepts variable arguments", outputs);
    this._nonDifferentiable = outputs;
  }
  /** With `false`, `backward` is given null instead of zeros for an output from which no gradient comes. */
  set_materialize_grads(value: boolean): void {
    this._materializeGrads = value;
  }
}

function refuseOthers(rule: string, values: readonly unknown[]): void {
  const other = values.findIndex((value) => !isTensor(value));
  if (other !== -1) throw new RuntimeError(`${rule}, but argument ${other} is of type ${typeText(values[other])}`);
}

/** Stands among a node's outputs for what is no tensor. */
const noTensor: OutputMetadata = { sizes: [], dtype: float32 };

/** Runs the `backward` of a custom Function. */
export class FunctionNode extends Node {
  private readonly functionName: string;
  private readonly backward: (ctx: FunctionCtx, ...grads: Grads) => unknown;
  private readonly ctx: FunctionCtx;
  /** Of each input: is it a tensor? Only these have edges. */
  private readonly tensors: readonly boolean[];
  private readonly plainOutputs = new Set<number>();
  private saved: SavedTensor[] | null = [];

  constructor(functionName: string, backward: FunctionNode["backward"], ctx: FunctionCtx, inputs: readonly unknown[], recorded: boolean) {
    const tensors = recorded ? inputs.filter(isTensor) : [];
    super(tensors.map((tensor) => gradientNode(tensor)), tensors.map((tensor) => tensor._outputNr));
    this.functionName = functionName;
    this.backward = backward;
    this.ctx = ctx;
    this.tensors = inputs.map(isTensor);
  }
  name(): string {
    return `${this.functionName}Backward`;
  }
  get needs_input_grad(): boolean[] {
    return this.ctx.needs_input_grad;
  }
  get saved_tensors(): (Tensor | null)[] {
    return this._raw_saved_tensors.map((saved) => saved.unpack(this));
  }
  get _raw_saved_tensors(): SavedTensor[] {
    if (this.saved === null) throw new RuntimeError(backwardTwice);
    return this.saved;
  }

  /** Keeps what `forward` gave to save, once it is known which of that are outputs. */
  save(): void {
    this.saved = this.ctx._toSave.map((tensor: unknown, i) => {
      if (isNothing(tensor)) return new SavedTensor(null, false);
      if (isTensor(tensor)) return new SavedTensor(tensor, gradFn(tensor) === this);
      throw new TypeError(`save_for_backward can only save variables, but argument ${i} is of type ${typeText(tensor)}`);
    });
    // From now on only the node holds them, and lets go of them when it is freed.
    Object.assign(this.ctx, { _node: this, _toSave: [], _dirty: [], _nonDifferentiable: [] });
  }
  /** An output to which no gradient is sent; `backward` has a parameter for it all the same. */
  addPlainOutput(output: unknown): void {
    this.plainOutputs.add(this.outputs.length);
    if (isTensor(output)) this.addOutput(output);
    else this.outputs = [...this.outputs, noTensor];
  }

  apply(grads: Grads): Grads {
    const returned = this.backward(this.ctx, ...grads.map((grad, i) => (grad === null ? this.absent(i) : held(grad))));
    return this.gradients(Array.isArray(returned) ? returned : [returned]);
  }
  /** What `backward` is given for an output from which no gradient came. */
  private absent(i: number): Tensor | null {
    const output = this.outputs[i];
    if (output === noTensor || !this.ctx._materializeGrads) return null;
    if (this.plainOutputs.has(i) && !this.ctx._materialize_non_diff_grads) return null;
    return ops.full(output.sizes, 0, output.dtype);
  }
  /** What `backward` returned, for each edge. It may return too many where the rest is null. */
  private gradients(returned: readonly unknown[]): Grads {
    const { tensors } = this;
    const given = returned.slice(tensors.length).every(isNothing) ? returned.slice(0, tensors.length) : returned;
    if (given.length !== tensors.length) {
      throw new RuntimeError(`function ${this.name()} returned an incorrect number of gradients (expected ${tensors.length}, got ${given.length})`);
    }
    for (const [i, grad] of given.entries()) {
      if (isNothing(grad)) continue;
      if (!tensors[i]) {
        throw new RuntimeError(
          `function ${this.name()} returned a gradient different than None at position ${i + 1}, but the corresponding forward input was not a Variable`,
        );
      }
      if (!isTensor(grad)) throw new RuntimeError(`expected Variable or None (got ${typeText(grad)})`);
    }
    return given.filter((_, i) => tensors[i]).map((grad) => (isTensor(grad) ? held(grad) : null));
  }

  /** PyTorch looks at what a Function saved only when the program asks for it. */
  override checkSaved(): void {}
  override savedTensors(): readonly SavedTensor[] {
    return this.saved ?? [];
  }
  override releaseVariables(): void {
    for (const saved of this.saved ?? []) saved.free();
    this.saved = null;
  }
  override toString(): string {
    return super.toString().replace("<", "<torch.autograd.function.");
  }
}

/** A gradient that the program has seen: the engine may not reuse its memory. */
function held(grad: Tensor): Tensor {
  grad._owned = false;
  return grad;
}
