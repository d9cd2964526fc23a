import { culpritOf, editOf, lineOf } from "./describe.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Rule } from "./rule.ts";

const refusal = /more than one element of the written-to tensor refers to a single memory location/;

/** `b.expand(3, 2)` becomes `b.expand(3, 2).clone()`. */
function cloned(trace: Trace, tensor: number): Edit[] {
  const maker = trace.makerOf(tensor);
  const place = maker === null ? null : trace.userOp(maker).place;
  const expression = trace.expression(place);
  return expression === null ? [] : [editOf(trace, place!.file, { start: expression.end, end: expression.end }, ".clone()")];
}

export const expandedWrite: Rule = {
  id: "expanded-write",
  title: "An expanded tensor is written in place",
  severity: "error",
  certainty: 1,
  why: `expand and broadcast_to copy nothing: many elements stand at one place in memory, and a write to one would be a write to all.`,
  fix: `Write to a copy that has a place for each element: x.expand(3, 2).clone(), or x.repeat(3, 1).`,
  bad: `import * as torch from "leafgrad";

const b = torch.tensor([1, 2], { requires_grad: true });
const rows = b.mul(2).expand(3, 2);
rows.add_(1);
const loss = rows.sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const b = torch.tensor([1, 2], { requires_grad: true });
const rows = b.mul(2).expand(3, 2).clone();
rows.add_(1);
const loss = rows.sum();
loss.backward();
`,
  detect: (trace) =>
    [...trace.ops.values()].filter((op) => op.within === null && refusal.test(op.error?.message ?? "")).map((op) => {
      const [written] = op.inputs;
      const name = trace.nameOf(written);
      const maker = trace.makerOf(written);
      const made = maker === null ? name : `${lineOf(trace.userOp(maker).place, op.place?.file)}, ${trace.callText(trace.userOp(maker))},`;
      return {
        message: `${name} is written in place, and several of its elements are one place in memory`,
        culprit: culpritOf(trace, op), tensor: name,
        why: `${made} repeats elements without copying them`,
        fix: { text: `give each element a place of its own: ${maker === null ? name : trace.callText(trace.userOp(maker))}.clone()`, edits: cloned(trace, written) },
      };
    }),
};
