/** Programs name devices even where there is only one; what PyTorch refuses is in `tests/oracle/fixtures/calls.py`. */
import { inspect } from "node:util";
import * as torch from "leafgrad";
import { expect, test } from "vitest";

test("a program that asks for a GPU goes on without one", () => {
  const device: torch.device = torch.device(torch.cuda.is_available() ? "cuda" : "cpu");
  const x = torch.ones(2, { device, dtype: torch.double });
  expect(x.to(device)).toBe(x);
  expect(x.to(device, torch.float).dtype).toBe(torch.float32);
  expect(x.device).toBe(torch.device("cpu"));
  expect([x.is_cpu, x.is_cuda, torch.cuda.device_count()]).toEqual([true, false, 0]);
});

test("devices print as Python's", () => {
  const second = torch.device("cuda", 1);
  expect([String(second), inspect(second), second.type, second.index]).toEqual(["cuda:1", "device(type='cuda', index=1)", "cuda", 1]);
  expect([String(torch.device("cpu")), inspect(torch.device("cpu"))]).toEqual(["cpu", "device(type='cpu')"]);
});

test("dtypes by their other names", () => {
  expect([torch.float, torch.double, torch.short, torch.int, torch.long]).toEqual([torch.float32, torch.float64, torch.int16, torch.int32, torch.int64]);
});
