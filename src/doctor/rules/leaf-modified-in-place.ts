import { fillers } from "./copies.ts";
import { askingSpan, culpritOf, editOf } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Fix, Rule } from "./rule.ts";

const refusal = /a (view of a )?leaf Variable that requires grad is being used in an in-place operation/;

/** What a write to a leaf was meant to be, and how to say it. */
function repair(trace: Trace, op: OpEvent, leaf: number): Fix {
  const call = trace.callText(op);
  if (op.inputs.slice(1).some((input) => trace.tensors.get(input)!.requires_grad)) {
    return { text: `let ${trace.nameOf(leaf)}, which is filled with results, not require grad: their gradients go back through what is written`, edits: unasked(trace, leaf) };
  }
  const outside = `torch.no_grad(() => ${call})`;
  if (isStatement(trace, op)) return { text: `update it outside the graph, ${outside}`, edits: wrapped(trace, op) };
  const value = call.replace(`.${op.name}_(`, `.${op.name}(`);
  return { text: `compute a new tensor, ${value}; to update the leaf, ${outside}`, edits: renamed(trace, op) };
}

/** Is nothing made of what the write gives back? */
function isStatement(trace: Trace, op: OpEvent): boolean {
  const expression = trace.expression(op.place);
  const source = op.place === null ? undefined : trace.sources.get(op.place.file);
  if (expression === null || source === undefined || fillers.has(op.name)) return true;
  return /(^|[;{}\n]|=>)\s*$/.test(source.slice(0, expression.start)) && /^\s*[;)}\n]/.test(source.slice(expression.end));
}

/** `w.add_(1)` becomes `torch.no_grad(() => w.add_(1))`. */
function wrapped(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  const source = op.place === null ? undefined : trace.sources.get(op.place.file);
  if (expression === null || source === undefined || !/import \* as torch\b/.test(source)) return [];
  return [editOf(trace, op.place!.file, expression, `torch.no_grad(() => ${source.slice(expression.start, expression.end)})`)];
}

/** `w.relu_()` becomes `w.relu()`. */
function renamed(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  const end = expression === null ? 0 : expression.name + op.name.length;
  return expression === null ? [] : [editOf(trace, op.place!.file, { start: end, end: end + 1 }, "")];
}

/** `torch.zeros(3, { requires_grad: true })` becomes `torch.zeros(3)`. */
function unasked(trace: Trace, leaf: number): Edit[] {
  const maker = trace.makerOf(leaf);
  const place = maker === null ? null : trace.userOp(maker).place;
  const span = place === null ? null : askingSpan(trace, place);
  return span === null ? [] : [editOf(trace, place!.file, span, "")];
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
        fix: repair(trace, op, leaf),
      };
    }),
};
