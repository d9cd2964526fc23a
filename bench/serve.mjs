/** The side of a runner that answers: times the cases of one library in this process. */
import { createInterface } from "node:readline";

/** How each row of rows.ts is set up, by name. */
function rowsOf({ small, elements, layouts, product, linears, conv, ordering, mlp, cnn, transformer }) {
  const rows = {
    "matmul 64 of 64×64": () => product(64, 64, 64),
    "linear layers of the MLP": () => linears([[64, 784, 128], [64, 128, 10]]),
    "linear layers of the transformer": () => linears([[512, 128, 384], [512, 128, 128], [512, 128, 512], [512, 512, 128]]),
    "conv 3×3, forward": () => conv(false),
    "conv 3×3, forward + backward": () => conv(true),
    "sort 2^20": () => ordering("sort"),
    "topk 2^20": () => ordering("topk"),
    "MLP step": mlp,
    "CNN step": cnn,
    "transformer step": transformer,
  };
  for (const name of Object.keys(small())) rows[name] = () => small()[name];
  for (const op of ["add", "mul", "exp", "tanh", "gelu", "pow", "sum", "mean"]) {
    for (const power of [10, 16, 20, 24]) rows[`${op} 2^${power}`] = () => elements(op, power);
  }
  for (const name of ["add row", "add column", "add transposed", "sum of rows", "sum of columns"]) rows[`${name}, 1024×1024`] = () => layouts(name);
  for (const name of ["softmax", "layer_norm"]) rows[`${name} 1024×1024`] = () => layouts(name);
  for (const n of [64, 256, 257, 512, 999, 1024]) rows[`matmul ${n}`] = () => product(n, n);
  return rows;
}

/** Answers requests. A case that throws while it is set up or called, which may be asynchronous, is one that the library cannot run. */
export async function serve(version, cases) {
  const rows = rowsOf(cases);
  console.log(JSON.stringify({ version }));
  let current = { name: "", call: null };
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (request.peak) {
      console.log(JSON.stringify({ bytes: process.resourceUsage().maxRSS * 1024 }));
      continue;
    }
    try {
      if (current.name !== request.name) {
        const setUp = rows[request.name];
        current = { name: request.name, call: setUp === undefined ? null : await setUp() };
      }
      console.log(JSON.stringify(current.call === null ? { missing: "no such case" } : { ns: await time(current.call, request.calls) }));
    } catch (error) {
      current = { name: request.name, call: null };
      console.log(JSON.stringify({ missing: String(error).split("\n")[0] }));
    }
    // Finalizers run between jobs: the memory of a round is given back before the next one.
    await new Promise(setImmediate);
  }
}

async function time(call, calls) {
  const first = call();
  const asynchronous = first instanceof Promise;
  if (asynchronous) await first;
  const start = process.hrtime.bigint();
  if (asynchronous) for (let i = 0; i < calls; i++) await call();
  else for (let i = 0; i < calls; i++) call();
  return Number(process.hrtime.bigint() - start) / calls;
}
