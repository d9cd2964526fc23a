import { clampEdits, findBirths, operandText } from "./birth-rule.ts";
import { kindOf } from "./kinds.ts";
import type { Rule } from "./rule.ts";

export const expOverflow: Rule = {
  id: "exp-overflow",
  title: "An exponential too large for its dtype",
  severity: "error",
  certainty: 0.95,
  why: `exp(x) is infinite in float32 from x = 88.73 on, and in float64 from 709.8. A softmax, a sigmoid or a log of a sum that
is written by hand then gives inf/inf = NaN, or a gradient of 0 times infinity.`,
  fix: `Use the op that does it without overflow: softmax, log_softmax, logsumexp, sigmoid, F.softplus, expm1. Else bound the input,
x.clamp({ max: 40 }).exp().`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([99, 100], { requires_grad: true });
const e = x.exp();
const loss = e.div(e.sum()).index(0);
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([99, 100], { requires_grad: true });
const loss = x.softmax(0).index(0);
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "exponential", {
    fix: (trace, birth, op) => ({ text: `use softmax, logsumexp or sigmoid, or bound the input: ${operandText(trace, birth, op)}.clamp({ max: 40 })`, edits: clampEdits(trace, birth, op, "{ max: 40 }") }),
  }),
};
