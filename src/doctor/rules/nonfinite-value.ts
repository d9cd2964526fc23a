import { findBirths } from "./birth-rule.ts";
import { kindOf } from "./kinds.ts";
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

const x = torch.tensor([1, 2], { requires_grad: true });
const bound = torch.tensor([3, Infinity]);
const width = bound.sub(torch.tensor([0, Infinity]));
const loss = x.mul(width).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2], { requires_grad: true });
const bound = torch.tensor([3, 1e9]);
const width = bound.sub(torch.tensor([0, 1e9]));
const loss = x.mul(width).sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "other", {
    fix: (_trace, _birth, op) => ({ text: `keep what ${op?.name ?? "the op"} is given within its domain`, edits: [] }),
  }),
};
