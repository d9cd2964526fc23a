/** Runs every program of the notes under the doctor, each under its heading on the page: its output, then the findings. */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBuilt } from "./build.mjs";

/** Programs of which the doctor has nothing to say. */
const healthy = new Set(["02-retain-grad.ts", "06-nan-fixed.ts"]);

const root = fileURLToPath(new URL("..", import.meta.url));
const notes = join("examples", "notes");

ensureBuilt();
for (const name of readdirSync(join(root, notes)).sort()) {
  const file = join(notes, name);
  const heading = readFileSync(join(root, file), "utf8").split("\n")[0].replace(/^\/\/ /, "");
  const rule = "-".repeat(heading.replace(/[^ -~]/g, "  ").length);
  console.log(`\n${heading}\n${rule}\n$ leafgrad doctor ${file}\n`);
  const { status } = spawnSync(process.execPath, ["dist/cli/main.js", "doctor", file], { cwd: root, stdio: "inherit" });
  if (status !== (healthy.has(name) ? 0 : 1)) {
    console.error(`\n${file} ended with status ${status}`);
    process.exitCode = 1;
  }
}
