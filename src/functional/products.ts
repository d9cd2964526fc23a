/** Products of vectors with Jacobians and Hessians, which need not be made for it. */
import { enable_grad } from "../autograd/grad-mode.ts";
import { zeros_like } from "../ops/creation/creation.ts";
import { bind, Signature } from "../schema/arguments.ts";
import { parseSchema } from "../schema/schema.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  complaints, filledWithZeros, finished, fresh, gradients, listOf, outputsOfFunction, requireGraph, scalarOutput, shapedAs, vectorsFor,
  type Func, type Options, type Per, type Tensors,
} from "./arguments.ts";

const signatureOf = (name: string): Signature =>
  new Signature(parseSchema(`${name}(Any func, Any inputs, Any v=None, bool create_graph=False, bool strict=False) -> ()`));
const signatures = { vjp: signatureOf("vjp"), jvp: signatureOf("jvp"), vhp: signatureOf("vhp"), hvp: signatureOf("hvp") };
type Bound = [func: Func<Tensors>, inputs: Tensors, v: Tensors | null, createGraph: boolean, strict: boolean];

const loneOutput = "user-provided function returns";
const loneInput = "input to the user-provided function is";

interface ProductOptions extends Options {
  v?: Tensors | null;
}

/**
 * The outputs of `func` and the product of a vector `v`, shaped as the outputs, with the Jacobian: gradients of the inputs.
 *
 * @throws RuntimeError where `v` does not fit; in strict mode, where an output does not depend on an input.
 * @example
 * torch.autograd.functional.vjp((x) => x.pow(2), torch.tensor([1, 2]), torch.ones(2))[1].tolist(); // [2, 4]
 */
export function vjp<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, v?: Tensors | null, create_graph?: boolean, strict?: boolean): [O, Per<I, Tensor>];
export function vjp<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, v: Tensors | null, options: Options): [O, Per<I, Tensor>];
export function vjp<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, options: ProductOptions): [O, Per<I, Tensor>];
export function vjp(...args: unknown[]): unknown {
  const [func, inputs, v, create_graph, strict] = bind(signatures.vjp, args) as Bound;
  const given = listOf(inputs, "inputs", "vjp");
  return enable_grad(() => {
    const leaves = fresh(given, create_graph);
    const returned = func(...leaves);
    const outputs = listOf(returned, outputsOfFunction, "vjp");
    requireGraph(outputs, complaints.output, strict);
    const vectors = vectorsFor(v, outputs, returned, loneOutput, "vjp", create_graph);
    const product = filledWithZeros(gradients(outputs, leaves, vectors, create_graph), leaves, complaints.back, { create_graph, strict });
    return [shapedAs(returned, finished(outputs, create_graph)), shapedAs(inputs, finished(product, create_graph))];
  });
}

/**
 * The outputs of `func` and the product of the Jacobian with a vector `v`, shaped as the inputs: how the outputs change
 * when the inputs move along `v`. It is the derivative, by the vector, of a vector-Jacobian product.
 *
 * @throws RuntimeError where `v` does not fit; in strict mode, where an output does not depend on an input.
 * @example
 * torch.autograd.functional.jvp((x) => x.pow(2), torch.tensor([1, 2]), torch.ones(2))[1].tolist(); // [2, 4]
 */
export function jvp<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, v?: Tensors | null, create_graph?: boolean, strict?: boolean): [O, Per<O, Tensor>];
export function jvp<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, v: Tensors | null, options: Options): [O, Per<O, Tensor>];
export function jvp<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, options: ProductOptions): [O, Per<O, Tensor>];
export function jvp(...args: unknown[]): unknown {
  const [func, inputs, v, create_graph, strict] = bind(signatures.jvp, args) as Bound;
  const given = listOf(inputs, "inputs", "jvp");
  return enable_grad(() => {
    const vectors = vectorsFor(v, given, inputs, loneInput, "jvp", create_graph);
    const leaves = fresh(given, create_graph);
    const returned = func(...leaves);
    const outputs = listOf(returned, outputsOfFunction, "jvp");
    requireGraph(outputs, complaints.output, strict);
    const seeds = outputs.map((output) => zeros_like(output).requires_grad_());
    const first = gradients(outputs, leaves, seeds, true);
    requireGraph(first, complaints.gradient, strict);
    const product = filledWithZeros(gradients(first, seeds, vectors, create_graph), outputs, complaints.forward, { create_graph, strict });
    return [shapedAs(returned, finished(outputs, create_graph)), shapedAs(returned, finished(product, create_graph))];
  });
}

/** The output, the leaves and the recorded gradient of a function that gives one number. */
function firstDerivative(func: Func<Tensors>, given: readonly Tensor[], caller: string, createGraph: boolean, strict: boolean): { output: Tensor; leaves: Tensor[]; first: (Tensor | null)[] } {
  const leaves = fresh(given, createGraph);
  const output = scalarOutput(func(...leaves), caller);
  requireGraph([output], complaints.output, strict);
  const first = gradients([output], leaves, null, true);
  requireGraph(first, complaints.jacobian, strict);
  return { output, leaves, first };
}

/**
 * The output of `func`, one number, and the product of a vector `v` with its Hessian.
 *
 * @throws RuntimeError where `v` does not fit; in strict mode, where the gradient does not depend on an input.
 * @example
 * torch.autograd.functional.vhp((x) => x.pow(3).sum(), torch.tensor([1, 2]), torch.ones(2))[1].tolist(); // [6, 12]
 */
export function vhp<I extends Tensors>(func: Func<Tensor>, inputs: I, v?: Tensors | null, create_graph?: boolean, strict?: boolean): [Tensor, Per<I, Tensor>];
export function vhp<I extends Tensors>(func: Func<Tensor>, inputs: I, v: Tensors | null, options: Options): [Tensor, Per<I, Tensor>];
export function vhp<I extends Tensors>(func: Func<Tensor>, inputs: I, options: ProductOptions): [Tensor, Per<I, Tensor>];
export function vhp(...args: unknown[]): unknown {
  const [func, inputs, v, create_graph, strict] = bind(signatures.vhp, args) as Bound;
  const given = listOf(inputs, "inputs", "vhp");
  return enable_grad(() => {
    const vectors = vectorsFor(v, given, inputs, loneInput, "vhp", create_graph);
    const { output, leaves, first } = firstDerivative(func, given, "vhp", create_graph, strict);
    const product = filledWithZeros(gradients(first, leaves, vectors, create_graph), leaves, complaints.hessian, { create_graph, strict });
    return [finished([output], create_graph)[0], shapedAs(inputs, finished(product, create_graph))];
  });
}

/**
 * The output of `func`, one number, and the product of its Hessian with a vector `v`. The same as `vhp` where the Hessian
 * is symmetric; `vhp` takes less time.
 *
 * @throws RuntimeError where `v` does not fit; in strict mode, where the gradient does not depend on an input.
 * @example
 * torch.autograd.functional.hvp((x) => x.pow(3).sum(), torch.tensor([1, 2]), torch.ones(2))[1].tolist(); // [6, 12]
 */
export function hvp<I extends Tensors>(func: Func<Tensor>, inputs: I, v?: Tensors | null, create_graph?: boolean, strict?: boolean): [Tensor, Per<I, Tensor>];
export function hvp<I extends Tensors>(func: Func<Tensor>, inputs: I, v: Tensors | null, options: Options): [Tensor, Per<I, Tensor>];
export function hvp<I extends Tensors>(func: Func<Tensor>, inputs: I, options: ProductOptions): [Tensor, Per<I, Tensor>];
export function hvp(...args: unknown[]): unknown {
  const [func, inputs, v, create_graph, strict] = bind(signatures.hvp, args) as Bound;
  const given = listOf(inputs, "inputs", "hvp");
  return enable_grad(() => {
    const vectors = vectorsFor(v, given, inputs, loneInput, "hvp", create_graph);
    const { output, leaves, first } = firstDerivative(func, given, "hvp", create_graph, strict);
    const seeds = leaves.map((leaf) => zeros_like(leaf).requires_grad_());
    const second = gradients(first, leaves, seeds, true);
    const product = filledWithZeros(gradients(second, seeds, vectors, create_graph), leaves, complaints.forwardHessian, { create_graph, strict });
    return [finished([output], create_graph)[0], shapedAs(inputs, finished(product, create_graph))];
  });
}
