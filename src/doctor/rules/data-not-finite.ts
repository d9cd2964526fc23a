import { findBirths } from "./birth-rule.ts";
import { editOf, elementText, numberText, unravel } from "./describe.ts";
import type { BirthEvent, OpEvent } from "../trace/events.ts";
import type { Span } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { kindOf } from "./kinds.ts";
import { operandsOf } from "./operands.ts";
import type { Edit, Rule } from "./rule.ts";

/** The tensor that came with the NaN or the infinity: back from what the op was given, to one that was made of no other. */
function dataOf(trace: Trace, { equation, tensor }: BirthEvent): number | null {
  const given = equation?.names.find(({ name, value }) => name !== "grad" && typeof value !== "number")?.tensor ?? tensor;
  return given === null ? null : sourceOf(trace, given, new Set());
}

function sourceOf(trace: Trace, tensor: number, seen: Set<number>): number | null {
  if (seen.has(tensor)) return null;
  seen.add(tensor);
  const maker = trace.makerOf(tensor);
  const inputs = (maker?.inputs ?? []).filter((t) => trace.tensors.get(t)!.values.nonfinite.length > 0);
  if (inputs.length === 0) return maker === null || maker.inputs.length === 0 || maker.arguments.some((a) => "number" in a && typeof a.number !== "number") ? tensor : null;
  for (const input of inputs) {
    const found = sourceOf(trace, input, seen);
    if (found !== null) return found;
  }
  return null;
}

function makerOf(trace: Trace, birth: BirthEvent): OpEvent | null {
  const data = dataOf(trace, birth);
  const maker = data === null ? null : trace.makerOf(data);
  return maker === null ? null : trace.userOp(maker);
}

/** `torch.tensor([…])` becomes `torch.tensor([…]).nan_to_num(0, 0, 0)`. */
function cleaned(trace: Trace, maker: OpEvent): Edit[] {
  const expression = trace.expression(maker.place);
  return expression === null || maker.inplace ? [] : [editOf(trace, maker.place!.file, { start: expression.end, end: expression.end }, ".nan_to_num(0, 0, 0)")];
}

/** Does the program itself ask which numbers of its data are finite? */
function isKnown(trace: Trace, data: number): boolean {
  return [...trace.ops.values()].some(({ name, inputs }) => inputs[0] === data && (/^is(nan|inf|finite)$/.test(name) || (/^(eq|ne)$/.test(name) && inputs[1] === data)));
}

/** Where data whose gaps are known is computed with all the same: the first call that takes it into a graph, and the operand there. */
function meeting(trace: Trace, birth: BirthEvent): { op: OpEvent; operand: Span } | null {
  const data = dataOf(trace, birth);
  if (data === null || !isKnown(trace, data)) return null;
  for (const op of trace.ops.values()) {
    if (op.within !== null || op.run !== null || !op.outputs.some((t) => trace.tensors.get(t)!.requires_grad)) continue;
    const sick = op.arguments.findIndex((a) => "tensor" in a && trace.computedFrom(data).has(a.tensor) && trace.tensors.get(a.tensor)!.values.nonfinite.length > 0);
    const operand = sick < 0 ? undefined : operandsOf(trace, op)[sick];
    if (operand !== undefined) return { op, operand };
  }
  return null;
}

export const dataNotFinite: Rule = {
  id: "data-not-finite",
  title: "NaN or infinity in the data itself",
  severity: "error",
  certainty: 0.95,
  why: `No op made it: the numbers came that way, from an empty cell of a table, a failed measurement, an earlier division. Everything that is
computed from them inherits it, and one bad sample spoils every gradient.`,
  fix: `Look at the data where it is read: leave the sample out, or replace the number, x.nan_to_num(0). Gaps that are meant must be
hidden before anything is computed with them: pred.sub(y.nan_to_num(0)), and then the mask.`,
  bad: `import * as torch from "leafgrad";

const data = torch.tensor([1, NaN, 3]);
const w = torch.tensor([1, 1, 1], { requires_grad: true });
const loss = w.mul(data).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const data = torch.tensor([1, NaN, 3]).nan_to_num(0);
const w = torch.tensor([1, 1, 1], { requires_grad: true });
const loss = w.mul(data).sum();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "data", {
    blamed: (trace, birth) => meeting(trace, birth)?.op ?? makerOf(trace, birth),
    arithmetic(trace, birth) {
      const data = dataOf(trace, birth);
      if (data === null) return "a number that is not finite was given to it";
      const { values, shape } = trace.tensors.get(data)!;
      const at = values.nonfinite[0];
      const number = values.head[at];
      return `${trace.nameOf(data)}${elementText(unravel(at, shape))} is ${number === undefined ? "not finite" : numberText(number)} from the start (${values.nan + values.inf} of ${values.numel} elements are not finite)`;
    },
    because: (trace, birth) => (meeting(trace, birth) === null ? "" : "the program asks which numbers are finite, but computes with the others all the same: what hides them afterwards multiplies by 0, and 0·nan = nan"),
    fix(trace, birth) {
      const met = meeting(trace, birth);
      if (met !== null) {
        const { file } = met.op.place!;
        const cleaned = `${trace.textOf(met.operand, file)}.nan_to_num(0, 0, 0)`;
        return { text: `hide the numbers before they are computed with: ${cleaned}, or pick the others with index()`, edits: [editOf(trace, file, met.operand, cleaned)] };
      }
      const maker = makerOf(trace, birth);
      return { text: "leave the sample out, or replace the number where the data is read: .nan_to_num(0, 0, 0)", edits: maker === null ? [] : cleaned(trace, maker) };
    },
  }),
};
