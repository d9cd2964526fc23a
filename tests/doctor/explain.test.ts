import { expect, test } from "vitest";
import * as torch from "leafgrad";

test("explain tells leaves from results, and who has a gradient", () => {
  const x = torch.tensor([1, 2], { requires_grad: true });
  const y = x.mul(2);
  const z = y.add(1);
  z.retain_grad();
  expect(torch.explain(x)).toMatch(/^It is a leaf that requires grad.*no gradient: no backward/);
  expect(torch.explain(y)).toMatch(/^It is no leaf: mul made it.*retain_grad\(\) before backward/);
  expect(torch.explain(z)).toMatch(/the next backward that passes it/);
  z.sum().backward();
  expect(torch.explain(x)).toMatch(/It has a gradient, the sum over all backwards so far/);
  expect(torch.explain(z)).toMatch(/It has a gradient, because retain_grad\(\) was called/);
});

test("explain tells what keeps a gradient away", () => {
  const x = torch.tensor([1, 2], { requires_grad: true });
  expect(torch.explain(x.detach())).toMatch(/^It is a leaf, and no gradient flows to it.*the graph was cut/);
  expect(torch.explain(x.long())).toMatch(/Its dtype is int64, and only floats have gradients/);
  expect(() => torch.explain(1 as unknown as torch.Tensor)).toThrow(TypeError);
});
