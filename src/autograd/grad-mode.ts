import { isInference, setInference } from "../tensor/tensor.ts";
import { observed } from "./observer.ts";
import { scoped } from "./scope.ts";

/** Whether ops record a graph; a field, because dispatch reads it at each call. */
export const gradMode = { enabled: true };

/** In inference mode nothing is recorded, whatever grad mode says; this is what it says there. */
let shownInInference = false;

export function is_grad_enabled(): boolean {
  return isInference() ? shownInInference : gradMode.enabled;
}
export function is_inference_mode_enabled(): boolean {
  return isInference();
}

function setGradMode(mode: boolean): void {
  if (isInference()) shownInInference = mode;
  else gradMode.enabled = mode;
}

/** Undoes whatever is done to grad mode and inference mode from now on. */
function keepModes(): () => void {
  const { enabled } = gradMode;
  const shown = shownInInference;
  const inference = isInference();
  return () => {
    gradMode.enabled = enabled;
    shownInInference = shown;
    setInference(inference);
  };
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

function userGradMode<T>(mode: boolean, body: () => T): T {
  return scoped(body, () => {
    const restore = keepModes();
    setGradMode(mode);
    return restore;
  });
}

/**
 * Runs `body` without recording a graph and returns what it returns.
 *
 * @throws RuntimeError where `body` is asynchronous or a generator: the mode would not hold for all of its code.
 * @example
 * const y = torch.no_grad(() => x.mul(2)); // y.requires_grad is false
 */
export function no_grad<T>(body: () => T): T {
  return userGradMode(false, body);
}

/** Runs `body` with recording on, as inside a `no_grad`; inside `inference_mode` nothing is recorded all the same. */
export function enable_grad<T>(body: () => T): T {
  return userGradMode(true, body);
}

/** Sets grad mode: for good without `body`, else for the call of `body`. */
export function set_grad_enabled(mode: boolean): void;
export function set_grad_enabled<T>(mode: boolean, body: () => T): T;
export function set_grad_enabled<T>(mode: boolean, body?: () => T): T | void {
  if (body !== undefined) return userGradMode(mode, body);
  if (observed.by !== null && mode !== is_grad_enabled()) observed.by.switched(mode);
  setGradMode(mode);
}

/** Runs `body` in inference mode: no graph and no version counters; `inference_mode(false, body)` leaves it. */
export function inference_mode<T>(body: () => T): T;
export function inference_mode<T>(mode: boolean, body: () => T): T;
export function inference_mode<T>(mode: boolean | (() => T), body?: () => T): T {
  const run = typeof mode === "function" ? mode : body!;
  const on = typeof mode === "function" ? true : mode;
  return scoped(run, () => {
    const restore = keepModes();
    setInference(on);
    gradMode.enabled = !on;
    shownInInference = false;
    return restore;
  });
}
