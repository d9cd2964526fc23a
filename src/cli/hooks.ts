/**
 * Module hooks for `leafgrad run`. They serve both of Node's interfaces, `module.register` (where `next` returns a
 * promise) and `module.registerHooks` (where it must not), by handing on whatever `next` returns.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripTypes } from "./strip-types.ts";

/** Sources that stand in for those of files, by path. */
export type Overlay = Readonly<Record<string, string>>;

let overlay: Overlay = {};

/** Called by Node where hooks live in a thread of their own, with what was handed to `module.register`. */
export function initialize(sources: Overlay): void {
  overlay = sources;
}

const sourceOf = (path: string): string => overlay[path] ?? readFileSync(path, "utf8");

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

type Next<Context> = (target: string, context: Context) => unknown;

export function resolve(specifier: string, context: ResolveContext, next: Next<ResolveContext>): unknown {
  // Seen from here, the name is this package's own, and its exports map says what each subpath is.
  if (/^leafgrad(\/|$)/.test(specifier)) return next(specifier, { ...context, parentURL: import.meta.url });
  return next(typescriptSource(specifier, context.parentURL) ?? specifier, context);
}

/** TypeScript lets a file import "./x.js" and mean the "./x.ts" that it will be compiled from. */
function typescriptSource(specifier: string, parent: string | undefined): string | null {
  if (!/^\.{1,2}\/.*\.m?js$/.test(specifier) || !parent?.startsWith("file:")) return null;
  const target = new URL(specifier, parent);
  const source = new URL(target.href.replace(/js$/, "ts"));
  return !existsSync(target) && existsSync(source) ? source.href : null;
}

export function load(url: string, context: object, next: Next<object>): unknown {
  const path = url.startsWith("file:") ? fileURLToPath(url) : "";
  if (/\.m?ts$/.test(path)) return asModule(stripTypes(sourceOf(path), path));
  if (path.endsWith(".js") && !path.includes("node_modules") && packageType(path) === undefined) {
    const source = sourceOf(path);
    if (/^\s*(import|export)\b/m.test(source)) return asModule(source);
  }
  return path in overlay ? asModule(overlay[path]!) : next(url, context);
}

function asModule(source: string): object {
  return { format: "module", source, shortCircuit: true };
}

/** The "type" of the package that a file belongs to; where none is declared, a `.js` file speaks for itself. */
function packageType(path: string): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) return (JSON.parse(readFileSync(manifest, "utf8")) as { type?: string }).type;
    if (folder === dirname(folder)) return undefined;
  }
}
