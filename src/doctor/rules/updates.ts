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

/** The ops, of those that an op's own inputs were computed by and itself, that were given one of some tensors. */
export function takersOf(trace: Trace, op: OpEvent, tensors: ReadonlySet<number>): OpEvent[] {
  const ops = new Set([op]);
  for (const { inputs } of ops) {
    for (const input of inputs) {
      const maker = tensors.has(input) ? null : trace.makerOf(input);
      if (maker !== null) ops.add(maker);
    }
  }
  return [...ops].filter(({ inputs }) => inputs.some((input) => tensors.has(input)));
}

/** Was what an op is given computed from one of some tensors? */
export const isComputedFrom = (trace: Trace, op: OpEvent, tensors: ReadonlySet<number>): boolean => takersOf(trace, op, tensors).length > 0;
