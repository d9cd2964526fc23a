/** Repairs of writes: the op without the underscore, or a copy for the op that had kept the value. */
import type { NodeEvent, OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { editOf, lineOf } from "./describe.ts";
import { operandsOf } from "./operands.ts";
import type { Edit } from "./rule.ts";

/** In-place ops whose result does not depend on what was there; they have no form that makes a new tensor. */
export const fillers = new Set(["copy", "zero", "fill", "set", "resize"]);

/** `y.add_(1);` becomes `y = y.add(1);`, and `const y` becomes `let y`. None where others see the memory, or the write is no statement. */
export function outOfPlace(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  const source = op.place === null ? undefined : trace.sources.get(op.place.file);
  if (expression === null || expression.receiver === null || source === undefined || op.within !== null || fillers.has(op.name) || !op.grad_mode) return [];
  const { file } = op.place!;
  const name = trace.textOf(expression.receiver, file);
  const isStatement = /(^|[;{}\n])\s*$/.test(source.slice(0, expression.start));
  const declaration = new RegExp(`\\b(const|let)(?=\\s+(?:${name}\\b|\\[[^\\]=]*\\b${name}\\b[^\\]=]*\\]))`).exec(source);
  if (!/^\w+$/.test(name) || !isStatement || declaration === null) return [];
  const call = source.slice(expression.start, expression.end).replace(`.${op.name}_(`, `.${op.name}(`);
  return [
    editOf(trace, file, { start: declaration.index, end: declaration.index + declaration[1].length }, "let"),
    editOf(trace, file, expression, `${name} = ${call}`),
  ];
}

/** Is the memory of a tensor seen through another, too? */
export function isShared(trace: Trace, tensor: number): boolean {
  const { storage } = trace.tensors.get(tensor)!;
  return [...trace.tensors.values()].some((t) => t.tensor !== tensor && t.storage === storage);
}

/**
 * A copy for the op that keeps a tensor: `x.mul(w)` becomes `x.mul(w.clone())` where it keeps an operand, and `x.exp()`
 * becomes `x.exp().clone()` where it keeps its result.
 */
export function copied(trace: Trace, saver: OpEvent, kept: number): Edit[] {
  const { place } = saver;
  const expression = trace.expression(place);
  if (expression === null || place === null || saver.within !== null) return [];
  const { storage } = trace.tensors.get(kept)!;
  const has = (tensor: number): boolean => trace.tensors.get(tensor)!.storage === storage;
  const operands = operandsOf(trace, saver);
  const edits = saver.arguments.flatMap((argument, i) =>
    "tensor" in argument && has(argument.tensor) && operands[i] !== undefined ? [editOf(trace, place.file, { start: operands[i].end, end: operands[i].end }, ".clone()")] : [],
  );
  if (edits.length > 0 || !saver.outputs.some(has)) return edits;
  return [editOf(trace, place.file, { start: expression.end, end: expression.end }, ".clone()")];
}

/** The user's call that a node was recorded for, in words, with its line. */
export function saverOf(trace: Trace, node: NodeEvent): { op: OpEvent | null; text: string; at: (file?: string) => string } {
  const op = trace.opOf(node.node);
  const user = op === null ? null : trace.userOp(op);
  return { op: user, text: user === null ? node.name : trace.callText(user), at: (file) => lineOf(user?.place ?? null, file) };
}
