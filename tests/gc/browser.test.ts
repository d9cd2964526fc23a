/** The built package in a browser: in a plain page, whose memory is not shared, and in one that is isolated from other origins. */
import { createReadStream, existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as Torch from "leafgrad";
import { ensureBuilt } from "../cli/cli.ts";
import { executable, launch } from "../doctor/browser.ts";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const isolating = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Serves dist/; a page under /isolated/ is isolated. */
const serve = (): Server =>
  createServer(({ url = "/" }, response) => {
    const file = join(dist, url);
    if (url.endsWith("/")) response.writeHead(200, { "Content-Type": "text/html", ...(url === "/isolated/" ? isolating : {}) }).end("<!doctype html>");
    else if (!url.endsWith(".js") || !existsSync(file)) response.writeHead(404).end();
    else createReadStream(file).pipe(response.writeHead(200, { "Content-Type": "text/javascript", ...isolating }));
  });

/** Runs in the page, in one job: the notes' loss, a training loop, and more large tensors than may be resident, dead and alive. */
function program({ torch, heap }: { torch: typeof Torch; heap: { shared: boolean } | null }) {
  const x = torch.tensor([0, 0.0025, 0.5, 0.8, 1], { requires_grad: true });
  const mask = x.lt(0.003).float();
  const loss = torch.mean(x.sub(mask.mul(12.9).mul(x).add(mask.rsub(1).mul(x.pow(0.5)))).pow(2));
  loss.backward();

  torch.manual_seed(0);
  const images = torch.randn(16, 64);
  const labels = torch.randint(0, 10, [16]);
  const weight = torch.zeros(64, 10, { requires_grad: true });
  const losses: number[] = [];
  for (let step = 0; step < 2000; step++) {
    const error = torch.nn.functional.cross_entropy(images.matmul(weight), labels);
    weight.grad = null;
    error.backward();
    torch.no_grad(() => weight.sub_(weight.grad!.mul(0.1)));
    losses.push(error.item() as number);
  }

  torch.memory.setLimit(2 ** 25);
  let sum = torch.zeros(2 ** 20);
  for (let i = 0; i < 100; i++) sum = sum.add(1);
  const living = Array.from({ length: 20 }, (_, i) => torch.full([2 ** 20], i));
  return {
    isolated: (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated,
    shared: heap?.shared,
    loss: String(loss),
    grad: String(x.grad),
    fell: losses[losses.length - 1] < 0.1 * losses[0],
    sum: [sum.min().item(), sum.max().item()],
    intact: living.every((t, i) => t.min().item() === i && t.max().item() === i),
    evicted: torch.memory.stats().evicted > 0,
  };
}

describe.skipIf(executable === null)("in a browser", () => {
  const server = serve();
  let browser: Browser;
  beforeAll(async () => {
    ensureBuilt();
    await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
    browser = await launch();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  test.each([
    ["/plain/", false, "/index.js", "null"],
    ["/plain/", false, "/modules/index.js", 'import("/modules/tensor/heap.js").then(({ heap }) => heap)'],
    ["/isolated/", true, "/index.js", "null"],
    ["/isolated/", true, "/modules/index.js", 'import("/modules/tensor/heap.js").then(({ heap }) => heap)'],
  ])("%s, isolated: %s, with %s", async (path, isolated, entry, heapOf) => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    const torch = await page.evaluateHandle<typeof Torch>(`import("${entry}")`);
    const heap = await page.evaluateHandle<{ shared: boolean } | null>(heapOf);
    expect(await page.evaluate(program, { torch, heap })).toEqual({
      isolated,
      shared: heapOf === "null" ? undefined : isolated,
      loss: "tensor(0.0105, grad_fn=<MeanBackward0>)",
      grad: "tensor([    nan,  0.1416, -0.0243, -0.0167,  0.0000])",
      fell: true,
      sum: [100, 100],
      intact: true,
      evicted: true,
    });
  });
});

if (executable === null) console.log("The package is not tested in a browser: no Chromium was found; CHROMIUM may name one.");
