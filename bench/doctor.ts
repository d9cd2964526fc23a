/** What the doctor's tiers cost: time of a step with each, divided by that without. Rounds of all three take turns. */
import * as torch from "leafgrad";
import { record, watch } from "../dist/doctor/session.js";

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

async function measure(name: string, step: () => void, steps: number): Promise<void> {
  const round = (): void => {
    for (let i = 0; i < steps; i++) step();
  };
  const tiers = { none: round, watch: () => void watch(round), record: () => void record(round) };
  const times: Record<string, number[]> = { none: [], watch: [], record: [] };
  for (let r = 0; r < 12; r++) {
    for (const [tier, run] of Object.entries(tiers)) {
      const start = performance.now();
      run();
      const time = (performance.now() - start) / steps;
      // Lets go of dead tensors between rounds.
      await new Promise((resolve) => setTimeout(resolve));
      if (r > 1) times[tier].push(time);
    }
  }
  const ratio = (tier: string): string => `${median(times[tier].map((t, i) => t / times.none[i])).toFixed(2)}×`;
  console.log(`${name.padEnd(28)}${`${median(times.none).toFixed(3)} ms`.padStart(12)}${ratio("watch").padStart(10)}${ratio("record").padStart(10)}`);
}

console.log(`${"".padEnd(28)}${"a step".padStart(12)}${"watched".padStart(10)}${"recorded".padStart(10)}`);
for (const n of [2, 64, 256, 512]) await measure(`elementwise, ${n}×${n}`, elementwise(n), n < 100 ? 50 : 4);
for (const n of [64, 256, 512]) await measure(`two-layer perceptron, ${n}×${n}`, perceptron(n), n < 100 ? 20 : 2);
