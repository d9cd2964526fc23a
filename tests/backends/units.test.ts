/** Results do not depend on how the units of a kernel's work are shared out. */
import * as torch from "leafgrad";
import { afterEach, expect, test, vi } from "vitest";
import type { Kernel } from "../../src/backends/wasm/engine.ts";

/** How many units make a piece; the pieces run from the last to the first. */
const pieces = vi.hoisted(() => ({ units: Infinity, calls: 0 }));

vi.mock("../../src/backends/wasm/threads.ts", () => ({
  parallelFor: (kernel: Kernel, parameters: number, n: number): void => {
    const size = Math.min(pieces.units, n);
    for (let from = Math.floor((n - 1) / size) * size; from >= 0; from -= size) {
      kernel.run(parameters, from, Math.min(from + size, n));
      pieces.calls++;
    }
  },
  threadCount: () => 1,
}));

afterEach(() => void (pieces.units = Infinity));

const products: [string, () => torch.Tensor][] = [
  ["a product", () => torch.mm(torch.randn(131, 300), torch.randn(300, 77))],
  ["a wide product", () => torch.mm(torch.randn(15, 40), torch.randn(40, 1200))],
  ["a product in float64", () => torch.mm(torch.randn([45, 270], { dtype: torch.float64 }), torch.randn([50, 270], { dtype: torch.float64 }).t())],
  ["a batch", () => torch.bmm(torch.randn(5, 33, 20), torch.randn(5, 20, 19))],
  ["a sum with a product", () => torch.addmm(torch.randn(50), torch.randn(40, 600), torch.randn(600, 50), { beta: 0.5, alpha: 2 })],
  ["a matrix and a vector", () => torch.mv(torch.randn(301, 203), torch.randn(203))],
  ["a convolution", () => torch.conv2d(torch.randn(3, 4, 9, 9), torch.randn(6, 2, 3, 3), torch.randn(6), { padding: 1, groups: 2 })],
  ["the gradients of a convolution", () => {
    const [x, w] = [torch.randn([3, 4, 9, 9], { requires_grad: true }), torch.randn([6, 2, 3, 3], { requires_grad: true })];
    torch.conv2d(x, w, { stride: 2, groups: 2 }).sum().backward();
    return torch.cat([x.grad!.ravel(), w.grad!.ravel()]);
  }],
  ["a turned matrix and a vector", () => torch.mv(torch.randn(203, 301).t(), torch.randn(203))],
];

test.each(products)("%s", (_, run) => {
  const results = [Infinity, 1, 2, 3, 7].map((units) => {
    torch.manual_seed(0);
    Object.assign(pieces, { units, calls: 0 });
    return { values: run().tolist(), calls: pieces.calls };
  });
  expect(results[1].calls).toBeGreaterThan(results[0].calls);
  for (const { values } of results) expect(values).toEqual(results[0].values);
});
