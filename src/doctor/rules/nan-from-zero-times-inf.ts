import { boundsOf, clampEdits, findBirths, guarded, guardEdits, operandText, safeNorm } from "./birth-rule.ts";
import { elementText, numberText } from "./describe.ts";
import type { BirthEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { kindOf } from "./kinds.ts";
import type { Rule } from "./rule.ts";

/** Where the zero came from: the mask that hides the branch. */
function because(trace: Trace, { zero, equation }: BirthEvent): string {
  const product = `0·${numberText(equation!.slope!)} = nan`;
  if (zero === null) return `the gradient that arrives is 0; ${product}`;
  if (zero.tensor !== null && zero.number !== 0) return `the gradient that arrives is 0, because ${trace.nameOf(zero.tensor)} hides this element; ${product}`;
  if (zero.tensor !== null) return `the gradient that arrives is 0, because ${trace.nameOf(zero.tensor)}${elementText(zero.element)} = ${numberText(zero.number!)}; ${product}`;
  const op = zero.op === null ? null : trace.ops.get(zero.op)!;
  const name = op === null ? "an op" : trace.callText(trace.userOp(op));
  return zero.number !== 0 ? `the gradient that arrives is 0, because ${name} passes none to this element; ${product}` : `the gradient that arrives is 0, because ${name} multiplies by ${numberText(zero.number)}; ${product}`;
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
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "zero times infinity", {
    because,
    fix(trace, birth, op) {
      const { zero, equation } = birth;
      const x = operandText(trace, birth, op);
      // Where a bound made the zero, its value is wanted: what lies beyond it may lie anywhere beyond it.
      const isBound = zero?.op != null && /^clamp|^hardtanh|^relu6/.test(trace.ops.get(zero.op)!.name) && equation!.safe?.side !== "eq";
      const edits = isBound ? clampEdits(trace, birth, op) : guardEdits(trace, birth, op);
      const hidden = isBound ? `${x}.clamp(${boundsOf(birth)})` : equation!.safe === null ? "" : guarded(x, equation!.safe);
      // A quotient may be wanted as large as it can be, under an atan say.
      const nearZero = equation!.safe?.side === "eq" && equation!.safe.bad === 0 ? { ...equation!.safe, good: 1e-12 } : null;
      const tiny = nearZero === null ? [] : [{ text: `divide by a small number instead of 0: ${guarded(x, nearZero)}`, edits: guardEdits(trace, birth, op, nearZero) }];
      const others = [...tiny, { text: `keep ${x} above 0 by a number that the value does not show: ${x}.clamp({ min: 1e-38 })`, edits: equation!.safe?.side === "le" && equation!.safe.bad === 0 ? clampEdits(trace, birth, op, "{ min: 1e-38 }") : [] }, safeNorm(trace, op)];
      return { others, text: `take the slope only where it is finite: ${edits.length > 0 ? `${hidden} in place of ${x}` : `replace what ${x} is there by another number before the op`}, or pick the elements with index()`, edits };
    },
  }),
};
