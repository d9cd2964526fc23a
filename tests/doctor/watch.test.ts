/** What the cheap tier notices, and what the other one then tells. */
import { expect, test } from "vitest";
import * as torch from "leafgrad";
import { diagnose, watch } from "leafgrad/doctor";

const rulesOf = (program: () => unknown): [string, string][] => diagnose(program).findings.map(({ rule, message }) => [rule, message]);

test("a NaN that a test of the program hides from backward is told of", () => {
  const found = rulesOf(() => {
    const w = torch.tensor([0, 1], { requires_grad: true });
    const loss = w.sub(0).log().mul(w).sum();
    if (loss.isnan().any().item()) return;
    loss.backward();
  });
  expect(found).toEqual([["log-of-zero", "NaN in loss"]]);
});

test("a parameter that an update leaves not finite is told of, though no loss sees it", () => {
  const found = rulesOf(() => {
    const w = torch.tensor([1, 2], { requires_grad: true });
    w.pow(2).sum().backward();
    const spread = w.grad!.sub(w.grad!);
    torch.no_grad(() => w.sub_(w.grad!.div(spread)));
  });
  expect(found).toEqual([["division-by-zero", "Inf in w (2 of 2 elements)"]]);
});

test("elements beyond the first vectors, in any order of memory, are seen", () => {
  for (const lay of [(x: torch.Tensor) => x, (x: torch.Tensor) => x.t(), (x: torch.Tensor) => x.narrow(1, 50, 200), (x: torch.Tensor) => x.double()]) {
    const x = torch.ones([301, 301]);
    x.narrow(0, 200, 1).narrow(1, 100, 1).zero_();
    const { reasons } = watch(() => lay(x).reciprocal());
    expect(reasons).toEqual(["a value that is not finite"]);
    expect(watch(() => lay(x).add(1)).reasons).toEqual([]);
  }
});

test("infinities that a program wrote itself, and what they are masked to, give no reason", () => {
  const { reasons } = watch(() => {
    const scores = torch.arange(256).view(16, 16).div(100).requires_grad_();
    const mask = torch.ones([16, 16]).triu(1).gt(0);
    const bias = torch.zeros([16, 16]).masked_fill_(mask, -Infinity);
    scores.add(bias).softmax(1).pow(2).sum().backward();
    scores.masked_fill(mask, -Infinity).mul(2).logsumexp(1).sum().backward();
  });
  expect(reasons).toEqual([]);
});
