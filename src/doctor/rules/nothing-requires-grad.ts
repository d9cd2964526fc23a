import { cutBetween, unrecordedGradient } from "./cuts.ts";
import { culpritAt, editOf } from "./describe.ts";
import { leavesOf, noGraph } from "./leaves.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Rule } from "./rule.ts";
import { replacements } from "./parameter-replaced.ts";

/** Tensors of floats that no other tensor was made of and that the loss is computed from. */
function sources(trace: Trace, root: number): number[] {
  return [...trace.tensors.values()]
    .filter((t) => t.leaf && t.base === null && t.dtype.startsWith("float") && trace.makerOf(t.tensor)?.inputs.length === 0 && trace.computedFrom(t.tensor).has(root))
    .map(({ tensor }) => tensor);
}

/** Does a leaf lead to the loss by ways of which one is cut? Then the cut is to blame. */
function isCut(trace: Trace, root: number): boolean {
  return unrecordedGradient(trace, root) !== null || replacements(trace).length > 0 || leavesOf(trace).some((leaf) => cutBetween(trace, leaf, root) !== null);
}

/** `const w = torch.tensor([1, 2])` becomes `const w = torch.tensor([1, 2]).requires_grad_()`. */
function asked(trace: Trace, tensor: number): Edit[] {
  const { place } = trace.userOp(trace.makerOf(tensor)!);
  const expression = trace.expression(place);
  return expression === null ? [] : [editOf(trace, place!.file, { start: expression.end, end: expression.end }, ".requires_grad_()")];
}

export const nothingRequiresGrad: Rule = {
  id: "nothing-requires-grad",
  title: "Nothing that the loss is computed from requires grad",
  severity: "error",
  certainty: 0.95,
  why: `Ops are recorded where an input requires grad. Where none does, there is no graph, and backward has no way to go.`,
  fix: `Ask for the gradient where the tensor is made, { requires_grad: true }, or later with requires_grad_(). Where layers are frozen on
purpose, leave one that is not.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2]);
const loss = w.pow(2).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
const loss = w.pow(2).sum();
loss.backward();
`,
  detect: (trace) =>
    [...trace.ends.values()].filter(({ error }) => noGraph.test(error?.message ?? "")).flatMap(({ backward }) => {
      const { roots: [root], place } = trace.backwards.get(backward)!;
      if (root === undefined || isCut(trace, root)) return [];
      const from = sources(trace, root);
      const names = from.map((tensor) => trace.nameOf(tensor));
      return [{
        message: `nothing that ${trace.nameOf(root)} is computed from requires grad`,
        culprit: culpritAt(trace, place), tensor: trace.nameOf(root),
        why: names.length === 0 ? "no op was recorded" : `${names.join(", ")} ${names.length === 1 ? "does" : "do"} not require grad, so no op was recorded`,
        fix: { text: `ask for the gradient of what is to be learned: ${(names[0] ?? "w")}.requires_grad_()`, edits: from.length === 1 ? asked(trace, from[0]) : [] },
      }];
    }),
};
