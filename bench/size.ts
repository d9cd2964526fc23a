/** What a program that is bundled, minified and compressed weighs. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const programs: Readonly<Record<string, string>> = {
  "all of the root entry": 'export * from "leafgrad";',
  "the README's first example": /```ts\n(.*?)```/s.exec(readme)![1]!,
};

export function printSizes(): void {
  console.log("\nsize of a bundle, minified and compressed by gzip");
  for (const [name, contents] of Object.entries(programs)) {
    const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) };
    const { text } = buildSync({ stdin, bundle: true, minify: true, format: "esm", write: false }).outputFiles[0]!;
    console.log(`${name.padEnd(34)}${kilobytes(text.length)}, ${kilobytes(gzipSync(text, { level: 9 }).length)}`);
  }
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`.padStart(10);
