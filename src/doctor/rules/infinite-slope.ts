import { boundsOf, clampEdits, findBirths, operandText, safeNorm } from "./birth-rule.ts";
import { kindOf } from "./kinds.ts";
import type { Rule } from "./rule.ts";

export const infiniteSlope: Rule = {
  id: "infinite-slope",
  title: "A gradient at a point where the slope is infinite",
  severity: "error",
  certainty: 0.95,
  // The repair moves the input off the point, which a value may show.
  changesLoss: true,
  why: `Some functions have a finite value where their slope is infinite: roots, norms and distances at 0, the inverse
sine and cosine at 1. The value looks right, and backward gives infinity.`,
  fix: `Keep the input away from that point: x.clamp({ min: 1e-12 }).sqrt(), or an eps inside the root, x.add(1e-12).sqrt().
An eps outside the root does not help.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([0, 4], { requires_grad: true });
const loss = x.sqrt().sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([0, 4], { requires_grad: true });
const loss = x.clamp({ min: 1e-12 }).sqrt().sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "infinite slope", {
    fix: (trace, birth, op) => ({ text: `keep the input away from this point: ${operandText(trace, birth, op)}.clamp(${boundsOf(birth)})`, edits: clampEdits(trace, birth, op), others: [safeNorm(trace, op)] }),
  }),
};
