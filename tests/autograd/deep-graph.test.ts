/** Graphs so deep that anything recursive would overflow the stack. */
import * as torch from "leafgrad";
import { expect, test } from "vitest";
import { leaf, list } from "./helpers.ts";

const depth = 1_000_000;

test("a chain of a million nodes is built, differentiated and dropped", () => {
  const x = leaf(1);
  let y = x;
  for (let i = 0; i < depth; i++) y = y.add(1);
  y.backward();
  expect(list(x.grad)).toEqual([1]);
  y = x;
});

test("a target at its end is found, and one near its head at once", () => {
  const x = leaf(1);
  let y = x;
  for (let i = 0; i < depth / 10; i++) y = y.mul(1);
  const head = y;
  const loss = head.mul(2).sum();
  expect(list(torch.autograd.grad(loss, x, { retain_graph: true })[0]!)).toEqual([2]);
  const start = performance.now();
  for (let i = 0; i < 1000; i++) torch.autograd.grad(loss, head, { retain_graph: true });
  // Going through the whole chain takes some milliseconds each time.
  expect((performance.now() - start) / 1000).toBeLessThan(1);
});
