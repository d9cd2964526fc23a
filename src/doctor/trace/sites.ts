/** Whose code is running: the frames of a stack, and the user's own line among them. */

/** A place in a file; line and column count from 1, as V8's do. */
export interface Site {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** One line of a stack. */
export interface Frame {
  /** The function, as V8 names it; empty at the top level of a module. */
  readonly name: string;
  /** Null for code that lies in no file. */
  readonly site: Site | null;
  /** `node` is the runtime itself and the command that started the program. */
  readonly owner: "user" | "leafgrad" | "node";
}

/** The package's folder; null where this file was bundled with the code of others. */
const root = /^(.*[\\/])(?:src|dist|dist[\\/]modules)[\\/](?:doctor[\\/]trace[\\/]sites|leafgrad\.\w+)\.[jt]s$/.exec(pathOf(import.meta.url))?.[1] ?? null;

/** The frames of an error, innermost first. */
export function framesOf(error: Error): Frame[] {
  const stack = error.stack ?? "";
  // A message may itself hold lines that look like frames.
  const message = stack.indexOf(error.message);
  const rest = message < 0 ? stack : stack.slice(message + error.message.length);
  return rest.split("\n").flatMap((line) => {
    const text = /^\s+at (.*)$/.exec(line)?.[1];
    return text === undefined ? [] : [parseFrame(text)];
  });
}

/** The user's own line: the innermost frame that is neither this package's nor Node's. */
export function userSite(frames: readonly Frame[]): Site | null {
  return frames.find(({ owner }) => owner === "user")?.site ?? null;
}

/** The user's own lines that are running now, innermost first. */
export function currentSites(): Site[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const here = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return framesOf(here).flatMap(({ owner, site }) => (owner === "user" && site !== null ? [site] : []));
}

/** Reads `NAME (PLACE:LINE:COLUMN)` or `PLACE:LINE:COLUMN`, where PLACE is a path or a file URL. */
function parseFrame(text: string): Frame {
  const match = /^(?:(.*) \()?(?:async )?((?:file:|\/|[A-Za-z]:\\).*):(\d+):(\d+)\)?$/.exec(text);
  if (match === null) return { name: text, site: null, owner: "node" };
  const [, name = "", place, line, column] = match;
  const path = place!.startsWith("file:") ? pathOf(place!) : place!;
  return { name, site: { path, line: Number(line), column: Number(column) }, owner: ownerOf(path) };
}

/** The path of a file URL, as the platform writes it. */
function pathOf(url: string): string {
  const path = decodeURIComponent(url.replace(/^file:\/\//, "").replace(/[?#].*$/, ""));
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1).replaceAll("/", "\\") : path;
}

function ownerOf(path: string): Frame["owner"] {
  if (root === null || !path.startsWith(root)) return "user";
  const [folder, layer] = path.slice(root.length).split(/[\\/]/);
  // Only the package's code is the library's: the examples and tests beside it are programs like any other.
  if (folder === "node_modules") return "node";
  if (folder !== "dist" && folder !== "src") return "user";
  return layer === "cli" ? "node" : "leafgrad";
}
