/** Ops that are not pointwise: kernels with gradients on tensors, views, composites, factories. */
import { gradMode, withGradMode } from "../autograd/grad-mode.ts";
import { ops } from "../autograd/engine-ops.ts";
import type { Grads } from "../autograd/node.ts";
import { observed } from "../autograd/observer.ts";
import { exposeSaved } from "../autograd/saved-attributes.ts";
import { markRequiresGrad } from "../autograd/tensor-autograd.ts";
import { asView, bumpVersion, checkHistory, rebaseHistory, refuseInferenceWrite, refusesWrite, setHistory } from "../autograd/variable.ts";
import { Signature } from "../schema/arguments.ts";
import { parseSchema, type Schema } from "../schema/schema.ts";
import { checkDevice } from "../tensor/device.ts";
import { FLOAT } from "../tensor/dtype.ts";
import { releasingTemporaries, type Storage } from "../tensor/heap.ts";
import type { Sizes } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { destructuredNames } from "./fused.ts";
import { makeOp, type FunctionOp, type Overload } from "./op.ts";
import { exactDtype, factoryDtype, type OutRule } from "./out.ts";
import { refuseIntegerGraph } from "./pointwise.ts";
import { defaultNodeName, type Differentiable, type GradientRule, mustRecord, OpNode } from "./record.ts";

/** What a gradient on tensors may ask for by name: `grad`, `grads`, `output_sizes`, `needed`, outputs and arguments. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema, which TypeScript does not read
export type TensorFormula = (values: any) => Tensor | null | readonly (Tensor | null | readonly (Tensor | null)[])[];

/** Keys are inputs, or several inputs `"input, weight"` whose gradients one function returns as a list. */
export type Backward = Record<string, TensorFormula>;

const unsaved = new Set(["grad", "grads", "needed", "output_sizes"]);

/** `self_sizes` and `self_strides` stand for the sizes and strides of `self`, which cost nothing to keep. */
const geometryOf = (name: string, schema: Schema): { name: string; tensor: string; what: string } | null => {
  const [, tensor, what] = /^(.*)_(sizes|strides)$/.exec(name) ?? [];
  return tensor !== undefined && schema.positions.has(tensor) ? { name, tensor, what } : null;
};

function gradientRules(schema: Schema, backward: Backward): GradientRule[] {
  const rules = Object.entries(backward).map(([key, formula]): GradientRule => {
    const inputs = key.split(",").map((name) => name.trim());
    const all = destructuredNames(formula);
    const geometry = all.flatMap((name) => geometryOf(name, schema) ?? []);
    const names = all.filter((name) => geometryOf(name, schema) === null);
    for (const name of [...inputs, ...names.filter((n) => !unsaved.has(n) && !schema.returns.includes(n))]) {
      if (!schema.positions.has(name)) throw new Error(`${schema.name}: no value is called ${name}`);
    }
    const saves = names.filter((name) => !unsaved.has(name));
    return {
      inputs,
      saves: () => saves,
      apply(node, grads, needed) {
        const values: Record<string, unknown> = { grad: grads[0], grads, needed };
        for (const name of saves) values[name] = node.value(name);
        for (const { name, tensor, what } of geometry) values[name] = what === "sizes" ? node.sizesOf(tensor) : node.stridesOf(tensor);
        if (all.includes("output_sizes")) values.output_sizes = node.outputs.map((o) => o.sizes);
        const result = withoutTemporaries(formula, values);
        return (inputs.length === 1 ? [result] : result) as Grads;
      },
    };
  });
  const tensors = schema.parameters.filter((p) => p.type === "Tensor");
  exposeSaved([...schema.positions.keys(), ...schema.returns, ...tensors.map((p) => `${p.name}_sym_sizes`)]);
  return rules.sort((a, b) => schema.positions.get(a.inputs[0])! - schema.positions.get(b.inputs[0])!);
}

type Gradients = ReturnType<TensorFormula>;

/** The gradients of a formula; unless it is recorded or observed, what it made on the way is released. */
function withoutTemporaries(formula: TensorFormula, values: Record<string, unknown>): Gradients {
  if (gradMode.enabled || observed.by?.keepsGradients === true) return formula(values);
  return releasingTemporaries(() => formula(values), liesIn);
}

function liesIn(gradients: Gradients, storage: Storage): boolean {
  if (gradients instanceof Tensor) return gradients._storage === storage;
  return gradients !== null && (gradients as readonly Gradients[]).some((gradient) => liesIn(gradient, storage));
}

export interface KernelDefinition {
  /** Computes the outputs from the arguments in schema order; runs unrecorded. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
  forward: (...args: any[]) => Tensor | readonly Tensor[];
  backward?: Backward;
  /** Names of outputs through which no gradient flows. */
  constants?: readonly string[];
  node?: string;
  /** Writes the result into `self`; true derives it from `forward`, a function does it directly. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
  inplace?: boolean | ((...args: any[]) => void);
  /** A write into integers is neither recorded nor checked for it. By default it is, although no gradient is any use there: PyTorch does so. */
  floatsOnly?: boolean;
  /** Is the call recorded at all? Default: where an input requires grad. */
  recorded?: (values: readonly unknown[]) => boolean;
  recordsInference?: boolean;
  method?: boolean;
  /** Do Tensor parameters take numbers too? */
  numbers?: boolean;
  /** Does the function take `out`? Default: yes. */
  takesOut?: boolean;
  /** How it takes `out`. Default: in the dtype of the result. */
  outRule?: OutRule;
  /** Has it the calls of `schema/deprecated.ts` too? */
  hasDeprecated?: boolean;
}

/** An op with a kernel of its own. */
export class KernelOverload implements Overload, Differentiable {
  readonly schema: Schema;
  readonly signature: Signature;
  readonly outRule: OutRule;
  readonly nodeName: string;
  readonly rules: readonly GradientRule[];
  readonly recordsInference: boolean;
  readonly differentiates: boolean;
  readonly inplace?: (values: unknown[]) => Tensor;
  private readonly definition: KernelDefinition;
  /** Does a gradient ask for an output? */
  private readonly savesOutputs: boolean;

  constructor(text: string, definition: KernelDefinition) {
    this.schema = parseSchema(text);
    const { numbers = false, takesOut = true, hasDeprecated = false } = definition;
    this.signature = new Signature(this.schema, { numbersAsTensors: numbers, takesOut, hasDeprecated });
    this.outRule = definition.outRule ?? exactDtype;
    this.nodeName = definition.node ?? defaultNodeName(this.schema.name);
    this.rules = gradientRules(this.schema, definition.backward ?? {});
    this.recordsInference = definition.recordsInference ?? false;
    this.savesOutputs = this.rules.some((rule) => rule.saves([]).some((name) => this.schema.returns.includes(name)));
    this.differentiates = this.rules.length > 0;
    this.definition = definition;
    if (definition.inplace) this.inplace = (values) => this.callInplace(definition.numbers ? this.asTensors(values) : values);
  }

  private asTensors(values: unknown[]): unknown[] {
    return values.map((value, i) => (this.schema.parameters[i].type === "Tensor" && !(value instanceof Tensor) ? ops.scalarTensor(value as number) : value));
  }

  call(values: unknown[]): unknown {
    // The node comes first: an input that may not be used in the graph is refused before anything else.
    const node = mustRecord(this, values) && (this.definition.recorded?.(values) ?? true) ? new OpNode(this, values) : null;
    node?.save(values, null);
    const result = unrecorded(() => this.definition.forward(...values));
    const outputs: readonly Tensor[] = result instanceof Tensor ? [result] : result;
    if (node !== null && outputs.some((t) => t.dtype.kind === FLOAT)) {
      outputs.forEach((output, i) => {
        if (output.dtype.kind === FLOAT && !this.definition.constants?.includes(this.schema.returns[i])) setHistory(output, node);
      });
      if (this.savesOutputs) node.saveOutputs(outputs);
    } else if (node !== null && outputs.length > 0) {
      refuseIntegerGraph(outputs[0].dtype);
    }
    return result instanceof Tensor ? result : namedOutputs(outputs, this.schema.returns);
  }

  private callInplace(values: unknown[]): Tensor {
    const self = values[0] as Tensor;
    const recording = (self.dtype.kind === FLOAT || !this.definition.floatsOnly) && mustRecord(this, values);
    checkHistory(self, recording);
    const node = recording ? new OpNode(this, values) : null;
    node?.save(values, () => ops.clone(self));
    unrecorded(() => {
      if (typeof this.definition.inplace === "function") {
        // What else is wrong with a write to an inference tensor is found by a rehearsal.
        if (refusesWrite(self)) this.definition.inplace(ops.clone(self), ...values.slice(1));
        refuseInferenceWrite(self);
        this.definition.inplace(...values);
      } else ops.copyInto(ops.detach(self), this.definition.forward(...values) as Tensor);
    });
    // A copy into an alias has counted the write already.
    if (typeof this.definition.inplace === "function") bumpVersion(self);
    if (node !== null) {
      rebaseHistory(self, node);
      if (this.savesOutputs) node.saveOutputs([self]);
    }
    return self;
  }
}

function unrecorded<T>(body: () => T): T {
  return gradMode.enabled ? withGradMode(false, body) : body();
}

/** Several outputs as a list that also has PyTorch's field names: `const { values, indices } = x.max(0)`. */
export function namedOutputs(outputs: readonly Tensor[], names: readonly string[]): readonly Tensor[] {
  const list = outputs.slice();
  // Plain fields: a class of lists, or hidden fields, would cost more than the kernels of small tensors.
  if (names.length !== outputs.length) return list;
  for (let i = 0; i < names.length; i++) if (!names[i].startsWith("result")) (list as unknown as Record<string, Tensor>)[names[i]] = outputs[i];
  return list;
}

/** Defines an op with a kernel of its own and, where it has gradients, their formulas on tensors. */
export function kernel<T>(text: string, definition: KernelDefinition): T {
  const overload = new KernelOverload(text, definition);
  return makeOp(overload.schema.name, [overload], definition.method ?? takesSelf(overload.schema)) as T;
}

function takesSelf(schema: Schema): boolean {
  return schema.parameters[0]?.name === "self";
}

/** Sizes, strides and offset (all in elements) of a view. */
export interface View {
  sizes: Sizes;
  strides: Sizes;
  offset: number;
}

export interface ViewDefinition {
  /** Where the view lies; a list for ops that return several views. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
  view: (self: Tensor, ...args: any[]) => View | readonly View[];
  /** Gradient of `self`; the formulas may ask for `self_sizes`, and for several views `grads`. */
  backward: TensorFormula;
  node?: string;
  /** Name of the node of the in-place form (`t_`), which changes the geometry of the tensor itself. */
  inplaceNode?: string;
  method?: boolean;
}

/** An op whose result shares the memory of `self`. */
export class ViewOverload implements Overload, Differentiable {
  readonly schema: Schema;
  readonly signature: Signature;
  readonly outRule: OutRule = exactDtype;
  readonly nodeName: string;
  readonly rules: readonly GradientRule[];
  readonly inplace?: (values: unknown[]) => Tensor;
  private readonly definition: ViewDefinition;
  private readonly copies: boolean;

  /** `copies`: the elements get memory of their own, as in `select_copy`. */
  constructor(text: string, definition: ViewDefinition, copies = false) {
    this.schema = parseSchema(text);
    this.signature = new Signature(this.schema, { takesOut: copies });
    this.nodeName = definition.node ?? defaultNodeName(this.schema.name);
    this.definition = definition;
    this.copies = copies;
    this.rules = [viewRule(definition.backward)];
    if (definition.inplaceNode !== undefined) {
      const written: Differentiable = { schema: this.schema, rules: this.rules, nodeName: definition.inplaceNode };
      this.inplace = (values) => this.callInplace(values, written);
    }
  }

  call(values: unknown[]): Tensor | readonly Tensor[] {
    const self = values[0] as Tensor;
    // The node comes first: an input that may not be used in the graph is refused before anything else.
    const node = mustRecord(this, values) ? new ViewNode(this, values, self) : null;
    const result = this.definition.view(self, ...values.slice(1));
    const several = Array.isArray(result);
    const outputs = (several ? (result as View[]) : [result as View]).map((v) => (this.copies ? copyOf(self, v) : aliasOf(self, v, several)));
    if (node !== null && outputs.length > 0) {
      refuseIntegerGraph(self.dtype);
      for (const output of outputs) setHistory(output, node);
    }
    return several ? outputs : outputs[0];
  }

  /** The op's copying form: `select_copy` of `select`. */
  copying(): ViewOverload {
    const { view, backward } = this.definition;
    return new ViewOverload(this.schema.text.replace(/^\w+/, "$&_copy"), { view, backward, node: `${this.nodeName}_copy` }, true);
  }

  private callInplace(values: unknown[], written: Differentiable): Tensor {
    const self = values[0] as Tensor;
    const recording = mustRecord(this, values);
    checkHistory(self, recording);
    const node = recording ? new ViewNode(written, values, self) : null;
    const { sizes, strides, offset } = this.definition.view(self, ...values.slice(1)) as View;
    refuseInferenceWrite(self);
    if (node !== null) refuseIntegerGraph(self.dtype);
    self._setGeometry(sizes, strides, offset);
    bumpVersion(self);
    // The elements stay as they are, so a base that `self` views keeps its history.
    if (node !== null) setHistory(self, node);
    return self;
  }
}

/** A differentiable view of `self`, not yet recorded. */
export function aliasOf(self: Tensor, { sizes, strides, offset }: View, several = false): Tensor {
  const view = new Tensor(self._storage, sizes, strides, offset, self.dtype, self._counter);
  asView(view, self, several);
  return view;
}

function copyOf(self: Tensor, { sizes, strides, offset }: View): Tensor {
  return unrecorded(() => ops.contiguousClone(self._aliased(sizes, strides, offset)));
}

/** Views save nothing but the geometry of their input. */
class ViewNode extends OpNode {
  readonly selfSizes: Sizes;
  readonly selfStrides: Sizes;
  readonly selfOffset: number;
  constructor(op: Differentiable, values: readonly unknown[], self: Tensor) {
    super(op, values);
    this.selfSizes = self._sizes;
    this.selfStrides = self._strides;
    this.selfOffset = self._offset;
  }
}

function viewRule(formula: TensorFormula): GradientRule {
  const names = destructuredNames(formula);
  return {
    inputs: ["self"],
    saves: () => [],
    apply(node, grads) {
      const { selfSizes, selfStrides, selfOffset } = node as ViewNode;
      const values: Record<string, unknown> = {
        grad: grads[0], grads, self_sizes: selfSizes, self_strides: selfStrides, self_offset: selfOffset, output_sizes: node.outputs.map((o) => o.sizes), dtype: node.outputs[0].dtype,
      };
      for (const name of names) if (!(name in values)) values[name] = node.value(name);
      return [formula(values) as Tensor | null];
    },
  };
}

/** Defines a view. */
export function view<T>(text: string, definition: ViewDefinition): T {
  const overload = new ViewOverload(text, definition);
  return makeOp(overload.schema.name, [overload], definition.method ?? true) as T;
}

/** The copying form of a view, `select_copy` of `select`; no method. */
export function viewCopy<P extends readonly unknown[], N, R>(op: FunctionOp<P, N, R>): FunctionOp<P, N, R> {
  const views = op.overloads.filter((overload) => overload instanceof ViewOverload);
  return makeOp(`${op.opName}_copy`, views.map((overload) => overload.copying()), false) as FunctionOp<P, N, R>;
}

/** What a composite may have besides its body; the two refusals and the rule serve calls with `out`. */
interface CompositeOptions {
  outRule?: OutRule | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
  inplace?: (...args: any[]) => Tensor;
  takesOut?: boolean | undefined;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
  refuse?: (...values: any[]) => void;
}

/** An op made of other ops: it has neither kernel nor gradient of its own. */
export class CompositeOverload implements Overload {
  readonly signature: Signature;
  readonly outRule: OutRule | undefined;
  readonly inplace?: (values: unknown[]) => Tensor;
  readonly refuse?: ((...values: never[]) => void) | undefined;
  private readonly body: (...args: never[]) => unknown;
  constructor(text: string, body: (...args: never[]) => unknown, { inplace, takesOut = true, outRule, refuse }: CompositeOptions = {}) {
    this.signature = new Signature(parseSchema(text), { takesOut });
    this.outRule = outRule;
    this.body = body;
    this.refuse = refuse;
    if (inplace !== undefined) this.inplace = (values) => inplace(...(values as never[]));
  }
  call(values: unknown[]): unknown {
    return this.body(...(values as never[]));
  }
}

/** Defines a composite. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
export function composite<T>(text: string, body: (...args: any[]) => unknown, options: CompositeOptions & { method?: boolean } = {}): T {
  const overload = new CompositeOverload(text, body, options);
  return makeOp(overload.signature.schema.name, [overload], options.method ?? takesSelf(overload.signature.schema)) as T;
}

/** Defines one op of several composites, by their schemas in the order in which they are tried; it takes no `out`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
export function alternatives<T>(bodies: Record<string, (...args: any[]) => unknown>, options: { method?: boolean } = {}): T {
  const overloads = Object.entries(bodies).map(([text, body]) => new CompositeOverload(text, body, { takesOut: false }));
  return makeOp(overloads[0].signature.schema.name, overloads, options.method ?? true) as T;
}

/** Named parameters of every factory; layout and pin_memory are accepted for PyTorch's sake and change nothing. */
const factoryOptions = ["Layout layout=None", "Device? device=None", "bool pin_memory=False", "bool requires_grad=False", "MemoryFormat? memory_format=None"];

/** Defines a function that makes a tensor out of none; adds `requires_grad` to its parameters. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
export function factory<T>(text: string, body: (...args: any[]) => Tensor, options: { method?: boolean; takesOut?: boolean } = {}): T {
  const overload = factoryOverload(text, body, options.takesOut);
  return makeOp(overload.signature.schema.name, [overload], options.method ?? false) as T;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
export function factoryOverload(text: string, body: (...args: any[]) => Tensor, takesOut = true): CompositeOverload {
  const { parameters, positions } = parseSchema(text);
  const added = factoryOptions.filter((option) => !positions.has(/(\w+)=/.exec(option)![1]));
  const separator = text.includes("*,") ? ", " : ", *, ";
  const full = text.replace(/\)\s*->/, `${separator}${added.join(", ")}) ->`).replace("(, ", "(");
  const requiresGrad = parameters.length + added.indexOf("bool requires_grad=False");
  const device = parameters.length + added.indexOf("Device? device=None");
  return new CompositeOverload(
    full,
    (...values: unknown[]) => {
      checkDevice(values[device]);
      const made = unrecorded(() => body(...values.slice(0, parameters.length)));
      return values[requiresGrad] === true ? markRequiresGrad(made) : made;
    },
    { takesOut, outRule: factoryDtype },
  );
}
