import { culpritOf, lineOf } from "./describe.ts";
import type { OpEvent, RunEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found, Rule } from "./rule.ts";

/** Leaves whose gradients were zero in every backward. */
function unmoved(trace: Trace): Set<number> {
  const leaves = new Set(trace.accumulations.map(({ tensor }) => tensor));
  for (const { tensor, values } of trace.accumulations) if (values.numel === 0 || values.zero < values.numel) leaves.delete(tensor);
  return leaves;
}

/** Did a gradient that is not zero arrive at a node, and nothing but zeros go on? */
function stops({ grads, results }: RunEvent): boolean {
  const passed = results.filter((r) => r !== null);
  return grads.some((g) => g !== null && g.zero < g.numel && g.nan + g.inf === 0) && passed.length > 0 && passed.every((r) => r.zero === r.numel);
}

const steps = new Set(["round", "floor", "ceil", "trunc", "fix", "sign", "heaviside"]);

/** Why an op passes nothing on, and what to do; null where its zeros may be a chance of the numbers. */
function words(trace: Trace, op: OpEvent): { why: string; fix: string } | null {
  const call = trace.callText(op);
  if (steps.has(op.name)) return { why: `${call} is flat between its jumps, so its slope is 0 everywhere`, fix: "use a smooth stand-in, such as tanh for sign; or let the gradient pass straight through: x.add(x.round().sub(x).detach())" };
  if (op.name !== "mul") return null;
  const zero = op.inputs.map((i) => trace.tensors.get(i)!).find((t) => !t.requires_grad && t.values.zero === t.values.numel);
  if (zero === undefined) return null;
  const name = trace.nameOf(zero.tensor);
  return { why: `every element of ${name} is 0, so ${call} multiplies every gradient by 0`, fix: `look at how ${name} is made: it leaves nothing` };
}

export const flatFunction: Rule = {
  id: "flat-function",
  title: "An op that lets no gradient through",
  severity: "warning",
  certainty: 0.7,
  why: `The gradient of a leaf is zero in every element and every backward: an op on the way has slope zero wherever it was used. Rounding and
sign are flat everywhere, and a product with a mask of zeros leaves nothing. Nothing is learned, and nothing is said.`,
  fix: `Use a function that has a slope there, let the gradient pass straight through, or look at the mask.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.round().sub(1).pow(2).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.add(w.round().sub(w).detach()).sub(1).pow(2).sum();
loss.backward();
`,
  detect(trace) {
    const leaves = unmoved(trace);
    if (leaves.size === 0) return [];
    const found = new Map<number, Found>();
    for (const run of trace.runs.values()) {
      const op = stops(run) ? trace.opOf(run.node) : null;
      if (op === null || found.size > 0) continue;
      const user = trace.userOp(op);
      const hurt = [...leaves].filter((leaf) => trace.path(run.node, run.node, leaf).length > 1).map((leaf) => trace.nameOf(leaf));
      const said = words(trace, user);
      if (hurt.length === 0 || said === null) continue;
      const { why, fix } = said;
      found.set(user.op, { message: `the gradient of ${hurt.join(", ")} is zero in every element`, culprit: culpritOf(trace, user), tensor: hurt[0], why: `${lineOf(user.place)}: ${why}`, fix: { text: fix, edits: [] } });
    }
    return [...found.values()];
  },
};
