import { magnitudeFindings } from "./magnitude.ts";
import type { Rule } from "./rule.ts";

export const explodingGradient: Rule = {
  id: "exploding-gradient",
  title: "A gradient that explodes on its way back",
  severity: "warning",
  certainty: 0.8,
  changesLoss: true,
  why: `Backward multiplies by the slope of each op. Where one line runs many times and its slope is above 1, as in a recurrent step or in
layers that start with large weights, the product grows without bounds; one step of training then throws the parameters far away.`,
  fix: `Start with weights that keep the norm (divide by the square root of the number of inputs), normalise between the steps, take
fewer of them, or bound the norm of the gradient before the update.`,
  bad: `import * as torch from "leafgrad";

const w = torch.eye(2).mul(2).requires_grad_();
let h = torch.ones(1, 2);
for (let step = 0; step < 40; step++) {
  h = h.matmul(w);
}
h.sum().backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.eye(2).mul(2).requires_grad_();
let h = torch.ones(1, 2);
for (let step = 0; step < 40; step++) {
  h = h.matmul(w).tanh();
}
h.sum().backward();
`,
  detect: (trace) => magnitudeFindings(trace, "grow"),
};
