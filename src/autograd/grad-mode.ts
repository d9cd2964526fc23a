import { RuntimeError } from "../errors.ts";
import { isInference, setInference } from "../tensor/tensor.ts";

/** Whether ops record a graph; a field, because dispatch reads it at each call. */
export const gradMode = { enabled: true };

export function is_grad_enabled(): boolean {
  return gradMode.enabled;
}
export function is_inference_mode_enabled(): boolean {
  return isInference();
}

/** Runs `body` and then `restore`; a body that turns out to be asynchronous is refused, for its mode would leak. */
function scoped<T>(body: () => T, restore: () => void): T {
  let result: T;
  try {
    result = body();
  } finally {
    restore();
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
    throw new RuntimeError(
      "a mode such as no_grad holds for synchronous code only, and this callback is asynchronous: its code after the first await would run without the mode. Enter the mode inside the callback, around the synchronous parts.",
    );
  }
  return result;
}

/** Runs `body` with grad mode set to `enabled`, without the checks for users' callbacks: the library's own code is synchronous. */
export function withGradMode<T>(enabled: boolean, body: () => T): T {
  const previous = gradMode.enabled;
  gradMode.enabled = enabled;
  try {
    return body();
  } finally {
    gradMode.enabled = previous;
  }
}

function userGradMode<T>(enabled: boolean, body: () => T): T {
  const previous = gradMode.enabled;
  gradMode.enabled = enabled;
  return scoped(body, () => (gradMode.enabled = previous));
}

/**
 * Runs `body` without recording a graph and returns what it returns.
 *
 * @example
 * const y = torch.no_grad(() => x.mul(2)); // y.requires_grad is false
 */
export function no_grad<T>(body: () => T): T {
  return userGradMode(false, body);
}

/** Runs `body` with recording on, as inside a `no_grad`. */
export function enable_grad<T>(body: () => T): T {
  return userGradMode(true, body);
}

/** Sets grad mode: for good without `body`, else for the call of `body`. */
export function set_grad_enabled(mode: boolean): void;
export function set_grad_enabled<T>(mode: boolean, body: () => T): T;
export function set_grad_enabled<T>(mode: boolean, body?: () => T): T | void {
  if (body !== undefined) return userGradMode(mode, body);
  gradMode.enabled = mode;
}

/** Runs `body` in inference mode: no graph and no version counters; `inference_mode(false, body)` leaves it. */
export function inference_mode<T>(body: () => T): T;
export function inference_mode<T>(mode: boolean, body: () => T): T;
export function inference_mode<T>(mode: boolean | (() => T), body?: () => T): T {
  const run = typeof mode === "function" ? mode : body!;
  const on = typeof mode === "function" ? true : mode;
  const previousInference = setInference(on);
  const previousGrad = gradMode.enabled;
  gradMode.enabled = !on;
  return scoped(run, () => {
    setInference(previousInference);
    gradMode.enabled = previousGrad;
  });
}
