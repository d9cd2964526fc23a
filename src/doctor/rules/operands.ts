/** Where the operands of a call are written: before the dot, or in the parentheses. */
import type { OpEvent } from "../trace/events.ts";
import type { Expression, Span } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";

/** The operands of a user's call in the order of its arguments; empty where the call cannot be read. */
export function operandsOf(trace: Trace, op: OpEvent): readonly Span[] {
  const expression = trace.expression(op.place);
  if (expression === null) return [];
  return isMethod(trace, op, expression) ? [expression.receiver!, ...expression.arguments] : expression.arguments;
}

/** Is it `x.add(y)`, and not `torch.add(x, y)`? A method has been given one argument more than there are between the parentheses. */
export function isMethod(trace: Trace, op: OpEvent, { receiver, arguments: written }: Expression): boolean {
  if (receiver === null) return false;
  const more = op.arguments.length - written.length;
  return more === 1 || (more !== 0 && !/^(torch|F)(\.|$)/.test(trace.textOf(receiver, op.place!.file)));
}
