/** Which leaves a program's losses reach, and which not. */
import type { Trace } from "../trace/trace.ts";

/** Leaves that require grad and that no backward gave one, though there were backwards. */
export function forgottenLeaves(trace: Trace): number[] {
  if (trace.backwards.size === 0) return [];
  const reached = new Set(trace.accumulations.map(({ tensor }) => tensor));
  for (const { inputs } of trace.backwards.values()) inputs?.forEach((input) => reached.add(input));
  for (const { backward, nodes } of trace.backwards.values()) if (isCutShort(trace, backward)) for (const leaf of leavesBelow(trace, nodes)) reached.add(leaf);
  // A backward that was asked for some leaves, or that failed in its course, says nothing about the others.
  const isTelling = [...trace.backwards.values()].some(({ backward, inputs }) => inputs === null && !isCutShort(trace, backward));
  if (!isTelling) return [];
  // What was made after the last backward, such as the parameters of a next round, could not be reached.
  const last = [...trace.backwards.values()].at(-1)!;
  return leavesOf(trace).filter((leaf) => !reached.has(leaf) && trace.isBefore(trace.makerOf(leaf) ?? trace.tensors.get(leaf)!, last));
}

/** The leaves that a graph leads to. */
function leavesBelow(trace: Trace, roots: readonly (number | null)[]): number[] {
  return [...trace.nodesBelow(roots)].flatMap((node) => trace.nodes.get(node)?.accumulates ?? []);
}

/** Leaves that require grad, and were not told in the end not to. */
export function leavesOf(trace: Trace): number[] {
  const told = new Map(trace.reads.flatMap(({ how, tensor }) => (how === "requires_grad" || how === "freeze" ? [[tensor, how === "requires_grad"] as const] : [])));
  return [...trace.tensors.values()].filter((t) => t.leaf && t.base === null && (told.get(t.tensor) ?? t.requires_grad) && isFloat(t.dtype)).map(({ tensor }) => tensor);
}

function isCutShort(trace: Trace, backward: number): boolean {
  const error = trace.ends.get(backward)?.error ?? null;
  return error !== null && !noGraph.test(error.message);
}

/** What backward says of a loss that has no graph. */
export const noGraph = /does not require grad and does not have a grad_fn/;

const isFloat = (dtype: string): boolean => dtype.startsWith("float");

/** The roots of all backwards. */
export function rootsOf(trace: Trace): number[] {
  return [...new Set([...trace.backwards.values()].flatMap(({ roots }) => roots))];
}

/** Is the value of every root finite? */
export function rootsAreFinite(trace: Trace): boolean {
  return rootsOf(trace).every((root) => trace.tensors.get(root)!.values.nonfinite.length === 0);
}
