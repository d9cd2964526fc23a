/** A repair as the lines that it takes away and adds. */
import { edited } from "../../proof/edits.ts";
import type { Edit } from "../../rules/rule.ts";
import { grouped } from "../../trace/group.ts";
import type { DiffHunk } from "./page.ts";

/** Lines that are shown around a change. */
const context = 1;

/** What the edits change, with a line around it. */
export function diffOf(sources: ReadonlyMap<string, string>, edits: readonly Edit[], show: (file: string) => string): DiffHunk[] {
  const after = edited(sources, edits);
  return [...grouped(edits, ({ file }) => file)].flatMap(([file, ofFile]) =>
    hunks(sources.get(file)!.split("\n"), after.get(file)!.split("\n"), ofFile).map((lines) => ({ file: show(file), lines })),
  );
}

/** Lines from `from` up to `to` of the old text, counted from 0, that give `grown` lines more. */
interface Change {
  from: number;
  to: number;
  grown: number;
}

function changesOf(edits: readonly Edit[]): Change[] {
  const changes: Change[] = [];
  for (const { start, end, text } of edits.toSorted((a, b) => a.start.line - b.start.line)) {
    const grown = text.split("\n").length - 1 - (end.line - start.line);
    const last = changes.at(-1);
    if (last !== undefined && start.line - 1 <= last.to) {
      last.to = Math.max(last.to, end.line);
      last.grown += grown;
    } else changes.push({ from: start.line - 1, to: end.line, grown });
  }
  return changes;
}

function hunks(old: readonly string[], now: readonly string[], edits: readonly Edit[]): DiffHunk["lines"][] {
  let shift = 0;
  return changesOf(edits).map(({ from, to, grown }) => {
    const lines = (texts: readonly string[], sign: " " | "-" | "+", start: number, end: number): DiffHunk["lines"] =>
      texts.slice(Math.max(0, start), end).map((text, n) => ({ sign, line: Math.max(0, start) + n + 1, text }));
    const added = lines(now, "+", from + shift, to + shift + grown);
    shift += grown;
    return [...lines(old, " ", from - context, from), ...lines(old, "-", from, to), ...added, ...lines(old, " ", to, to + context)];
  });
}
