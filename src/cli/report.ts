import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { inspect } from "node:util";
import type { Frame, Site } from "../doctor/trace/sites.ts";
import { framesOf, userSite } from "../doctor/trace/sites.ts";
import type { Style } from "./terminal.ts";
import { displayWidth } from "../doctor/report/width.ts";
import { styleFor } from "./terminal.ts";

/** Ends the process as Node does on an uncaught error, but shows the user's own line first. */
export function reportUncaught(error: unknown): void {
  // A program that listens itself decides for itself, as under node.
  if (process.listenerCount("uncaughtException") > 1) return;
  if (isUnplaced(error)) return leaveToNode(error);
  process.stderr.write(`${describeError(error, styleFor(process.stderr))}\n`);
  process.exit(1);
}

/** The place of JavaScript's own syntax errors is known to Node alone, which shows it when they go uncaught. */
function isUnplaced(error: unknown): boolean {
  return error instanceof SyntaxError && userSite(framesOf(error)) === null;
}

function leaveToNode(error: unknown): void {
  process.removeAllListeners("uncaughtException");
  process.nextTick(() => {
    throw error;
  });
}

/** Message, the user's own line, then the stack with the library's frames dimmed. */
function describeError(error: unknown, style: Style): string {
  if (!(error instanceof Error)) return `Uncaught ${inspect(error)}`;
  const { name, message, cause } = error;
  const frames = framesOf(error);
  const site = userSite(frames);
  const parts = [
    style(name, "bold", "red") + (message === "" ? "" : `: ${message}`),
    site === null ? "" : excerpt(site, style),
    relevant(frames).map((frame) => frameLine(frame, style)).join("\n"),
    cause === undefined ? "" : `Caused by ${describeError(cause, style)}`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Frames of the program and the library. What called the program is what started it. */
function relevant(frames: readonly Frame[]): Frame[] {
  const outermost = frames.findLastIndex(({ owner }) => owner === "user");
  return frames.slice(0, outermost < 0 ? frames.length : outermost + 1).filter(({ owner }) => owner !== "node");
}

/** The place, and its line of source with a caret below the column. */
function excerpt(site: Site, style: Style): string {
  const place = style(placeOf(site), "cyan");
  const line = sourceLine(site);
  if (line === null) return place;
  const gutter = String(site.line);
  const before = line.slice(0, site.column - 1);
  const tabs = /^\t*/.exec(before)![0];
  const caret = tabs + " ".repeat(displayWidth(before) - tabs.length) + style("^", "bold", "red");
  return `${place}\n  ${gutter} | ${line}\n  ${" ".repeat(gutter.length)} | ${caret}`;
}

function frameLine({ name, site, owner }: Frame, style: Style): string {
  const place = site === null ? "" : placeOf(site);
  const line = `    at ${name === "" ? place : `${name} (${place})`}`;
  return owner === "user" ? line : style(line, "dim");
}

/** A place as terminals and editors read it; relative where it lies below the working folder. */
function placeOf({ path, line, column }: Site): string {
  const short = relative(process.cwd(), path);
  return `${short.startsWith("..") ? path : short}:${line}:${column}`;
}

function sourceLine({ path, line }: Site): string | null {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/)[line - 1] ?? null;
  } catch {
    return null;
  }
}
