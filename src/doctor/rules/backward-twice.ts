import { culpritAt, culpritOf, editOf, lineOf } from "./describe.ts";
import { removed, statementOf } from "./statements.ts";
import { loopAround, placeKey, positionOf } from "../trace/source.ts";
import type { BackwardEvent, OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Found, Rule } from "./rule.ts";
import { carriedState } from "./state-carried.ts";

const refusal = /backward through the graph a second time/;

/** The backward that ran a node first, and so freed what it kept. */
function firstThrough(trace: Trace, node: number): BackwardEvent | null {
  const run = [...trace.runs.values()].find((r) => r.node === node);
  return run === undefined ? null : trace.backwards.get(run.backward)!;
}

/** `loss.backward()` becomes `loss.backward({ retain_graph: true })`. */
function retaining(trace: Trace, { place }: BackwardEvent): Edit[] {
  const expression = trace.expression(place);
  if (expression === null || !expression.text.endsWith(")") || expression.text.includes("{")) return [];
  return [editOf(trace, place!.file, { start: expression.end - 1, end: expression.end - 1 }, `${expression.arguments.length > 0 ? ", " : ""}{ retain_graph: true }`)];
}

/** What a loop's backward goes through although it was made before the loop: its statements, which may move into it. */
interface MadeBefore {
  readonly op: OpEvent;
  readonly edits: readonly Edit[];
}

function madeBefore(trace: Trace, node: number, { place }: BackwardEvent): MadeBefore | null {
  const source = place === null ? undefined : trace.sources.get(place.file);
  if (place === null || source === undefined) return null;
  const head = loopAround(source, positionOf(source, place.line, place.column));
  const ops = [...trace.nodesBelow([node])].flatMap((one) => trace.opOf(one) ?? []).map((op) => trace.userOp(op));
  const statements = new Map(ops.map((op) => [placeKey(op.place), statementOf(trace, op.place)]));
  const lone = new Map([...statements.values()].flatMap((s) => (s === null ? [] : [[s.span.start, s] as const])));
  const isMovable = head !== null && [...statements.values()].every((s) => s !== null && s.file === place.file && s.span.end <= head.start);
  if (!isMovable || lone.size === 0) return null;
  const all = [...lone.values()].toSorted((a, b) => a.span.start - b.span.start);
  const into = editOf(trace, place.file, { start: head.body, end: head.body }, ` ${all.map(({ text }) => text).join(" ")}`);
  return { op: trace.userOp(trace.opOf(node)!), edits: [...all.map((s) => removed(trace, s)), into] };
}

export const backwardTwice: Rule = {
  id: "backward-twice",
  title: "Backward through a graph that was freed",
  severity: "error",
  certainty: 1,
  why: `A backward frees what the graph had kept, unless it is told to retain it. Running it again, or running another loss that
shares a part of the graph, fails there. In a loop the shared part is most often a state that is carried from one iteration
to the next.`,
  fix: `Add the losses and call backward once; or retain_graph: true in the first call; in a loop, detach the state that is carried on.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([2], { requires_grad: true });
const y = x.pow(2);
y.backward();
y.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([2], { requires_grad: true });
const y = x.pow(2);
y.backward({ retain_graph: true });
y.backward();
`,
  detect: (trace) =>
    [...trace.ends.values()].flatMap(({ backward, node, error }): Found[] => {
      if (!refusal.test(error?.message ?? "")) return [];
      if (node !== null && carriedState(trace, backward, node) !== null) return [];
      const second = trace.backwards.get(backward)!;
      const first = node === null ? null : firstThrough(trace, node);
      const op = node === null ? null : trace.opOf(node);
      const shared = op === null ? "the graph" : trace.callText(trace.userOp(op));
      const isLoop = first !== null && first.place?.line === second.place?.line && first.place?.column === second.place?.column;
      const before = isLoop && node !== null ? madeBefore(trace, node, second) : null;
      if (before !== null) return [{
        message: `the graph of ${shared} was made once, before the loop, and freed in its first round`,
        culprit: culpritOf(trace, before.op),
        why: `${lineOf(first!.place, before.op.place?.file)}, ${trace.expression(second.place)?.text ?? "backward"}, freed what ${shared} had kept; the next round came to it again`,
        fix: { text: `make it anew in each round: move ${lineOf(before.op.place)} into the loop`, edits: before.edits, others: [{ text: "keep the graph: retain_graph: true", edits: retaining(trace, first!) }] },
      }];
      return [{
        message: `the graph of ${shared} was run backward before, and freed`,
        culprit: culpritAt(trace, second.place),
        why: `${first === null ? "an earlier backward" : isLoop ? `the same call, in an earlier round,` : `${lineOf(first.place, second.place?.file)}, ${trace.expression(first.place)?.text ?? "backward"},`} went through ${shared}${op === null ? "" : ` of ${lineOf(trace.userOp(op).place, second.place?.file)}`} and freed what it had kept`,
        fix: {
          text: isLoop ? `make ${shared} anew in each round, or keep the graph: retain_graph: true` : "call backward once on the sum of the losses, or keep the graph in the first call: retain_graph: true",
          edits: first === null ? [] : retaining(trace, first),
        },
      }];
    }),
};
