/** Calls with what they give, printed, or with the error that they raise. `fixtures/results.py` wrote `fixtures/results.json`. */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { afterAll, beforeAll, expect, test } from "vitest";

type Result = [javascript: string, printed: string] | [javascript: string, printed: null, type: string, text: string];
const results = JSON.parse(readFileSync(new URL("./fixtures/results.json", import.meta.url), "utf8")) as Result[];

const { float32: f32, float64: f64, int64: i64, int32: i32, uint8: u8, bool, int8 } = torch;

/** The tensors that the calls are written in; new ones for each call, for calls may write. */
const names = (): Record<string, unknown> => ({
  torch, F: torch.nn.functional,
  x: torch.tensor([[1.5, -2, 3.25], [0.5, 4, -1]]), v: torch.tensor([3, 1, 2]), i: torch.tensor([2n, 0n]), m: torch.tensor([true, false, true]),
  out: (dtype: typeof f32, ...shape: number[]) => torch.zeros(shape, { dtype }),
  y: torch.tensor([0.5, -1, 2, 0.25, -0.75, 1]),
  f32, f64, i64, i32, u8, bool, int8, nan: NaN, inf: Infinity, warned, grads,
});

/** A result and the gradients of the sum of its squares. */
function grads(call: (...args: unknown[]) => torch.Tensor, ...inputs: unknown[]): (torch.Tensor | null)[] {
  const isFloat = (t: unknown): t is torch.Tensor => t instanceof torch.Tensor && t.is_floating_point();
  const leaves = inputs.map((t) => (isFloat(t) ? t.detach().requires_grad_() : t));
  const result = call(...leaves);
  return [result, ...torch.autograd.grad(result.square().sum(), leaves.filter(isFloat), { allow_unused: true })];
}

/** What a call warns of. */
function warned(call: () => unknown): string {
  const texts: string[] = [];
  const before = torch.setWarningHandler((text) => texts.push(text));
  call();
  torch.setWarningHandler(before);
  return texts.join("; ");
}

beforeAll(() => void torch.setWarningHandler(() => {}));
afterAll(() => void torch.setWarningHandler(null));

test.each(results)("%s", (javascript, printed, type?: string, text?: string) => {
  const given = names();
  const run = new Function(...Object.keys(given), `return ${javascript}`) as (...values: unknown[]) => unknown;
  const call = (): unknown => run(...Object.values(given));
  if (printed === null) {
    expect(call).toThrow(expect.objectContaining({ name: type, message: text }));
    return;
  }
  const result = call();
  expect(Array.isArray(result) ? result.map(String).join(", ") : String(result)).toBe(printed);
});
