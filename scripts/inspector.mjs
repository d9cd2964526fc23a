/** Bundles inspector/ into one file of HTML, which the command line fills with a report. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";

/** Libraries that become part of the page; their licences ask to be named. */
const libraries = ["@dagrejs/dagre", "@dagrejs/graphlib", "uplot"];

const options = { bundle: true, minify: true, write: false, format: "iife", charset: "utf8", legalComments: "none", logLevel: "warning" };
const target = ["chrome111", "firefox113", "safari16.4"];

/** Writes the template to `file`. */
export function bundleInspector(root, file) {
  const folder = join(root, "inspector");
  const bundled = (name) => buildSync({ ...options, target, entryPoints: [join(folder, name)] }).outputFiles[0].text.trim();
  const parts = { licences: libraries.map(licence).join("\n\n"), style: bundled("style.css"), script: bundled("main.ts") };
  const template = readFileSync(join(folder, "page.html"), "utf8").replace(/\{\{(licences|style|script)\}\}/g, (_, name) => parts[name]);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, template);
}

function licence(name) {
  const { resolve } = createRequire(import.meta.url);
  return `${name}\n\n${readFileSync(join(dirname(resolve(`${name}/package.json`)), "LICENSE"), "utf8").trim()}`;
}
