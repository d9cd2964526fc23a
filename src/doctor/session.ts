/** Runs a program under one of the two tiers. */
import { gradMode } from "../autograd/grad-mode.ts";
import { observe, type Observer } from "../dispatch/observer.ts";
import { setWarningHandler } from "../errors.ts";
import { defaultGenerator } from "../random/generator.ts";
import { errorText, type Event, type Place } from "./trace/events.ts";
import { Recorder } from "./trace/recorder.ts";
import { framesOf, userSite } from "./trace/sites.ts";
import { readSource } from "./trace/read-source.ts";
import { Trace } from "./trace/trace.ts";
import type { Reason } from "./trace/reason.ts";
import { Watch } from "./trace/watch.ts";

export interface RecordOptions {
  read?: (file: string) => string | null;
  check?: boolean;
}

/** Writes the events of what runs between `start` and `finish`. */
export class Recording {
  private readonly events: Event[] = [{ event: "trace", format: 1, producer: "leafgrad" }];
  private readonly recorder: Recorder;
  private readonly read: (file: string) => string | null;
  private previous: Observer | null = null;

  /** `read` gives the text of a file of the program, null where it has none; `check` adds central differences. */
  constructor({ read = readSource, check = false }: RecordOptions = {}) {
    this.read = read;
    this.recorder = new Recorder((event) => this.events.push(event), check);
  }

  start(): void {
    this.previous = observe(this.recorder);
  }

  /** `error` is what ended the program, null where nothing did. */
  finish(error: unknown): Trace {
    observe(this.previous);
    this.recorder.finish();
    if (error !== null) this.events.push({ event: "error", error: errorText(error), place: placeOf(error) });
    const files = new Set(this.events.flatMap((event) => placesOf(event).map(({ file }) => file)));
    const sources = [...files].flatMap((file): Event[] => {
      const text = this.read(file);
      return text === null ? [] : [{ event: "source", file, text }];
    });
    return new Trace([this.events[0], ...sources, ...this.events.slice(1)]);
  }
}

function placesOf(event: Event): Place[] {
  const place = "place" in event && event.place !== null ? [event.place] : [];
  return "callers" in event ? [...place, ...event.callers] : place;
}

function placeOf(error: unknown): Place | null {
  const site = error instanceof Error ? userSite(framesOf(error)) : null;
  return site === null ? null : { file: site.path, line: site.line, column: site.column };
}

/** What `program` gives when it has ended: at once, or in a promise where it is asynchronous. */
export type Ended<P, T> = P extends () => PromiseLike<unknown> ? Promise<T> : T;

/** Applies `next` to a value, now or when it is there. */
export function whenThere<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs `program`; `result` is made of what ended it, null where nothing did. Grad mode is then as it was before. */
function runTo<T>(program: () => unknown, result: (error: unknown) => T): T | Promise<T> {
  const { enabled } = gradMode;
  const end = (error: unknown): T => {
    gradMode.enabled = enabled;
    return result(error);
  };
  const failed = (error: unknown): T => end(error ?? new Error(String(error)));
  let returned: unknown;
  try {
    returned = program();
  } catch (error) {
    return failed(error);
  }
  return returned instanceof Promise ? returned.then(() => end(null), failed) : end(null);
}

/** Runs `program` with full recording. While it awaits, what else runs is recorded too. */
export function record<P extends () => unknown>(program: P, options: RecordOptions = {}): Ended<P, Trace> {
  const recording = new Recording(options);
  const { stackTraceLimit } = Error;
  // The user's own line may lie below more frames of the library than V8's ten.
  Error.stackTraceLimit = 100;
  recording.start();
  return runTo(program, (error) => {
    Error.stackTraceLimit = stackTraceLimit;
    return recording.finish(error);
  }) as Ended<P, Trace>;
}

export interface Watched {
  readonly reasons: readonly Reason[];
  readonly error: unknown;
}

/** Runs `program` under watch: why it should be run again with recording, and the error that ended it. */
export function watch<P extends () => unknown>(program: P): Ended<P, Watched> {
  const watcher = new Watch();
  const previous = observe(watcher);
  return runTo(program, (error): Watched => {
    observe(previous);
    watcher.finish(error);
    return { reasons: [...watcher.reasons], error };
  }) as Ended<P, Watched>;
}

/** Runs `again` from an earlier state of the random stream, and without a second round of warnings. */
export function repeated<T>(again: () => T | Promise<T>, state: Uint8Array): T | Promise<T> {
  defaultGenerator.set_state(state);
  const handler = setWarningHandler(() => {});
  const settle = (): void => void setWarningHandler(handler);
  let result: T | Promise<T>;
  try {
    result = again();
  } catch (error) {
    settle();
    throw error;
  }
  if (result instanceof Promise) return result.finally(settle);
  settle();
  return result;
}
