import { culpritAt, culpritOf } from "./describe.ts";
import type { BackwardEndEvent, OpEvent } from "../trace/events.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found, Rule } from "./rule.ts";

const refusal = /hook '.*' has (changed the (size|type) of value|returned an incorrect number)|but hook returned/;

/** The last op that a hook of a backward called: it runs in no node, and not at the line that called backward. */
function lastInHook(trace: Trace, end: BackwardEndEvent): OpEvent | null {
  const start = trace.backwards.get(end.backward)!;
  const isInHook = (op: OpEvent): boolean => op.run === null && op.within === null && op.place !== null && placeKey(op.place) !== placeKey(start.place);
  return [...trace.ops.values()].findLast((op) => isInHook(op) && trace.isBefore(start, op) && trace.isBefore(op, end)) ?? null;
}

export const hookChangesGradient: Rule = {
  id: "hook-changes-gradient",
  title: "A hook that returns something else than a gradient",
  severity: "error",
  certainty: 1,
  why: `What a hook returns takes the place of the gradient that it was given. It must have the same shape and dtype, or backward could not go
on with it.`,
  fix: `Return a gradient of the same shape and dtype, or nothing where the hook only looks.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const y = x.mul(2);
y.register_hook((grad) => grad.sum(0));
y.sum().backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const y = x.mul(2);
y.register_hook((grad) => grad.sum(0, { keepdim: true }).expand_as(grad));
y.sum().backward();
`,
  detect: (trace) =>
    [...trace.ends.values()].filter(({ error }) => refusal.test(error?.message ?? "")).map((end): Found => {
      const op = lastInHook(trace, end);
      const shape = op === null ? null : trace.tensors.get(op.outputs[0])?.shape;
      return {
        message: "a hook returned what cannot take the place of the gradient",
        culprit: op === null ? culpritAt(trace, trace.backwards.get(end.backward)!.place) : culpritOf(trace, op),
        why: `${end.error!.message}${op === null || shape == null ? "" : `: ${trace.callText(op)} is of shape [${shape.join(", ")}]`}`,
        fix: { text: "return a gradient of the shape and dtype that the hook was given, or nothing", edits: [] },
      };
    }),
};
