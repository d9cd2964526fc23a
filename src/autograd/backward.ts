/** `backward` and `grad`: what users call to run the engine. */
import { IndexError, RuntimeError, ValueError, warn } from "../errors.ts";
import { FLOAT } from "../tensor/dtype.ts";
import { numelOf, sameSizes, sizeText, type Sizes } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { bind, Signature, typeText } from "../schema/arguments.ts";
import { parseSchema } from "../schema/schema.ts";
import { runBackward, type Edge, type Root } from "./engine.ts";
import { ops } from "./engine-ops.ts";
import { GradientEdge } from "./gradient-edge.ts";
import type { Grads, OutputMetadata } from "./node.ts";
import { observedBackward } from "./observer.ts";
import { markRequiresGrad, retainGrad } from "./tensor-autograd.ts";
import { gradientNode, requiresGrad } from "./variable.ts";

/** A tensor, or the place in the graph where its gradients arrive. */
type Target = Tensor | GradientEdge;
export type TensorOrList = Target | readonly Target[];
export type GradsOrList = Tensor | null | readonly (Tensor | null)[];

/** Named parameters of `backward`. */
export interface BackwardOptions {
  retain_graph?: boolean | null;
  create_graph?: boolean;
  inputs?: TensorOrList | null;
  /** The old name of `grad_tensors`. */
  grad_variables?: GradsOrList;
}

/** Named parameters of `grad`. */
export interface GradOptions {
  grad_outputs?: GradsOrList;
  retain_graph?: boolean | null;
  create_graph?: boolean;
  only_inputs?: boolean;
  allow_unused?: boolean | null;
  is_grads_batched?: boolean;
  materialize_grads?: boolean;
}

const listOf = <T>(value: T | readonly T[]): T[] => (Array.isArray(value) ? [...value] : [value as T]);

/** Roots with the gradients to start from; ones for scalars that were given none. */
function makeRoots(outputs: readonly Target[], given: readonly (Tensor | null)[]): Root[] {
  if (given.length !== outputs.length) throw new RuntimeError(`got ${outputs.length} tensors and ${given.length} gradients`);
  const grads = outputs.map((output, i) => rootGrad(output, given[i], i));
  return outputs.map((output, i) => {
    const edge = edgeOf(output);
    if (edge === null) throw new RuntimeError(`element ${i} of tensors does not require grad and does not have a grad_fn`);
    return { node: edge.node, index: edge.index, grad: grads[i] };
  });
}

function rootGrad(output: Target, grad: Tensor | null | undefined, i: number): Tensor | null {
  const { sizes, dtype } = metadataOf(output);
  if (grad === null || grad === undefined) {
    if (output instanceof Tensor && !requiresGrad(output)) return null;
    if (numelOf(sizes) !== 1) throw new RuntimeError("grad can be implicitly created only for scalar outputs");
    if (dtype.kind !== FLOAT) throw new RuntimeError(`grad can be implicitly created only for real scalar outputs but got ${String(dtype)}`);
    const ones = ops.full(sizes, 1, dtype);
    // As ones_like: one element is dense whatever its strides, and keeps them.
    if (output instanceof Tensor) ones._setGeometry(sizes, output._strides, 0);
    ones._owned = true;
    return ones;
  }
  if (!(grad instanceof Tensor)) throw new TypeError(`gradients can be either Tensors or None, but got ${typeText(grad)}`);
  if (!sameSizes(grad._sizes, sizes)) {
    throw new RuntimeError(
      `Mismatch in shape: grad_output[${i}] has a shape of ${sizeText(grad._sizes)} and output[${i}] has a shape of ${sizeText(sizes)}.`,
    );
  }
  return grad.dtype === dtype ? grad : ops.to(grad, dtype);
}

function metadataOf(output: Target): OutputMetadata {
  return output instanceof GradientEdge ? output.node.outputs[output.output_nr] : { sizes: output._sizes, dtype: output.dtype };
}

/** Null for a tensor to which no gradients flow. */
function edgeOf(target: Target): Edge | null {
  if (target instanceof GradientEdge) return { node: target.node, index: target.output_nr };
  const node = gradientNode(target);
  return node === null ? null : { node, index: target._outputNr };
}

function givenGrads(grads: GradsOrList | undefined, count: number): (Tensor | null)[] {
  if (grads === undefined || grads === null) return new Array<null>(count).fill(null);
  return listOf<Tensor | null>(grads as Tensor | readonly Tensor[]);
}

/**
 * Computes the sum of gradients of `tensors` with respect to the leaves and accumulates them in their `.grad`.
 * `grad_tensors` are the vectors of the vector-Jacobian product; scalars need none.
 *
 * @throws RuntimeError where a tensor has no graph, or a graph was freed by an earlier backward.
 * @example
 * torch.autograd.backward([loss1, loss2]);
 */
export function backward(tensors: TensorOrList, grad_tensors?: GradsOrList, retain_graph?: boolean | null, create_graph?: boolean, options?: BackwardOptions): void;
export function backward(tensors: TensorOrList, options?: BackwardOptions & { grad_tensors?: GradsOrList }): void;
export function backward(tensors: TensorOrList, grad_tensors: GradsOrList, options?: BackwardOptions): void;
export function backward(...args: unknown[]): void {
  const [tensors, gradTensors, retainGraph, createGraph, gradVariables, inputs] = bind(backwardSignature, args) as [
    TensorOrList, GradsOrList, boolean | null, boolean, GradsOrList, TensorOrList | null,
  ];
  if (gradVariables === null) return backwardFrom(listOf(tensors), gradTensors, retainGraph, createGraph, inputs);
  warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", "FutureWarning");
  if (gradTensors !== null) {
    throw new RuntimeError("`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use `grad_tensors`.");
  }
  backwardFrom(listOf(tensors), gradVariables, retainGraph, createGraph, inputs);
}

const backwardSignature = new Signature(
  parseSchema(
    "backward(Any tensors, Any grad_tensors=None, bool? retain_graph=None, bool create_graph=False, Any grad_variables=None, Any inputs=None) -> ()",
  ),
);
const methodSignature = new Signature(
  parseSchema("backward(Tensor self, Any gradient=None, bool? retain_graph=None, bool create_graph=False, Any inputs=None) -> ()"),
);
const gradSignature = new Signature(
  parseSchema(
    "grad(Any outputs, Any inputs, Any grad_outputs=None, bool? retain_graph=None, bool create_graph=False, bool only_inputs=True, bool? allow_unused=None, bool is_grads_batched=False, bool materialize_grads=False) -> ()",
  ),
);

/** `Tensor.backward` with the arguments as the user gave them. */
export function backwardMethod(args: readonly unknown[]): void {
  const [self, gradient, retainGraph, createGraph, inputs] = bind(methodSignature, args, true) as [
    Tensor, GradsOrList, boolean | null, boolean, TensorOrList | null,
  ];
  backwardFrom([self], gradient, retainGraph, createGraph, inputs);
}

function backwardFrom(outputs: Target[], gradTensors: GradsOrList, retainGraph: boolean | null, createGraph: boolean, given: TensorOrList | null): void {
  const inputs = given === null ? null : listOf(given);
  observedBackward(
    () => ({ call: "backward", roots: outputs, inputs, retainGraph: retainGraph ?? createGraph, createGraph }),
    () => accumulateFrom(outputs, gradTensors, retainGraph, createGraph, inputs),
  );
}

function accumulateFrom(outputs: Target[], gradTensors: GradsOrList, retainGraph: boolean | null, createGraph: boolean, inputs: Target[] | null): void {
  if (inputs?.length === 0) throw new RuntimeError("`inputs` argument to `backward()` cannot be empty.");
  const roots = makeRoots(outputs, givenGrads(gradTensors, outputs.length));
  const targets = (inputs ?? []).map((input) => {
    if (input instanceof Tensor) retainGrad(input);
    return edgeOf(input);
  });
  if (createGraph) {
    warn(
      "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use this function, make sure to reset the .grad fields of your parameters to None after use to break the cycle and avoid the leak.",
    );
  }
  runBackward(roots, { keepGraph: retainGraph ?? createGraph, createGraph, accumulate: true }, targets);
}

/**
 * Computes and returns the sum of gradients of `outputs` with respect to `inputs`; `.grad` stays as it is.
 *
 * @returns one gradient per input, null for an unused one where `allow_unused` permits it.
 * @throws RuntimeError where an input is not part of the graph.
 * @example
 * const [dx] = torch.autograd.grad(x.pow(2).sum(), x);
 */
export function grad(outputs: TensorOrList, inputs: TensorOrList, grad_outputs?: GradsOrList, retain_graph?: boolean | null, create_graph?: boolean, options?: GradOptions): (Tensor | null)[];
export function grad(outputs: TensorOrList, inputs: TensorOrList, options?: GradOptions): (Tensor | null)[];
export function grad(outputs: TensorOrList, inputs: TensorOrList, grad_outputs: GradsOrList, options?: GradOptions): (Tensor | null)[];
export function grad(...args: unknown[]): (Tensor | null)[] {
  const [outputs, inputs, gradOutputs, retainGraph, createGraph, onlyInputs, allowUnused, batched, materialize] = bind(gradSignature, args) as [
    TensorOrList, TensorOrList, GradsOrList, boolean | null, boolean, boolean, boolean | null, boolean, boolean,
  ];
  if (materialize && allowUnused === false) {
    throw new ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.");
  }
  if (!onlyInputs) {
    warn(
      "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts of the graph, please use torch.autograd.backward.",
      "FutureWarning",
    );
  }
  const outs = listOf(outputs);
  const ins = listOf(inputs);
  const vectors = givenGrads(gradOutputs, outs.length);
  const options = { keepGraph: retainGraph ?? createGraph, createGraph, allowUnused: allowUnused ?? materialize, materialize };
  return observedBackward(
    () => ({ call: "grad", roots: outs, inputs: ins, retainGraph: options.keepGraph, createGraph }),
    () => (batched ? batchedGrad(outs, ins, vectors, options) : gradsOf(outs, ins, vectors, options)),
  );
}

interface GradRun {
  keepGraph: boolean;
  createGraph: boolean;
  allowUnused: boolean;
  materialize: boolean;
}

function gradsOf(outs: Target[], ins: Target[], vectors: Grads, options: GradRun): Grads {
  const roots = makeRoots(outs, vectors);
  if (ins.length === 0) throw new RuntimeError("`inputs` argument to `grad()` cannot be empty.");
  const targets = ins.map((input) => {
    if (input instanceof Tensor && !requiresGrad(input)) throw new RuntimeError("One of the differentiated Tensors does not require grad");
    return edgeOf(input);
  });
  const results = runBackward(roots, { ...options, accumulate: false }, targets);
  return results.map((result, i) => {
    if (result !== null) return result;
    if (options.materialize) return zerosFor(ins[i], options.createGraph);
    if (options.allowUnused) return null;
    throw new RuntimeError(
      `The differentiated Tensor at index ${i} appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.`,
    );
  });
}

/** The gradient of an input that takes no part in the graph. */
function zerosFor(input: Target, createGraph: boolean): Tensor {
  if (input instanceof GradientEdge) throw new RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge");
  const zeros = ops.full(input._sizes, 0, input.dtype);
  // As zeros_like: the input's memory order is kept.
  zeros._setGeometry(input._sizes, ops.emptyLike(input, input.dtype)._strides, 0);
  return createGraph ? markRequiresGrad(zeros) : zeros;
}

function checkBatch(vectors: Tensor | null, sizes: Sizes, i: number): void {
  if (vectors === null) return;
  if (vectors._sizes.length === 0) {
    throw new IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number");
  }
  if (sameSizes(vectors._sizes.slice(1), sizes)) return;
  // The shape that PyTorch names lacks one dimension more.
  throw new RuntimeError(
    `If \`is_grads_batched=True\`, we interpret the first dimension of each grad_output as the batch dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: grad_output[${i}] has a shape of ${sizeText(vectors._sizes.slice(2))} and output[${i}] has a shape of ${sizeText(sizes)}. If you only want some tensors in \`grad_output\` to be considered batched, consider using vmap.`,
  );
}

/** Each row of the vectors is the start of a backward of its own; the results are stacked. */
function batchedGrad(outs: Target[], ins: Target[], vectors: Grads, options: GradRun): Grads {
  outs.forEach((output, i) => checkBatch(vectors[i] ?? null, metadataOf(output).sizes, i));
  const rows = vectors.find((v) => v !== null)?._sizes[0] ?? 0;
  const perRow = Array.from({ length: rows }, (_, r) => {
    const row = vectors.map((v) => (v === null ? null : ops.asStrided(v, v._sizes.slice(1), v._strides.slice(1), v._offset + r * v._strides[0])));
    return gradsOf(outs, ins, row, { ...options, keepGraph: options.keepGraph || r < rows - 1 });
  });
  return ins.map((_, i) => (perRow.some((g) => g[i] === null) ? null : ops.stack(perRow.map((g) => g[i]!))));
}
