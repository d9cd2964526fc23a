/** torch.autograd.functional: calls with PyTorch 2.13's answers, which `fixtures/functional.py` wrote into `fixtures/functional.json`. */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { expect, test } from "vitest";
import { observe } from "../oracle/semantics/observe.ts";
import { tuple } from "../oracle/semantics/pyrepr.ts";

type Tensor = torch.Tensor;
const calls = JSON.parse(readFileSync(new URL("./fixtures/functional.json", import.meta.url), "utf8")) as [javascript: string, answer: string][];

const cubes = (x: Tensor): Tensor => x.pow(3).sum();
const functions = {
  square: (x: Tensor) => x.pow(2),
  cubes,
  squares: (x: Tensor) => x.mul(x).sum(),
  linear: (x: Tensor) => x.sum(),
  twice: (x: Tensor) => x.mul(2),
  detached: (x: Tensor) => x.detach(),
  both: (x: Tensor, y: Tensor) => [x.sum().mul(y), x.mul(2)],
  mixed: (x: Tensor, y: Tensor) => x.sum().mul(y).mul(y).sum(),
  first: (x: Tensor, _y: Tensor) => cubes(x),
  pair: (x: Tensor) => [cubes(x), cubes(x)],
};

/** Arrays are tuples in Python. */
const asTuples = (value: unknown): unknown => (Array.isArray(value) ? tuple(...value.map(asTuples)) : value);

test.each(calls)("%s", (javascript, answer) => {
  const tensors = { x: torch.tensor([1, 2]), y: torch.tensor([3, 4, 5]), w: torch.tensor([1, 2], { requires_grad: true }) };
  const names = { torch, ...torch.autograd.functional, ...functions, ...tensors };
  const run = new Function(...Object.keys(names), `return ${javascript}`) as (...values: unknown[]) => unknown;
  expect(observe(() => asTuples(run(...Object.values(names))))).toBe(answer);
});

test("results are typed by the function and its inputs", () => {
  const { hessian, jacobian, vjp } = torch.autograd.functional;
  const x = torch.tensor([1, 2]);
  const one: Tensor = jacobian(functions.square, x);
  const many: Tensor[][] = jacobian(functions.both, [x, x]);
  const second: Tensor = hessian(cubes, x);
  const [output, product]: [Tensor, Tensor[]] = vjp(functions.mixed, [x, x]);
  expect([one, many[1]![0]!, second, output, product[1]!].map((t) => t.shape)).toEqual([[2, 2], [2, 2], [2, 2], [], [2]]);
});
