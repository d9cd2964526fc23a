import { byCulprit, culpritAt, culpritOf, editOf, lineOf, namesOf } from "./describe.ts";
import type { OpEvent, Place, ReadEvent } from "../trace/events.ts";
import { commaSeparated } from "../trace/source.ts";
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

/** So many gradients that are reset unread are no chance. */
const rounds = 3;

/** An optimizer that is never told to step: gradients that its zero_grad resets again and again before anybody has read one. */
function neverUpdated(trace: Trace): Found[] {
  const leaves = [...new Set(trace.accumulations.map(({ tensor }) => tensor))];
  const uses = leaves.map((leaf) => trace.reads.filter(({ tensor, how }) => tensor === leaf && (how === "grad" || how === "reset")));
  const isIdle = uses.every((list) => list.length >= rounds && list.every(({ how }) => how === "reset")) && leaves.every((leaf) => updatesOf(trace, leaf).length === 0);
  const zeroing = leaves.length === 0 || !isIdle ? undefined : callersOf(trace, uses[0][0]).find(({ text }) => text.endsWith(".zero_grad()"));
  if (zeroing === undefined) return [];
  const [first, names] = [trace.nameOf(leaves[0]), namesOf(trace, leaves)];
  const { place } = [...trace.backwards.values()].at(-1)!;
  const { length } = trace.accumulations.filter(({ tensor }) => tensor === leaves[0]);
  const [statement, step] = [statementOf(trace, place), zeroing.text.replace(/zero_grad\(\)$/, "step()")];
  return [{
    message: `the gradients of ${names} are computed in each round, and no update uses them`, culprit: culpritAt(trace, place), tensor: first,
    why: `${lineOf(place)} filled ${first}.grad ${length} times, and ${lineOf(zeroing.place, place?.file)}, ${zeroing.text}, reset it before anything had read it`,
    fix: { text: `update after backward: ${step}`, edits: statement === null || statement.file !== zeroing.place.file ? [] : [followed(trace, statement, `${step};`)] },
  }];
}

/** The calls that led to a reading. */
function callersOf(trace: Trace, { callers }: ReadEvent): { place: Place; text: string }[] {
  return callers.map((place) => ({ place, text: trace.expression(place)?.text ?? "" }));
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

/** Lists of leaves that hold `w` and not `b`, with `b` added: `[this.w]` becomes `[this.w, this.b]`. */
function added(trace: Trace, file: string, from: string, to: string): Edit[] {
  const source = trace.sources.get(file) ?? "";
  const [own, other] = [to, from].map(lastOf);
  return [...source.matchAll(/(?<![\w$)\]]\s*)\[[^[\](){};]*\](?!\s*=)/g)].flatMap(({ 0: list, index }) => {
    const names = commaSeparated(list, 1, list.length - 1).map(({ start, end }) => list.slice(start, end));
    const beside = names.find((name) => /^[\w$.]+$/.test(name) && lastOf(name) === other);
    if (beside === undefined || names.some((name) => lastOf(name) === own)) return [];
    const at = index + list.length - 1;
    return [editOf(trace, file, { start: at, end: at }, `, ${beside.slice(0, -other.length)}${own}`)];
  });
}

const lastOf = (name: string): string => name.replace(/^.*\./, "");

function repairOf(trace: Trace, update: OpEvent, from: string, to: string): Edit[] {
  const edits = repeated(trace, update, from, to);
  return edits.length > 0 || update.place === null ? edits : added(trace, update.place.file, from, to);
}

export const leafNotUpdated: Rule = {
  id: "leaf-not-updated",
  title: "A parameter that the updates leave out",
  severity: "warning",
  certainty: 0.75,
  changesLoss: true,
  why: `It requires grad and each backward adds to its gradient, but nothing reads that gradient, while other leaves are updated: it keeps the
value that it started with. Or the optimizer is never told to step, and zero_grad resets each gradient unread.`,
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
  detect: (trace) => {
    const found = forgotten(trace);
    return found.length === 0 ? neverUpdated(trace) : byCulprit(trace, found.map(({ leaf }) => leaf)).map(({ culprit, leaves }): Found => {
      const { others } = found.find(({ leaf }) => leaf === leaves[0])!;
      const [{ leaf: other, update }] = others;
      const [names, trained] = [namesOf(trace, leaves), namesOf(trace, others.map(({ leaf }) => leaf))];
      const isOne = !names.includes(", ");
      return {
        message: `${names} ${isOne ? "gets a gradient" : "get gradients"} in each round, and no update uses ${isOne ? "it" : "them"}`, culprit: culprit ?? culpritOf(trace, update), tensor: trace.nameOf(leaves[0]),
        why: `${lineOf(update.place, culprit?.file)}, ${trace.callText(update)}, updates ${trained}; nothing reads ${leaves.map((leaf) => `${trace.nameOf(leaf)}.grad`).join(", ")}, so ${names} ${isOne ? "keeps the value that it" : "keep the values that they"} started with`,
        fix: { text: `update ${names} as well, or make ${isOne ? "it" : "them"} without requires_grad`, edits: leaves.length === 1 ? repairOf(trace, update, trace.nameOf(other), trace.nameOf(leaves[0])) : [] },
      };
    });
  },
};
