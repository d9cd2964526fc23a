import { copied, isShared, outOfPlace, saverOf } from "./copies.ts";
import { culpritOf, lineOf } from "./describe.ts";
import type { BackwardEndEvent, NodeEvent, WriteEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found, Rule } from "./rule.ts";

const refusal = /has been modified by an inplace operation/;

/** The first write to what a node had saved, after it had. */
function guiltyWrite(trace: Trace, node: NodeEvent): { saved: NodeEvent["saved"][number]; write: WriteEvent } | null {
  for (const saved of node.saved) {
    const write = trace.writes.find((w) => w.storage === saved.storage && w.version > saved.version && trace.isBefore(node, w));
    if (write !== undefined) return { saved, write };
  }
  return null;
}

function foundIn(trace: Trace, end: BackwardEndEvent): Found[] {
  const node = end.node === null ? undefined : trace.nodes.get(end.node);
  const guilty = node === undefined ? null : guiltyWrite(trace, node);
  if (node === undefined || guilty === null) return [];
  const { saved, write } = guilty;
  const name = trace.nameOf(saved.tensor);
  const user = trace.userOp(trace.ops.get(write.op)!);
  const saver = saverOf(trace, node);
  const instead = isShared(trace, saved.tensor) ? [] : outOfPlace(trace, user);
  const through = trace.variableOf(write.tensor) === trace.variableOf(saved.tensor) ? "it" : `its memory through ${trace.nameOf(write.tensor)}`;
  const copy = `let ${saver.text} of ${saver.at(user.place?.file)} keep a copy, .clone()`;
  return [{
    message: `${name} was overwritten before backward read it`,
    culprit: culpritOf(trace, user),
    tensor: name,
    why: `${saver.at(user.place?.file)}, ${saver.text}, saved ${name} at version ${saved.version} for its gradient; ${lineOf(user.place)}, ${trace.callText(user)}, wrote ${through}: version ${write.version}`,
    fix: instead.length > 0
      ? { text: `write to a new tensor instead: ${trace.callText(user).replace(`${user.name}_(`, `${user.name}(`)}; or ${copy}`, edits: instead }
      : { text: `write after backward, or ${copy}`, edits: saver.op === null ? [] : copied(trace, saver.op, saved.tensor) },
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
