/**
 * What a page without cross-origin isolation has: memory that is not shared, whose views a growth detaches, and no collector to ask.
 * The tests of gradients run while every allocation evicts every tensor.
 */
import { afterAll, expect, test } from "vitest";

(globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated = false;
const { heap, maxBytes } = await import("../../src/tensor/memory.ts");
const { collecting, stress } = await import("../../src/tensor/blocks.ts");
const torch = await import("leafgrad");
collecting.on = false;

test("memory is claimed whole before the first eviction, and serves more than it holds", () => {
  expect(heap.shared).toBe(false);
  const kept = torch.arange(0, 1000);
  expect(torch.memory.stats().committed).toBeLessThan(maxBytes);
  torch.memory.setLimit(2 ** 22);
  const tensors = Array.from({ length: 20 }, (_, i) => torch.full([2 ** 18], i));
  expect(torch.memory.stats().committed).toBe(maxBytes);
  expect(tensors.map((t) => t.min().add(t.max()).item())).toEqual(tensors.map((_, i) => 2 * i));
  expect(kept.sum().item()).toBe(499_500);
});

test("a synchronous loop over large tensors, more than the whole memory; what was evicted is freed meanwhile", () => {
  torch.memory.setLimit();
  const before = process.memoryUsage().arrayBuffers;
  let last = torch.empty(10 * 2 ** 20);
  for (let placed = 0; placed < maxBytes; placed += last.numel() * 4) {
    last = torch.empty(10 * 2 ** 20);
    last.index_put_([0], torch.tensor(placed));
    expect(last.index(0).item()).toBe(placed);
  }
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(before + maxBytes / 2);
  stress.on = true;
});

afterAll(() => void (stress.on = false));
await import("../autograd/engine.test.ts");
await import("../autograd/accumulation.test.ts");
await import("../autograd/higher-order.test.ts");
await import("../autograd/hooks.test.ts");
