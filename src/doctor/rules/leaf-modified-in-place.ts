import { culpritOf, editOf } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Rule } from "./rule.ts";

const refusal = /a (view of a )?leaf Variable that requires grad is being used in an in-place operation/;

/** `w.add_(1)` becomes `torch.no_grad(() => w.add_(1))`. */
function wrapped(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  const source = op.place === null ? undefined : trace.sources.get(op.place.file);
  if (expression === null || source === undefined || !/import \* as torch\b/.test(source)) return [];
  return [editOf(trace, op.place!.file, expression, `torch.no_grad(() => ${source.slice(expression.start, expression.end)})`)];
}

export const leafModifiedInPlace: Rule = {
  id: "leaf-modified-in-place",
  title: "A leaf that requires grad is written in place",
  severity: "error",
  certainty: 1,
  why: `The gradient of a leaf is that with respect to the value which it had in the forward pass. Were the value overwritten by
an operation of the graph, there would be nothing left to differentiate with respect to; so it is refused.`,
  fix: `To update a weight on purpose, write outside the graph: torch.no_grad(() => w.add_(1)). To compute with the changed value,
make a new tensor: const v = w.add(1).`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1], { requires_grad: true });
const y = w.mul(2);
w.add_(1);
y.backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1], { requires_grad: true });
const y = w.mul(2);
torch.no_grad(() => w.add_(1));
y.backward();
`,
  detect: (trace) =>
    [...trace.ops.values()].filter((op) => op.within === null && refusal.test(op.error?.message ?? "")).map((op) => {
      const name = trace.nameOf(op.inputs[0]);
      const leaf = trace.tensors.get(op.inputs[0])!.base ?? op.inputs[0];
      const view = leaf === op.inputs[0] ? "" : `, a view of ${trace.nameOf(leaf)},`;
      return {
        message: `${name}${view} requires grad and is written in place`,
        culprit: culpritOf(trace, op),
        tensor: name,
        why: `${trace.nameOf(leaf)} is a leaf: its gradient would be that of a value which ${trace.callText(op)} had overwritten`,
        fix: { text: `update it outside the graph, torch.no_grad(() => ${trace.callText(op)}), or compute a new tensor, ${name}.${op.name}(…)`, edits: wrapped(trace, op) },
      };
    }),
};
