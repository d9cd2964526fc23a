import { findBirths } from "./birth-rule.ts";
import { culpritOf, editOf, elementText, numberText, unravel } from "./describe.ts";
import type { BirthEvent, OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { kindOf } from "./kinds.ts";
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

export const dataNotFinite: Rule = {
  id: "data-not-finite",
  title: "NaN or infinity in the data itself",
  severity: "error",
  certainty: 0.95,
  changesLoss: true,
  why: `No op made it: the numbers came that way, from an empty cell of a table, a failed measurement, an earlier division. Everything that is
computed from them inherits it, and one bad sample spoils every gradient.`,
  fix: `Look at the data where it is read: leave the sample out, or replace the number, x.nan_to_num(0).`,
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
    culprit(trace, birth) {
      const maker = makerOf(trace, birth);
      return maker === null ? null : culpritOf(trace, maker);
    },
    arithmetic(trace, birth) {
      const data = dataOf(trace, birth);
      if (data === null) return "a number that is not finite was given to it";
      const { values, shape } = trace.tensors.get(data)!;
      const at = values.nonfinite[0];
      const number = values.head[at];
      return `${trace.nameOf(data)}${elementText(unravel(at, shape))} is ${number === undefined ? "not finite" : numberText(number)} from the start (${values.nan + values.inf} of ${values.numel} elements are not finite)`;
    },
    fix(trace, birth) {
      const maker = makerOf(trace, birth);
      return { text: "leave the sample out, or replace the number where the data is read: .nan_to_num(0, 0, 0)", edits: maker === null ? [] : cleaned(trace, maker) };
    },
  }),
};
