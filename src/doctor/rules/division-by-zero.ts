import { findBirths, guarded, guardEdits, operandText } from "./birth-rule.ts";
import { editOf } from "./describe.ts";
import { kindOf } from "./kinds.ts";
import { operandsOf } from "./operands.ts";
import type { Rule } from "./rule.ts";

export const divisionByZero: Rule = {
  id: "division-by-zero",
  title: "A division by zero",
  severity: "error",
  certainty: 0.95,
  why: `x / 0 is infinite, and 0 / 0 is NaN: an average over nothing, a row that is normalised although it is all zero.
A mask after the division hides the value, but not its gradient.`,
  fix: `Make the divisor harmless before dividing: a.div(b.masked_fill(b.eq(0), 1)), or b.clamp({ min: eps }) where b cannot be
negative.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([[1, 3], [0, 0]], { requires_grad: true });
const total = x.sum(1, { keepdim: true });
const loss = x.div(total).pow(2).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([[1, 3], [0, 0]], { requires_grad: true });
const total = x.sum(1, { keepdim: true });
const loss = x.div(total.masked_fill(total.eq(0), 1)).pow(2).sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "division", {
    fix(trace, birth, op) {
      const { safe } = birth.equation!;
      const number = safe === null && op !== null && op.within === null ? operandsOf(trace, op)[1] : undefined;
      if (number !== undefined) {
        const { file } = op!.place!;
        const text = trace.textOf(number, file);
        // A number that is no tensor; `a || b` binds less than all arithmetic.
        if (/^[\d.]+$|[?:&|=]/.test(text)) return { text: `divide by a number that is not zero: ${text} is 0`, edits: [] };
        return { text: `divide by a number that is not zero: ${text} || 1, for ${text} is 0`, edits: [editOf(trace, file, number, `${text} || 1`)] };
      }
      const divisor = operandText(trace, birth, op);
      return { text: `divide by a number that is not zero: ${safe === null ? divisor : guarded(divisor, safe)}`, edits: guardEdits(trace, birth, op) };
    },
  }),
};
