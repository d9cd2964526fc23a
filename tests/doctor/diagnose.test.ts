import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as torch from "leafgrad";
import { diagnose } from "leafgrad/doctor";
import { observed } from "../../src/dispatch/observer.ts";

const here = fileURLToPath(import.meta.url);

test("diagnose names the line of the callback, its elements and the arithmetic", () => {
  const { findings, error } = diagnose(() => {
    const x = torch.tensor([[4, 0], [0, 1]], { requires_grad: true });
    const mask = x.gt(0).float();
    mask.mul(x.sqrt()).sum().backward();
  });
  expect(error).toBeNull();
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ rule: "nan-from-zero-times-inf", elements: [[0, 1], [1, 0]], culprit: { file: here } });
  expect(findings[0].equation).toContain("= inf");
});

test("what watching finds healthy is not run again", () => {
  let runs = 0;
  const report = diagnose(() => {
    runs++;
    torch.tensor([1, 2], { requires_grad: true }).pow(2).sum().backward();
  });
  expect(report).toMatchObject({ findings: [], reasons: [], trace: null });
  expect(runs).toBe(1);
});

test("the second run draws the same random numbers", () => {
  const drawn: number[] = [];
  torch.manual_seed(7);
  diagnose(() => {
    const x = torch.randn(3, { requires_grad: true });
    drawn.push(Number(x.detach().sum().item()));
    x.backward();
  });
  expect(drawn).toHaveLength(2);
  expect(drawn[1]).toBe(drawn[0]);
});

test("an error is reported, and the observer is detached again", () => {
  const { findings, error } = diagnose(() => {
    const w = torch.ones([2], { requires_grad: true });
    w.add_(1);
  });
  expect(error).toBeInstanceOf(torch.RuntimeError);
  expect(findings.map(({ rule }) => rule)).toEqual(["leaf-modified-in-place"]);
  expect(observed.by).toBeNull();
});

test("an asynchronous program gives its report in a promise, and the lines after an await are seen", async () => {
  const report = diagnose(async () => {
    const x = torch.tensor([0], { requires_grad: true });
    await Promise.resolve();
    x.sqrt().sum().backward();
  });
  expect(observed.by).not.toBeNull();
  const { findings, error } = await report;
  expect(error).toBeNull();
  expect(findings).toMatchObject([{ rule: "infinite-slope", culprit: { file: here, op: "x.sqrt()" } }]);
  expect(observed.by).toBeNull();
  const refused = await diagnose(async () => {
    await Promise.resolve();
    torch.ones([2], { requires_grad: true }).add_(1);
  });
  expect(refused.error).toBeInstanceOf(torch.RuntimeError);
  expect(refused.findings.map(({ rule }) => rule)).toEqual(["leaf-modified-in-place"]);
});

test("a repair that was not tried says so", () => {
  const { findings } = diagnose(() => torch.tensor([0], { requires_grad: true }).sqrt().sum().backward());
  expect(findings[0].proof).toMatchObject({ verified: false, text: expect.stringContaining("leafgrad doctor FILE") as string });
});

test("recording that a program leaves off is off for nobody else", () => {
  const { findings } = diagnose(() => {
    const w = torch.tensor([1], { requires_grad: true });
    w.mul(2).sum().backward();
    torch.set_grad_enabled(false);
    w.mul(2).sum().backward();
  });
  expect(findings).toMatchObject([{ rule: "graph-cut", culprit: { op: "torch.set_grad_enabled(false)" } }]);
  expect(torch.is_grad_enabled()).toBe(true);
});
