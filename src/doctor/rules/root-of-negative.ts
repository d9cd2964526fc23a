import { clampEdits, findBirths, operandText } from "./birth-rule.ts";
import { kindOf } from "./kinds.ts";
import type { Rule } from "./rule.ts";

export const rootOfNegative: Rule = {
  id: "root-of-negative",
  title: "The root, or a fractional power, of a negative number",
  severity: "error",
  certainty: 0.95,
  why: `The square root of a negative number is NaN, and so is any power that is no whole number. A variance computed as
E[x²] - E[x]², or a distance from a product of matrices, falls below zero by rounding alone.`,
  fix: `Keep the input at or above a small number, x.clamp({ min: 1e-12 }).sqrt(), or compute it in a way that cannot be negative.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([3, 4], { requires_grad: true });
const loss = x.sub(x.square()).sqrt().sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([3, 4], { requires_grad: true });
const loss = x.square().sub(x).sqrt().sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "root", {
    fix: (trace, birth, op) => ({ text: `keep the input above zero: ${operandText(trace, birth, op)}.clamp({ min: 1e-12 })`, edits: clampEdits(trace, birth, op) }),
  }),
};
