import { culpritOf, numberText } from "./describe.ts";
import { divergenceOf } from "./divergence.ts";
import { slower } from "./slower.ts";
import type { Rule } from "./rule.ts";

export const divergingUpdates: Rule = {
  id: "diverging-updates",
  title: "Updates that are too large, so that training runs away",
  severity: "error",
  certainty: 0.9,
  changesLoss: true,
  why: `An update that is too large steps over the minimum and lands where the gradient is larger than before, so the next one is larger
still. The loss grows from step to step, until a number is too large for its dtype and everything becomes NaN.`,
  fix: `Take a smaller learning rate. Else bound the norm of the gradient before the update, or normalise what goes into the model.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1], { requires_grad: true });
for (let step = 0; step < 12; step++) {
  const loss = w.mul(3).sub(1).pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.5)));
  w.grad = null;
}
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1], { requires_grad: true });
for (let step = 0; step < 12; step++) {
  const loss = w.mul(3).sub(1).pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.02)));
  w.grad = null;
}
`,
  detect(trace) {
    const found = divergenceOf(trace);
    if (found === null) return [];
    const { leaf, update, norms } = found;
    const name = trace.nameOf(leaf);
    const each = (norms[norms.length - 1] / norms[0]) ** (1 / (norms.length - 1));
    // Where a step of size lr multiplies the distance to the minimum by -each, the curvature is (1 + each) / lr, and a step of
    // half of its inverse comes nearer without stepping over.
    const slow = slower(trace, update, 2 * (1 + each));
    return [{
      message: `the gradient of ${name} grows from update to update`, culprit: culpritOf(trace, update), tensor: name,
      norms: norms.map((norm, i) => ({ name: `step ${i + 1}`, norm })),
      why: `its norm is ${numberText(norms[0])} at first and ${numberText(norms[norms.length - 1])} after ${norms.length} backwards: each update makes it ${numberText(each)} times as large, and the loss grows with it`,
      fix: { text: `take a smaller learning rate${slow === null ? "" : `, ${slow.text}`}, or bound the norm of the gradient before the update`, edits: slow?.edits ?? [] },
    }];
  },
};
