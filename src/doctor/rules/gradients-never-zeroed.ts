import { culpritAt, culpritOf, lineOf, namesOf } from "./describe.ts";
import type { AccumulateEvent, OpEvent } from "../trace/events.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { beside } from "./statements.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** A gradient that was added to one which an update of the same leaf had used up. */
interface Stale {
  readonly leaf: number;
  readonly update: OpEvent;
  readonly again: AccumulateEvent;
}

/** The leaves whose next update used a sum with what an update before had used; a sum that is reset first does no harm. */
function staleGradients(trace: Trace): Stale[] {
  const found = new Map<number, Stale>();
  for (const leaf of new Set(trace.accumulations.map(({ tensor }) => tensor))) {
    const { storage } = trace.tensors.get(leaf)!;
    const writes = trace.writes.filter((w) => w.storage === storage);
    const events = trace.accumulations.filter(({ tensor }) => tensor === leaf);
    events.forEach((again, i) => {
      const used = i === 0 || !again.before ? undefined : writes.find((w) => trace.isBefore(events[i - 1], w) && trace.isBefore(w, again));
      const next = events.slice(i + 1).find(({ before }) => !before);
      const usedAgain = writes.some((w) => trace.isBefore(again, w) && (next === undefined || trace.isBefore(w, next)));
      if (used !== undefined && usedAgain && !found.has(leaf)) found.set(leaf, { leaf, update: trace.ops.get(used.op)!, again });
    });
  }
  return [...found.values()];
}

/** What is written before the dot of an update in place: `w` in `w.sub_(…)`, and in `w.data.sub_(…)`. */
function updated(trace: Trace, update: OpEvent): string | null {
  const user = trace.userOp(update);
  const receiver = trace.expression(user.place)?.receiver;
  const text = receiver == null ? "" : trace.textOf(receiver, user.place!.file).replace(/\.(data|detach\(\))$/, "");
  return /^[\w$.[\]]+$/.test(text) ? text : null;
}

/** `w.grad = null;` after the update of `w`. */
export function reset(trace: Trace, update: OpEvent): Edit[] {
  const name = updated(trace, update);
  return name === null ? [] : beside(trace, trace.userOp(update).place, `${name}.grad = null;`);
}

/** One repair for each line that updates, however many leaves it updates. */
function resets(trace: Trace, stale: readonly Stale[]): Edit[] {
  const lines = new Map(stale.map(({ update }) => [placeKey(trace.userOp(update).place), update]));
  return [...lines.values()].flatMap((update) => reset(trace, update));
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
    const names = namesOf(trace, stale.map((s) => s.leaf));
    const backward = trace.backwards.get(again.backward)!;
    const found: Found = {
      message: `the gradient of ${names} is added to that of the update before`,
      culprit: culpritAt(trace, backward.place) ?? culpritOf(trace, update),
      tensor: trace.nameOf(leaf),
      why: `${lineOf(trace.userOp(update).place, backward.place?.file)}, ${trace.callText(trace.userOp(update))}, used the gradient, and ${lineOf(backward.place)} adds the next one to it`,
      fix: { text: `reset it after the update: ${[...new Set(stale.map((s) => `${updated(trace, s.update) ?? trace.nameOf(s.leaf)}.grad = null`))].join("; ")}`, edits: resets(trace, stale) },
    };
    return [found];
  },
};
