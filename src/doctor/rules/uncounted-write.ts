import { copied, saverOf } from "./copies.ts";
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
      const user = trace.userOp(trace.ops.get(write)!);
      const saver = saverOf(trace, trace.nodes.get(node)!);
      const name = trace.nameOf(tensor);
      return {
        message: `the gradient of ${saver.text} was computed from values that had been overwritten`,
        culprit: culpritOf(trace, user),
        tensor: name,
        why: `${saver.at(user.place?.file)}, ${saver.text}, kept ${name} for its gradient; ${lineOf(user.place)}, ${trace.callText(user)}, wrote to its memory by an alias that no version counts`,
        fix: { text: `write after backward, or let ${saver.text} keep a copy, .clone(); under torch.no_grad on ${name} itself the write would have been noticed`, edits: saver.op === null ? [] : copied(trace, saver.op, tensor) },
      };
    });
  },
};
