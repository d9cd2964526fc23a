/**
 * What the doctor costs where it is not attached: the places that ask for an observer. One question is too cheap to be seen beside
 * what two copies of one program differ by, so the library as it is runs beside a build that asks ten times at each place, and a ninth of the
 * difference is the cost; and beside a copy of itself, for the noise. `node bench/detached.mjs [PROCESSES]`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const rounds = 60;
const milliseconds = 1;
const warming = 200;
const names = ["as-it-is", "ten", "copy"];
/** Fields like the observer's that stay null too. */
const more = Array.from({ length: 9 }, (_, i) => `more${i}`);

const rows = {
  add: (torch, x) => () => x.add(x),
  sum: (torch, x) => () => x.sum(),
  "mul, sum, backward": (torch, x) => {
    const w = torch.ones([2, 2], { requires_grad: true });
    return () => w.mul(x).sum().backward();
  },
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const shuffled = (values) => values.map((value) => [Math.random(), value]).sort(([a], [b]) => a - b).map(([, value]) => value);

/** Bundles the library so that each place asks `more` too, where that is wanted; returns how many places there are. */
async function bundle(folder, name) {
  let places = 0;
  const askMore = ({ path }) => {
    if (path.endsWith("/dispatch/observer.ts")) return undefined; // it attaches one
    const contents = readFileSync(path, "utf8").replace(/observed\.by(?![.!])( !== null)?/g, (asked, test) => {
      places++;
      const asks = [asked, ...more.map((object) => `${object}.by${test ?? ""}`)];
      return name === "ten" ? `(${asks.join(test === undefined ? " ?? " : " || ")})` : asked;
    });
    return { contents, loader: "ts" };
  };
  await build({
    entryPoints: [fileURLToPath(new URL("../src/index.ts", import.meta.url))],
    outfile: join(folder, `${name}.mjs`),
    inject: [join(folder, "more.js")],
    plugins: [{ name: "ask-more", setup: ({ onLoad }) => onLoad({ filter: /\/src\/.*\.ts$/ }, askMore) }],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
  });
  return places;
}

/** Milliseconds of a call, on the average of so many. */
function perCall(run, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (performance.now() - start) / calls;
}

function warmUp(run) {
  const end = performance.now() + warming;
  while (performance.now() < end) perCall(run, 100);
}

/** Medians of the times of the other builds, divided by that of the library as it is in the same round; a row each. */
async function measure(folder) {
  const loaded = {};
  // Which is loaded first matters more than the observer does.
  for (const name of shuffled(names)) loaded[name] = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  const all = names.map((_, i) => i);
  return Object.fromEntries(Object.entries(rows).map(([row, make]) => {
    const runs = names.map((name) => make(loaded[name], loaded[name].ones([2, 2])));
    for (const i of shuffled(all)) warmUp(runs[i]);
    // Each build is called as often as the others, here too: who is called more is optimized more.
    const calls = Math.max(10, Math.round(milliseconds / median(runs.map((run) => perCall(run, 1000)))));
    const ratios = [[], []];
    for (let r = 0; r < rounds; r++) {
      const times = [];
      for (const i of shuffled(all)) times[i] = perCall(runs[i], calls);
      ratios.forEach((list, i) => list.push(times[i + 1] / times[0]));
    }
    return [row, ratios.map(median)];
  }));
}

/** Percent that `of` gives for the median over the processes, and where 95% of the medians of as many, drawn from them at random, lie. */
function summary(values, of) {
  const draw = () => median(values.map(() => values[Math.floor(Math.random() * values.length)]));
  const drawn = Array.from({ length: 10_000 }, draw).sort((a, b) => a - b);
  const [middle, low, high] = [median(values), drawn[250], drawn[9750]].map((ratio) => (100 * of(ratio)).toFixed(2));
  return `${middle}% (${low} to ${high})`.padStart(28);
}

if (process.argv[2] === "--measure") {
  process.stdout.write(JSON.stringify(await measure(process.argv[3])));
} else {
  const processes = Number(process.argv[2] ?? 60);
  const folder = mkdtempSync(join(tmpdir(), "leafgrad-detached-"));
  try {
    writeFileSync(join(folder, "more.js"), more.map((object) => `export const ${object} = { by: null };\n`).join(""));
    const [places] = await Promise.all(names.map((name) => bundle(folder, name)));
    console.log(`Node ${process.version}; an observer is asked for at ${places} places; ${processes} processes of ${rounds} rounds\n`);
    const found = Array.from({ length: processes }, () =>
      JSON.parse(spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--measure", folder], { encoding: "utf8" }).stdout),
    );
    console.log(`${"".padEnd(24)}${"cost of asking".padStart(28)}${"a copy of itself".padStart(28)}`);
    for (const row of Object.keys(rows)) {
      const [ten, copy] = [0, 1].map((i) => found.map((f) => f[row][i]));
      console.log(row.padEnd(24) + summary(ten, (ratio) => (ratio - 1) / more.length) + summary(copy, (ratio) => ratio - 1));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
