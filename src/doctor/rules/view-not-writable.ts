import { outOfPlace } from "./copies.ts";
import { culpritOf, editOf, lineOf } from "./describe.ts";
import { operandsOf } from "./operands.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Rule } from "./rule.ts";

const refusal = /is a view and is being modified inplace|view was created in (no_grad|inference) mode and is being modified inplace/;

/**
 * `x.chunk(2)` becomes `[x.narrow(0, 0, 2), x.narrow(0, 2, 2)]`, and `x.unbind(0)` `[x.select(0, 0), …]`: views that can be
 * written, one by one. Where the base has no name nobody else sees it, and the parts may be copies.
 */
function oneByOne(trace: Trace, maker: OpEvent): Edit[] {
  const user = trace.userOp(maker);
  const expression = trace.expression(user.place);
  const [self] = operandsOf(trace, user);
  const from = trace.tensors.get(user.inputs[0])?.shape;
  if (expression === null || self === undefined || from === undefined || user.outputs.length > mostParts) return [];
  const { file } = user.place!;
  const x = trace.textOf(self, file);
  if (!/^[\w$.]+$/.test(x)) return [editOf(trace, file, { start: expression.end, end: expression.end }, ".map((part) => part.clone())")];
  const shapes = user.outputs.map((output) => trace.tensors.get(output)!.shape);
  const isUnbind = shapes[0].length < from.length;
  const dim = from.findIndex((size, d) => (isUnbind ? size === shapes.length && shapes[0].every((s, i) => s === from[i < d ? i : i + 1]) : size !== shapes[0][d]));
  if (dim < 0) return [];
  let start = 0;
  const parts = shapes.map((shape, i) => {
    if (isUnbind) return `${x}.select(${dim}, ${i})`;
    start += shape[dim];
    return `${x}.narrow(${dim}, ${start - shape[dim]}, ${shape[dim]})`;
  });
  return [editOf(trace, file, expression, `[${parts.join(", ")}]`)];
}

/** More parts than these are not written out. */
const mostParts = 4;

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
      const parts = maker === null || maker.grad_mode === false ? [] : oneByOne(trace, maker);
      const made = maker === null ? "" : ` of ${lineOf(trace.userOp(maker).place, op.place?.file)}, ${trace.callText(trace.userOp(maker))},`;
      const why = maker?.grad_mode === false ? "which was made while recording was off, so the graph cannot say whether the write belongs to it" : "one of several that share the memory of their base, and the graph cannot follow a write to one of them";
      return {
        message: `${name} is a view that must not be written in place`,
        culprit: culpritOf(trace, op), tensor: name,
        why: `${name} is a view${made} ${why}`,
        fix: {
          text: `make a new tensor, ${trace.callText(op).replace(`${op.name}_(`, `${op.name}(`)}; or take views that can be written, one by one, with narrow or select; or write to a copy, .clone()`,
          edits: parts.length > 0 ? parts : outOfPlace(trace, op),
        },
      };
    }),
};
