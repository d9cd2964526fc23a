/** Modes hold for a callback and for nothing beyond it. */
import * as torch from "leafgrad";
import { describe, expect, test } from "vitest";
import { leaf, loose, refusal } from "./helpers.ts";

const same = (x: torch.Tensor): torch.Tensor => x;
const modes: Record<string, (body: () => unknown) => unknown> = {
  no_grad: torch.no_grad,
  enable_grad: torch.enable_grad,
  set_grad_enabled: (body) => torch.set_grad_enabled(false, body),
  inference_mode: torch.inference_mode,
  set_detect_anomaly: (body) => torch.autograd.set_detect_anomaly(true, body),
  saved_tensors_hooks: (body) => torch.autograd.graph.saved_tensors_hooks(same, same, body),
  disable_saved_tensors_hooks: (body) => torch.autograd.graph.disable_saved_tensors_hooks("no", body),
  _unsafe_preserve_version_counter: (body) => torch.autograd._unsafe_preserve_version_counter([], body),
};

const state = (): unknown[] => [torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_anomaly_enabled()];

describe.each(Object.entries(modes))("%s", (_, enter) => {
  test("returns what its callback returns, and ends with it", () => {
    const before = state();
    expect(enter(() => 5)).toBe(5);
    expect(refusal(() => enter(() => { throw new torch.ValueError("inside"); }))).toBe("inside");
    expect(state()).toEqual(before);
  });

  test("refuses an async function before any of it runs", () => {
    let ran = false;
    expect(() => enter(async () => void (ran = true))).toThrow(/synchronous code only, and this callback is asynchronous/);
    expect(ran).toBe(false);
  });

  test("refuses a promise, whose rejection is then nobody's", async () => {
    expect(() => enter(() => Promise.reject(new Error("later")))).toThrow(/Enter the mode inside the callback/);
    await new Promise(setImmediate);
    expect(state()).toEqual([true, false, false]);
  });

  test("refuses a generator, whose code runs later", () => {
    expect(() => enter(function* () { yield 1; })).toThrow(/this callback is a generator: all its code would run without the mode/);
  });

  test("wants a callback", () => {
    expect(() => enter(loose(leaf(1)))).toThrow(TypeError);
  });
});

test("in inference mode nothing is recorded, whatever grad mode says", () => {
  const seen: unknown[] = [];
  torch.inference_mode(() => {
    seen.push(torch.is_grad_enabled());
    torch.enable_grad(() => {
      seen.push(torch.is_grad_enabled(), leaf(1).mul(2).requires_grad);
      torch.inference_mode(false, () => seen.push(torch.is_grad_enabled(), leaf(1).mul(2).requires_grad));
      torch.set_grad_enabled(false);
      seen.push(torch.is_grad_enabled());
    });
    torch.set_grad_enabled(true);
    seen.push(torch.is_grad_enabled());
  });
  seen.push(torch.is_grad_enabled());
  expect(seen).toEqual([false, true, false, true, true, false, true, true]);
});

test("views of inference tensors are no views, also outside", () => {
  const a = torch.inference_mode(() => torch.ones(4));
  const v = a.narrow(0, 0, 2);
  expect([v._is_view(), v.is_inference()]).toEqual([false, true]);
});

test("a view made in inference mode cannot be written where the graph would have to follow", () => {
  const a = leaf(2).mul(1);
  const w = torch.inference_mode(() => a.view(2)).view(2);
  expect(refusal(() => w.add_(1))).toBe(
    "Output 0 of View is a view of a view which was created in inference mode and is being modified inplace in normal mode. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).",
  );
});
