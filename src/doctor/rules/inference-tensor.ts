import { culpritOf, editOf, lineOf } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Found, Rule } from "./rule.ts";

const refusal = /Inference tensors cannot be saved for backward/;

/** `torch.inference_mode(() => …)` becomes `torch.no_grad(() => …)`: the last that is written before a call. */
function weakened(trace: Trace, { place }: OpEvent): Edit[] {
  const expression = trace.expression(place);
  const at = expression === null ? -1 : trace.sources.get(place!.file)!.lastIndexOf("inference_mode(", expression.start);
  return at < 0 ? [] : [editOf(trace, place!.file, { start: at, end: at + "inference_mode".length }, "no_grad")];
}

export const inferenceTensor: Rule = {
  id: "inference-tensor",
  title: "A tensor of inference mode in a computation that is trained",
  severity: "error",
  certainty: 1,
  why: `What inference_mode makes has no version, so that nobody could tell whether it was written before backward needs it. An op that would keep
it for its gradient refuses it.`,
  fix: `Make it under torch.no_grad, which records nothing either; or give the op a copy that is made outside, x.clone().`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([[0.5], [0.2]], { requires_grad: true });
const features = torch.inference_mode(() => torch.ones(2, 2).mul(3));
const loss = features.mm(w).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([[0.5], [0.2]], { requires_grad: true });
const features = torch.no_grad(() => torch.ones(2, 2).mul(3));
const loss = features.mm(w).sum();
loss.backward();
`,
  detect: (trace) =>
    [...trace.ops.values()].filter((op) => op.within === null && refusal.test(op.error?.message ?? "")).flatMap((op): Found[] => {
      const tensor = op.inputs.find((input) => !trace.tensors.get(input)!.requires_grad && trace.makerOf(input)?.grad_mode === false);
      if (tensor === undefined) return [];
      const maker = trace.userOp(trace.makerOf(tensor)!);
      const name = trace.nameOf(tensor);
      return [{
        message: `${name} was made in inference mode, and backward would need it`, culprit: culpritOf(trace, op), tensor: name,
        why: `${lineOf(op.place)}, ${trace.callText(op)}, is to keep ${name} for its gradient; ${lineOf(maker.place, op.place?.file)} made it in inference mode, which counts no writes`,
        fix: { text: `make ${name} under torch.no_grad, or copy it outside, ${name}.clone()`, edits: weakened(trace, maker) },
      }];
    }),
};
