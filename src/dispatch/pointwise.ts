/** Ops that work element by element: one formula for the value, one for each gradient. */
import { gradMode } from "../autograd/grad-mode.ts";
import { ops } from "../autograd/engine-ops.ts";
import { exposeSaved } from "../autograd/saved-attributes.ts";
import { bumpVersion, checkHistory, checkInplace, rebaseHistory, refuseInferenceWrite, requiresGrad, setHistory } from "../autograd/variable.ts";
import { RuntimeError } from "../errors.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { Signature } from "../schema/arguments.ts";
import { parseSchema, type Schema } from "../schema/schema.ts";
import { bool, can_cast, FLOAT, get_default_dtype, type DType } from "../tensor/dtype.ts";
import { sameSizes } from "../tensor/layout.ts";
import { emptyStrided, emptyTensor, Tensor } from "../tensor/tensor.ts";
import { fused, type Fused } from "./fused.ts";
import { broadcastTensors, layoutIn, refuseBroadcastOutput, refuseInternalOverlap, refusePartialOverlap, resultStrides, warnOfExpanded } from "./iterate.ts";
import { makeOp, type Overload } from "./op.ts";
import { foundDtype, type OutRule } from "./out.ts";
import { PointwiseNode, UnderivedNode } from "./pointwise-node.ts";
import { commonDtype, type TensorOrNumber } from "./promote.ts";
import { defaultNodeName } from "./record.ts";

/** Which formula serves depends on arguments that are not tensors, such as a rounding mode or an absent bound. */
export class Choice {
  readonly names: readonly string[];
  readonly pick: (...values: never[]) => Formula;
  constructor(names: readonly string[], pick: (...values: never[]) => Formula) {
    this.names = names;
    this.pick = pick;
  }
}

/** Chooses among formulas by named arguments; the formulas must be constants, for their kernels are kept with them. */
export function choose<A extends unknown[]>(names: readonly string[], pick: (...values: A) => Formula): Choice {
  return new Choice(names, pick as unknown as (...values: never[]) => Formula);
}

export interface PointwiseDefinition {
  /** The value of one element. */
  value: Formula | Choice;
  /** The gradient of each differentiable input; `grad` is the output's, `result` the output. */
  backward?: Record<string, Formula | Choice>;
  /** Dtype of the result: the promoted one, the promoted one made floating, or bool. */
  out?: "same" | "float" | "bool";
  /** Inputs that take no part in promotion, such as masks. */
  unpromoted?: readonly string[];
  /** Numbers that take part in promotion although they are not operands, such as an exponent. */
  promoted?: readonly string[];
  /** Refuses a call at once. */
  refuse?: (values: readonly unknown[], common: DType, inplace: boolean) => void;
  /** Refuses a call whose result can be written where it is to go. */
  check?: (values: readonly unknown[], common: DType, out: DType) => void;
  node?: string;
  /** Refuses a backward before any gradient is computed: `needed` are the inputs that want one, `saved` gives what was kept of an input. */
  refuseBackward?: (needed: readonly string[], saved: (name: string) => Tensor | null) => void;
  /** Name of an op that has no derivative: its node refuses to run backward. */
  noDerivative?: string;
  /** Do Tensor parameters take numbers too? Default: where there are two or more. `"apart"`: another overload takes them. */
  numbers?: boolean | "apart";
  /** Has it an in-place form? Default: yes, unless the result is bool. */
  inplace?: boolean;
  /** Is it a method of Tensor? Default: yes. */
  method?: boolean;
  /** Does the function take `out`? Default: yes. */
  takesOut?: boolean;
  /** Has it the calls of `schema/deprecated.ts` too? */
  hasDeprecated?: boolean;
  /** Does it write to elements that share memory, with a warning? Default: it refuses to. */
  writesShared?: boolean;
  /** How it takes `out`. Default: only in the dtype of the result where that is the dtype of the only operand. */
  outRule?: OutRule;
  /** How the result lies: in row-major order, or as `self` does, be it with gaps closed. Default: as TensorIterator has it. */
  layout?: "contiguous" | "like self";
  /** What the text about a result that cannot be written in place calls a dtype. Default: `Long`. */
  castName?: (dtype: DType) => string;
}

/** Definitions filled up with it are objects of one shape, in which engines find properties at once. */
const nothingSaid: Partial<Record<keyof PointwiseDefinition, undefined>> = {
  backward: undefined, out: undefined, unpromoted: undefined, promoted: undefined, refuse: undefined, check: undefined, node: undefined,
  noDerivative: undefined, numbers: undefined, inplace: undefined, method: undefined, takesOut: undefined, writesShared: undefined, outRule: undefined,
  layout: undefined, castName: undefined, value: undefined, hasDeprecated: undefined,
};

/** A formula as the value of an op. */
interface Use {
  readonly kernel: Fused;
  /** Are the formula's names the parameters in their order, so that the values of a call can be handed on as they are? */
  readonly aligned: boolean;
  /** Does it read every tensor? */
  readonly readsAll: boolean;
}

/** The names that some picked formulas read, with those that two of them read or that are the result; and the same for one formula more. */
class Picked {
  readonly next = new Map<Formula, Picked>();
  readonly read: readonly string[];
  readonly shared: readonly string[];

  constructor(read: readonly string[]) {
    this.read = read;
    this.shared = read.filter((name, i) => name !== "grad" && (name === "result" || read.indexOf(name) !== i));
  }
}

/** One schema of a pointwise op. */
export class PointwiseOverload implements Overload {
  readonly schema: Schema;
  readonly signature: Signature;
  readonly nodeName: string;
  readonly definition: PointwiseDefinition;
  readonly inplace?: (values: unknown[]) => Tensor;
  readonly outRule: OutRule;
  readonly differentiates: boolean;
  /** Names and positions of the differentiable inputs, in schema order: the edges of the node. */
  readonly differentiable: readonly { name: string; position: number; formula: Formula | Choice }[];
  /** What `sharedBy` gives, where it is the same for all calls. */
  private readonly fixedShared: readonly string[] | null;
  private readonly shared = new Picked([]);
  /** Positions in the order in which PyTorch looks at what was saved: by name, the result last. */
  readonly unpacked: readonly number[];
  private readonly operands: readonly number[];
  private readonly tensorPositions: readonly number[];
  /** Tensors, and numbers that PyTorch makes 0-dim tensors of; they decide the layout of the result. */
  private readonly shaping: readonly number[];
  /** How the formula of the value is used, where there is but one; else how those are that were chosen so far. */
  private readonly onlyUse: Use | null;
  private readonly uses = new Map<Formula, Use>();

  constructor(text: string, definition: PointwiseDefinition) {
    this.schema = parseSchema(text);
    const { parameters, positions } = this.schema;
    const tensors = parameters.filter((p) => p.type === "Tensor");
    const { numbers = tensors.length > 1, takesOut = true, hasDeprecated = false } = definition;
    this.signature = new Signature(this.schema, { numbersAsTensors: numbers, takesOut, hasDeprecated });
    this.nodeName = definition.node ?? (definition.noDerivative === undefined ? defaultNodeName(this.schema.name) : "torch::autograd::NotImplemented");
    this.definition = { ...nothingSaid, ...definition };
    this.differentiable = Object.entries(definition.backward ?? {})
      .map(([name, formula]) => ({ name, position: positions.get(name)!, formula }))
      .sort((a, b) => a.position - b.position);
    const chosen = this.differentiable.length > 1 && this.differentiable.some(({ formula }) => formula instanceof Choice);
    this.fixedShared = chosen ? null : this.sharedBy([]);
    this.unpacked = [...[...positions.keys()].sort().map((name) => positions.get(name)!), parameters.length];
    const promotes = (name: string): boolean => !definition.unpromoted?.includes(name);
    this.tensorPositions = tensors.map((p) => positions.get(p.name)!);
    const keepsDtype = tensors.length === 1 && definition.promoted === undefined && (definition.out ?? "same") === "same";
    this.outRule = { keepsInputs: true, ...(definition.outRule ?? (keepsDtype ? foundDtype : {})) };
    this.differentiates = definition.out !== "bool";
    this.shaping = [...this.tensorPositions, ...["self", "other"].filter((name) => definition.promoted?.includes(name)).map((name) => positions.get(name)!)];
    this.operands = parameters
      .filter((p) => (p.type === "Tensor" && promotes(p.name)) || definition.promoted?.includes(p.name))
      .map((p) => positions.get(p.name)!);
    this.onlyUse = definition.value instanceof Choice ? null : this.newUse(definition.value);
    this.checkNames();
    exposeSaved([...positions.keys(), "result"]);
    if (definition.inplace ?? definition.out !== "bool") this.inplace = (values) => this.callInplace(values);
  }

  /** A misspelt name in a formula is an error of the table, found when it is loaded. */
  private checkNames(): void {
    const formulas = [this.definition.value, ...Object.values(this.definition.backward ?? {})];
    for (const formula of formulas) {
      if (formula instanceof Choice) continue;
      for (const name of fused(formula).names) {
        if (name !== "grad" && name !== "result" && !this.schema.positions.has(name)) throw new Error(`${this.schema.name}: no value is called ${name}`);
      }
    }
    for (const { name, position } of this.differentiable) if (position === undefined) throw new Error(`${this.schema.name}: no input is called ${name}`);
  }

  /** What is saved whichever gradients are asked for, as PyTorch does: the result, and what several gradients read. */
  sharedBy(values: readonly unknown[]): readonly string[] {
    if (this.fixedShared) return this.fixedShared;
    if (this.differentiable.length < 2) return [];
    let known = this.shared;
    for (let i = 0; i < this.differentiable.length; i++) {
      const { formula } = this.differentiable[i];
      const picked = formula instanceof Choice ? this.picked(formula, values) : formula;
      let next = known.next.get(picked);
      if (next === undefined) known.next.set(picked, (next = new Picked([...known.read, ...fused(picked).names])));
      known = next;
    }
    return known.shared;
  }

  /** Does a gradient ask for `name`? */
  reads(name: string): boolean {
    return this.differentiable.some(({ formula }) => formula instanceof Choice || fused(formula).names.includes(name));
  }

  /** The formula that serves a call with these arguments. */
  formulaOf(choice: Formula | Choice, values: readonly unknown[]): Fused {
    return fused(choice instanceof Choice ? this.picked(choice, values) : choice);
  }

  private picked({ names, pick }: Choice, values: readonly unknown[]): Formula {
    const { positions } = this.schema;
    if (names.length === 1) return pick(values[positions.get(names[0])!] as never);
    return pick(...(names.map((name) => values[positions.get(name)!]) as never[]));
  }

  /** The dtype in which a call computes, and that of its result. */
  protected dtypes(values: readonly unknown[]): { common: DType; out: DType } {
    const { operands, definition } = this;
    let common: DType;
    const first = values[operands[0]];
    if (operands.length === 1 && first instanceof Tensor) common = first.dtype;
    else common = commonDtype(values, operands);
    if (definition.out === "float" && common.kind !== FLOAT) common = get_default_dtype();
    return { common, out: definition.out === "bool" ? bool : common };
  }

  private useOf(values: readonly unknown[]): Use {
    if (this.onlyUse !== null) return this.onlyUse;
    const formula = this.picked(this.definition.value as Choice, values);
    let use = this.uses.get(formula);
    if (use === undefined) this.uses.set(formula, (use = this.newUse(formula)));
    return use;
  }

  private newUse(formula: Formula): Use {
    const kernel = fused(formula);
    const { parameters, positions } = this.schema;
    return {
      kernel,
      aligned: kernel.names.every((name, i) => positions.get(name) === i),
      readsAll: parameters.every((p) => p.type !== "Tensor" || kernel.names.includes(p.name)),
    };
  }

  private compute(values: readonly unknown[], common: DType, outDtype: DType, out: Tensor | null): Tensor {
    const { kernel, aligned, readsAll } = this.useOf(values);
    let inputs = values as readonly TensorOrNumber[];
    if (!aligned) inputs = kernel.names.map((name) => values[this.schema.positions.get(name)!] as TensorOrNumber);
    const result = kernel.run(inputs, common, outDtype, out, this.allTensors(values));
    return out !== null || readsAll ? result : this.unread(values, result);
  }

  /** The result where its layout is not left to the kernel. */
  private target(values: readonly unknown[], common: DType, outDtype: DType): Tensor | null {
    const { layout, unpromoted } = this.definition;
    if (layout === undefined && (unpromoted === undefined || this.isPlain(values))) return null;
    const tensors = this.tensorPositions.map((i) => values[i]).filter((v) => v instanceof Tensor);
    if (layout === "like self") return ops.emptyLike(tensors[0], outDtype);
    // PyTorch broadcasts the mask before `self`, which shows in the text where they do not fit.
    if (layout === "contiguous") return emptyTensor(broadcastTensors(tensors.toReversed()), outDtype);
    const sizes = broadcastTensors(tensors);
    const masks = unpromoted!.map((name) => values[this.schema.positions.get(name)!]);
    const layouts = tensors.map((t) => (masks.includes(t) ? t : layoutIn(t, common)));
    return emptyStrided(sizes, resultStrides(sizes, layouts, this.allTensors(values)), outDtype);
  }

  /** Are all tensors in row-major order and of one shape? Then so is the result. */
  private isPlain(values: readonly unknown[]): boolean {
    let first: Tensor | null = null;
    for (const position of this.tensorPositions) {
      const value = values[position];
      if (!(value instanceof Tensor)) continue;
      first ??= value;
      if (!value._contiguous || (value._sizes !== first._sizes && !sameSizes(value._sizes, first._sizes))) return false;
    }
    return first !== null && (this.allTensors(values) || !(first._numel === 0 || first._sizes.includes(1)));
  }

  /** No number stands where a tensor may. */
  private allTensors(values: readonly unknown[]): boolean {
    const { shaping } = this;
    for (let i = 0; i < shaping.length; i++) {
      const value = values[shaping[i]];
      if (value !== null && !(value instanceof Tensor)) return false;
    }
    return true;
  }

  /** A tensor that the formula does not read still takes part in the shape. */
  private unread(values: readonly unknown[], result: Tensor): Tensor {
    const tensors = this.tensorPositions.map((i) => values[i]).filter((v) => v instanceof Tensor);
    if (tensors.length === 0) return result;
    const sizes = broadcastTensors(tensors);
    return sameSizes(sizes, result._sizes) ? result : ops.copyInto(ops.emptyStrided(sizes, [], result.dtype), result);
  }

  call(values: unknown[]): Tensor {
    const { common, out: outDtype } = this.dtypes(values);
    // The node comes first: an input that may not be used in the graph is refused before anything else.
    const node = gradMode.enabled && this.definition.out !== "bool" && this.anyRequiresGrad(values) ? this.makeNode(values, common, "") : null;
    let out: Tensor;
    try {
      this.definition.refuse?.(values, common, false);
      const target = this.target(values, common, outDtype);
      if (this.definition.check !== undefined) this.check(values, common, outDtype);
      out = this.compute(values, common, outDtype, target);
    } catch (error) {
      // PyTorch saves inputs before it computes: a tensor that may not be saved is refused first.
      if (this.definition.noDerivative === undefined) node?.save(values, null, null);
      throw error;
    }
    if (out._sizes.length === 0 && this.isNumber(values)) out._wrapped = true;
    if (node !== null && (outDtype.kind === FLOAT || this.definition.noDerivative === undefined)) {
      refuseIntegerGraph(outDtype);
      setHistory(out, node);
      node.save(values, out, null);
    }
    return out;
  }

  writeTo(values: unknown[], out: Tensor): boolean {
    const { common, out: outDtype } = this.dtypes(values);
    if (out.dtype !== outDtype || !out._contiguous || !this.tensorPositions.every((i) => fitsBeside(values[i], out))) return false;
    checkInplace(out, false);
    this.definition.refuse?.(values, common, false);
    this.definition.check?.(values, common, outDtype);
    this.compute(values, common, outDtype, out);
    bumpVersion(out);
    return true;
  }

  /** Shapes that do not fit are refused before what there is no kernel for. */
  private check(values: readonly unknown[], common: DType, outDtype: DType): void {
    try {
      this.definition.check!(values, common, outDtype);
    } catch (error) {
      const tensors = this.tensorPositions.map((i) => values[i]).filter((v) => v instanceof Tensor);
      if (tensors.length > 1) broadcastTensors(tensors);
      throw error;
    }
  }

  private makeNode(values: readonly unknown[], common: DType, suffix: "" | "_"): PointwiseNode {
    const { noDerivative } = this.definition;
    return noDerivative === undefined ? new PointwiseNode(this, values, common) : new UnderivedNode(this, values, common, noDerivative + suffix);
  }

  private anyRequiresGrad(values: readonly unknown[]): boolean {
    const { differentiable } = this;
    for (let i = 0; i < differentiable.length; i++) {
      const value = values[differentiable[i].position];
      if (value instanceof Tensor && (value._requiresGrad || value._gradFn !== null || (value._view !== null && requiresGrad(value)))) return value._counter !== null || this.hasNormalTensor(values);
    }
    return false;
  }

  /** Are the operands numbers, as those of a formula are? Then so is the result: it ranks as low in promotion. */
  private isNumber(values: readonly unknown[]): boolean {
    let any = false;
    for (let i = 0; i < this.tensorPositions.length; i++) {
      const value = values[this.tensorPositions[i]];
      if (!(value instanceof Tensor)) continue;
      if (!value._wrapped) return false;
      any = true;
    }
    return any;
  }

  /** Is there a tensor that is no inference tensor? A number where a tensor may stand is one. PyTorch's autograd does not see other calls. */
  private hasNormalTensor(values: readonly unknown[]): boolean {
    return this.tensorPositions.some((i) => (values[i] instanceof Tensor ? values[i]._counter !== null : values[i] !== null));
  }

  /** Refuses a target in which the result has no room, or whose memory the tensors share in part. */
  private checkTarget(self: Tensor, values: readonly unknown[]): void {
    if (this.definition.writesShared === true) warnOfExpanded(self, `${this.schema.name}_`);
    else refuseInternalOverlap(self);
    let fits = true;
    for (let i = 0; i < this.tensorPositions.length; i++) {
      const value = values[this.tensorPositions[i]];
      if (!(value instanceof Tensor)) continue;
      refusePartialOverlap(self, value);
      if (value._sizes !== self._sizes && !sameSizes(value._sizes, self._sizes)) fits = false;
    }
    if (!fits) refuseBroadcastOutput(self, broadcastTensors(this.tensorPositions.map((i) => values[i]).filter((v) => v instanceof Tensor)));
  }

  private callInplace(values: unknown[]): Tensor {
    const self = values[0] as Tensor;
    const recording = gradMode.enabled && this.anyRequiresGrad(values);
    checkHistory(self, recording);
    const { common, out: outDtype } = this.dtypes(values);
    const made = recording ? this.makeNode(values, common, "_") : null;
    const node = self.dtype.kind === FLOAT || this.definition.noDerivative === undefined ? made : null;
    node?.save(values, null, self);
    this.definition.refuse?.(values, common, true);
    this.checkTarget(self, values);
    if (!can_cast(outDtype, self.dtype)) {
      throw new RuntimeError(`result type ${outDtype.title} can't be cast to the desired output type ${this.definition.castName?.(self.dtype) ?? self.dtype.title}`);
    }
    this.definition.check?.(values, common, outDtype);
    refuseInferenceWrite(self);
    this.compute(values, common, self.dtype, self);
    bumpVersion(self);
    if (node !== null) {
      rebaseHistory(self, node);
      node.saveResult(values, self);
    }
    return self;
  }
}

/** Is it of the shape of `out`, in row-major order, and in other memory unless it is `out`? A number is. */
function fitsBeside(value: unknown, out: Tensor): boolean {
  if (!(value instanceof Tensor)) return true;
  return value._contiguous && sameSizes(value._sizes, out._sizes) && (value === out || value._storage !== out._storage);
}

/** An integer tensor can get into the graph by in-place writes only; nothing differentiable can be made of it. */
export function refuseIntegerGraph(dtype: DType): void {
  if (dtype.kind !== FLOAT) throw new RuntimeError(`Autograd not support dtype: ${dtype.title}`);
}

/** Defines a pointwise op with one schema. */
export function pointwise<T>(text: string, definition: PointwiseDefinition): T {
  return overloaded<T>({ method: definition.method }, new PointwiseOverload(text, definition));
}

/** Makes one op of several overloads, tried in order. */
export function overloaded<T>(options: { method?: boolean | undefined }, ...overloads: readonly (Overload & { signature: Signature })[]): T {
  return makeOp(overloads[0].signature.schema.name, overloads, options.method ?? true) as T;
}
