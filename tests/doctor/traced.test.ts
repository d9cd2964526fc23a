import { expect, test } from "vitest";
import type { Formula } from "../../src/ir/arithmetic.ts";
import { Traced, unitGradient } from "../../src/doctor/trace/traced.ts";

const same = (x: number): number => x;
const symbolic = (leaf: Traced): string => leaf.name ?? String(leaf.value);
const numeric = (leaf: Traced): string => String(leaf.value);

function evaluate(formula: Formula, values: Record<string, number>): Traced {
  return formula(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Traced.named(name, value, same)]))) as Traced;
}

test("a formula yields its value and its arithmetic", () => {
  const result = evaluate(({ self, other }) => self.sub(other).pow(2).mul(3).div(other.add(1)), { self: 5, other: 3 });
  expect(result.value).toBe(3);
  expect(result.text(symbolic)).toBe("3·(self - other)^2/(other + 1)");
  expect(result.text(numeric)).toBe("3·(5 - 3)^2/(3 + 1)");
});

test("signs and brackets stand where they bind", () => {
  const result = evaluate(({ self, other }) => self.neg().mul(other.sub(self.sub(other))).pow(-0.5), { self: 1, other: -2 });
  expect(result.text(symbolic)).toBe("((-self)·(other - (self - other)))^-0.5");
  expect(evaluate(({ self }) => self.pow(2), { self: -3 }).text(numeric)).toBe("(-3)^2");
});

test("the unit gradient vanishes, so that a slope is left", () => {
  const grad = unitGradient(same);
  const result = Traced.named("result", 0, same);
  expect(grad.div(result.mul(2)).text(symbolic)).toBe("1/(2·result)");
  expect(grad.mul(result).text(symbolic)).toBe("result");
});

test("the origin is the innermost step that went wrong", () => {
  const result = evaluate(({ self }) => self.log().mul(self).add(1), { self: 0 });
  expect(result.origin.text(numeric)).toBe("log(0)");
});

test("the factor that makes a product zero is named rather than the gradient", () => {
  const factor = evaluate(({ grad, other }) => grad.mul(other), { grad: 0, other: 0 }).zeroFactor;
  expect(factor.name).toBe("other");
});

test("float32 rounds at each step", () => {
  const x = Traced.named("x", 89, Math.fround);
  expect(x.exp().value).toBe(Infinity);
});
