import { ancestors, updateThatMade } from "./cuts.ts";
import { culpritAt, editOf, lineOf } from "./describe.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** A leaf that got a gradient and was made of a tensor, as by `image.clone().requires_grad_()`; null where there is none. */
function leafMadeOf(trace: Trace, tensor: number): number | null {
  const leaves = new Set(trace.accumulations.map((event) => event.tensor));
  return [...leaves].find((leaf) => leaf !== tensor && updateThatMade(trace, leaf) === null && ancestors(trace, leaf).includes(tensor)) ?? null;
}

/** `image.grad` becomes `input.grad`. */
function renamed(trace: Trace, place: Parameters<Trace["expression"]>[0], leaf: number): Edit[] {
  const receiver = trace.expression(place)?.receiver;
  const name = trace.variableOf(leaf);
  return receiver == null || name === null ? [] : [editOf(trace, place!.file, receiver, name)];
}

export const gradOfOriginal: Rule = {
  id: "grad-of-original",
  title: "The gradient of the tensor that the leaf was made of",
  severity: "warning",
  certainty: 0.8,
  why: `image.clone().requires_grad_() makes a leaf of its own: backward leaves the gradient there. The tensor that it was made of does not
require grad, and its .grad stays null.`,
  fix: `Read the gradient of the leaf.`,
  bad: `import * as torch from "leafgrad";

const image = torch.tensor([0.1, 0.4]);
const input = image.clone().requires_grad_();
input.pow(2).sum().backward();
console.log(image.grad);
`,
  good: `import * as torch from "leafgrad";

const image = torch.tensor([0.1, 0.4]);
const input = image.clone().requires_grad_();
input.pow(2).sum().backward();
console.log(input.grad);
`,
  detect: (trace) => {
    const told = new Set<number>();
    return trace.reads.flatMap((read): Found[] => {
      if (read.how !== "grad" || read.result !== null || read.requires_grad || told.has(read.tensor)) return [];
      told.add(read.tensor);
      const leaf = leafMadeOf(trace, read.tensor);
      if (leaf === null) return [];
      const [name, other] = [trace.nameOf(read.tensor), trace.nameOf(leaf)];
      const maker = trace.makerOf(leaf);
      return [{
        message: `${name}.grad is null: the gradient is that of ${other}`, culprit: culpritAt(trace, read.place), tensor: name,
        why: `${name} does not require grad; ${maker === null ? "" : `${lineOf(trace.userOp(maker).place, read.place?.file)} made `}${other} of it, which does`,
        fix: { text: `read ${other}.grad`, edits: renamed(trace, read.place, leaf) },
      }];
    });
  },
};
