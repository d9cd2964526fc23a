import { detached, originsOf } from "./callers.ts";
import { culpritOf, lineOf } from "./describe.ts";
import { keptFindings } from "./graphs-kept.ts";
import type { OpEvent } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import type { Rule } from "./rule.ts";

/** So many rounds, each with a graph that contains that of the round before, are no chance. */
const rounds = 3;

/** A tensor that is used after a backward which came after it, and in the next round the one made of it, and so on. */
interface Growth {
  readonly tensors: readonly number[];
  /** The nodes that it had when it was used. */
  readonly nodes: readonly number[];
  /** The last use. */
  readonly use: OpEvent;
}

function growths(trace: Trace): Growth[] {
  const ends = [...trace.ends.values()].filter(({ backward, error }) => error === null && !trace.backwards.get(backward)!.create_graph);
  const uses: { line: string; tensor: number; node: number; use: OpEvent; end: number }[] = [];
  for (const use of trace.ops.values()) {
    if (use.within !== null || use.run !== null || !use.grad_mode || use.severs) continue;
    const end = ends.findLastIndex((e) => trace.isBefore(e, use));
    if (end < 0) continue;
    for (const tensor of new Set(use.inputs)) {
      const made = trace.madeAt(tensor, use);
      if (made === null || trace.isBefore(ends[end], made.op)) continue;
      uses.push({ line: `${placeKey(use.place)} ${placeKey(trace.userOp(made.op).place)}`, tensor, node: made.node, use, end });
    }
  }
  return [...grouped(uses, ({ line }) => line).values()].flatMap((list) => {
    const each = list.filter(({ end }, i) => i === 0 || end !== list[i - 1].end);
    const grows = each.length >= rounds && each.every(({ node }, i) => i === 0 || (node !== each[i - 1].node && trace.path(node, each[i - 1].node, null).length > 0));
    return grows ? [{ tensors: each.map(({ tensor }) => tensor), nodes: each.map(({ node }) => node), use: each[each.length - 1].use }] : [];
  });
}

export const graphGrows: Rule = {
  id: "graph-grows",
  title: "A graph that grows from round to round",
  severity: "warning",
  certainty: 0.8,
  why: `A running total of losses, or a state that is carried on, keeps the graphs of all rounds before: total = total.add(loss) makes each of them
a part of the next. A list of losses keeps a graph for each. Memory grows with each round, and with retain_graph each backward takes longer than the last.`,
  fix: `Add up numbers: total += loss.item(), or loss.detach(). Cut a state where it enters the next round: h.detach().`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
let total = torch.tensor(0);
for (let step = 0; step < 5; step++) {
  const loss = w.mul(step).pow(2).sum();
  loss.backward();
  total = total.add(loss);
}
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
let total = torch.tensor(0);
for (let step = 0; step < 5; step++) {
  const loss = w.mul(step).pow(2).sum();
  loss.backward();
  total = total.add(loss.detach());
}
`,
  detect: (trace) => [
    ...growths(trace).map(({ tensors, nodes, use }) => {
      const name = trace.nameOf(tensors[0]);
      const roots = new Set([...trace.backwards.values()].flatMap((b) => b.roots));
      const losses = use.inputs.filter((input) => roots.has(input));
      const cut = losses.length > 0 ? losses : [tensors[tensors.length - 1]];
      return {
        message: `the graph of ${name} grows from round to round`, culprit: culpritOf(trace, use), tensor: name,
        why: `${lineOf(use.place)}, ${trace.callText(use)}, is given ${name} with the graph of all rounds before: ${trace.nodesBelow([nodes[0]]).size} nodes at first, ${trace.nodesBelow([nodes[nodes.length - 1]]).size} after ${nodes.length} rounds`,
        fix: { text: `cut it there: ${cut.map((t) => `${trace.nameOf(t)}.detach()`).join(", ")}`, edits: detached(trace, originsOf(trace, use, cut)) },
      };
    }),
    ...keptFindings(trace),
  ],
};
