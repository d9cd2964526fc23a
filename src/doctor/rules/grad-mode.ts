/** Who had switched recording off. */
import type { OpEvent, Place } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { editOf } from "./describe.ts";
import { removed, statementOf } from "./statements.ts";
import type { Edit } from "./rule.ts";

/** A call that switched recording off: for the function that it was given, or for good. */
export interface ModeCall {
  readonly place: Place | null;
  readonly isForGood: boolean;
}

const switches = /^(no_grad|inference_mode|set_grad_enabled)$/;

/** The name of the function that is called at a place. */
function calledAt(trace: Trace, place: Place): string {
  const expression = trace.expression(place);
  return expression === null ? "" : /^\w*/.exec(trace.textOf({ start: expression.name, end: expression.end }, place.file))![0];
}

/** The innermost call around an op that was not recorded; else the one that had switched recording off before. */
export function switchedOffBy(trace: Trace, op: OpEvent): ModeCall | null {
  if (op.grad_mode) return null;
  const around = trace.userOp(op).callers.find((caller) => switches.test(calledAt(trace, caller)));
  if (around !== undefined) return { place: around, isForGood: false };
  const last = trace.switches.findLast((event) => trace.isBefore(event, op));
  return last === undefined || last.enabled ? null : { place: last.place, isForGood: true };
}

/** The body of `no_grad(() => body)` in its place; a call that switches recording off for good goes. */
export function switchedOn(trace: Trace, { place, isForGood }: ModeCall): Edit[] {
  if (isForGood) {
    const statement = statementOf(trace, place);
    return statement === null ? [] : [removed(trace, statement)];
  }
  const expression = trace.expression(place)!;
  const last = expression.arguments.at(-1);
  const body = last === undefined ? null : /^\(\)\s*=>\s*(?!\{)([\s\S]*)$/.exec(trace.textOf(last, place!.file));
  return body === null ? [] : [editOf(trace, place!.file, expression, body[1])];
}
