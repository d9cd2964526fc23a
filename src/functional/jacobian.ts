/** Whole Jacobians and Hessians, one backward for each element of an output. */
import { enable_grad } from "../autograd/grad-mode.ts";
import { requiresGrad } from "../autograd/variable.ts";
import { RuntimeError } from "../errors.ts";
import { zeros_like } from "../ops/creation/creation.ts";
import { stack } from "../ops/shape/joining.ts";
import { bind, Signature } from "../schema/arguments.ts";
import { parseSchema } from "../schema/schema.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { complaints, finished, fresh, gradients, listOf, outputsOfFunction, requireGraph, scalarOutput, shapedAs, type Func, type Options, type Per, type Tensors } from "./arguments.ts";

export interface JacobianOptions extends Options {
  /** PyTorch runs all backwards as one; here they run one by one all the same. */
  vectorize?: boolean;
}

const signatureOf = (name: string): Signature =>
  new Signature(parseSchema(`${name}(Any func, Any inputs, bool create_graph=False, bool strict=False, bool vectorize=False) -> ()`));
const jacobianSignature = signatureOf("jacobian");
const hessianSignature = signatureOf("hessian");

/**
 * The derivative of each element of each output with respect to each element of each input, of sizes
 * `output.shape + input.shape`: one for a lone input and output, else lists, by outputs first.
 *
 * @throws RuntimeError in strict mode, where an output does not depend on an input.
 * @example
 * torch.autograd.functional.jacobian((x) => x.pow(2), torch.tensor([1, 2])).tolist(); // [[2, 0], [0, 4]]
 */
export function jacobian<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, create_graph?: boolean, strict?: boolean, vectorize?: boolean): Per<O, Per<I, Tensor>>;
export function jacobian<O extends Tensors, I extends Tensors>(func: Func<O>, inputs: I, options: JacobianOptions): Per<O, Per<I, Tensor>>;
export function jacobian(...args: unknown[]): unknown {
  const [func, inputs, createGraph, strict, vectorize] = bind(jacobianSignature, args) as [Func<Tensors>, Tensors, boolean, boolean, boolean];
  const given = listOf(inputs, "inputs", "jacobian");
  return enable_grad(() => {
    const leaves = fresh(given, createGraph);
    const returned = func(...leaves);
    const outputs = listOf(returned, outputsOfFunction, "jacobian");
    requireGraph(outputs, complaints.output, strict);
    if (vectorize && strict) {
      throw new RuntimeError(
        "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either set `strict=False` or `vectorize=False`.",
      );
    }
    const rows = outputs.map((output, o) => shapedAs(inputs, finished(jacobianOf(output, o, leaves, createGraph, strict), createGraph)));
    return shapedAs(returned, rows);
  });
}

function jacobianOf(output: Tensor, index: number, inputs: readonly Tensor[], createGraph: boolean, strict: boolean): Tensor[] {
  const elements = output.reshape([-1]);
  const rows = Array.from({ length: output.numel() }, (_, element) =>
    gradients([elements.select(0, element)], inputs, null, createGraph, true).map((gradient, i) => {
      if (gradient === null && strict) throw new RuntimeError(`Output ${index} of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`);
      if (gradient !== null && strict && createGraph && !requiresGrad(gradient)) throw new RuntimeError(complaints.back.constant(i));
      return gradient ?? zeros_like(inputs[i]);
    }),
  );
  return inputs.map((input, i) => stack(rows.map((row) => row[i])).view([...output._sizes, ...input._sizes]));
}

/**
 * The second derivatives of a function that gives one number, of sizes `input.shape + input.shape`: one for a lone
 * input, else a list of lists.
 *
 * @throws RuntimeError where `func` gives more than a number; in strict mode, where its gradient does not depend on an input.
 * @example
 * torch.autograd.functional.hessian((x) => x.pow(3).sum(), torch.tensor([1, 2])).tolist(); // [[6, 0], [0, 12]]
 */
export function hessian<I extends Tensors>(func: Func<Tensor>, inputs: I, create_graph?: boolean, strict?: boolean, vectorize?: boolean): Per<I, Per<I, Tensor>>;
export function hessian<I extends Tensors>(func: Func<Tensor>, inputs: I, options: JacobianOptions): Per<I, Per<I, Tensor>>;
export function hessian(...args: unknown[]): unknown {
  const [func, inputs, create_graph, strict, vectorize] = bind(hessianSignature, args) as [Func<Tensor>, Tensors, boolean, boolean, boolean];
  listOf(inputs, "inputs", "hessian");
  const gradient = (...leaves: Tensor[]): Tensors => {
    const first = jacobian((...xs) => scalarOutput(func(...xs), "hessian").squeeze(), leaves, { create_graph: true });
    requireGraph(first, complaints.jacobian, strict);
    return shapedAs(inputs, first);
  };
  return jacobian(gradient, inputs, { create_graph, strict, vectorize });
}
