import { boundsOf, clampEdits, findBirths, operandText } from "./birth-rule.ts";
import { kindOf } from "./kinds.ts";
import type { Rule } from "./rule.ts";

export const outsideDomain: Rule = {
  id: "outside-domain",
  title: "An inverse function outside of its domain",
  severity: "error",
  certainty: 0.95,
  why: `acos and asin are defined from -1 to 1, atanh strictly between, acosh from 1 on. Cosines and correlations that are computed
leave that range by rounding alone: 1.0000001 is enough for NaN.`,
  fix: `Keep the input inside with a margin, x.clamp({ min: -0.999999, max: 0.999999 }).acos(), or take the angle with atan2.`,
  bad: `import * as torch from "leafgrad";

const cosine = torch.tensor([0.5, 1.0000002], { requires_grad: true });
const loss = cosine.acos().sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const cosine = torch.tensor([0.5, 1.0000002], { requires_grad: true });
const loss = cosine.clamp({ min: -0.999999, max: 0.999999 }).acos().sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "domain", {
    fix: (trace, birth, op) => ({ text: `keep the input inside of the domain: ${operandText(trace, birth, op)}.clamp(${boundsOf(birth)})`, edits: clampEdits(trace, birth, op) }),
  }),
};
