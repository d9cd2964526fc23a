/** Where things stand in the sources of a page. */
import type { Place } from "../../trace/events.ts";
import { positionOf } from "../../trace/source.ts";
import type { Trace } from "../../trace/trace.ts";
import type { SourceFile, Spot } from "./page.ts";

export class Spots {
  readonly sources: readonly SourceFile[];
  private readonly trace: Trace;
  private readonly files: readonly string[];
  private readonly show: (file: string) => string;
  private readonly known = new Map<string, Spot | null>();

  constructor(trace: Trace, show: (file: string) => string) {
    this.trace = trace;
    this.show = show;
    this.files = [...trace.sources.keys()];
    this.sources = this.files.map((file) => ({ file: show(file), text: trace.sources.get(file)! }));
  }

  of(place: Place | null): Spot | null {
    if (place === null) return null;
    const key = `${place.file}:${place.line}:${place.column}`;
    if (!this.known.has(key)) this.known.set(key, this.found(place));
    return this.known.get(key)!;
  }

  /** `program.ts:9:44`, as the page shows it. */
  text({ file, line, column }: Place): string {
    return `${this.show(file)}:${line}:${column}`;
  }

  shown(file: string): string {
    return this.show(file);
  }

  private found(place: Place): Spot | null {
    const source = this.files.indexOf(place.file);
    const text = this.trace.sources.get(place.file);
    if (text === undefined) return null;
    const lineStart = positionOf(text, place.line, 1);
    const newline = text.indexOf("\n", lineStart);
    const lineEnd = newline < 0 ? text.length : newline;
    const expression = this.trace.expression(place);
    if (expression === null) return { source, line: place.line, column: place.column, length: 0 };
    // An expression over several lines is marked on the line of its call.
    const start = Math.max(expression.start, lineStart);
    return { source, line: place.line, column: start - lineStart + 1, length: Math.max(0, Math.min(expression.end, lineEnd) - start) };
  }
}
