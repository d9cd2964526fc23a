import { culpritOf, editOf, lineOf } from "./describe.ts";
import { reset } from "./gradients-never-zeroed.ts";
import type { OpEvent, Place } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import { blockAround, placeKey, positionOf } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { removed, statementOf } from "./statements.ts";
import { gradientsOf, updatesOf } from "./updates.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** So many leaves from one line, each with a backward of its own, are a loop. */
const rounds = 3;

/** The leaves that one line made of nothing, each of which got one gradient before the next was made. */
interface Series {
  readonly maker: OpEvent;
  readonly leaves: readonly number[];
}

function seriesOf(trace: Trace): Series[] {
  const byLine = new Map<string, { maker: OpEvent; leaves: number[] }>();
  for (const { tensor, leaf } of trace.tensors.values()) {
    const maker = leaf ? trace.makerOf(tensor) : null;
    if (maker === null || !isOfNothing(trace, maker) || !trace.accumulations.some((event) => event.tensor === tensor)) continue;
    const key = placeKey(trace.userOp(maker).place);
    const known = byLine.get(key) ?? { maker: trace.userOp(maker), leaves: [] };
    byLine.set(key, { ...known, leaves: [...known.leaves, tensor] });
  }
  return [...byLine.values()].filter(({ leaves }) => leaves.length >= rounds && leaves.every((leaf, i) => isOneRound(trace, leaf, leaves[i + 1])));
}

/** Is all that an op is given made in the same line, out of nothing? */
function isOfNothing(trace: Trace, op: OpEvent): boolean {
  const { place } = trace.userOp(op);
  return op.inputs.every((input) => {
    const maker = trace.makerOf(input);
    const at = maker === null ? null : trace.userOp(maker).place;
    return at !== null && at.file === place?.file && at.line === place.line && isOfNothing(trace, maker!);
  });
}

function isOneRound(trace: Trace, leaf: number, next: number | undefined): boolean {
  const events = trace.accumulations.filter(({ tensor }) => tensor === leaf);
  return events.length === 1 && (next === undefined || trace.isBefore(events[0], trace.makerOf(next)!));
}

/** Do all start from the same numbers? */
function areEqual(trace: Trace, { leaves }: Series): boolean {
  const texts = new Set(leaves.map((leaf) => { const { shape, values } = trace.tensors.get(leaf)!; return JSON.stringify([shape, values.norm, values.head]); }));
  return texts.size === 1;
}

/** Is it written once after its gradient, and never used again? */
function isUpdatedInVain(trace: Trace, leaf: number): boolean {
  const [update, ...more] = updatesOf(trace, leaf);
  return update !== undefined && more.length === 0 && ![...trace.ops.values()].some((op) => op.within === null && op.inputs.includes(leaf) && trace.isBefore(update, op));
}

/** Are other leaves updated, and is this one made beside them, by the function that computes with it, and left to itself? */
function isOutOfReach(trace: Trace, series: Series): boolean {
  const { leaves, maker } = series;
  const asked = new Set([...trace.backwards.values()].flatMap(({ inputs }) => inputs ?? []));
  const isLeft = leaves.every((leaf) => !asked.has(leaf) && updatesOf(trace, leaf).length === 0 && gradientsOf(trace, leaf).size === 0);
  if (!isLeft || !isTraining(trace)) return false;
  if (areEqual(trace, series)) return true;
  // What is drawn anew may be data, if it is not the function that uses it which draws it.
  const callers = maker.callers.map(placeKey).join();
  const isUsedThere = [...trace.ops.values()].some((op) => op.within === null && op.run === null && op.inputs.includes(leaves[0]) && op.callers.map(placeKey).join() === callers);
  return callers !== "" && isUsedThere && ![...trace.backwards.values()].some(({ place }) => isInBlockOf(trace, place, maker.place));
}

/** Is a leaf updated that got several gradients? */
function isTraining(trace: Trace): boolean {
  const counts = grouped(trace.accumulations, ({ tensor }) => tensor);
  return [...counts].some(([leaf, { length }]) => length >= rounds && updatesOf(trace, leaf).length > 0);
}

/** Does a place lie in the innermost block around another? */
function isInBlockOf(trace: Trace, place: Place | null, other: Place | null): boolean {
  if (place === null || place.file !== other?.file) return false;
  const source = trace.sources.get(place.file)!;
  const [at, within] = [place, other].map(({ line, column }) => positionOf(source, line, column));
  const open = blockAround(source, within);
  return open === null || (at > open.start && at < open.end);
}

/** What is lost: the update, with the leaf; the gradient that is read only once, of the last, as if it were that of all rounds; or what is to be learnt, where no update can come to it. */
function lossOf(trace: Trace, series: Series): "update" | "gradient" | "learning" | null {
  const { leaves } = series;
  if (leaves.every((leaf) => isUpdatedInVain(trace, leaf))) return "update";
  const read = leaves.map((leaf) => gradientsOf(trace, leaf).size > 0);
  return read[read.length - 1] && read.indexOf(true) === read.length - 1 && areEqual(trace, series) ? "gradient" : isOutOfReach(trace, series) ? "learning" : null;
}

/** The statement before the loop that is around it. */
function beforeLoop(trace: Trace, { maker, leaves }: Series, lost: "update" | "gradient"): Edit[] {
  const statement = statementOf(trace, maker.place);
  if (statement === null) return [];
  const source = trace.sources.get(statement.file)!;
  const above = source.slice(0, statement.span.start);
  const loop = [...above.matchAll(/^([ \t]*)(?:for|while)\b.*\n/gm)].findLast((match) => match[1].length < /[ \t]*$/.exec(above)![0].length);
  if (loop === undefined) return [];
  const at = loop.index + loop[1].length;
  const resets = lost === "update" ? reset(trace, updatesOf(trace, leaves[0])[0]) : [];
  return [editOf(trace, statement.file, { start: at, end: at }, `${statement.text} `), removed(trace, statement), ...resets];
}

export const leafMadeAnew: Rule = {
  id: "leaf-made-anew",
  title: "A leaf that is made anew in each round",
  severity: "error",
  certainty: 0.85,
  changesLoss: true,
  why: `A tensor that is made in the loop, or by a function that each round calls, is another one in each round. What the round before had
learned is gone with it: an update is lost, gradients do not add up, for each leaf has its own .grad, and an optimizer that was made before does not
know it.`,
  fix: `Make it once, before the loop; a layer's parameters where the layer is made.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3]);
for (let step = 0; step < 4; step++) {
  const w = torch.tensor([0.5], { requires_grad: true });
  const loss = x.mul(w).sub(2).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
}
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3]);
const w = torch.tensor([0.5], { requires_grad: true });
for (let step = 0; step < 4; step++) {
  const loss = x.mul(w).sub(2).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad = null;
}
`,
  detect: (trace) =>
    seriesOf(trace).flatMap((series): Found[] => {
      const lost = lossOf(trace, series);
      if (lost === null) return [];
      const { maker, leaves } = series;
      const [first] = leaves;
      const name = trace.nameOf(first);
      const update = updatesOf(trace, first)[0];
      const harm = {
        update: () => `the update of ${lineOf(update.place, maker.place?.file)}, ${trace.callText(update)}, is lost with it`,
        gradient: () => "its gradients do not add up: the one that is read is that of the last round alone",
        learning: () => "no update knows them, so nothing is learned",
      }[lost]();
      return [{
        message: `${name} is made anew in each round`, culprit: culpritOf(trace, maker), tensor: name,
        why: `${lineOf(maker.place)} made ${leaves.length} tensors for ${leaves.length} backwards${areEqual(trace, series) ? ", all of the same numbers" : ""}; ${harm}`,
        fix: lost === "learning"
          ? { text: `make ${name} once, where the other parameters are made, and give it to the update with them`, edits: [] }
          : { text: `make ${name} once, before the loop`, edits: beforeLoop(trace, series, lost) },
      }];
    }),
};
