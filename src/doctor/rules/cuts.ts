/** Where the way back from a loss to a leaf is cut. */
import type { BackwardEvent, OpEvent, ReadEvent } from "../trace/events.ts";
import type { Flow, Trace } from "../trace/trace.ts";

/** The first step without a way back from a leaf to a loss; null where there is none, or nothing of the leaf is in the loss. */
export function cutBetween(trace: Trace, leaf: number, root: number): Flow | null {
  const flow = trace.flow(leaf, root);
  return flow === null ? lostReading(trace, leaf, root) : (flow.find(({ cut }) => cut) ?? null);
}

/**
 * Where a straight-through estimator cuts off what is computed from a leaf: `z.add(q.sub(z).detach())` has the value of `q` and the
 * gradient of `z`, and the cut is the purpose of it.
 */
export function straightThrough(trace: Trace, leaf: number): OpEvent | null {
  const below = trace.computedFrom(leaf);
  return [...trace.ops.values()].find((op) => op.name === "detach" && op.within === null && below.has(op.inputs[0]) && isStraightThrough(trace, op)) ?? null;
}

/** Is a difference cut off, and what was subtracted added to it again? */
function isStraightThrough(trace: Trace, { inputs: [difference], outputs: [cut] }: OpEvent): boolean {
  const maker = trace.makerOf(difference);
  const subtracted = maker?.name === "sub" ? maker.inputs[1] : undefined;
  return subtracted !== undefined && [...trace.ops.values()].some(({ name, inputs }) => name === "add" && inputs.includes(cut) && inputs.includes(subtracted));
}

/** Readings that give numbers. */
export const numeric: ReadonlySet<string> = new Set(["item", "tolist", "toTypedArray", "Number"]);

/** Numbers that were computed from a leaf and read, out of which an op on the way to the loss was given a number, or made a tensor. */
function lostReading(trace: Trace, leaf: number, root: number): Flow | null {
  for (const tensor of ancestors(trace, root)) {
    const maker = trace.makerOf(tensor);
    if (maker === null) continue;
    const reads = trace.reads.filter((r) => numeric.has(r.how) && trace.computedFrom(leaf).has(r.tensor) && trace.isBefore(r, maker));
    const isMade = maker.inputs.length === 0 && /^(as_)?tensor$/.test(maker.name);
    if (reads.length > 0 && (isMade || isSumOf(maker, reads))) return { from: reads[reads.length - 1].tensor, to: tensor, op: maker, read: reads[reads.length - 1], cut: true };
  }
  return null;
}

/** Is an op given the sum or the mean of numbers that were read? */
function isSumOf({ arguments: given }: OpEvent, reads: readonly ReadEvent[]): boolean {
  const numbers = reads.flatMap((read) => read.numbers).filter((n) => typeof n === "number");
  const sum = numbers.reduce((total, n) => total + n, 0);
  return sum !== 0 && given.some((a) => "number" in a && typeof a.number === "number" && [sum, sum / numbers.length].some((n) => Math.abs(a.number as number - n) <= 1e-9 * Math.abs(n)));
}

/** The tensors that one was computed from, itself first; those that a backward made are followed no further. */
export function ancestors(trace: Trace, tensor: number): number[] {
  const found = new Set([tensor]);
  for (const one of found) {
    const maker = trace.makerOf(one);
    if (maker === null) trace.reads.filter(({ how, result }) => how === "data" && result === one).forEach((read) => found.add(read.tensor));
    else if (maker.run === null) maker.inputs.forEach((input) => found.add(input));
  }
  return [...found];
}

/** The backward that gave a gradient out of which a loss is computed, and that recorded no graph for it. */
export function unrecordedGradient(trace: Trace, root: number): BackwardEvent | null {
  for (const tensor of ancestors(trace, root)) {
    const backward = backwardThatGave(trace, tensor);
    if (backward !== null && !backward.create_graph) return backward;
  }
  return null;
}

/** The backward out of which a tensor came: an op of its made it, it was read as a `.grad`, or `grad` gave it for an input of its shape. */
function backwardThatGave(trace: Trace, tensor: number): BackwardEvent | null {
  const maker = trace.makerOf(tensor);
  if (maker !== null) return maker.run === null ? null : (trace.backwards.get(trace.runs.get(maker.run)?.backward ?? -1) ?? null);
  const read = trace.reads.find(({ result }) => result === tensor);
  if (read !== undefined && read.how !== "grad") return null;
  const end = [...trace.ends.values()].findLast((e) => trace.isBefore(e, read ?? trace.tensors.get(tensor)!));
  const backward = end === undefined ? null : trace.backwards.get(end.backward)!;
  const shape = String(trace.tensors.get(tensor)!.shape);
  return read !== undefined || backward?.inputs?.some((input) => String(trace.tensors.get(input)!.shape) === shape) === true ? backward : null;
}

/** The user's call that updated a leaf by its gradient and made `tensor` of it, `w.sub(w.grad.mul(lr))`; null where it was made otherwise. */
export function updateThatMade(trace: Trace, tensor: number): { op: OpEvent; leaf: number } | null {
  const maker = trace.makerOf(tensor);
  if (maker === null || maker.run !== null) return null;
  // The leaf itself, or its memory outside the graph.
  const self = maker.inputs.flatMap((input) => [input, ...trace.reads.filter(({ how, result }) => how === "data" && result === input).map((read) => read.tensor)]);
  const behind = new Set(maker.inputs.flatMap((input) => ancestors(trace, input)));
  const read = trace.reads.find((r) => r.how === "grad" && r.result !== null && self.includes(r.tensor) && behind.has(r.result) && trace.isBefore(r, maker));
  return read === undefined ? null : { op: trace.userOp(maker), leaf: read.tensor };
}
