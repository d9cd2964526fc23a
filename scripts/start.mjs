/**
 * Runs every program of the notes under the doctor, each under its heading: its output, then the findings. Writes the
 * page of one for the browser.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ensureBuilt } from "./build.mjs";

/** Programs of which the doctor has nothing to say. */
const healthy = new Set(["02-retain-grad.ts", "06-nan-fixed.ts"]);

/** The program that gets a page, and where that goes. */
const shown = "04-nan-loss.ts";
const page = join("reports", "04-nan-loss.html");

const root = fileURLToPath(new URL("..", import.meta.url));
const notes = join("examples", "notes");

ensureBuilt();
mkdirSync(join(root, dirname(page)), { recursive: true });
for (const name of readdirSync(join(root, notes)).sort()) {
  const file = join(notes, name);
  const heading = readFileSync(join(root, file), "utf8").split("\n")[0].replace(/^\/\/ /, "");
  const rule = "-".repeat(heading.replace(/[^ -~]/g, "  ").length);
  const options = name === shown ? ["--html", page] : [];
  console.log(`\n${heading}\n${rule}\n$ leafgrad ${["doctor", file, ...options].join(" ")}\n`);
  const { status } = spawnSync(process.execPath, ["dist/cli/main.js", "doctor", file, ...options], { cwd: root, stdio: "inherit" });
  if (status !== (healthy.has(name) ? 0 : 1)) {
    console.error(`\n${file} ended with status ${status}`);
    process.exitCode = 1;
  }
}
console.log(`\nThe doctor's page on ${join(notes, shown)}, for the browser: ${pathToFileURL(join(root, page)).href}`);
