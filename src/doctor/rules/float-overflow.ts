import { findBirths, operandText, widenEdits } from "./birth-rule.ts";
import { lineOf, numberText } from "./describe.ts";
import { growthBefore, type Growth } from "./growth.ts";
import { extremeWays } from "./magnitude.ts";
import { scaledWeights } from "./magnitude-repairs.ts";
import type { BirthEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { kindOf } from "./kinds.ts";
import type { Rule } from "./rule.ts";
import { gradientsOf } from "./updates.ts";

/** Is it made of a gradient that explodes? That is told of as such. */
function isOfExploding(trace: Trace, { op }: BirthEvent): boolean {
  const inputs = new Set(op === null ? [] : trace.userOp(trace.ops.get(op)!).inputs);
  return extremeWays(trace, "grow").some(({ leaf }) => [...gradientsOf(trace, leaf)].some((gradient) => inputs.has(gradient)));
}

const growthOf = (trace: Trace, { op }: BirthEvent): Growth | null => (op === null ? null : growthBefore(trace, trace.ops.get(op)!));

function because(trace: Trace, birth: BirthEvent): string {
  const dtype = birth.tensor === null ? "float32" : trace.tensors.get(birth.tensor)!.dtype;
  const growth = growthOf(trace, birth);
  const grown = growth === null ? "" : `; ${lineOf(growth.op.place)} made it so large: it multiplies the norm by ${numberText(growth.ratio)} in ${growth.count} runs, ${numberText(growth.ratio ** (1 / growth.count))} each`;
  return `${dtype} ends at ${dtype === "float64" ? "1.8e308" : "3.4e38"}${grown}`;
}

export const floatOverflow: Rule = {
  id: "float-overflow",
  title: "A number too large for its dtype",
  severity: "error",
  certainty: 0.9,
  why: `float32 ends at 3.4e38. High powers, products of many factors and squares of large numbers pass it and become infinite; inf - inf,
inf / inf and 0 · inf are NaN then.`,
  fix: `Bring the numbers to about 1 first (divide by their largest), add logarithms instead of multiplying, or compute in float64.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([2, 5000], { requires_grad: true });
const loss = x.pow(11).mean();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([2, 5000], { requires_grad: true });
const loss = x.div(5000).pow(11).mean();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "overflow" && !isOfExploding(trace, birth), {
    because,
    blamed: (trace, birth) => growthOf(trace, birth)?.op ?? null,
    fix(trace, birth, op) {
      const growth = growthOf(trace, birth);
      if (growth !== null) return scaledWeights(trace, growth.op, growth.ratio ** (1 / growth.count)) ?? { text: "keep the norm at each run: smaller weights to start with, a normalisation between, or fewer runs", edits: [] };
      const edits = widenEdits(trace, birth, op);
      const x = operandText(trace, birth, op);
      return { text: `bring the numbers to about 1 first, add logarithms instead of multiplying, or compute in float64${edits.length > 0 ? `: ${x}.double()` : ""}`, edits };
    },
  }),
};
