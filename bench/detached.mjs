/**
 * What the doctor costs where it is not attached: small ops of the build as it is, beside those of a copy of it without the
 * tests of the observer, and, for the noise, of a second copy as it is. `node bench/detached.mjs [PROCESSES]`.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const rounds = 60;
const milliseconds = 4;
const names = ["as-it-is", "bare", "copy"];

const rows = {
  add: (torch, x) => () => x.add(x),
  sum: (torch, x) => () => x.sum(),
  "mul, sum, backward": (torch, x) => {
    const w = torch.ones([2, 2], { requires_grad: true });
    return () => w.mul(x).sum().backward();
  },
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

function withoutTests(folder) {
  let count = 0;
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!/^(dispatch|autograd|ops)\b.*\.js$/.test(name) || name.endsWith("observer.js") || name.endsWith("batch-norm.js")) continue;
    const file = join(folder, name);
    const text = readFileSync(file, "utf8");
    const bare = text.replace(/^ *if \(.*observed\.by !== null\)\n.*\n/gm, "").replace(/observed\.by(?=;)/g, "null").replace(/ \|\| observed\.by\?\.\w+ === true/g, "");
    if (bare !== text) count += text.split("observed.by").length - bare.split("observed.by").length;
    writeFileSync(file, bare);
  }
  return count;
}

function perCall(run, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (performance.now() - start) / calls;
}

/** Medians of the time of the build as it is, divided by that of each other build; a row each. */
async function measure(folders) {
  const loaded = {};
  for (const folder of folders) loaded[basename(folder)] = await import(pathToFileURL(join(folder, "index.js")).href);
  const builds = names.map((name) => loaded[name]);
  return Object.fromEntries(Object.entries(rows).map(([name, make]) => {
    const runs = builds.map((torch) => make(torch, torch.ones([2, 2])));
    for (const run of runs) perCall(run, 20_000);
    const calls = Math.max(10, Math.round(milliseconds / perCall(runs[0], 1000)));
    const ratios = runs.slice(1).map(() => []);
    for (let r = 0; r < rounds; r++) {
      const order = runs.map((_, i) => (i + r) % runs.length);
      const times = [];
      for (const i of order) times[i] = perCall(runs[i], calls);
      ratios.forEach((list, i) => list.push(times[0] / times[i + 1]));
    }
    return [name, ratios.map(median)];
  }));
}

if (process.argv[2] === "--measure") {
  process.stdout.write(JSON.stringify(await measure(process.argv.slice(3))));
} else {
  const processes = Number(process.argv[2] ?? 16);
  const folder = mkdtempSync(join(tmpdir(), "leafgrad-detached-"));
  try {
    const dist = fileURLToPath(new URL("../dist", import.meta.url));
    for (const name of names) cpSync(dist, join(folder, name), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    console.log(`without ${withoutTests(join(folder, "bare"))} readings of the observer; medians over ${processes} processes of medians over ${rounds} rounds\n`);
    const found = Array.from({ length: processes }, (_, p) => {
      // Which is loaded first matters more than the tests do.
      const order = names.map((_, i) => names[(i + p) % names.length]);
      return JSON.parse(spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--measure", ...order.map((name) => join(folder, name))], { encoding: "utf8" }).stdout);
    });
    console.log(`${"as it is, divided by".padEnd(24)}${"without the tests".padStart(20)}${"a copy of itself".padStart(20)}`);
    for (const row of Object.keys(rows)) {
      const cell = (i) => {
        const values = found.map((f) => f[row][i]).toSorted((a, b) => a - b);
        return `${median(values).toFixed(3)} (${values[values.length >> 2].toFixed(2)}–${values[(3 * values.length) >> 2].toFixed(2)})`.padStart(20);
      };
      console.log(row.padEnd(24) + cell(0) + cell(1));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
