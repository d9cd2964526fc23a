/** Gradients whose norm is bounded before they are used. */
import type { Trace } from "../trace/trace.ts";
import type { Fix } from "./rule.ts";
import { followed, statementOf } from "./statements.ts";
import { gradientsOf } from "./updates.ts";

/** A gradient of which no more than this is left was bounded, and not multiplied by a rate. */
const share = 1e-6;

/** Does the program make a gradient that a backward left much smaller before it goes on? */
export function isBounded(trace: Trace, leaf: number, backward: number): boolean {
  const arrived = trace.accumulations.find((a) => a.tensor === leaf && a.backward === backward);
  if (arrived === undefined) return false;
  const gradients = gradientsOf(trace, leaf);
  return [...trace.ops.values()].some((op) => {
    if (op.run !== null || !op.inputs.some((input) => gradients.has(input)) || trace.isBefore(op, arrived)) return false;
    const { norm } = op.inplace ? op.values[0] : trace.tensors.get(op.outputs[0])!.values;
    return norm > 0 && norm < share * arrived.values.norm;
  });
}

/** After the call of backward: `w.grad?.div_(Math.max(1, Number(w.grad.norm().item())));` for each leaf that is known by a name there. */
export function clipped(trace: Trace, leaves: readonly number[], backward: number): Fix {
  const text = "bound the norm of the gradient before the update: w.grad.div_(Math.max(1, norm))";
  const statement = statementOf(trace, trace.backwards.get(backward)!.place);
  const names = leaves.map((leaf) => trace.variableOf(leaf));
  if (statement === null || !names.every((name) => name !== null && isGlobal(trace.sources.get(statement.file)!, name))) return { text, edits: [] };
  const clips = [...new Set(names)].map((name) => `${name}.grad?.div_(Math.max(1, Number(${name}.grad.norm().item())));`);
  return { text, edits: [followed(trace, statement, clips.join(" "))] };
}

/** Is a name declared at the outermost level of a file? */
function isGlobal(source: string, name: string): boolean {
  return /^[\w$]+$/.test(name) && new RegExp(`^(?:export )?(?:const|let|var) (?:${name.replaceAll("$", "\\$")}\\b|.*?[,[] *${name.replaceAll("$", "\\$")}\\b.*=)`, "m").test(source);
}
