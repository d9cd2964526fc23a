/** Checks derivatives against central differences (torch.autograd.gradcheck, its slow mode). */
import { grad } from "../autograd/backward.ts";
import { Function, type FunctionCtx } from "../autograd/function.ts";
import { requiresGrad } from "../autograd/variable.ts";
import { AssertionError, RuntimeError, ValueError, warn } from "../errors.ts";
import { isPlainObject } from "../schema/arguments.ts";
import { float64 } from "../tensor/dtype.ts";
import { numelOf, sameSizes, sizeText } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { viewTyped } from "../tensor/read.ts";
import { contiguousCopy } from "../ops/creation/copy.ts";
import { filled, fromData } from "../ops/creation/fill.ts";

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
  /** Check backwards in which some output has no gradient, too (default)? */
  check_undefined_grad?: boolean;
}

type Func = (...inputs: Tensor[]) => unknown;
type Inputs = Tensor | readonly unknown[];
type Tolerances = Required<Omit<GradcheckOptions, "raise_exception">>;

const listOf = (value: Inputs): Tensor[] => (value instanceof Tensor ? [value] : [...value] as Tensor[]);
const differentiable = (values: readonly Tensor[]): Tensor[] => values.filter((value) => value instanceof Tensor && requiresGrad(value));

/** The tensors that a call gives. */
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
export function gradcheck(func: Func, inputs: Inputs, options: GradcheckOptions = {}): boolean {
  const list = listOf(inputs);
  checkInputs(list);
  const { raise_exception = true, ...tolerances } = options;
  try {
    check(func, list, { eps: 1e-6, atol: 1e-5, rtol: 1e-3, nondet_tol: 0, check_undefined_grad: true, ...tolerances });
    return true;
  } catch (error) {
    if (!raise_exception && error instanceof GradcheckError) return false;
    throw error;
  }
}

/**
 * The same for second derivatives: checks the gradient of the gradient. `grad_outputs` default to vectors drawn from [-1, 1).
 *
 * @example
 * torch.autograd.gradgradcheck((x) => x.pow(3), [torch.rand(3, { dtype: torch.float64, requires_grad: true })]);
 */
export function gradgradcheck(func: Func, inputs: Inputs, options?: GradcheckOptions): boolean;
export function gradgradcheck(func: Func, inputs: Inputs, grad_outputs: Inputs | null, options?: GradcheckOptions): boolean;
export function gradgradcheck(func: Func, inputs: Inputs, second: Inputs | GradcheckOptions | null = null, third: GradcheckOptions = {}): boolean {
  const [grad_outputs, options] = isPlainObject(second) ? [null, second] : [second as Inputs | null, third];
  const list = listOf(inputs);
  const outputs = differentiable(outputsOf(func(...list)));
  const vectors = grad_outputs === null ? outputs.map((o) => o.new_empty(o._sizes).uniform_(-1, 1).requires_grad_()) : listOf(grad_outputs);
  const count = list.length;
  const firstGrads: Func = (...all) => {
    const outs = differentiable(outputsOf(func(...all.slice(0, count))));
    const wanted = differentiable(all.slice(0, count));
    return grad(outs, wanted, all.slice(count), { create_graph: true, allow_unused: true }).filter((g) => g !== null);
  };
  return gradcheck(firstGrads, [...list, ...vectors], options);
}

function checkInputs(inputs: readonly Tensor[]): void {
  if (differentiable(inputs).length === 0) {
    throw new ValueError("gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True.");
  }
  for (const [i, input] of inputs.entries()) {
    if (!(input instanceof Tensor && requiresGrad(input))) continue;
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
  }
}

function check(func: Func, inputs: readonly Tensor[], options: Tolerances): void {
  const all = outputsOf(func(...inputs));
  const outputs = differentiable(all);
  if (outputs.length === 0) return expectConstants(func, inputs, all, options.eps);
  compareJacobians(func, inputs, all, options);
  expectZeros(zeroGradients(outputs, inputs), "backward not multiplied by grad_output");
  if (options.check_undefined_grad) checkUndefined(func, inputs);
}

/** Where no output requires grad, none may depend on an input. */
function expectConstants(func: Func, inputs: readonly Tensor[], outputs: readonly Tensor[], eps: number): void {
  for (const o of outputs.keys()) {
    for (const input of differentiable(inputs)) {
      expectZeros([numericalJacobian(func, inputs, input, o, eps)], "Numerical gradient for function expected to be zero");
    }
  }
}

function expectZeros(tensors: readonly (Tensor | null)[], message: string): void {
  for (const tensor of tensors) {
    if (tensor !== null && viewTyped(contiguousCopy(tensor.detach())).some((v) => Number(v) !== 0)) throw new GradcheckError(message);
  }
}

/** Gradients of the inputs where all outputs have the gradient zero. */
function zeroGradients(outputs: readonly Tensor[], inputs: readonly Tensor[]): (Tensor | null)[] {
  return grad(outputs, differentiable(inputs), outputs.map((o) => filled(o._sizes, 0, o.dtype)), { retain_graph: true, allow_unused: true });
}

/** Lets no gradient through. */
class Undefined extends Function {
  static forward = (_ctx: FunctionCtx, x: Tensor): Tensor => x;
  static backward = (): null => null;
}

const notes = ' Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"';

/** Backwards in which no output has a gradient, or one of several has none, must go through and find zeros. */
function checkUndefined(func: Func, inputs: readonly Tensor[]): void {
  const outputs = (): Tensor[] => differentiable(outputsOf(func(...inputs)));
  const cases = [outputs().map((o) => Undefined.apply(o))];
  if (cases[0].length > 1) for (const k of cases[0].keys()) cases.push(outputs().map((o, i) => (i === k ? Undefined.apply(o) : o)));
  for (const roots of cases) {
    try {
      expectZeros(undefinedGradients(roots, inputs), `Expected all input grads to be undefined or zero when all output grads are undefined or zero.${notes}`);
    } catch (error) {
      if (error instanceof GradcheckError) {
        warn(
          'Backwards compatibility: New undefined gradient support checking feature is enabled by default, but it may break existing callers of this function. If this is true for you, you can call this function with "check_undefined_grad=False" to disable the feature',
        );
      }
      throw error;
    }
  }
}

function undefinedGradients(roots: readonly Tensor[], inputs: readonly Tensor[]): (Tensor | null)[] {
  try {
    return zeroGradients(roots, inputs);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new GradcheckError(`Expected backward function to handle undefined output grads.${notes}`, { cause: error });
  }
}

function compareJacobians(func: Func, inputs: readonly Tensor[], outputs: readonly Tensor[], { eps, atol, rtol, nondet_tol }: Tolerances): void {
  const checked = differentiable(inputs);
  let index = 0;
  for (const [o, output] of outputs.entries()) {
    if (!requiresGrad(output)) continue;
    const numerical = checked.map((input) => numericalJacobian(func, inputs, input, o, eps));
    const analytical = analyticalJacobian(output, checked);
    const again = analyticalJacobian(output, checked);
    if (analytical.some((a, i) => !close(a, again[i], nondet_tol, 0))) throw new GradcheckError(notReentrant(nondet_tol));
    numerical.forEach((n, i) => {
      if (close(analytical[i], n, atol, rtol)) return;
      throw new GradcheckError(
        `Jacobian mismatch for output ${index} with respect to input ${i},\nnumerical:${String(n)}\nanalytical:${String(analytical[i])}\n`,
      );
    });
    index++;
  }
}

/** ∂output/∂input by central differences: a row for each element of the input, a column for each of the output. */
function numericalJacobian(func: Func, inputs: readonly Tensor[], input: Tensor, outputIndex: number, eps: number): Tensor {
  const evaluate = (element: number, delta: number): Tensor => {
    const moved = contiguousCopy(input.detach());
    const data = viewTyped(moved) as Float64Array;
    data[element] += delta;
    const args = inputs.map((t) => (t === input ? moved.as_strided(input._sizes, moved._strides).requires_grad_() : t));
    return outputsOf(func(...args))[outputIndex].detach();
  };
  const columns = outputsOf(func(...inputs))[outputIndex].numel();
  const jacobian = filled([input.numel(), columns], 0, input.dtype);
  const row = viewTyped(jacobian);
  for (let e = 0; e < input.numel(); e++) {
    const [down, up] = [evaluate(e, -eps), evaluate(e, eps)];
    checkLike(down, up, indexOf(e, input._sizes), eps);
    const [a, b] = [contiguousCopy(up, float64), contiguousCopy(down, float64)].map(viewTyped);
    for (let k = 0; k < columns; k++) row[e * columns + k] = (Number(a[k]) - Number(b[k])) / (2 * eps);
  }
  return jacobian;
}

/** What the function gives may not change its shape or dtype with the values that it is given. */
function checkLike(a: Tensor, b: Tensor, index: readonly number[], eps: number): void {
  const where = `when inputs are perturbed on index (${index.length === 1 ? `${index[0]},` : index.join(", ")}) by ${pythonNumber(eps)}, but got:`;
  if (!sameSizes(a._sizes, b._sizes)) {
    const [from, to] = [a, b].map((t) => sizeText(t._sizes));
    throw new AssertionError(`Expected \`func\` to return outputs with the same shape ${where} shapes ${from} and ${to}.`);
  }
  if (a.dtype !== b.dtype) {
    throw new AssertionError(`Expected \`func\` to return outputs with the same dtype ${where} dtypes ${String(a.dtype)} and ${String(b.dtype)}.`);
  }
}

/** The position of the `element`-th element in row-major order. */
function indexOf(element: number, sizes: readonly number[]): number[] {
  let rest = element;
  return sizes.map((size, d) => {
    const step = numelOf(sizes.slice(d + 1));
    const at = Math.floor(rest / step) % size;
    rest %= step;
    return at;
  });
}

/** As Python writes a small float: `1e-06`. */
function pythonNumber(value: number): string {
  return value < 1e-4 ? value.toExponential().replace(/-(\d)$/, "-0$1") : String(value);
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
  return `Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different values, although analytical gradient matches numerical gradient.The tolerance for nondeterminism was ${tolerance === 0 ? "0.0" : pythonNumber(tolerance)}.`;
}
