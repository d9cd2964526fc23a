/** How a program uses the gradients of its leaves. */
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

/** The tensors that were read as the `.grad` of a leaf. */
export function gradientsOf(trace: Trace, leaf: number): Set<number> {
  return new Set(trace.reads.filter(({ how, tensor, result }) => how === "grad" && tensor === leaf && result !== null).map(({ result }) => result!));
}

/** The user's writes to a leaf, from its first gradient on. */
export function updatesOf(trace: Trace, leaf: number): OpEvent[] {
  const first = trace.accumulations.find(({ tensor }) => tensor === leaf);
  const { storage } = trace.tensors.get(leaf)!;
  const writes = first === undefined ? [] : trace.writes.filter((w) => w.storage === storage && trace.isBefore(first, w));
  return [...new Set(writes.map(({ op }) => trace.userOp(trace.ops.get(op)!)))];
}

/** Was what an op is given computed from one of some tensors? */
export function isComputedFrom(trace: Trace, op: OpEvent, tensors: ReadonlySet<number>): boolean {
  const seen = new Set(op.inputs);
  for (const tensor of seen) {
    if (tensors.has(tensor)) return true;
    for (const input of trace.makerOf(tensor)?.inputs ?? []) seen.add(input);
  }
  return false;
}
