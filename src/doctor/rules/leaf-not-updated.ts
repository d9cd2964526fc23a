import { culpritOf, lineOf } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { followed, statementIn, statementOf, type Statement } from "./statements.ts";
import { gradientsOf, isComputedFrom, updatesOf } from "./updates.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** Training is two updates or more. */
const least = 2;

/** Is a gradient looked at, by the program or by an op other than one that resets it? */
function isUsed(trace: Trace, grad: number): boolean {
  if (trace.reads.some(({ tensor }) => tensor === grad)) return true;
  return [...trace.ops.values()].some((op) => op.inputs.includes(grad) && !(op.inplace && op.outputs.includes(grad)));
}

/** Leaves that each backward gives a gradient which nobody uses, while others are updated by theirs. */
function forgotten(trace: Trace): { leaf: number; others: { leaf: number; update: OpEvent }[] }[] {
  const counts = new Map<number, number>();
  for (const { tensor } of trace.accumulations) counts.set(tensor, (counts.get(tensor) ?? 0) + 1);
  const trained = [...counts.keys()].flatMap((leaf) => {
    const grads = gradientsOf(trace, leaf);
    const updates = updatesOf(trace, leaf).filter((op) => isComputedFrom(trace, op, grads));
    return updates.length < least ? [] : [{ leaf, update: updates[0] }];
  });
  if (trained.length === 0) return [];
  const idle = [...counts].filter(([leaf, count]) => count >= least && updatesOf(trace, leaf).length === 0 && ![...gradientsOf(trace, leaf)].some((grad) => isUsed(trace, grad)));
  return idle.map(([leaf]) => ({ leaf, others: trained }));
}

/** The statement for another leaf. */
const renamed = ({ text }: Statement, from: string, to: string): string => text.replace(new RegExp(`\\b${from}\\b`, "g"), to);

/** The update of `from`, and the line that resets its gradient, once more for `to`. */
function repeated(trace: Trace, update: OpEvent, from: string, to: string): Edit[] {
  const statement = statementOf(trace, update.place);
  if (statement === null || !/^[\w$]+$/.test(from) || !/^[\w$]+$/.test(to) || !new RegExp(`\\b${from}\\b`).test(statement.text)) return [];
  const source = trace.sources.get(statement.file)!;
  const reset = new RegExp(`\\b${from}\\.grad(\\s*=\\s*null|!?\\.zero_\\(\\))`).exec(source.slice(statement.span.end));
  const below = reset === null ? null : statementIn(trace, statement.file, statement.span.end + reset.index);
  const update2 = followed(trace, statement, renamed(statement, from, to));
  return below === null ? [{ ...update2, text: `${update2.text} ${to}.grad = null;` }] : [update2, followed(trace, below, renamed(below, from, to))];
}

export const leafNotUpdated: Rule = {
  id: "leaf-not-updated",
  title: "A parameter that the updates leave out",
  severity: "warning",
  certainty: 0.75,
  changesLoss: true,
  why: `It requires grad and each backward adds to its gradient, but nothing reads that gradient, while other leaves are updated: it keeps the
value that it started with.`,
  fix: `Update it with the others, or make it without requires_grad.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3]);
const w = torch.tensor([0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = x.mul(w).add(b).sub(2).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad = null;
}
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3]);
const w = torch.tensor([0.5], { requires_grad: true });
const b = torch.tensor([0.1], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = x.mul(w).add(b).sub(2).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  torch.no_grad(() => b.sub_(b.grad!.mul(0.1)));
  w.grad = null;
  b.grad = null;
}
`,
  detect: (trace) =>
    forgotten(trace).map(({ leaf, others }): Found => {
      const name = trace.nameOf(leaf);
      const [{ leaf: other, update }] = others;
      const maker = trace.makerOf(leaf);
      const trained = others.map((o) => trace.nameOf(o.leaf)).join(", ");
      return {
        message: `${name} gets a gradient in each round, and no update uses it`, culprit: maker === null ? culpritOf(trace, update) : culpritOf(trace, maker), tensor: name,
        why: `${lineOf(update.place, maker === null ? undefined : trace.userOp(maker).place?.file)}, ${trace.callText(update)}, updates ${trained}; nothing reads ${name}.grad, so ${name} keeps the value that it started with`,
        fix: { text: `update ${name} as well, or make it without requires_grad`, edits: repeated(trace, update, trace.nameOf(other), name) },
      };
    }),
};
