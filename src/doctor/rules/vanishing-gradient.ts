import { magnitudeFindings } from "./magnitude.ts";
import type { Rule } from "./rule.ts";

export const vanishingGradient: Rule = {
  id: "vanishing-gradient",
  title: "A gradient that vanishes on its way back",
  severity: "warning",
  certainty: 0.75,
  changesLoss: true,
  why: `Backward multiplies by the slope of each op. A sigmoid or tanh of a large number is flat, a relu of negative numbers has slope 0, and a
step with a slope below 1 that runs many times makes nearly nothing of the gradient: the leaf does not learn.`,
  fix: `Keep what goes into the op where it is not flat: smaller weights or inputs of about 1, a normalisation before it, relu in place of
sigmoid in deep stacks; carry the state along by addition in recurrent steps; give a loss the logits.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([3, -2], { requires_grad: true });
const x = torch.tensor([100, -80]);
const y = w.mul(x).tanh();
y.sum().backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([3, -2], { requires_grad: true });
const x = torch.tensor([1, -0.8]);
const y = w.mul(x).tanh();
y.sum().backward();
`,
  detect: (trace) => magnitudeFindings(trace, "shrink"),
};
