import { updateThatMade } from "./cuts.ts";
import { isInClassBody } from "../trace/source.ts";
import { askingSpan, culpritAt, editOf, lineOf } from "./describe.ts";
import type { ReadEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { statementOf } from "./statements.ts";
import type { Edit, Rule } from "./rule.ts";

/** Readings of a `.grad` that is null although the tensor is part of a graph that was run backward. */
function emptyReadings(trace: Trace): ReadEvent[] {
  const [first] = trace.ends.values();
  if (first === undefined) return [];
  const told = new Set<number>();
  return trace.reads.filter((read) => {
    if (read.how !== "grad" || read.result !== null || !read.requires_grad || trace.isBefore(read, first) || told.has(read.tensor)) return false;
    told.add(read.tensor);
    return updateThatMade(trace, read.tensor) === null && [...trace.ops.values()].some((op) => op.node !== null && op.outputs.includes(read.tensor));
  });
}

/** `b.retain_grad();` after the statement that makes `b`. A class's body holds no statements. */
function retained(trace: Trace, tensor: number): Edit[] {
  const name = trace.variableOf(tensor);
  const place = name === null ? null : trace.userOp(trace.makerOf(tensor)!).place;
  const expression = trace.expression(place);
  if (place === null || expression === null || isInClassBody(trace.sources.get(place.file)!, expression.start)) return [];
  const end = trace.sources.get(place.file)!.indexOf(";", expression.end) + 1;
  return end === 0 ? [] : [editOf(trace, place.file, { start: end, end }, ` ${name}.retain_grad();`)];
}

/** `p.b.retain_grad();` before the first backward, with the name by which the gradient is read. */
function retainedByReader(trace: Trace, { place }: ReadEvent): Edit[] {
  const receiver = trace.expression(place)?.receiver;
  const [backward] = trace.backwards.values();
  const statement = statementOf(trace, backward?.place ?? null);
  const name = receiver == null ? "" : trace.textOf(receiver, place!.file);
  if (statement === null || statement.file !== place!.file || !/^[\w$.[\]!]+$/.test(name)) return [];
  return [editOf(trace, statement.file, { start: statement.span.start, end: statement.span.start }, `${name}.retain_grad(); `)];
}

/** Leaves that a tensor was computed from. */
function leavesBehind(trace: Trace, tensor: number): number[] {
  const leaves = [...trace.nodes.values()].flatMap(({ accumulates }) => (accumulates === null ? [] : [accumulates]));
  return leaves.filter((leaf) => trace.computedFrom(leaf).has(tensor));
}

/** `torch.randn(3, { requires_grad: true }).mul(0.1)` becomes `torch.randn(3).mul(0.1).requires_grad_()`: the leaf has no name, so the result was meant. */
function askedLast(trace: Trace, tensor: number, leaves: readonly number[]): Edit[] {
  const [maker, origin] = [tensor, leaves[0]].map((t) => (t === undefined ? null : trace.makerOf(t))).map((op) => (op === null ? null : trace.userOp(op)));
  const [whole, part] = [maker, origin].map((op) => (op == null ? null : trace.expression(op.place)));
  if (leaves.length !== 1 || whole == null || part == null || maker!.place!.file !== origin!.place!.file || part.start < whole.start || part.end > whole.end) return [];
  const asking = askingSpan(trace, origin!.place!);
  return asking === null ? [] : [editOf(trace, origin!.place!.file, asking, ""), editOf(trace, maker!.place!.file, { start: whole.end, end: whole.end }, ".requires_grad_()")];
}

export const gradOfNonLeaf: Rule = {
  id: "grad-of-non-leaf",
  title: "The gradient of a tensor that is no leaf",
  severity: "error",
  certainty: 0.95,
  why: `backward leaves gradients on leaves alone: tensors that no recorded op made. Those of tensors in between are dropped, and
their .grad stays null. A weight that is scaled or cast where it is made, torch.randn(…, { requires_grad: true }).mul(0.1), is
no leaf either.`,
  fix: `Call retain_grad() before backward, or read the gradient of the leaf that was meant; make a weight first and set
requires_grad_() last: torch.randn(3).mul(0.1).requires_grad_().`,
  bad: `import * as torch from "leafgrad";

const a = torch.tensor([1, 2, 3], { requires_grad: true });
const b = a.mul(2);
b.sum().backward();
console.log(b.grad);
`,
  good: `import * as torch from "leafgrad";

const a = torch.tensor([1, 2, 3], { requires_grad: true });
const b = a.mul(2);
b.retain_grad();
b.sum().backward();
console.log(b.grad);
`,
  detect: (trace) =>
    emptyReadings(trace).map((read) => {
      const name = trace.nameOf(read.tensor);
      const maker = trace.makerOf(read.tensor);
      const leaves = leavesBehind(trace, read.tensor);
      const last = askedLast(trace, read.tensor, leaves);
      const instead = leaves.length === 0 ? "" : `, or read the gradient of the leaf: ${leaves.map((leaf) => `${trace.nameOf(leaf)}.grad`).join(", ")}`;
      const retaining = `call ${name}.retain_grad() before backward${instead}`;
      return {
        message: `${name}.grad is null`,
        culprit: culpritAt(trace, read.place),
        tensor: name,
        why: `${name} is no leaf: ${maker === null ? "an op" : `${lineOf(trace.userOp(maker).place, read.place?.file)}, ${trace.callText(trace.userOp(maker))},`} made it, and backward keeps the gradients of leaves only`,
        fix: last.length > 0
          ? { text: `make the tensor first and ask for its gradient last, .requires_grad_(): then ${name} is the leaf`, edits: last }
          : { text: retaining, edits: retained(trace, read.tensor), others: [{ text: retaining, edits: retainedByReader(trace, read) }] },
      };
    }),
};
