import { culpritAt, editOf, lineOf } from "./describe.ts";
import type { BackwardEvent } from "../trace/events.ts";
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
