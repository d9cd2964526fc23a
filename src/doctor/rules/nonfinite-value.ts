import { findBirths, kindOf } from "./birth-rule.ts";
import type { Rule } from "./rule.ts";

export const nonfiniteValue: Rule = {
  id: "nonfinite-value",
  title: "A value that became NaN or infinite",
  severity: "error",
  certainty: 0.7,
  why: `All that the op was given was finite, or an infinity that the program wrote itself, and what it gave is not. This is the
first place where the values went wrong; everything after it inherits the NaN or the infinity.`,
  fix: `Look at the numbers that the op was given at this element, and keep them within its domain.`,
  bad: `import * as torch from "leafgrad";

const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[false, false], [true, true]]);
const loss = scores.masked_fill(mask, -Infinity).softmax(1).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[false, true], [true, false]]);
const loss = scores.masked_fill(mask, -Infinity).softmax(1).pow(2).sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth) === "other", {
    fix: (_trace, _birth, op) => ({ text: `keep what ${op?.name ?? "the op"} is given within its domain`, edits: [] }),
  }),
};
