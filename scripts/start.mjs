/** Runs every program of the notes with `leafgrad run`, each under its heading on the page. */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBuilt } from "./build.mjs";

/** Programs that are meant to end in an error. */
const raises = new Set(["01-leaf-inplace.ts"]);

const root = fileURLToPath(new URL("..", import.meta.url));
const notes = join("examples", "notes");

ensureBuilt();
for (const name of readdirSync(join(root, notes)).sort()) {
  const file = join(notes, name);
  const heading = readFileSync(join(root, file), "utf8").split("\n")[0].replace(/^\/\/ /, "");
  const rule = "-".repeat(heading.replace(/[^ -~]/g, "  ").length);
  console.log(`\n${heading}\n${rule}\n$ leafgrad run ${file}\n`);
  const { status } = spawnSync(process.execPath, ["dist/cli/main.js", "run", file], { cwd: root, stdio: "inherit" });
  if (status !== (raises.has(name) ? 1 : 0)) {
    console.error(`\n${file} ended with status ${status}`);
    process.exitCode = 1;
  }
}
