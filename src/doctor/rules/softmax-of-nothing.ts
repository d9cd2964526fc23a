import { findBirths } from "./birth-rule.ts";
import { culpritOf, editOf, elementText, lineOf } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { kindOf } from "./kinds.ts";
import type { Edit, Rule } from "./rule.ts";

/** The user's call in which the infinity is written: it masked the scores, or made what was added to them. */
function maskOf(trace: Trace, tensor: number): OpEvent | null {
  const writers = trace.writes.filter((write) => write.tensor === tensor).map(({ op }) => trace.ops.get(op)!);
  const maker = trace.makerOf(tensor);
  if (maker === null) return null;
  const user = trace.userOp(maker);
  const found = [...writers.map((op) => trace.userOp(op)), user].find((op) => infinities(trace, op).length > 0);
  if (found !== undefined) return found;
  for (const input of user.inputs) {
    const found = trace.tensors.get(input)!.values.inf > 0 || input !== tensor ? maskOf(trace, input) : null;
    if (found !== null) return found;
  }
  return null;
}

/** Each `-Infinity` that is written in a call becomes -1e9. */
function infinities(trace: Trace, op: OpEvent): Edit[] {
  const expression = trace.expression(op.place);
  if (expression === null) return [];
  const { file } = op.place!;
  const from = expression.receiver?.end ?? expression.start;
  const text = trace.textOf({ start: from, end: expression.end }, file);
  return [...text.matchAll(/-(?:Number\.NEGATIVE_)?(?:Infinity|torch\.inf)\b/g)].map(({ index, 0: literal }) => editOf(trace, file, { start: from + index, end: from + index + literal.length }, "-1e9"));
}

export const softmaxOfNothing: Rule = {
  id: "softmax-of-nothing",
  title: "A softmax over a row that is masked everywhere",
  severity: "error",
  certainty: 0.95,
  changesLoss: true,
  why: `softmax subtracts the largest score first. Where a mask made all scores of a row -inf, that is -inf - (-inf) = NaN: a query of padding
attends to nothing. log_softmax and logsumexp fail alike.`,
  fix: `Mask with a large finite number, masked_fill(mask, -1e9), and the row becomes uniform; or leave one score of each row unmasked, or do not
compute the row.`,
  bad: `import * as torch from "leafgrad";

const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[false, false], [true, true]]);
const loss = scores.masked_fill(mask, -Infinity).softmax(1).pow(2).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const scores = torch.tensor([[1, 2], [3, 4]], { requires_grad: true });
const mask = torch.tensor([[false, false], [true, true]]);
const loss = scores.masked_fill(mask, -1e9).softmax(1).pow(2).sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "masked row", {
    arithmetic: (_trace, { element, phase }) => (phase === "forward" ? `all scores of the row of ${elementText(element) || "the result"} are -inf; -inf - max = -inf - (-inf) = nan` : `all scores of the row are -inf; the softmax of it is exp(-inf - (-inf)) = nan`),
    because(trace, { op }) {
      const mask = maskOf(trace, trace.userOp(trace.ops.get(op!)!).inputs[0]);
      return mask === null ? "" : `${lineOf(mask.place)}, ${culpritOf(trace, mask)?.op ?? mask.name}, wrote the infinity`;
    },
    fix(trace, _birth, op) {
      const mask = op === null ? null : maskOf(trace, trace.userOp(op).inputs[0]);
      return { text: "mask with a large finite number, -1e9, or leave one score of each row unmasked", edits: mask === null ? [] : infinities(trace, mask) };
    },
  }),
};
