import { clampEdits, findBirths, kindOf, operandText } from "./birth-rule.ts";
import type { Rule } from "./rule.ts";

export const infiniteSlope: Rule = {
  id: "infinite-slope",
  title: "A gradient at a point where the slope is infinite",
  severity: "error",
  certainty: 0.95,
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
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth) === "infinite slope", {
    fix(trace, birth, op) {
      const atZero = birth.equation!.safe?.bad === 0;
      const x = operandText(trace, birth, op, "self");
      return { text: atZero ? `keep the input above zero: ${x}.clamp({ min: 1e-12 })` : `keep the input away from this point with clamp`, edits: atZero ? clampEdits(trace, op, "{ min: 1e-12 }") : [] };
    },
  }),
};
