/** Runs a program under one of the two tiers. */
import { observe, type Observer } from "../dispatch/observer.ts";
import { setWarningHandler } from "../errors.ts";
import { defaultGenerator } from "../random/generator.ts";
import { errorText, type Event, type Place } from "./trace/events.ts";
import { Recorder } from "./trace/recorder.ts";
import { framesOf, userSite } from "./trace/sites.ts";
import { readSource } from "./trace/read-source.ts";
import { Trace } from "./trace/trace.ts";
import { Watch, type Reason } from "./trace/watch.ts";

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
    const files = new Set(this.events.flatMap((event) => ("place" in event && event.place !== null ? [event.place.file] : [])));
    const sources = [...files].flatMap((file): Event[] => {
      const text = this.read(file);
      return text === null ? [] : [{ event: "source", file, text }];
    });
    return new Trace([this.events[0], ...sources, ...this.events.slice(1)]);
  }
}

function placeOf(error: unknown): Place | null {
  const site = error instanceof Error ? userSite(framesOf(error)) : null;
  return site === null ? null : { file: site.path, line: site.line, column: site.column };
}

/** Runs `program` and gives what ended it; null where nothing did. */
function errorOf(program: () => unknown): unknown {
  try {
    const result = program();
    if (result instanceof Promise) throw new TypeError("the doctor watches synchronous code: this program gave a promise. Run it with leafgrad doctor FILE.");
    return null;
  } catch (error) {
    return error ?? new Error(String(error));
  }
}

/** Runs `program` with full recording. */
export function record(program: () => unknown, options: RecordOptions = {}): Trace {
  const recording = new Recording(options);
  const { stackTraceLimit } = Error;
  // The user's own line may lie below more frames of the library than V8's ten.
  Error.stackTraceLimit = 100;
  recording.start();
  const error = errorOf(program);
  Error.stackTraceLimit = stackTraceLimit;
  return recording.finish(error);
}

/** Runs `program` under watch: why it should be run again with recording, and the error that ended it. */
export function watch(program: () => unknown): { reasons: readonly Reason[]; error: unknown } {
  const watcher = new Watch();
  const previous = observe(watcher);
  const error = errorOf(program);
  observe(previous);
  watcher.finish(error);
  return { reasons: [...watcher.reasons], error };
}

/** Runs `again` after `first` from the same state of the random stream, and without a second round of warnings. */
export function repeated<T>(again: () => T, state: Uint8Array): T {
  defaultGenerator.set_state(state);
  const handler = setWarningHandler(() => {});
  try {
    return again();
  } finally {
    setWarningHandler(handler);
  }
}
