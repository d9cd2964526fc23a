import { ancestors, updateThatMade } from "./cuts.ts";
import { culpritOf, editOf, lineOf } from "./describe.ts";
import { leavesOf, noGraph } from "./leaves.ts";
import type { OpEvent } from "../trace/events.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** An update that made a new tensor where the leaf should have been written. */
export interface Replacement {
  readonly leaf: number;
  readonly op: OpEvent;
}

/** The updates whose results were taken for leaves: a gradient was asked of them and there was none, or a loss of them had no graph. */
export function replacements(trace: Trace): Replacement[] {
  // A new leaf in each round, which was asked to require grad, is a way to train, too.
  const leaves = new Set(leavesOf(trace));
  const asked = trace.reads.filter(({ how, result, tensor }) => how === "grad" && result === null && !leaves.has(tensor)).map(({ tensor }) => tensor);
  const refused = [...trace.ends.values()].filter(({ error }) => noGraph.test(error?.message ?? "")).flatMap(({ backward }) => trace.backwards.get(backward)!.roots);
  const found = new Map<string, Replacement>();
  for (const tensor of [...asked, ...refused.flatMap((root) => ancestors(trace, root).slice(1))]) {
    const update = updateThatMade(trace, tensor);
    if (update === null) continue;
    const line = placeKey(update.op.place);
    if (!found.has(line)) found.set(line, update);
  }
  return [...found.values()];
}

/** `w = w.sub(g);` becomes `torch.no_grad(() => w.sub_(g)); w.grad = null;`, also where it stands in no_grad. */
function inPlace(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  const source = op.place === null ? undefined : trace.sources.get(op.place.file);
  if (expression?.receiver == null || source === undefined || !/import \* as torch\b/.test(source) || !/^(sub|add|addcmul|addcdiv|lerp)$/.test(op.name)) return [];
  const before = /([\w$.]+)\s*=\s*(?:torch\.no_grad\(\(\)\s*=>\s*)?$/.exec(source.slice(0, expression.start));
  const after = /^\)?(?:\.detach\(\))?;/.exec(source.slice(expression.end));
  const self = source.slice(expression.receiver.start, expression.receiver.end).replace(/\.(data|detach\(\))$/, "");
  if (before === null || after === null || before[1] !== self) return [];
  const call = source.slice(expression.receiver.end, expression.end).replace(`.${op.name}(`, `.${op.name}_(`);
  const span = { start: before.index, end: expression.end + after[0].length };
  return [editOf(trace, op.place!.file, span, `torch.no_grad(() => ${self}${call}); ${self}.grad = null;`)];
}

export const parameterReplaced: Rule = {
  id: "parameter-replaced",
  title: "A parameter that is replaced where it should be written",
  severity: "error",
  certainty: 0.97,
  changesLoss: true,
  why: `w = w.sub(…) makes a new tensor and gives it the name of the leaf. Recorded, it is no leaf: backward goes on through it to the old one,
and its own .grad stays null. Made under no_grad, or of w.data, it does not require grad, and the next backward finds no graph.`,
  fix: `Write to the leaf itself, outside of the graph: torch.no_grad(() => w.sub_(w.grad.mul(lr))), then w.grad = null.`,
  bad: `import * as torch from "leafgrad";

let w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 2; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  w = w.sub(w.grad!.mul(0.1));
}
`,
  good: `import * as torch from "leafgrad";

let w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 2; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad = null;
}
`,
  detect: (trace) =>
    replacements(trace).map(({ leaf, op }): Found => {
      const [tensor] = op.outputs;
      const name = trace.nameOf(leaf);
      const consequence = trace.tensors.get(tensor)!.requires_grad ? "it is no leaf, and backward leaves no gradient on it" : "it does not require grad";
      const call = trace.callText(op);
      return {
        message: `${name} is replaced by another tensor`, culprit: culpritOf(trace, op), tensor: name,
        why: `${lineOf(op.place)}, ${call}, makes a new tensor: ${consequence}`,
        fix: { text: `write to the leaf itself, and reset its gradient: torch.no_grad(() => ${call.replace(`.${op.name}(`, `.${op.name}_(`)})`, edits: inPlace(trace, op) },
      };
    }),
};
