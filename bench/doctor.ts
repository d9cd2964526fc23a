/** What the doctor's tiers cost: the time of a step with each, divided by that without. */
import * as torch from "leafgrad";
import { record, watch } from "leafgrad/doctor";

function elementwise(n: number): () => void {
  const x = torch.rand(n, n, { requires_grad: true });
  return () => {
    x.sin().mul(x).add(1).tanh().pow(2).mean().backward();
    x.grad = null;
  };
}

function perceptron(n: number): () => void {
  const x = torch.rand(n, n);
  const w1 = torch.randn(n, n).mul(0.05).requires_grad_();
  const w2 = torch.randn(n, n).mul(0.05).requires_grad_();
  return () => {
    x.matmul(w1).relu().matmul(w2).pow(2).mean().backward();
    w1.grad = null;
    w2.grad = null;
  };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** The time of a round; dead tensors are let go of before it. */
async function timed(run: () => void): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** How often the time of `plain` another run takes; the two take turns, and take turns in coming first. */
async function ratio(plain: () => void, other: () => void): Promise<{ ratio: number; plain: number }> {
  const ratios: number[] = [];
  const times: number[] = [];
  for (let r = 0; r < 24; r++) {
    const first = await timed(r % 2 === 0 ? plain : other);
    const second = await timed(r % 2 === 0 ? other : plain);
    const [p, o] = r % 2 === 0 ? [first, second] : [second, first];
    // The first rounds compile.
    if (r > 3) ratios.push(o / p);
    if (r > 3) times.push(p);
  }
  return { ratio: median(ratios), plain: median(times) };
}

async function measure(name: string, step: () => void, steps: number): Promise<void> {
  const round = (): void => {
    for (let i = 0; i < steps; i++) step();
  };
  const watched = await ratio(round, () => void watch(round));
  const recorded = await ratio(round, () => void record(round));
  const columns = [`${(watched.plain / steps).toFixed(3)} ms`.padStart(12), ...[watched, recorded].map((r) => `${r.ratio.toFixed(2)}×`.padStart(10))];
  console.log(name.padEnd(30) + columns.join(""));
}

console.log(`${"".padEnd(30)}${"a step".padStart(12)}${"watched".padStart(10)}${"recorded".padStart(10)}`);
for (const n of [2, 64, 256]) await measure(`elementwise, ${n}×${n}`, elementwise(n), n < 100 ? 50 : 4);
for (const n of [64, 256]) await measure(`two-layer perceptron, ${n}×${n}`, perceptron(n), n < 100 ? 20 : 2);
