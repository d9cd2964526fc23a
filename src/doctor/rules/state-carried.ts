import { culpritOfCall, detached, detachedText, originsOf } from "./callers.ts";
import { culpritOf, lineOf } from "./describe.ts";
import type { BackwardEvent, OpEvent } from "../trace/events.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found, Rule } from "./rule.ts";

const refusal = /backward through the graph a second time/;

/** Tensors that were made before a backward ended, and the ops that used them afterwards. */
export interface Carried {
  readonly first: BackwardEvent;
  readonly tensors: readonly number[];
  readonly uses: readonly OpEvent[];
}

/**
 * What a loop carries over the backward that freed its graph: tensors that an earlier round of the same lines had made. Null
 * where the failing backward is not that of a loop, or nothing was carried.
 */
export function carriedState(trace: Trace, backward: number, node: number): Carried | null {
  const run = [...trace.runs.values()].find((r) => r.node === node);
  if (run === undefined) return null;
  const first = trace.backwards.get(run.backward)!;
  const second = trace.backwards.get(backward)!;
  if (first.place === null || first.place.line !== second.place?.line || first.place.column !== second.place.column) return null;
  const end = trace.ends.get(first.backward)!;
  const own = [...trace.ops.values()].filter((op) => op.within === null && op.run === null);
  const at = ({ place }: OpEvent): string => placeKey(place);
  const later = own.filter((op) => op.grad_mode && trace.isBefore(end, op));
  const again = new Set(later.map(at));
  const isCarried = (input: number, op: OpEvent): boolean => {
    const maker = trace.makerOf(input);
    return maker !== null && trace.madeAt(input, op) !== null && trace.isBefore(maker, end) && again.has(at(trace.userOp(maker)));
  };
  const tensors = [...new Set(later.flatMap((op) => op.inputs.filter((input) => isCarried(input, op))))];
  return tensors.length === 0 ? null : { first, tensors, uses: later.filter((op) => op.inputs.some((input) => tensors.includes(input))) };
}

export const stateCarried: Rule = {
  id: "state-carried",
  title: "State carried from round to round with its graph",
  severity: "error",
  certainty: 1,
  why: `A tensor that one round of a loop made is used in the next, and so the graph of the next round contains that of the round before.
backward had freed it, and fails where it comes to it again.`,
  fix: `Cut the state where it enters the next round: h.detach(). To learn through several rounds, call backward once after them.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let h = torch.ones(2);
for (let step = 0; step < 2; step++) {
  h = h.mul(w).tanh();
  h.sum().backward();
}
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([0.5, -0.5], { requires_grad: true });
let h = torch.ones(2);
for (let step = 0; step < 2; step++) {
  h = h.detach().mul(w).tanh();
  h.sum().backward();
}
`,
  detect: (trace) =>
    [...trace.ends.values()].flatMap(({ backward, node, error }): Found[] => {
      const carried = node === null || !refusal.test(error?.message ?? "") ? null : carriedState(trace, backward, node);
      if (carried === null) return [];
      const [use] = carried.uses;
      const byUse = carried.uses.map((op) => originsOf(trace, op, carried.tensors));
      const origins = byUse.flat();
      const [[origin]] = byUse;
      const culprit = origin === undefined ? culpritOf(trace, use) : culpritOfCall(trace, origin.place, use);
      const name = origin === undefined ? trace.nameOf(carried.tensors[0]) : trace.textOf(origin.argument, origin.place.file).replace(/\s*\?\?.*$/s, "");
      const cut = new Set(origins.map(({ single: { file, span } }) => detachedText(trace.textOf(span, file))));
      return [{
        message: `${name} carries the graph of one round into the next`, culprit, tensor: name,
        why: `${lineOf(carried.first.place)} freed the graph of ${name}; ${lineOf(culprit, carried.first.place?.file)}, ${culprit?.op ?? trace.callText(use)}, used it again in the next round, and backward came to what was freed`,
        fix: { text: `cut it where it enters the next round: ${[...cut].join(", ")}`, edits: detached(trace, origins) },
      }];
    }),
};
