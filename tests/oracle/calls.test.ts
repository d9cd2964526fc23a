/** Calls that PyTorch refuses, with the class and the text of the error. `fixtures/calls.py` wrote `fixtures/calls.json`. */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { expect, test } from "vitest";

const calls = JSON.parse(readFileSync(new URL("./fixtures/calls.json", import.meta.url), "utf8")) as [javascript: string, type: string, text: string][];

test.each(calls)("%s", (javascript, type, text) => {
  const x = torch.ones(2, 3);
  const i = torch.tensor([7n, -7n]);
  const b = torch.tensor([true, false]);
  const y = torch.tensor([1, 2], { requires_grad: true });
  const run = new Function("torch", "F", "x", "i", "b", "y", `return ${javascript}`) as (...values: unknown[]) => unknown;
  expect(() => run(torch, torch.nn.functional, x, i, b, y)).toThrow(expect.objectContaining({ name: type, message: text }));
});
