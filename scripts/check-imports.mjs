/**
 * Imports in src/ go one way: a file imports from its own folder and from the rows below it. Only the command line may
 * import Node's modules or other packages. Prints each offence as file:line, and exits with 1 where there is one.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Rows from the top down; a row's members may not import one another. ARCHITECTURE.md explains them. */
const rows = [
  ["cli"],
  ["doctor"],
  ["index.ts"],
  ["torch-autograd.ts", "torch-cuda.ts", "torch-memory.ts"],
  ["nn", "optim", "data", "io", "functional", "testing"],
  ["ops"],
  ["dispatch"],
  ["autograd"],
  ["schema"],
  ["backends"],
  ["ir"],
  ["tensor", "random"],
  ["errors.ts"],
];

const src = fileURLToPath(new URL("../src", import.meta.url));
const rowOf = new Map(rows.flatMap((members, row) => members.map((member) => [member, row])));

/** The folder, or the file at the top, that a path belongs to. */
const layerOf = (path) => relative(src, path).split(sep)[0];

/** What is wrong with the import of `specifier` in `file`; null where nothing is. */
function offence(file, specifier) {
  const layer = layerOf(file);
  if (!specifier.startsWith(".")) {
    return layer === "cli" ? null : `imports "${specifier}"; only src/cli may import Node's modules and packages`;
  }
  const target = resolve(dirname(file), specifier);
  if (!target.startsWith(src + sep)) return `imports "${specifier}", which lies outside src/`;
  if (!existsSync(target)) return `imports "${specifier}", which is no file (the extension .ts belongs to the name)`;
  const other = layerOf(target);
  if (other === layer || rowOf.get(other) > rowOf.get(layer)) return null;
  return rowOf.has(other) ? `imports ${other} from ${layer}; imports go from upper rows to lower ones` : null;
}

/** Every import of a source, types and dynamic ones too: its specifier and its line. */
function importsOf(source) {
  const found = codeOf(source).matchAll(/\b(?:from\s*|import\s*\(?\s*)(["'])([^"'\s]+)\1/g);
  return [...found].map(({ 2: specifier, index }) => ({ specifier, line: source.slice(0, index).split("\n").length }));
}

/** Blanks comments and templates (texts of programs, say), of equal length so that lines stay; strings are recognised, for they may hold slashes. */
function codeOf(source) {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/.*/g;
  return source.replace(token, (text) => (/^[/`]/.test(text) ? text.replace(/[^\n]/g, " ") : text));
}

const files = readdirSync(src, { recursive: true }).filter((name) => name.endsWith(".ts")).map((name) => join(src, name));
const offences = files.flatMap((file) => {
  const place = relative(dirname(src), file);
  if (!rowOf.has(layerOf(file))) return [`${place}:1 lies in no row of the table in scripts/check-imports.mjs`];
  return importsOf(readFileSync(file, "utf8")).flatMap(({ specifier, line }) => {
    const text = offence(file, specifier);
    return text === null ? [] : [`${place}:${line} ${text}`];
  });
});

for (const line of offences) console.error(line);
console.log(`imports: ${files.length} files, ${offences.length} offences`);
process.exitCode = offences.length === 0 ? 0 : 1;
