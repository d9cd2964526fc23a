import { outOfPlace } from "./copies.ts";
import { culpritOf, lineOf } from "./describe.ts";
import type { Rule } from "./rule.ts";

const refusal = /is a view and is being modified inplace|view was created in (no_grad|inference) mode and is being modified inplace/;

export const viewNotWritable: Rule = {
  id: "view-not-writable",
  title: "A view that must not be written in place",
  severity: "error",
  certainty: 1,
  why: `A write to a view changes its base, and the graph of the base is rewritten for it. That cannot be done for the views that
chunk, split and unbind give, several at once, nor for a view that was made while recording was off.`,
  fix: `Use the op without the underscore, or take a copy first: x.chunk(2)[0].clone(). One view of a tensor, x.narrow(…), can be written.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3, 4], { requires_grad: true });
const [a, b] = x.mul(2).chunk(2);
a.mul_(3);
const loss = a.add(b).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3, 4], { requires_grad: true });
const [a, b] = x.mul(2).chunk(2);
const loss = a.mul(3).add(b).sum();
loss.backward();
`,
  detect: (trace) =>
    [...trace.ops.values()].filter((op) => op.within === null && refusal.test(op.error?.message ?? "")).map((op) => {
      const [view] = op.inputs;
      const name = trace.nameOf(view);
      const maker = trace.makerOf(view);
      const made = maker === null ? "" : ` of ${lineOf(trace.userOp(maker).place, op.place?.file)}, ${trace.callText(trace.userOp(maker))},`;
      const why = maker?.grad_mode === false ? "which was made while recording was off, so the graph cannot say whether the write belongs to it" : "one of several that share the memory of their base, and the graph cannot follow a write to one of them";
      return {
        message: `${name} is a view that must not be written in place`,
        culprit: culpritOf(trace, op), tensor: name,
        why: `${name} is a view${made} ${why}`,
        fix: { text: `make a new tensor, ${trace.callText(op).replace(`${op.name}_(`, `${op.name}(`)}, or write to a copy, .clone()`, edits: outOfPlace(trace, op) },
      };
    }),
};
