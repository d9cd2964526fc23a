/** Checks derivatives against central differences (torch.autograd.gradcheck, its slow mode). */
import { grad } from "../autograd/backward.ts";
import { requiresGrad } from "../autograd/variable.ts";
import { RuntimeError, ValueError, warn } from "../errors.ts";
import { FLOAT, float64 } from "../tensor/dtype.ts";
import { numelOf } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { viewTyped } from "../tensor/read.ts";
import { contiguousCopy } from "../ops/copy.ts";
import { filled, fromData } from "../ops/fill.ts";
import { randn_like } from "../ops/random.ts";

/** A derivative that differs from its central difference. */
export class GradcheckError extends RuntimeError {}
Object.defineProperty(GradcheckError.prototype, "name", { value: "GradcheckError" });

export interface GradcheckOptions {
  /** Step of the central difference. */
  eps?: number;
  atol?: number;
  rtol?: number;
  /** Throw on a mismatch (default), or return false. */
  raise_exception?: boolean;
  /** How much two runs of one backward may differ. */
  nondet_tol?: number;
}

type Func = (...inputs: Tensor[]) => unknown;

const listOf = (value: Tensor | readonly Tensor[]): Tensor[] => (value instanceof Tensor ? [value] : [...value]);

/** The floating outputs of a call, as PyTorch's `_differentiable_outputs`. */
function outputsOf(result: unknown): Tensor[] {
  return (Array.isArray(result) ? result.flat() : [result]).filter((t) => t instanceof Tensor);
}

/**
 * Does the gradient of `func` agree with central differences at `inputs`? Inputs that require grad are checked; they
 * should be float64. A difference is allowed up to `atol + rtol · |numerical|`.
 *
 * @throws GradcheckError naming the output and the input, unless `raise_exception` is false.
 * @example
 * torch.autograd.gradcheck((x) => x.sin(), [torch.rand(3, { dtype: torch.float64, requires_grad: true })]);
 */
export function gradcheck(func: Func, inputs: Tensor | readonly Tensor[], options: GradcheckOptions = {}): boolean {
  const list = listOf(inputs);
  checkInputs(list);
  try {
    return compareJacobians(func, list, { eps: 1e-6, atol: 1e-5, rtol: 1e-3, nondet_tol: 0, ...options });
  } catch (error) {
    if (options.raise_exception === false && error instanceof RuntimeError) return false;
    throw error;
  }
}

/**
 * The same for second derivatives: checks the gradient of the gradient. `grad_outputs` default to random vectors.
 *
 * @example
 * torch.autograd.gradgradcheck((x) => x.pow(3), [torch.rand(3, { dtype: torch.float64, requires_grad: true })]);
 */
export function gradgradcheck(
  func: Func,
  inputs: Tensor | readonly Tensor[],
  grad_outputs: Tensor | readonly Tensor[] | null = null,
  options: GradcheckOptions = {},
): boolean {
  const list = listOf(inputs);
  const outputs = outputsOf(func(...list)).filter(requiresGrad);
  const vectors = grad_outputs === null ? outputs.map((o) => randn_like(o).requires_grad_()) : listOf(grad_outputs);
  const count = list.length;
  const firstGrads: Func = (...all) => {
    const outs = outputsOf(func(...all.slice(0, count))).filter(requiresGrad);
    const wanted = all.slice(0, count).filter(requiresGrad);
    return grad(outs, wanted, all.slice(count), { create_graph: true, allow_unused: true }).filter((g) => g !== null);
  };
  return gradcheck(firstGrads, [...list, ...vectors], options);
}

function checkInputs(inputs: readonly Tensor[]): void {
  let any = false;
  inputs.forEach((input, i) => {
    if (!requiresGrad(input)) return;
    any = true;
    if (input.dtype !== float64) {
      warn(
        `Input #${i} requires gradient and is not a double precision floating point or complex. This check will likely fail if all the inputs are not of double precision floating point or complex. `,
      );
    }
    if (input._strides.some((s, d) => s === 0 && input._sizes[d] > 1)) {
      throw new RuntimeError(
        `The ${i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck.`,
      );
    }
  });
  if (!any) throw new ValueError("gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True.");
}

function compareJacobians(func: Func, inputs: readonly Tensor[], options: Required<Omit<GradcheckOptions, "raise_exception">>): boolean {
  const outputs = outputsOf(func(...inputs));
  const checked = inputs.filter(requiresGrad);
  outputs.forEach((output, o) => {
    if (output.dtype.kind !== FLOAT) return;
    const numerical = checked.map((input) => numericalJacobian(func, inputs, input, o, options.eps));
    if (!requiresGrad(output)) {
      if (numerical.some((j) => viewTyped(j).some((v) => Number(v) !== 0))) throw new GradcheckError("Numerical gradient for function expected to be zero");
      return;
    }
    const analytical = analyticalJacobian(output, checked);
    const again = analyticalJacobian(output, checked);
    numerical.forEach((n, i) => {
      if (!close(analytical[i], n, options.atol, options.rtol)) {
        throw new GradcheckError(
          `Jacobian mismatch for output ${o} with respect to input ${inputs.indexOf(checked[i])},\nnumerical:${String(n)}\nanalytical:${String(analytical[i])}\n`,
        );
      }
      if (!close(analytical[i], again[i], options.nondet_tol, 0)) throw new GradcheckError(notReentrant(options.nondet_tol));
    });
  });
  return true;
}

/** ∂output/∂input by central differences: a row for each element of the input, a column for each of the output. */
function numericalJacobian(func: Func, inputs: readonly Tensor[], input: Tensor, outputIndex: number, eps: number): Tensor {
  const evaluate = (element: number, delta: number): Tensor => {
    const moved = contiguousCopy(input.detach());
    const data = viewTyped(moved) as Float64Array;
    data[element] += delta;
    const args = inputs.map((t) => (t === input ? moved.as_strided(input._sizes, moved._strides).requires_grad_() : t));
    return contiguousCopy(outputsOf(func(...args))[outputIndex].detach(), float64);
  };
  const columns = outputsOf(func(...inputs))[outputIndex].numel();
  const jacobian = filled([input.numel(), columns], 0, input.dtype);
  for (let e = 0; e < input.numel(); e++) {
    const up = evaluate(e, eps);
    const down = evaluate(e, -eps);
    const [a, b, row] = [viewTyped(up), viewTyped(down), viewTyped(jacobian)];
    for (let k = 0; k < columns; k++) row[e * columns + k] = (Number(a[k]) - Number(b[k])) / (2 * eps);
  }
  return jacobian;
}

/** The same by backward, one run for each element of the output. */
function analyticalJacobian(output: Tensor, inputs: readonly Tensor[]): Tensor[] {
  const columns = numelOf(output._sizes);
  const jacobians = inputs.map((input) => filled([input.numel(), columns], 0, input.dtype));
  for (let k = 0; k < columns; k++) {
    const oneHot = new Array<number>(columns).fill(0);
    oneHot[k] = 1;
    const vector = fromData(oneHot, output.dtype)._reshaped(output._sizes);
    const grads = grad([output], inputs, [vector], { retain_graph: true, allow_unused: true });
    grads.forEach((g, i) => {
      if (g === null) return;
      const copy = contiguousCopy(g.detach());
      const [from, to] = [viewTyped(copy), viewTyped(jacobians[i])];
      for (let e = 0; e < from.length; e++) to[e * columns + k] = from[e];
    });
  }
  return jacobians;
}

function close(a: Tensor, b: Tensor, atol: number, rtol: number): boolean {
  const [x, y] = [viewTyped(a), viewTyped(b)];
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [Number(x[i]), Number(y[i])];
    if (p !== q && !(Math.abs(p - q) <= atol + rtol * Math.abs(q))) return false;
  }
  return true;
}

function notReentrant(tolerance: number): string {
  return `Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although analytical gradient matches numerical gradient.The tolerance for nondeterminism was ${tolerance === 0 ? "0.0" : tolerance}.`;
}

