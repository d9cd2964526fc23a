/** How values grow in forward, up to an overflow: the line that is run again and again, and makes most of it. */
import type { OpEvent } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";

/** Less growth than this is a matter of the numbers. */
const share = 1e6;

export interface Growth {
  /** The last call of the line. */
  readonly op: OpEvent;
  readonly count: number;
  /** The norm that leaves the line's calls divided by that which came to them. */
  readonly ratio: number;
}

/** Back from what an op was given, always by way of the largest: the line at which it grew; null where none ran three times. */
export function growthBefore(trace: Trace, op: OpEvent): Growth | null {
  const norm = (tensor: number): number => trace.tensors.get(tensor)!.values.norm;
  const steps: { op: OpEvent; ratio: number }[] = [];
  const seen = new Set<number>();
  for (let at: OpEvent | null = trace.userOp(op), output: number | null = null; at !== null && !seen.has(at.op); ) {
    seen.add(at.op);
    const [largest] = at.inputs.toSorted((a, b) => norm(b) - norm(a));
    if (largest === undefined) break;
    if (output !== null && norm(largest) > 0) steps.push({ op: at, ratio: norm(output) / norm(largest) });
    output = largest;
    const maker = trace.makerOf(largest);
    at = maker === null ? null : trace.userOp(maker);
  }
  const lines = [...grouped(steps, (step) => placeKey(step.op.place)).values()].map((runs): Growth => ({ op: runs[0].op, count: runs.length, ratio: runs.reduce((product, { ratio }) => product * ratio, 1) }));
  const [worst] = lines.toSorted((a, b) => b.ratio - a.ratio);
  return worst !== undefined && worst.count > 2 && worst.ratio > share ? worst : null;
}
