/** Repairs of training with steps that are too large. */
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { editOf } from "./describe.ts";
import { operandsOf } from "./operands.ts";
import type { Fix } from "./rule.ts";
import { statementOf } from "./statements.ts";

/**
 * A step that is so many times smaller: another number in place of the only one in the statement of the update, else
 * `w.sub_(w.grad.mul(lr))` becomes `w.sub_(w.grad.mul(lr).div(20))`. Null where it is neither.
 */
export function slower(trace: Trace, update: OpEvent, times: number): Fix | null {
  const statement = statementOf(trace, update.place);
  const literals = statement === null ? [] : [...statement.text.matchAll(/(?<![\w$.[])\d*\.?\d+(?:e-?\d+)?(?![\w$.\]])/g)].filter(([text]) => Number(text) > 0);
  if (statement !== null && literals.length === 1) {
    const [{ 0: text, index }] = literals;
    const rate = String(Number((Number(text) / times).toPrecision(1)));
    const start = statement.span.start + index;
    return { text: rate, edits: [editOf(trace, statement.file, { start, end: start + text.length }, rate)] };
  }
  const step = /^(add|sub)$/.test(update.name) ? operandsOf(trace, update)[1] : undefined;
  if (step === undefined) return null;
  const { file } = update.place!;
  const text = `${trace.textOf(step, file)}.div(${Math.ceil(times)})`;
  return { text, edits: [editOf(trace, file, step, text)] };
}
