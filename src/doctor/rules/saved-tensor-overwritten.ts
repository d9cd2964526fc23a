import { culpritOf, editOf, lineOf } from "./describe.ts";
import type { BackwardEndEvent, NodeEvent, OpEvent, WriteEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Found, Rule } from "./rule.ts";

const refusal = /has been modified by an inplace operation/;

/** The first write to what a node had saved, after it had. */
function guiltyWrite(trace: Trace, node: NodeEvent): { saved: NodeEvent["saved"][number]; write: WriteEvent } | null {
  for (const saved of node.saved) {
    const write = trace.writes.find((w) => w.storage === saved.storage && w.version > saved.version && trace.isBefore(node, w));
    if (write !== undefined) return { saved, write };
  }
  return null;
}

/** `y.add_(1);` becomes `y = y.add(1);`, and `const y` becomes `let y`. */
function outOfPlace(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  const source = op.place === null ? undefined : trace.sources.get(op.place.file);
  if (expression === null || expression.receiver === null || source === undefined || op.within !== null) return [];
  const { file } = op.place!;
  const name = trace.textOf(expression.receiver, file);
  const isStatement = /(^|[;{}\n])\s*$/.test(source.slice(0, expression.start));
  const declaration = new RegExp(`\\b(const|let)(?=\\s+${name}\\b)`).exec(source);
  if (!/^\w+$/.test(name) || !isStatement || declaration === null) return [];
  const call = source.slice(expression.start, expression.end).replace(`.${op.name}_(`, `.${op.name}(`);
  return [
    editOf(trace, file, { start: declaration.index, end: declaration.index + declaration[1].length }, "let"),
    editOf(trace, file, expression, `${name} = ${call}`),
  ];
}

function foundIn(trace: Trace, end: BackwardEndEvent): Found[] {
  const node = end.node === null ? undefined : trace.nodes.get(end.node);
  const guilty = node === undefined ? null : guiltyWrite(trace, node);
  if (node === undefined || guilty === null) return [];
  const { saved, write } = guilty;
  const writer = trace.ops.get(write.op)!;
  const saver = trace.opOf(node.node);
  const name = trace.nameOf(saved.tensor);
  const user = trace.userOp(writer);
  const by = saver === null ? node.name : trace.callText(trace.userOp(saver));
  const saverPlace = saver === null ? null : trace.userOp(saver).place;
  return [{
    message: `${name} was overwritten before backward read it`,
    culprit: culpritOf(trace, writer),
    tensor: name,
    why: `${lineOf(saverPlace, user.place?.file)}, ${by}, saved ${name} at version ${saved.version} for its gradient; ${lineOf(user.place)}, ${trace.callText(user)}, wrote it: version ${write.version}`,
    fix: { text: `write to a new tensor instead: ${trace.callText(user).replace(`${writer.name}_(`, `${writer.name}(`)}; or let ${by} work on a copy, .clone()`, edits: outOfPlace(trace, user) },
  }];
}

export const savedTensorOverwritten: Rule = {
  id: "saved-tensor-overwritten",
  title: "A tensor that backward needs is written in place",
  severity: "error",
  certainty: 1,
  why: `Many ops keep their input or their result, because their gradient is computed from it. Each write to memory counts a
version; backward compares and refuses a value that is not the one it kept. PyTorch's error says which tensor it is, not
which line wrote.`,
  fix: `Use the op without the underscore at the line that wrote, or give one of the two a copy of its own with clone().`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.exp();
y.add_(1);
const loss = y.sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2], { requires_grad: true });
const y = x.exp();
const loss = y.add(1).sum();
loss.backward();
`,
  detect: (trace) => [...trace.ends.values()].filter(({ error }) => refusal.test(error?.message ?? "")).flatMap((end) => foundIn(trace, end)),
};
