/** What one case has to satisfy: values, gradients, second gradients, and the method and in-place forms of the op. */
import * as torch from "leafgrad";
import type { Call } from "./call.ts";
import { inplaceForm, methodForm } from "./call.ts";
import { compareGradients, compareResult, compareStrides, isTensor, tensorsOf } from "./compare.ts";
import type { Bound, DType } from "./decode.ts";
import { bind } from "./decode.ts";
import type { Case } from "./fixture.ts";

export type Check = { what: string; run: () => string | null };
type Gradients = (torch.Tensor | null)[];

export function checksOf(one: Case, call: Call): Check[] {
  const checks: Check[] = [{ what: "out", run: () => compareResult(forward(one, call), one.out, one.op) }];
  if (!one.nodata) checks.push({ what: "strides", run: () => compareStrides(tensorsOf(forward(one, call)), one.out) });
  const method = one.method ? methodForm(one) : null;
  if (method) checks.push({ what: "method", run: () => compareResult(forward(one, method), one.out, one.op) });
  if (one.grads_w) checks.push(...gradientChecks(one, call));
  if (one.inplace && keepsItsKind(one)) checks.push(...inplaceChecks(one));
  return checks;
}

function forward(one: Case, call: Call, bound: Bound = bind(one)): unknown {
  if (one.random) torch.manual_seed(one.seed_call!);
  return call(bound);
}

/** The three gradients of a case come from one forward pass, as in the exporter. */
function gradientChecks(one: Case, call: Call): Check[] {
  const second = one.grad2 !== undefined;
  const pass = once(() => {
    const bound = bind(one, one.diff_inputs);
    return { outputs: tensorsOf(forward(one, call, bound)), inputs: leavesOf(one, bound) };
  });
  const sums = (): Gradients => gradients(total(pass().outputs, false), pass().inputs, { retain_graph: true });
  const weighted = once(() => gradients(total(pass().outputs, true), pass().inputs, { create_graph: second }));
  const again = (): string | null => {
    const sum = total(weighted().filter((gradient) => gradient !== null), true);
    if (one.grad2 === null) return sum === null ? null : "a gradient is differentiable again";
    return compareGradients(gradients(sum, pass().inputs, {}), one.grad2!, one.op);
  };
  const checks = [
    { what: "grads_sum", run: () => compareGradients(sums(), one.grads_sum!, one.op) },
    { what: "grads_w", run: () => compareGradients(weighted(), one.grads_w!, one.op) },
  ];
  return second ? [...checks, { what: "grad2", run: again }] : checks;
}

function gradients(total: torch.Tensor | null, inputs: torch.Tensor[], options: object): Gradients {
  if (total === null) throw new Error("nothing requires a gradient");
  return torch.autograd.grad(total, inputs, { allow_unused: true, ...options }) as Gradients;
}

const leavesOf = (one: Case, bound: Bound): torch.Tensor[] => one.diff_inputs!.map((path) => bound.tensors.get(path)!);

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** An in-place op cannot change the dtype or the shape of what it writes to. */
function keepsItsKind({ input, out, out_struct }: Case): boolean {
  const kind = (value: unknown): string => JSON.stringify((value as { t?: unknown[] } | null)?.t?.slice(0, 2) ?? null);
  return out_struct === "tensor" && kind(input) !== "null" && kind(input) === kind(out[0]);
}

function inplaceChecks(one: Case): Check[] {
  const { call, differentiable } = inplaceForm(one);
  const value = (): string | null => compareResult(forward(one, call), one.out, one.op);
  const gradient = (): string | null => {
    const bound = bind(one, one.diff_inputs);
    const outputs = tensorsOf(forward(one, call, bound));
    return compareGradients(gradients(total(outputs, true), leavesOf(one, bound), {}), one.grads_w!, one.op);
  };
  const checks = [{ what: "inplace", run: value }];
  return one.grads_w && differentiable ? [...checks, { what: "inplace grads_w", run: gradient }] : checks;
}

/** The exporter's total(): the sum of every differentiable output, each weighted by a fixed pattern or not at all. */
function total(outputs: readonly torch.Tensor[], weighted: boolean): torch.Tensor | null {
  let sum: torch.Tensor | null = null;
  for (const output of outputs) {
    if (!isTensor(output) || !output.requires_grad) continue;
    let flat = output.reshape([-1]);
    if (weighted) flat = flat.mul(pattern(flat.numel(), flat.dtype));
    const term = flat.sum().double();
    sum = sum === null ? term : sum.add(term);
  }
  return sum;
}

/** W[k] = ((7k + 3) mod 11 - 5) / 4: a plain sum has no gradient through softmax and its like. */
function pattern(length: number, dtype: DType): torch.Tensor {
  return torch.tensor(Float64Array.from({ length }, (_, k) => (((k * 7 + 3) % 11) - 5) / 4), { dtype });
}
