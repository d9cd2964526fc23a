/**
 * Pointwise ops against PyTorch on edge values, on every pair of dtypes and on odd layouts: values to a few units in
 * the last place, dtypes, strides, the names of nodes, gradients, second gradients, and the errors.
 *
 * `fixtures/pointwise.py` wrote `fixtures/pointwise.jsonl.gz`; its head says what a line holds.
 */
import * as torch from "leafgrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decode, decodeTensor, element } from "./opinfo/decode.ts";
import type { Encoded, EncodedTensor } from "./opinfo/fixture.ts";
import { readLines } from "./opinfo/fixture.ts";

type Form = "function" | "method" | "in place";
interface Case {
  op: string;
  form: Form;
  args: Encoded[];
  kwargs: Record<string, Encoded>;
  diff: number[];
  out?: Encoded;
  fn?: string;
  grads?: (EncodedTensor | null)[];
  grads2?: (EncodedTensor | null)[];
  grads_error?: [type: string, text: string];
  error?: [type: string, text: string];
}
type Fn = (...args: unknown[]) => unknown;
type Methods = Record<string, Fn>;

const cases = new Map<string, Case[]>();
for (const one of readLines<Case>(new URL("./fixtures/pointwise.jsonl.gz", import.meta.url))) cases.set(one.op, [...(cases.get(one.op) ?? []), one]);

beforeAll(() => void torch.setWarningHandler(() => {}));
afterAll(() => void torch.setWarningHandler(null));

const isTensor = (value: Encoded): boolean => typeof value === "object" && value !== null && "t" in value;

function argument(value: Encoded): unknown {
  if (!isTensor(value)) return decode(value);
  const { t: [dtype, shape], s } = value as unknown as EncodedTensor;
  return shape.includes(0) ? torch.empty(0, { dtype: torch[dtype as "float32"] }).as_strided(shape, s!) : decodeTensor(value as unknown as EncodedTensor);
}

/** What the call gives, with its differentiable arguments. */
function call({ op, form, args, kwargs, diff }: Case): { result: unknown; inputs: torch.Tensor[] } {
  const values = args.map(argument);
  const inputs = diff.map((i) => (values[i] as torch.Tensor).requires_grad_());
  const named = Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, argument(value)]));
  const rest = Object.keys(named).length > 0 ? [named] : [];
  if (form === "function") return { result: (torch as unknown as Methods)[op]!(...values, ...rest), inputs };
  const [self, ...others] = values;
  const target = form === "in place" ? (self as torch.Tensor).clone() : self;
  return { result: (target as Methods)[form === "in place" ? `${op}_` : op]!(...others, ...rest), inputs };
}

/** The same pattern of weights as in the exporter. */
function weights(t: torch.Tensor): torch.Tensor {
  return torch.tensor(Float64Array.from({ length: t.numel() }, (_, k) => (((k * 7 + 3) % 11) - 5) / 4)).view(t.shape).to(t.dtype);
}

const units = { value: 8, gradient: 128 };

/** PyTorch's own kernels differ among themselves in the sign of a zero; it is not compared. */
function close(got: number | bigint | boolean, want: number | bigint, dtype: string, most: number): boolean {
  if (typeof got === "bigint") return got === BigInt(want);
  const [a, b] = [Number(got), Number(want)];
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (!dtype.startsWith("float") || !Number.isFinite(b)) return false;
  const [step, tiny] = dtype === "float32" ? [2 ** -23, 2 ** -126] : [2 ** -52, 2 ** -1022];
  const slack = most === units.gradient ? 1e9 * step * step + step : 0;
  return Math.abs(a - b) <= most * step * Math.max(Math.abs(b), tiny) + slack;
}

function differenceOf(got: unknown, want: Encoded, most = units.value): string | null {
  if (!isTensor(want)) return Object.is(got, want) ? null : `want ${String(want)}, got ${String(got)}`;
  const { t: [dtype, shape, data], s } = want as unknown as EncodedTensor;
  if (!(got instanceof torch.Tensor)) return `want a tensor, got ${String(got)}`;
  if (String(got.dtype) !== `torch.${dtype}`) return `want torch.${dtype}, got ${got.dtype}`;
  if (`${got.shape}` !== `${shape}`) return `want shape [${shape}], got [${got.shape}]`;
  if (most === units.value && `${got.stride()}` !== `${s}`) return `want strides [${s}], got [${got.stride()}]`;
  const values = got.toTypedArray();
  const at = data.findIndex((value, i) => !close(values[i]!, element(value), dtype, most));
  return at < 0 ? null : `want ${element(data[at]!)} at ${at}, got ${values[at]}`;
}

function differenceOfGradients(got: readonly (torch.Tensor | null)[], want: readonly (EncodedTensor | null)[]): string | null {
  for (const [i, one] of want.entries()) {
    const gradient = got[i] ?? null;
    const difference = one === null || gradient === null ? (one === gradient ? null : "one of them is null") : differenceOf(gradient, one as unknown as Encoded, units.gradient);
    if (difference !== null) return `gradient ${i}: ${difference}`;
  }
  return null;
}

function textOf(run: () => unknown): string {
  try {
    return `no error but ${String(run())}`;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

function compareText(run: () => unknown, [type, text]: [string, string]): string | null {
  const [want, got] = [`${type}: ${text}`, textOf(run)];
  return want === got ? null : `want ${want}\n  got ${got}`;
}

function judge(one: Case): string | null {
  if (one.error !== undefined) return compareText(() => call(one).result, one.error);
  const { result, inputs } = call(one);
  const difference = differenceOf(result, one.out!);
  if (difference !== null || !(result instanceof torch.Tensor)) return difference;
  const name = result.grad_fn?.name();
  if (name !== one.fn) return `want ${one.fn}, got ${name}`;
  if (one.fn === undefined) return null;
  const gradients = () => torch.autograd.grad(result, inputs, weights(result), { create_graph: true, allow_unused: true });
  if (one.grads_error !== undefined) return compareText(gradients, one.grads_error);
  const first = gradients();
  const again = first.filter((g) => g !== null && g.requires_grad) as torch.Tensor[];
  if ((again.length > 0) !== (one.grads2 !== undefined)) return `the gradient is ${again.length > 0 ? "" : "not "}differentiable`;
  return (
    differenceOfGradients(first, one.grads!) ??
    (again.length === 0 ? null : differenceOfGradients(torch.autograd.grad(again, inputs, again.map(weights), { allow_unused: true }), one.grads2!)) ??
    differenceOfGradients(plainGradients(one), one.grads!)
  );
}

/** The gradients without `create_graph`: those of the compiled formulas. */
function plainGradients(one: Case): readonly (torch.Tensor | null)[] {
  const { result, inputs } = call(one);
  return torch.autograd.grad(result as torch.Tensor, inputs, weights(result as torch.Tensor), { allow_unused: true });
}

function brief(value: Encoded): string {
  if (!isTensor(value)) return JSON.stringify(value);
  const { t: [dtype, shape] } = value as unknown as EncodedTensor;
  return `${dtype}[${shape}]`;
}

describe("pointwise ops on edge values", () => {
  for (const [op, list] of cases) {
    test(op, () => {
      const complaints = list.flatMap((one) => {
        const difference = judge(one);
        return difference === null ? [] : [`${op}(${one.args.map(brief)}, ${JSON.stringify(one.kwargs)}), ${one.form}: ${difference}`];
      });
      expect(complaints).toEqual([]);
    });
  }
});
