/**
 * Uses a packed tarball as a stranger would: in an empty project, imported from JavaScript, type-checked from a strict
 * TypeScript project, and through its command line. Without network: the one dependency comes from node_modules/.
 *
 *     node tests/consumer/check.mjs leafgrad-0.1.0.tgz
 *
 * Prints a line for each check and last "consumer: N passed, N failed"; exits with 1 where one failed.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const tarball = resolve(process.argv[2]);
const project = mkdtempSync(join(tmpdir(), "consumer-"));

/** What a command prints in the project; an error with its output where it fails. */
function run(command, ...args) {
  try {
    return execFileSync(command, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (cause) {
    throw new Error(`${cause.stdout}${cause.stderr}`, { cause });
  }
}

function expectEqual(actual, expected) {
  if (actual !== expected) throw new Error(`expected\n${expected}\nbut got\n${actual}`);
}

/** Packs what node_modules/ already holds, so that the installation asks no registry. */
function packDependencies() {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.keys(dependencies).map((name) => {
    const packed = run("npm", "pack", "--offline", "--silent", "--ignore-scripts", join(root, "node_modules", name));
    return join(project, packed.trim());
  });
}

const program = readFileSync(join(here, "program.expected.txt"), "utf8");
const notes = JSON.parse(readFileSync(join(root, "tests/cli/notes.expected.json"), "utf8")).programs;

const checks = {
  "the tarball installs in an empty project": () => {
    writeFileSync(join(project, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
    run("npm", "install", "--offline", "--no-audit", "--no-fund", tarball, ...packDependencies());
  },
  "a JavaScript program imports it": () => {
    copyFileSync(join(here, "program.mjs"), join(project, "program.mjs"));
    expectEqual(run("node", "program.mjs"), program);
  },
  "a strict TypeScript project accepts its types": () => {
    for (const name of ["consumer.ts", "tsconfig.json"]) copyFileSync(join(here, name), join(project, name));
    run("node", join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
  },
  "its command line runs a TypeScript program": () => {
    const name = "06-nan-fixed.ts";
    copyFileSync(join(root, "examples/notes", name), join(project, name));
    expectEqual(run("npx", "--no-install", "leafgrad", "run", name), notes[name].stdout);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    check();
    console.log(`ok: ${name}`);
  } catch (error) {
    failed++;
    console.error(`FAILED: ${name}\n${error.message}`);
  }
}
rmSync(project, { recursive: true });
console.log(`consumer: ${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
