import { expect, test } from "vitest";
import { assignedName } from "../../src/doctor/trace/names.ts";
import { expressionAt, placeAt } from "../../src/doctor/trace/source.ts";
import { diagnoseText } from "./program.ts";

/** The name of what `f` at the mark `@` gives. */
function nameIn(text: string, output = 0): string | null {
  const at = text.indexOf("@");
  const source = text.replace("@", "");
  const { line, column } = placeAt(source, at);
  return assignedName(source, expressionAt(source, line, column)!, output);
}

test.each([
  ["const x = @f(1);", "x"],
  ["let x: Tensor = @f(1)\n", "x"],
  ["x = @f(1);", "x"],
  ["this.weight = torch.@f(2);", "this.weight"],
  ["grads[0] = @f(2);", "grads[0]"],
  ['state["h"] = @f(2);', 'state["h"]'],
  ["const w = torch.@f(3, { a: 1 }).requires_grad_();", "w"],
  ["const params = { w: torch.@f(2), b: 3 };", "params.w"],
  ["const params = { w: 1, b: torch.@f([1, 2], { requires_grad: true }) };", "params.b"],
  ["const model = { layer: { 'x-y': 1, weight: @f(1) } };", "model.layer.weight"],
  ['const model = { "x-y": @f(1) };', 'model["x-y"]'],
  ["const layers = Array.from({ length: 3 }, () => ({ weight: @f(1), bias: f(2) }));", "weight"],
  ["function make() { return { w: @f(1) }; }", "w"],
  ["const params = [g(1), @f(1)];", "params[1]"],
  ["const params = [[g(1), 2], { w: @f(1) }];", "params[1].w"],
  ["const [a, b] = [g(1, 2), @f(1)];", "b"],
  ["loss(@f(1));", null],
  ["const x = y[@f(1)];", null],
  ["const x = @f(1).add(2);", null],
  ["const x = c ? @f(1) : 2;", null],
])("%s", (text, name) => {
  expect(nameIn(text)).toBe(name);
});

test("of several results each has its own name", () => {
  expect(nameIn("const [a, b] = x.@f(2);", 1)).toBe("b");
  expect(nameIn("const [, b] = x.@f(2);", 1)).toBe("b");
  expect(nameIn("const { values, indices: places } = x.@f(0);", 1)).toBe("places");
  expect(nameIn("const { indices } = x.@f(0);", 0)).toBe(null);
});

test("what functions and constructors make is named as their callers name it", () => {
  const program = `
import * as torch from "leafgrad";
const param = (n) => torch.randn(n, n).mul(0.1).requires_grad_();
class Linear {
  weight = param(2);
  constructor() { this.bias = torch.zeros(2, { requires_grad: true }); }
}
class Net {
  layers = [new Linear(), new Linear()];
  constructor() { this.head = new Linear(); }
}
const net = new Net();
const w = param(2);
torch.ones(2, { requires_grad: true }).sum().backward();
`;
  const { findings } = diagnoseText(program);
  const names = ["w", ...["head", "layers[0]", "layers[1]"].flatMap((layer) => [`net.${layer}.bias`, `net.${layer}.weight`])];
  expect(findings.flatMap(({ message }) => message.replace("no loss depends on ", "").split(", ")).toSorted()).toEqual(names.toSorted());
});
