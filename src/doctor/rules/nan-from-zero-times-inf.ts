import { findBirths, guardEdits, kindOf, operandText } from "./birth-rule.ts";
import { elementText, numberText } from "./describe.ts";
import type { BirthEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Rule } from "./rule.ts";

/** Where the zero came from: the mask that hides the branch. */
function because(trace: Trace, { zero, equation }: BirthEvent): string {
  const product = `0·${numberText(equation!.slope!)} = nan`;
  if (zero === null) return `the gradient that arrives is 0; ${product}`;
  if (zero.tensor !== null) return `the gradient that arrives is 0, because ${trace.nameOf(zero.tensor)}${elementText(zero.element)} = ${numberText(zero.number!)}; ${product}`;
  const op = zero.op === null ? null : trace.ops.get(zero.op)!;
  const name = op === null ? "an op" : trace.callText(trace.userOp(op));
  return zero.number === null ? `the gradient that arrives is 0, because ${name} passes none to this element; ${product}` : `the gradient that arrives is 0, because ${name} multiplies by ${numberText(zero.number)}; ${product}`;
}

export const nanFromZeroTimesInf: Rule = {
  id: "nan-from-zero-times-inf",
  title: "NaN out of a branch that a mask hides",
  severity: "error",
  certainty: 1,
  why: `A mask of zeros and ones, torch.where, clamp or nan_to_num hide a branch from the value, not from backward: the
hidden branch is differentiated too, with a gradient of 0. Where its slope is infinite (a root, a norm or a
distance at 0, a logarithm at 0, an inverse sine at 1), 0 times infinity is NaN.`,
  fix: `Give the branch a harmless input where it is not wanted, before the root is taken: pick the elements with
x.index(mask), or replace the others first: torch.where(mask, x.masked_fill(mask.logical_not(), 1).pow(0.5), 0).`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([0, 0.5, 0.8], { requires_grad: true });
const mask = x.gt(0.1).float();
const loss = mask.mul(x.sqrt()).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([0, 0.5, 0.8], { requires_grad: true });
const mask = x.gt(0.1).float();
const loss = mask.mul(x.masked_fill(x.eq(0), 1).sqrt()).sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth) === "zero times infinity", {
    because,
    fix(trace, birth, op) {
      const name = birth.equation!.safe?.name ?? "self";
      const x = operandText(trace, birth, op, name);
      const edits = guardEdits(trace, birth, op);
      const { bad, good, side } = birth.equation!.safe ?? { bad: 0, good: 1, side: "eq" };
      const hidden = `${x}.masked_fill(${x}.${side}(${numberText(bad)}), ${good})`;
      return { text: `take the slope only where it is finite: ${edits.length > 0 ? `${hidden} in place of ${x}` : `replace ${numberText(bad)} by ${good} before the op`}, or pick the elements with index()`, edits };
    },
  }),
};
