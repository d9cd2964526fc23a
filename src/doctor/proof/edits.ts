import type { Edit } from "../rules/rule.ts";
import { positionOf } from "../trace/source.ts";

/** The sources with the edits made; those of a file must not overlap. */
export function edited(sources: ReadonlyMap<string, string>, edits: readonly Edit[]): Map<string, string> {
  const result = new Map(sources);
  // From the end on, so that positions before an edit stay true.
  const later = edits.map((edit) => ({ edit, at: positionOf(sources.get(edit.file)!, edit.start.line, edit.start.column) })).toSorted((a, b) => b.at - a.at);
  for (const { edit, at } of later) {
    const end = positionOf(sources.get(edit.file)!, edit.end.line, edit.end.column);
    const text = result.get(edit.file)!;
    result.set(edit.file, text.slice(0, at) + edit.text + text.slice(end));
  }
  return result;
}
