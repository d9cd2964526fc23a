/** What the functions of torch.autograd.functional have in common: their arguments, and gradients where some are missing. */
import { grad } from "../autograd/backward.ts";
import { requiresGrad } from "../autograd/variable.ts";
import { RuntimeError } from "../errors.ts";
import { zeros_like } from "../ops/creation/creation.ts";
import { typeText } from "../schema/arguments.ts";
import { sameSizes, sizeText } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";

export type Tensors = Tensor | readonly Tensor[];
export type Func<O extends Tensors> = (...inputs: Tensor[]) => O;
/** A result for each tensor of `T`; a lone one for a lone tensor. */
export type Per<T, R> = T extends Tensor ? R : R[];

export interface Options {
  /** Let gradients flow back from the results. */
  create_graph?: boolean;
  /** Throw where an output does not depend on an input, instead of giving zeros. */
  strict?: boolean;
}

export const outputsOfFunction = "outputs of the user-provided function";
const strictMode = "This is not allowed in strict mode.";

export function listOf(values: unknown, what: string, caller: string): Tensor[] {
  if (values instanceof Tensor) return [values];
  const rule = `The ${what} given to ${caller} must be either a Tensor or a tuple of Tensors but the`;
  if (!Array.isArray(values)) throw new TypeError(`${rule} given ${what} has type <class '${typeText(values)}'>.`);
  const wrong = values.findIndex((value) => !(value instanceof Tensor));
  if (wrong !== -1) throw new TypeError(`${rule} value at index ${wrong} has type <class '${typeText(values[wrong])}'>.`);
  return values as Tensor[];
}

/** The results in the form of `like`: a list, or a lone one. */
export const shapedAs = <R>(like: unknown, results: readonly R[]): R | readonly R[] => (like instanceof Tensor ? results[0] : results);

/** Other tensors than the given ones, so that a function which also captures those does not get their gradients mixed up. */
export function fresh(tensors: readonly Tensor[], createGraph: boolean, needGraph = true): Tensor[] {
  return tensors.map((tensor) => (createGraph && requiresGrad(tensor) ? tensor.view_as(tensor) : tensor.detach().requires_grad_(needGraph)));
}

/** Without `createGraph` nobody asked for the history of the results. */
export const finished = (tensors: readonly Tensor[], createGraph: boolean): Tensor[] => tensors.map((tensor) => (createGraph ? tensor : tensor.detach()));

/** Vectors for `others`, one each; null stands for none, which `lone` says when it may. */
export function vectorsFor(v: unknown, others: readonly Tensor[], form: unknown, lone: string, caller: string, createGraph: boolean): Tensor[] | null {
  if (v === null) {
    if (others.length !== 1 || others[0].numel() !== 1) throw new RuntimeError(`The vector v can only be None if the ${lone} a single Tensor with a single element.`);
    return null;
  }
  const isList = !(form instanceof Tensor);
  const vectors = fresh(listOf(v, "v", caller), createGraph, false);
  if (vectors.length !== others.length) {
    throw new RuntimeError(isList ? `v is a tuple of invalid length: should be ${others.length} but got ${vectors.length}.` : "The given v should contain a single Tensor.");
  }
  for (const [i, vector] of vectors.entries()) {
    if (sameSizes(vector._sizes, others[i]._sizes)) continue;
    throw new RuntimeError(`${isList ? `Entry ${i} in ` : ""}v has invalid size: should be ${sizeText(others[i]._sizes)} but got ${sizeText(vector._sizes)}.`);
  }
  return vectors;
}

/** Gradients of `inputs`, null for those on which no output depends; outputs that need none are passed over. */
export function gradients(outputs: readonly (Tensor | null)[], inputs: readonly Tensor[], vectors: readonly Tensor[] | null, createGraph: boolean, retainGraph: boolean | null = null): (Tensor | null)[] {
  const tracked = [...outputs.keys()].filter((i) => outputs[i] !== null && requiresGrad(outputs[i]));
  if (tracked.length === 0) return inputs.map(() => null);
  const grad_outputs = vectors === null ? null : tracked.map((i) => vectors[i]);
  return grad(tracked.map((i) => outputs[i]!), inputs, grad_outputs, retainGraph, createGraph, { allow_unused: true });
}

const independent = (i: number): string => `The output of the user-provided function is independent of input ${i}. ${strictMode}`;
const linear = (what: string) => (i: number): string =>
  `The ${what} of the user-provided function is independent of input ${i}. This is not allowed in strict mode when create_graph=True.`;

/** What to say in strict mode where a gradient is missing, and where it does not depend on anything. */
export const complaints = {
  output: {
    missing: independent,
    constant: (i: number) =>
      `Output ${i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner from the input when running in strict mode.`,
  },
  gradient: {
    missing: independent,
    constant: (i: number) => `The gradient with respect to input ${i} is independent of the inputs of the user-provided function. ${strictMode}`,
  },
  jacobian: {
    missing: independent,
    constant: (i: number) =>
      `While computing the hessian, found that the jacobian of the user-provided function with respect to input ${i} is independent of the input. ${strictMode} You should ensure that your function is twice differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for example).`,
  },
  back: { missing: independent, constant: linear("jacobian") },
  forward: {
    missing: (i: number) =>
      `The gradient with respect to the input is independent of entry ${i} in the grad_outputs when using the double backward trick to compute forward mode gradients. ${strictMode}`,
    constant: linear("jacobian"),
  },
  hessian: {
    missing: (i: number) => `The jacobian of the user-provided function is independent of input ${i}. ${strictMode}`,
    constant: linear("hessian"),
  },
  forwardHessian: {
    missing: (i: number) =>
      `The hessian of the user-provided function is independent of entry ${i} in the grad_jacobian. This is not allowed in strict mode as it prevents from using the double backward trick to replace forward mode AD.`,
    constant: linear("hessian"),
  },
};

interface Complaint {
  missing: (i: number) => string;
  constant: (i: number) => string;
}

/** In strict mode, all of `values` must be there and depend on something. */
export function requireGraph(values: readonly (Tensor | null)[], { missing, constant }: Complaint, strict: boolean): void {
  if (!strict) return;
  for (const [i, value] of values.entries()) {
    if (value === null) throw new RuntimeError(missing(i));
    if (!requiresGrad(value)) throw new RuntimeError(constant(i));
  }
}

/** Zeros where a gradient is missing. */
export function filledWithZeros(grads: readonly (Tensor | null)[], like: readonly Tensor[], { missing, constant }: Complaint, { create_graph, strict }: Options): Tensor[] {
  return grads.map((gradient, i) => {
    if (gradient === null) {
      if (strict === true) throw new RuntimeError(missing(i));
      return zeros_like(like[i]);
    }
    if (strict === true && create_graph === true && !requiresGrad(gradient)) throw new RuntimeError(constant(i));
    return gradient;
  });
}

/** The output of a function that must give one number. */
export function scalarOutput(returned: unknown, caller: string): Tensor {
  const outputs = listOf(returned, outputsOfFunction, caller);
  if (!(returned instanceof Tensor)) throw new RuntimeError(`The function given to ${caller} should return a single Tensor`);
  if (outputs[0].numel() !== 1) throw new RuntimeError(`The Tensor returned by the function given to ${caller} should contain a single element`);
  return outputs[0];
}
