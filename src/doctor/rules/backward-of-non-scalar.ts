import { culpritAt, editOf } from "./describe.ts";
import type { Found, Rule } from "./rule.ts";

const refusal = /grad can be implicitly created only for scalar outputs/;

export const backwardOfNonScalar: Rule = {
  id: "backward-of-non-scalar",
  title: "Backward of a tensor with several elements",
  severity: "error",
  certainty: 1,
  why: `A gradient says how one number changes. Of several numbers backward needs to know the weight of each.`,
  fix: `Reduce to one number, y.sum().backward() or y.mean().backward(), or give the weights: y.backward(torch.ones_like(y)).`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3], { requires_grad: true });
const y = x.pow(2);
y.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3], { requires_grad: true });
const y = x.pow(2);
y.sum().backward();
`,
  detect: (trace) =>
    [...trace.ends.values()].filter(({ error }) => refusal.test(error?.message ?? "")).map(({ backward }): Found => {
      const { place, roots, call } = trace.backwards.get(backward)!;
      const root = roots.find((r) => trace.tensors.get(r)!.values.numel !== 1)!;
      const { shape, values } = trace.tensors.get(root)!;
      const name = trace.nameOf(root);
      const expression = trace.expression(place);
      const edits = call === "backward" && expression?.receiver ? [editOf(trace, place!.file, { start: expression.receiver.end, end: expression.receiver.end }, ".sum()")] : [];
      return {
        message: `${name} has ${values.numel} elements, and backward starts from one number`, culprit: culpritAt(trace, place), tensor: name,
        why: `${name} is of shape [${shape.join(", ")}]; which of its ${values.numel} elements is to be differentiated is not said`,
        fix: { text: `reduce it, ${name}.sum().backward() or ${name}.mean().backward(), or weigh its elements, ${name}.backward(torch.ones_like(${name}))`, edits },
      };
    }),
};
