import { createRequire } from "node:module";
import { basename } from "node:path";
import type { Options, TransformOutput } from "@swc/wasm-typescript";
import { displayWidth } from "../doctor/report/width.ts";

type Transform = (source: string, options: Options) => TransformOutput;

let transform: Transform | undefined;

/**
 * The JavaScript of a TypeScript module. Types become blanks, so that every line and column stays where it was; where
 * an enum, a namespace or a parameter property needs code of its own, the module is rewritten with a source map.
 * Throws a SyntaxError whose stack names the place.
 */
export function stripTypes(source: string, path: string): string {
  // Loaded at first need: a program in JavaScript does without its 3.7 MB.
  transform ??= (createRequire(import.meta.url)("@swc/wasm-typescript") as { transformSync: Transform }).transformSync;
  try {
    return transform(source, { mode: "strip-only" }).code;
  } catch (refusal) {
    if ((refusal as Refusal).code === "UnsupportedSyntax") return rewrite(transform, source, path);
    throw syntaxError(refusal as Refusal, source, path);
  }
}

function rewrite(transform: Transform, source: string, path: string): string {
  try {
    const { code, map } = transform(source, {
      mode: "transform",
      sourceMap: true,
      filename: basename(path),
      transform: { nativeClassProperties: true, noEmptyExport: true },
    });
    return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map!).toString("base64")}\n`;
  } catch (refusal) {
    throw syntaxError(refusal as Refusal, source, path);
  }
}

/** What the stripper throws: a plain object. Its column counts the cells of a terminal, from 0, and four for a tab. */
interface Refusal {
  readonly code?: string;
  readonly message: string;
  readonly startLine?: number;
  readonly startColumn?: number;
}

function syntaxError({ message, startLine = 1, startColumn = 0 }: Refusal, source: string, path: string): SyntaxError {
  const line = source.split("\n")[startLine - 1] ?? "";
  let column = 0;
  const cells = () => displayWidth(line.slice(0, column).replaceAll("\t", "    "));
  while (column < line.length && cells() < startColumn) column++;
  const error = new SyntaxError(message);
  error.stack = `SyntaxError: ${message}\n    at ${path}:${startLine}:${column + 1}`;
  return error;
}
