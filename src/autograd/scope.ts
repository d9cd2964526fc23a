/** Modes that hold while a callback runs. */
import { RuntimeError } from "../errors.ts";

const refusal = (kind: string, leak: string): RuntimeError =>
  new RuntimeError(
    `a mode such as no_grad holds for synchronous code only, and this callback is ${kind}: ${leak} would run without the mode. Enter the mode inside the callback, around the synchronous parts.`,
  );

const asynchronous = (): RuntimeError => refusal("asynchronous", "its code after the first await");

/** The kind of a function written as `async` or with `*`; its body outlives the call. */
function refuseKind(body: unknown): void {
  const kind = (body as { constructor?: { name?: string } }).constructor?.name;
  if (kind === "AsyncFunction") throw asynchronous();
  if (kind === "GeneratorFunction" || kind === "AsyncGeneratorFunction") throw refusal("a generator", "all its code");
}

/**
 * Calls `enter`, then `body`, then what `enter` returned, and gives back what `body` returned. A body whose code goes on
 * after the call is refused, for its mode would not hold there: before it runs where its kind tells, else by its promise.
 */
export function scoped<T>(body: () => T, enter: () => () => void): T {
  if (typeof body !== "function") throw new TypeError("a mode is given the callback for which it holds, as in torch.no_grad(() => x.mul(2))");
  refuseKind(body);
  const leave = enter();
  let result: T;
  try {
    result = body();
  } finally {
    leave();
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
    // What the refused code does later is no unhandled rejection on top of this error.
    (result as unknown as Promise<unknown>).then(undefined, () => {});
    throw asynchronous();
  }
  return result;
}
