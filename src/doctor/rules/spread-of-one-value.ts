import { findBirths } from "./birth-rule.ts";
import { editOf, operandName } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { kindOf } from "./kinds.ts";
import { isMethod } from "./operands.ts";
import type { Edit, Rule } from "./rule.ts";

/** How many elements each result is taken of. */
function countOf(trace: Trace, op: OpEvent): number {
  const [input, output] = [op.inputs[0], op.outputs[0]].map((t) => trace.tensors.get(t)!.values.numel);
  return output === 0 ? 0 : input / output;
}

/** `x.var(0)` becomes `x.var(0, { correction: 0 })`; none where the call already says how. */
function uncorrected(trace: Trace, op: OpEvent): Edit[] {
  const user = trace.userOp(op);
  const expression = trace.expression(user.place);
  if (expression === null || user.arguments.some((a) => "text" in a)) return [];
  const dim = isMethod(trace, user, expression) ? 0 : 1;
  if (expression.arguments.length > dim + 1) return [];
  const at = expression.end - 1;
  return [editOf(trace, user.place!.file, { start: at, end: at }, `${expression.arguments.length > 0 ? ", " : ""}{ correction: 0 }`)];
}

export const spreadOfOneValue: Rule = {
  id: "spread-of-one-value",
  title: "The variance of a single value",
  severity: "error",
  certainty: 0.95,
  // Other batches are divided by N, too.
  changesLoss: true,
  why: `std and var divide the sum of squared deviations by N - 1. Of one value that is 0 / 0: the last batch has one sample, the dimension one
entry.`,
  fix: `Divide by N, x.var(0, { correction: 0 }), as batch norm does, or leave batches of one sample out.`,
  bad: `import * as torch from "leafgrad";

const batch = torch.tensor([[1, 2, 3]], { requires_grad: true });
const loss = batch.var(0).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const batch = torch.tensor([[1, 2, 3]], { requires_grad: true });
const loss = batch.var(0, { correction: 0 }).sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "spread", {
    arithmetic: (trace, _birth, op) => `sum((${operandName(trace, op.inputs[0], op) ?? "x"} - mean)²)/(N - 1) = 0/(${countOf(trace, op)} - 1) = nan`,
    fix: (trace, _birth, op) => ({ text: "divide by N instead of N - 1, { correction: 0 }, or leave single samples out", edits: op === null ? [] : uncorrected(trace, op) }),
  }),
};
