/** The side of a runner that answers: times the cases of one library in this process. */
import { createInterface } from "node:readline";

/**
 * `cases` maps names to functions that set a case up and return one call of it, which may be asynchronous. A case that
 * throws while it is set up or called is one that the library cannot run.
 */
export async function serve(version, cases) {
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
        const setUp = cases[request.name];
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
