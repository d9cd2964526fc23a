/** NaN and Inf. */
import type { Pitfall } from "./pitfall.ts";

export const values: readonly Pitfall[] = [
  {
    name: "mask-hides-root",
    source: "forum, \"gradient is NaN although the loss is masked\"",
    rule: "nan-from-zero-times-inf",
    bad: `
const x = torch.tensor([0, 0.5, 0.8], { requires_grad: true });
const mask = x.gt(0.1).float();
const y = x.sqrt(); // culprit
mask.mul(y).sum().backward();
`,
    good: `
const x = torch.tensor([0, 0.5, 0.8], { requires_grad: true });
const mask = x.gt(0.1).float();
const y = x.masked_fill(x.eq(0), 1).sqrt();
mask.mul(y).sum().backward();
`,
    elements: [[0]],
    proved: true,
  },
];
