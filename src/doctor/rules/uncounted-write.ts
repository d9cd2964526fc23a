import { culpritOf, lineOf } from "./describe.ts";
import type { Rule } from "./rule.ts";

export const uncountedWrite: Rule = {
  id: "uncounted-write",
  title: "A tensor that backward needs is overwritten behind its back",
  severity: "error",
  certainty: 0.9,
  why: `A write through .data is counted by a counter of its own, so backward cannot see that a value which an op had kept was
overwritten. It computes a wrong gradient and says nothing.`,
  fix: `Write under torch.no_grad to the tensor itself, which is counted; or write after backward; or to a copy.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.pow(2);
x.data.mul_(10);
const loss = y.sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.pow(2);
const loss = y.sum();
loss.backward();
x.data.mul_(10);
`,
  detect(trace) {
    const found = new Map<number, { tensor: number; node: number }>();
    for (const run of trace.runs.values()) for (const { tensor, op } of run.overwritten) if (!found.has(op)) found.set(op, { tensor, node: run.node });
    return [...found].map(([write, { tensor, node }]) => {
      const op = trace.ops.get(write)!;
      const saver = trace.opOf(node);
      const user = saver === null ? null : trace.userOp(saver);
      const by = user === null ? trace.nodes.get(node)!.name : trace.callText(user);
      return {
        message: `the gradient of ${by} was computed from values that had been overwritten`,
        culprit: culpritOf(trace, op),
        tensor: trace.nameOf(tensor),
        why: `${lineOf(user?.place ?? null)}, ${by}, kept ${trace.nameOf(tensor)} for its gradient; ${trace.callText(trace.userOp(op))} wrote to its memory by an alias that no version counts`,
        fix: { text: `write after backward, or to a copy; under torch.no_grad on ${trace.nameOf(tensor)} itself it would have been noticed`, edits: [] },
      };
    });
  },
};
