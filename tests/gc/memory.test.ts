import * as torch from "leafgrad";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { collecting } from "../../src/tensor/blocks.ts";

const MB = 2 ** 20;
afterEach(() => torch.memory.setLimit());

/** A tensor of so many MB whose elements are all `value`. */
const filled = (mb: number, value: number): torch.Tensor => torch.full([(mb * MB) / 4], value);

test("tensors that do not fit are evicted, and come back intact", () => {
  torch.memory.setLimit(8 * MB);
  const tensors = Array.from({ length: 40 }, (_, i) => filled(1, i));
  expect(torch.memory.stats().evicted).toBeGreaterThanOrEqual(30 * MB);
  for (let round = 0; round < 3; round++) {
    tensors.forEach((t, i) => {
      expect([t.min().item(), t.max().item()]).toEqual([i + round, i + round]);
      t.add_(1);
      expect(torch.memory.stats().resident).toBeLessThanOrEqual(9 * MB);
    });
  }
});

test("small tensors are evicted with their slab", () => {
  torch.memory.setLimit(2 * MB);
  const small = Array.from({ length: 5000 }, (_, i) => torch.tensor([i, i + 1]));
  for (let i = 0; i < 20; i++) filled(1, i);
  expect(small.every((t, i) => t.index(0).item() === i && t.index(1).item() === i + 1)).toBe(true);
});

test("one operation may use more than the limit", () => {
  torch.memory.setLimit(2 * MB);
  const [a, b] = [filled(4, 1), filled(4, 2)];
  const joined = torch.cat([a, b, a.add(b)]);
  expect(joined.sum().item()).toBe(6 * MB);
});

test("views, gradients and graphs survive eviction", () => {
  torch.memory.setLimit(4 * MB);
  const w = torch.ones(1000, { requires_grad: true });
  const rows = w.view(10, 100);
  let y = rows.mul(2);
  for (let i = 0; i < 10; i++) {
    filled(2, i);
    y = y.mul(rows);
  }
  y.sum().backward();
  expect(w.grad!.eq(22).all().item()).toBe(true);
});

test("a synchronous loop over large tensors, more than the whole address space", () => {
  let last = filled(40, 0);
  for (let i = 1; i <= 110; i++) {
    last = torch.empty((40 * MB) / 4);
    last.index_put_([0], torch.tensor(i));
  }
  expect(last.index(0).item()).toBe(110);
  expect(torch.memory.stats().committed).toBeLessThanOrEqual(1024 * MB);
});

const finders = [true, false].filter((on) => !on || collecting.on);
describe.each(finders)("with the collector at hand: %s", (on) => {
  const before = collecting.on;
  beforeAll(() => void (collecting.on = on));
  afterAll(() => void (collecting.on = before));

  test("a synchronous training loop stays within the limit", () => {
    torch.memory.setLimit(4 * MB);
    torch.manual_seed(0);
    const x = torch.randn(16, 4);
    const target = torch.randn(16, 1);
    const w = torch.randn(4, 1, { requires_grad: true });
    const first = x.matmul(w).sub(target).pow(2).mean().item() as number;
    let loss = first;
    for (let step = 0; step < 5000; step++) {
      const error = x.matmul(w).sub(target).pow(2).mean();
      w.grad = null;
      error.backward();
      torch.no_grad(() => w.sub_(w.grad!.mul(0.01)));
      if (step % 1000 === 0) loss = error.item() as number;
      if (step % 100 === 0) expect(torch.memory.stats().resident).toBeLessThanOrEqual(5 * MB);
    }
    expect(loss).toBeLessThan(first);
  });

  test("a loop that awaits gives memory back", async () => {
    const { resident } = torch.memory.stats();
    for (let i = 0; i < 150; i++) {
      filled(4, i);
      await new Promise(setImmediate);
    }
    expect(torch.memory.stats().resident).toBeLessThanOrEqual(Math.max(resident, 256 * MB) + (on ? 512 * MB : 8 * MB));
  });
});

test("a request beyond all memory is refused in PyTorch's words, and every tensor stays valid", () => {
  const kept = torch.arange(0, 1000);
  const wanted = 2 ** 40;
  const refusal = `[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate ${4 * wanted} bytes. Error code 12 (Cannot allocate memory)`;
  expect(() => torch.empty(wanted)).toThrow(expect.objectContaining({ name: "RuntimeError", message: expect.stringContaining(refusal) as string }));
  expect(() => torch.empty(wanted)).toThrow(/in use: \d+ bytes of at most \d+, and \d+ bytes evicted/);
  expect(kept.sum().item()).toBe(499_500);
});

test("stats are consistent", () => {
  const before = torch.memory.stats();
  const t = filled(3, 1);
  const { resident, peak, committed, limit } = torch.memory.stats();
  expect(resident).toBeGreaterThanOrEqual(3 * MB);
  expect(peak).toBeGreaterThanOrEqual(Math.max(resident, before.peak));
  expect(committed).toBeGreaterThanOrEqual(resident);
  expect(limit).toBeGreaterThan(0);
  expect(t.sum().item()).toBe((3 * MB) / 4);
});

test.each([0, -1, NaN, "1"])("a limit of %s is refused", (bytes) => {
  expect(() => torch.memory.setLimit(bytes as number)).toThrow("setLimit expects a positive number of bytes");
});
