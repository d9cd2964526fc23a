import { culpritOf, editOf, lineOf } from "./describe.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { operandsOf } from "./operands.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** What an op says of a dtype, and the cast that it asks for. */
const refusals: readonly [RegExp, "long" | "float" | "same"][] = [
  [/expected target dtype to be Long|tensors used as indices must be long|'indices' to have one of the following scalar types: Long|dtype int64 for index/, "long"],
  [/result type Float can't be cast to the desired output type (Long|Int|Short|Char|Byte|Bool)/, "float"],
  [/expected m1 and m2 to have the same dtype|expected scalar type \w+ but found|should be the same/, "same"],
];

const isFloat = (dtype: string): boolean => dtype.startsWith("float");

/** The input that does not fit: data, rather than what is learned. */
function misfit(trace: Trace, op: OpEvent, wanted: "long" | "float" | "same"): number | null {
  const inputs = op.inputs.map((tensor) => trace.tensors.get(tensor)!);
  const data = inputs.filter(({ requires_grad }) => !requires_grad);
  if (wanted === "same") return (data.find(({ dtype }) => inputs.some((other) => other.dtype !== dtype)) ?? null)?.tensor ?? null;
  return (data.findLast(({ dtype }) => isFloat(dtype) === (wanted === "long")) ?? null)?.tensor ?? null;
}

/** `F.cross_entropy(logits, labels)` becomes `F.cross_entropy(logits, labels.long())`. */
function cast(trace: Trace, op: OpEvent, tensor: number, to: string): Edit[] {
  const at = op.arguments.findIndex((a) => "tensor" in a && a.tensor === tensor);
  const operand = operandsOf(trace, op)[at];
  return operand === undefined || op.inplace ? [] : [editOf(trace, op.place!.file, { start: operand.end, end: operand.end }, `.${to}()`)];
}

export const dtypeRefused: Rule = {
  id: "dtype-refused",
  title: "A tensor of another dtype than the op takes",
  severity: "error",
  certainty: 1,
  why: `torch.tensor([0, 1]) of JavaScript numbers is float32. Labels and indices are whole numbers, int64; losses of probabilities and products
take floats, and both operands of the same dtype.`,
  fix: `Give the dtype where the tensor is made, { dtype: torch.int64 }, or cast it where it is used: labels.long(), target.float().`,
  bad: `import * as torch from "leafgrad";

const logits = torch.tensor([[1, 2], [3, 0]], { requires_grad: true });
const labels = torch.tensor([0, 1]);
const loss = torch.nn.functional.cross_entropy(logits, labels);
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const logits = torch.tensor([[1, 2], [3, 0]], { requires_grad: true });
const labels = torch.tensor([0, 1], { dtype: torch.int64 });
const loss = torch.nn.functional.cross_entropy(logits, labels);
loss.backward();
`,
  detect: (trace) =>
    [...trace.ops.values()].flatMap((op): Found[] => {
      const wanted = op.within === null && op.run === null && op.error !== null ? refusals.find(([text]) => text.test(op.error!.message))?.[1] : undefined;
      const tensor = wanted === undefined ? null : misfit(trace, op, wanted);
      if (wanted === undefined || tensor === null) return [];
      const { dtype } = trace.tensors.get(tensor)!;
      const other = op.inputs.map((input) => trace.tensors.get(input)!.dtype).find((d) => d !== dtype) ?? "float32";
      const to = wanted !== "same" ? wanted : other === "float64" ? "double" : isFloat(other) ? "float" : "long";
      const name = trace.nameOf(tensor);
      const maker = trace.makerOf(tensor);
      const made = maker === null ? "" : `: ${lineOf(trace.userOp(maker).place, op.place?.file)}, ${trace.callText(trace.userOp(maker))}, made it so`;
      return [{
        message: `${name} is ${dtype}, and ${op.name} takes ${{ long: "int64", float: "floats", double: "float64" }[to]} there`, culprit: culpritOf(trace, op), tensor: name,
        why: `${op.error!.message.split("\n")[0]}${made}`,
        fix: { text: `cast it, ${name}.${to}(), or give the dtype where it is made`, edits: cast(trace, op, tensor, to) },
      }];
    }),
};
