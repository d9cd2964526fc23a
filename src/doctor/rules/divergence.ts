/** Training that runs away: each update makes the next gradient larger. */
import type { AccumulateEvent, OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

export interface Divergence {
  readonly leaf: number;
  readonly update: OpEvent;
  /** The norms of the leaf's gradient, one a step, until they are no longer finite. */
  readonly norms: readonly number[];
  /** The first gradient that is beyond measure: what goes wrong from here on comes of it. */
  readonly since: AccumulateEvent;
}

/** So many steps, and such a growth over them, are no chance; saddles are left by growing gradients too, but their loss falls. */
const steps = 4;
const growth = 1e3;

/** The leaf whose gradients grow from update to update while the loss grows; null where none does. */
export function divergenceOf(trace: Trace): Divergence | null {
  if (!lossGrows(trace)) return null;
  const found: Divergence[] = [];
  for (const leaf of new Set(trace.accumulations.map(({ tensor }) => tensor))) {
    const events = trace.accumulations.filter(({ tensor }) => tensor === leaf);
    const end = events.findIndex(({ values }) => values.nan + values.inf > 0);
    const norms = (end < 0 ? events : events.slice(0, end)).map(({ values }) => values.norm);
    const { storage } = trace.tensors.get(leaf)!;
    const write = trace.writes.find((w) => w.storage === storage && trace.isBefore(events[0], w));
    const isGrowing = norms.length >= steps && norms.every((norm, i) => i === 0 || norm > norms[i - 1]) && norms[norms.length - 1] > growth * norms[0];
    if (write !== undefined && isGrowing) found.push({ leaf, update: trace.userOp(trace.ops.get(write.op)!), norms, since: events[norms.findIndex((norm) => norm > growth * norms[0])] });
  }
  return found.toSorted((a, b) => b.norms[b.norms.length - 1] / b.norms[0] - a.norms[a.norms.length - 1] / a.norms[0])[0] ?? null;
}

function lossGrows(trace: Trace): boolean {
  const losses = [...trace.backwards.values()].map(({ roots }) => trace.tensors.get(roots[0])?.values.head[0] ?? 0);
  const [first, last] = [losses[0], losses[losses.length - 1]];
  return losses.length >= steps && typeof first === "number" && (typeof last !== "number" || Math.abs(last) > growth * Math.abs(first));
}
