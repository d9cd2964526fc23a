import { warn } from "../errors.ts";
import { isPlainObject } from "../schema/arguments.ts";
import type { Node } from "./node.ts";
import { scoped } from "./scope.ts";

/** State of anomaly mode; a field, because every new node reads it. */
export const anomaly = { enabled: false, checkNaN: true };

/** The stack of the user's call, without the library's own frames. */
export function captureTraceback(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 64;
  const [own = "", ...frames] = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  // The folder of the library, be it of its modules or of its own bundle; none where it was bundled with others' code.
  const library = /((?:file:|\/|\b[A-Z]:).*)(?:autograd[\\/]anomaly\.[jt]s|leafgrad\.\w+\.js)/.exec(own)?.[1];
  return library === undefined ? frames : frames.filter((frame) => !frame.includes(library));
}

/** Warns where the forward call stood that made the failing node, and those that led to it. */
export function reportAnomaly(node: Node): void {
  const { traceback_, parent_ } = node.metadata;
  if (traceback_ === undefined) {
    warn(
      `Error detected in ${node.name()}. No forward pass information available. Enable detect anomaly during forward pass for more information.`,
    );
    return;
  }
  warn(`Error detected in ${node.name()}. Traceback of forward call that caused the error:\n${traceback_.join("\n")}`);
  for (let parent = parent_; parent; parent = parent.metadata.parent_) {
    const trace = parent.metadata.traceback_;
    if (trace === undefined) {
      warn(
        `\n\nPrevious calculation was induced by ${parent.name()}. No forward pass information available. Enable detect anomaly during forward pass for more information.`,
      );
      return;
    }
    warn(
      `\n\nPrevious calculation was induced by ${parent.name()}. Traceback of forward call that induced the previous calculation:\n${trace.join("\n")}`,
    );
  }
}

export function is_anomaly_enabled(): boolean {
  return anomaly.enabled;
}
export function is_anomaly_check_nan_enabled(): boolean {
  return anomaly.checkNaN;
}

interface AnomalyOptions {
  check_nan?: boolean;
}

/**
 * Turns anomaly mode on or off: nodes remember the line that made them, and a backward that returns NaN is refused.
 * With `body`, for its call only.
 */
export function set_detect_anomaly(mode: boolean, options?: AnomalyOptions): void;
export function set_detect_anomaly<T>(mode: boolean, body: () => T): T;
export function set_detect_anomaly<T>(mode: boolean, options: AnomalyOptions, body: () => T): T;
export function set_detect_anomaly<T>(mode: boolean, options?: AnomalyOptions | (() => T), body?: () => T): T | void {
  const run = typeof options === "function" ? options : body;
  if (options !== undefined && options !== run && !isPlainObject(options)) throw new TypeError("set_detect_anomaly(): expected options or a callback");
  const checkNaN = (options as AnomalyOptions | undefined)?.check_nan ?? true;
  const previous = { ...anomaly };
  const enter = (): (() => void) => {
    Object.assign(anomaly, { enabled: mode, checkNaN });
    return () => void Object.assign(anomaly, previous);
  };
  if (run !== undefined) return scoped(run, enter);
  enter();
}

/** `set_detect_anomaly(true, …)` with PyTorch's warning about its cost. */
export function detect_anomaly<T>(body: () => T): T;
export function detect_anomaly<T>(options: AnomalyOptions, body: () => T): T;
export function detect_anomaly<T>(options: AnomalyOptions | (() => T), body?: () => T): T {
  warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.");
  return typeof options === "function" ? set_detect_anomaly(true, options) : set_detect_anomaly(true, options, body!);
}
