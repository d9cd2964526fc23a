/** Numbers that a program only looks at while it trains. */
import type { PoisonEvent } from "../trace/events.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { ancestors } from "./cuts.ts";
import { rootsOf } from "./leaves.ts";

/**
 * Is it read, or left over, beside a training whose losses and gradients are all finite? Nothing that is computed from it is then
 * a parameter, or stands where a loss does in another round; and it holds no gradient.
 */
export function isMetric(trace: Trace, { what, tensor }: PoisonEvent): boolean {
  const isTrained = [...trace.ends.values()].some(({ error }) => error === null);
  if (!isTrained || what === "grad" || what === "loss" || trace.error !== null || trace.poisons.some((p) => p.what === "grad" || p.what === "loss")) return false;
  const losses = new Set(rootsOf(trace).map((root) => madeAt(trace, root)));
  const gradients = new Set(trace.reads.flatMap(({ how, result }) => (how === "grad" && result !== null ? [result] : [])));
  const isOfUse = (t: number): boolean => trace.tensors.get(t)!.leaf && trace.tensors.get(t)!.requires_grad;
  return ![...trace.computedFrom(tensor)].some((t) => isOfUse(t) || losses.has(madeAt(trace, t))) && !ancestors(trace, tensor).some((t) => gradients.has(t));
}

function madeAt(trace: Trace, tensor: number): string {
  const maker = trace.makerOf(tensor);
  return maker === null ? `tensor ${tensor}` : placeKey(trace.userOp(maker).place);
}
