import { cutBetween } from "./cuts.ts";
import { byCulprit, culpritAt, namesOf } from "./describe.ts";
import { forgottenLeaves, rootsOf } from "./leaves.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found, Rule } from "./rule.ts";

const unusedText = /The differentiated Tensor at index (\d+) appears to not have been used in the graph/;

/** `grad` was asked for an input that is not part of the graph. */
function refused(trace: Trace): Found[] {
  return [...trace.ends.values()].flatMap(({ backward, error }) => {
    const index = unusedText.exec(error?.message ?? "")?.[1];
    const call = trace.backwards.get(backward)!;
    const input = index === undefined ? undefined : call.inputs?.[Number(index)];
    if (input === undefined) return [];
    const [root] = call.roots;
    return [{
      message: `${trace.nameOf(root)} does not depend on ${trace.nameOf(input)}`,
      culprit: culpritAt(trace, call.place), tensor: trace.nameOf(input),
      why: `no recorded op leads from ${trace.nameOf(input)} to ${trace.nameOf(root)}`,
      fix: { text: "ask for an input that the loss is computed from, or allow_unused: true, which gives null", edits: [] },
    }];
  });
}

export const unusedInput: Rule = {
  id: "unused-input",
  title: "A leaf on which no loss depends",
  severity: "warning",
  certainty: 0.6,
  why: `The leaf requires grad, and no loss that was run backward is computed from it: its .grad stays null, and an optimizer never
moves it. Most often another tensor was used in its place.`,
  fix: `Use it where it was meant, or do not ask for its gradient.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
const bias = torch.tensor([0.5], { requires_grad: true });
const loss = w.mul(3).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
const bias = torch.tensor([0.5], { requires_grad: true });
const loss = w.mul(3).add(bias).sum();
loss.backward();
`,
  detect(trace) {
    const roots = rootsOf(trace);
    const unused = forgottenLeaves(trace).filter((leaf) => roots.every((root) => !trace.computedFrom(leaf).has(root) && cutBetween(trace, leaf, root) === null));
    return [...refused(trace), ...byCulprit(trace, unused).map(({ culprit, leaves }) => {
      const names = namesOf(trace, leaves);
      const isOne = !names.includes(", ");
      return {
        message: `no loss depends on ${names}`, culprit, tensor: trace.nameOf(leaves[0]),
        why: `${names} ${isOne ? "requires" : "require"} grad, and nothing leads from ${isOne ? "it" : "them"} to ${namesOf(trace, roots)}`,
        fix: { text: `use ${names} in the loss, or make ${isOne ? "it" : "them"} without requires_grad`, edits: [] },
      };
    })];
  },
};
