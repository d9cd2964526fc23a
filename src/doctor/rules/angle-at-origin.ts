import { findBirths, operandText, widenEdits } from "./birth-rule.ts";
import { culpritOf, elementText, numberText, unravel } from "./describe.ts";
import type { OpEvent, RunEvent } from "../trace/events.ts";
import { kindOf } from "./kinds.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found, Rule } from "./rule.ts";

/** To both coordinates nothing goes at the origin alone; to one of them also on its own axis, so the numbers are looked at. */
function isAtOrigin(trace: Trace, op: OpEvent, { results, dropped }: RunEvent): boolean {
  return results.every((result) => result !== null) || op.inputs.every((input) => trace.tensors.get(input)!.values.head[dropped!.position] === 0);
}

function droppedGradients(trace: Trace): Found[] {
  const told = new Set<string>();
  return [...trace.runs.values()].flatMap((run): Found[] => {
    const { dropped: at } = run;
    const op = trace.opOf(run.node);
    if (at === null || op?.name !== "atan2" || !isAtOrigin(trace, op, run)) return [];
    const user = trace.userOp(op);
    const key = placeKey(user.place);
    if (told.has(key)) return [];
    told.add(key);
    const element = unravel(at.position, trace.tensors.get(op.outputs[0])!.shape);
    const [y, x] = op.inputs.map((input) => trace.nameOf(input));
    return [{
      message: `the gradient of ${trace.callText(user)}${elementText(element)} is dropped`, culprit: culpritOf(trace, user), tensor: trace.nameOf(op.outputs[0]), elements: [element],
      where: "in the backward of atan2",
      why: `${y} and ${x} are 0 there: (0, 0) has no angle, atan2 gives 0, and of the gradient ${numberText(at.grad)} that arrives nothing goes on, so the point stays where it is`,
      fix: { text: "leave such points out with index(), or start away from (0, 0)", edits: [] },
    }];
  });
}

export const angleAtOrigin: Rule = {
  id: "angle-at-origin",
  title: "The angle of a point at the origin",
  severity: "warning",
  certainty: 0.8,
  why: `The gradient of atan2(y, x) is (x, -y) / (x² + y²). It grows without bounds near the origin: where the squares of float32 fall out of its
range, it is infinite. At (0, 0) itself there is no angle; PyTorch gives 0 for it and for its gradient, so a point that starts there never moves.`,
  fix: `Keep points away from the origin, leave those at (0, 0) out with index(), or compute in float64.`,
  bad: `import * as torch from "leafgrad";

const y = torch.tensor([1, 1e-20], { requires_grad: true });
const x = torch.tensor([1, 1e-20]);
const loss = y.atan2(x).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const y = torch.tensor([1, 1e-20], { requires_grad: true });
const x = torch.tensor([1, 1e-20]);
const loss = y.double().atan2(x).sum();
loss.backward();
`,
  detect: (trace) => [
    ...findBirths(trace, (birth) => kindOf(birth, trace) === "angle", {
      fix: (trace, birth, op) => ({ text: `keep the points away from (0, 0), or compute in float64: ${operandText(trace, birth, op)}.double()`, edits: widenEdits(trace, birth, op) }),
    }),
    ...droppedGradients(trace),
  ],
};
