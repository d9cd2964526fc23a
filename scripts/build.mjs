/**
 * Builds dist/: src/ as a few bundles (docs/adr/0011-bundles.md), and module by module with its types in dist/modules/; and inspector/ as
 * the page that the doctor fills. As a program: builds; with --if-stale only where a source is newer than dist/.
 * The new folder takes the old one's place whole, so that what runs from dist/ meanwhile, another test file say, goes on.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { bundleInspector } from "./inspector.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const bin = "cli/main.js";
const entries = ["index", "doctor/index", "cli/main", "cli/agent", "cli/hooks"];
const inputs = ["src", "inspector", "package.json", "tsconfig.json", "tsconfig.build.json"];

/** Builds; throws where the compiler refuses. */
export function build() {
  withCompiled((fresh) => replaceDist(fresh));
}

/** Builds where dist/ is missing or older than a source. */
export function ensureBuilt() {
  if (isFresh()) return;
  // Somebody else's build may have come first; it had the same sources.
  withCompiled((fresh) => isFresh() || replaceDist(fresh));
}

function withCompiled(use) {
  const fresh = `${dist}-${process.pid}`;
  const started = new Date();
  try {
    const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json", "--outDir", join(fresh, "modules")];
    const { status } = spawnSync(process.execPath, tsc, { cwd: root, stdio: "inherit" });
    if (status !== 0) throw new Error("src/ does not compile");
    bundleEntries(fresh);
    bundleInspector(root, join(fresh, "inspector/page.html"));
    chmodSync(join(fresh, bin), 0o755);
    // A source that was saved while the compiler ran is newer than the build.
    utimesSync(join(fresh, bin), started, started);
    use(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** What several entries need becomes a chunk that they share, so that there is one instance of it. */
function bundleEntries(folder) {
  buildSync({
    entryPoints: Object.fromEntries(entries.map((name) => [name, join(root, `src/${name}.ts`)])),
    outdir: folder,
    // The stacks of anomaly mode know the library by this name (src/autograd/anomaly.ts).
    chunkNames: "leafgrad.[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    target: "es2022",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning",
  });
}

function replaceDist(fresh) {
  const old = `${dist}-old-${process.pid}`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

function isFresh() {
  const built = join(dist, bin);
  return existsSync(built) && newest(inputs.map((name) => join(root, name))) < statSync(built).mtimeMs;
}

/** When the latest of these files, or of the files below these folders, was written. */
function newest(paths) {
  const below = (path) => readdirSync(path, { recursive: true }).map((name) => join(path, name));
  const files = paths.flatMap((path) => (statSync(path).isDirectory() ? [path, ...below(path)] : [path]));
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (process.argv.includes("--if-stale")) ensureBuilt();
    else build();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
