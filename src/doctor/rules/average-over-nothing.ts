import { findBirths } from "./birth-rule.ts";
import { editOf } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { averagesNothing, kindOf } from "./kinds.ts";
import type { Edit, Rule } from "./rule.ts";

/** `x.mean()` becomes `x.sum().div(Math.max(1, x.numel()))`. */
function countedAtLeastOne(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  if (op.name !== "mean" || op.within !== null || expression?.receiver == null || expression.arguments.length > 0) return [];
  const { file } = op.place!;
  const x = trace.textOf(expression.receiver, file);
  return x === "torch" ? [] : [editOf(trace, file, expression, `${x}.sum().div(Math.max(1, ${x}.numel()))`)];
}

export const averageOverNothing: Rule = {
  id: "average-over-nothing",
  title: "An average over nothing",
  severity: "error",
  certainty: 0.95,
  why: `The mean of no elements is 0 / 0: no sample of the batch passed the filter, or all targets are to be ignored. One such batch puts NaN
into every parameter.`,
  fix: `Divide the sum by a count of at least 1, x.sum().div(Math.max(1, x.numel())), or leave the batch out.`,
  bad: `import * as torch from "leafgrad";

const errors = torch.tensor([0.1, 0.4], { requires_grad: true });
const loss = errors.index(errors.gt(1)).mean();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const errors = torch.tensor([0.1, 0.4], { requires_grad: true });
const hard = errors.index(errors.gt(1));
const loss = hard.sum().div(Math.max(1, hard.numel()));
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "nothing", {
    arithmetic: (trace, _birth, op) => `${trace.nameOf(averagesNothing(trace, trace.userOp(op))!)} leaves 0 elements to average: 0/0 = nan`,
    fix: (trace, _birth, op) => ({ text: "divide the sum by a count of at least 1, or leave the batch out", edits: op === null ? [] : countedAtLeastOne(trace, op) }),
  }),
};
