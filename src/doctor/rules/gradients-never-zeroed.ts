import { culpritAt, culpritOf, editOf, lineOf } from "./describe.ts";
import type { AccumulateEvent, OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** A gradient that was added to one which an update of the same leaf had used up. */
interface Stale {
  readonly leaf: number;
  readonly update: OpEvent;
  readonly again: AccumulateEvent;
}

function staleGradients(trace: Trace): Stale[] {
  const last = new Map<number, AccumulateEvent>();
  const found = new Map<number, Stale>();
  for (const event of trace.accumulations) {
    const before = last.get(event.tensor);
    last.set(event.tensor, event);
    if (before === undefined || !event.before || found.has(event.tensor)) continue;
    const { storage } = trace.tensors.get(event.tensor)!;
    const write = trace.writes.find((w) => w.storage === storage && trace.isBefore(before, w) && trace.isBefore(w, event));
    if (write !== undefined) found.set(event.tensor, { leaf: event.tensor, update: trace.ops.get(write.op)!, again: event });
  }
  return [...found.values()];
}

/** `w.grad = null;` after the statement that updates `w`. */
function reset(trace: Trace, leaf: number, update: OpEvent): Edit[] {
  const { place } = trace.userOp(update);
  const expression = trace.expression(place);
  const name = trace.variableOf(leaf);
  if (expression === null || name === null) return [];
  const source = trace.sources.get(place!.file)!;
  const end = /;[ \t]*\n/.exec(source.slice(expression.end));
  if (end === null || /[{}]/.test(source.slice(expression.end, expression.end + end.index))) return [];
  const at = expression.end + end.index + 1;
  return [editOf(trace, place!.file, { start: at, end: at }, ` ${name}.grad = null;`)];
}

export const gradientsNeverZeroed: Rule = {
  id: "gradients-never-zeroed",
  title: "Gradients are added up over updates",
  severity: "warning",
  certainty: 0.85,
  changesLoss: true,
  why: `backward adds to .grad. Where a leaf is updated and its gradient is not reset, the next update uses the sum of all gradients so
far: it goes on in old directions, overshoots and swings. (Adding up several backwards before one update is fine.)`,
  fix: `After each update, w.grad = null, or w.grad.zero_(), or the optimizer's zero_grad().`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1], { requires_grad: true });
for (let step = 0; step < 2; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
}
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1], { requires_grad: true });
for (let step = 0; step < 2; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad = null;
}
`,
  detect(trace) {
    const stale = staleGradients(trace);
    if (stale.length === 0) return [];
    const [{ leaf, update, again }] = stale;
    const names = stale.map((s) => trace.nameOf(s.leaf)).join(", ");
    const backward = trace.backwards.get(again.backward)!;
    const found: Found = {
      message: `the gradient of ${names} is added to that of the update before`,
      culprit: culpritAt(trace, backward.place) ?? culpritOf(trace, update),
      tensor: trace.nameOf(leaf),
      why: `${lineOf(trace.userOp(update).place, backward.place?.file)}, ${trace.callText(trace.userOp(update))}, used the gradient, and ${lineOf(backward.place)} adds the next one to it`,
      fix: { text: `reset it after the update: ${stale.map((s) => `${trace.nameOf(s.leaf)}.grad = null`).join("; ")}`, edits: stale.flatMap((s) => reset(trace, s.leaf, s.update)) },
    };
    return [found];
  },
};
