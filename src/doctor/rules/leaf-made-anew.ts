import { culpritOf, editOf, lineOf } from "./describe.ts";
import { reset } from "./gradients-never-zeroed.ts";
import type { OpEvent } from "../trace/events.ts";
import { placeKey } from "../trace/source.ts";
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
    if (maker === null || maker.inputs.length > 0 || !trace.accumulations.some((event) => event.tensor === tensor)) continue;
    const key = placeKey(trace.userOp(maker).place);
    const known = byLine.get(key) ?? { maker: trace.userOp(maker), leaves: [] };
    byLine.set(key, { ...known, leaves: [...known.leaves, tensor] });
  }
  return [...byLine.values()].filter(({ leaves }) => leaves.length >= rounds && leaves.every((leaf, i) => isOneRound(trace, leaf, leaves[i + 1])));
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

/** The update is lost with the leaf; or the gradient is read only once, of the last, as if it were that of all rounds. */
function lossOf(trace: Trace, series: Series): "update" | "gradient" | null {
  const { leaves } = series;
  if (leaves.every((leaf) => isUpdatedInVain(trace, leaf))) return "update";
  const read = leaves.map((leaf) => gradientsOf(trace, leaf).size > 0);
  return read[read.length - 1] && read.indexOf(true) === read.length - 1 && areEqual(trace, series) ? "gradient" : null;
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
  why: `A tensor that is made in the loop is another one in each round. What the round before had learned is gone with it: an update is lost, and
gradients do not add up, for each leaf has its own .grad.`,
  fix: `Make it once, before the loop.`,
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
      const harm = lost === "update" ? `the update of ${lineOf(update.place, maker.place?.file)}, ${trace.callText(update)}, is lost with it` : `its gradients do not add up: the one that is read is that of the last round alone`;
      return [{
        message: `${name} is made anew in each round`, culprit: culpritOf(trace, maker), tensor: name,
        why: `${lineOf(maker.place)} made ${leaves.length} tensors for ${leaves.length} backwards${areEqual(trace, series) ? ", all of the same numbers" : ""}; ${harm}`,
        fix: { text: `make ${name} once, before the loop`, edits: beforeLoop(trace, series, lost) },
      }];
    }),
};
