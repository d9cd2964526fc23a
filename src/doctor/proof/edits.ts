import type { Edit } from "../rules/rule.ts";
import { placeAt, positionOf } from "../trace/source.ts";

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

/** The edits that lead from one text of a file to another: a stretch of each line that differs, or one stretch where lines came or went. */
export function editsBetween(file: string, before: string, after: string): Edit[] {
  const [was, is] = [before.split("\n"), after.split("\n")];
  if (was.length === is.length) return was.flatMap((line, i) => (line === is[i] ? [] : [replacing(file, before, positionOf(before, i + 1, 1), line, is[i])]));
  return [replacing(file, before, 0, before, after)];
}

/** Replaces what differs between two texts, of which the one begins at a position of a source. */
function replacing(file: string, source: string, at: number, before: string, after: string): Edit {
  const most = Math.min(before.length, after.length);
  let [start, end] = [0, 0];
  while (start < most && before[start] === after[start]) start++;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { file, start: placeAt(source, at + start), end: placeAt(source, at + before.length - end), text: after.slice(start, after.length - end) };
}
