import { culpritAt, culpritOf, editOf } from "./describe.ts";
import type { Place, ReadEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { Edit, Found, Rule } from "./rule.ts";

const refusal = /only Tensors of floating point (and complex )?dtype can require gradients/i;
const integers = /torch\.(int64|int32|int16|int8|uint8|bool)\b/;

/** `{ dtype: torch.int64, … }` becomes `{ dtype: torch.float32, … }`. */
function floating(trace: Trace, place: Place | null): Edit[] {
  const expression = trace.expression(place);
  if (expression === null) return [];
  const source = trace.sources.get(place!.file)!.slice(expression.start, expression.end);
  const match = integers.exec(source);
  if (match === null) return [];
  const start = expression.start + match.index;
  return [editOf(trace, place!.file, { start, end: start + match[0].length }, "torch.float32")];
}

/** `x.requires_grad_()` becomes `x.float().requires_grad_()`; of `x.requires_grad = true` the tensor is made of floats. */
function converted(trace: Trace, { place, tensor }: ReadEvent): Edit[] {
  const expression = trace.expression(place);
  if (expression?.receiver != null && expression.text.endsWith(")")) return [editOf(trace, place!.file, { start: expression.receiver.end, end: expression.receiver.end }, ".float()")];
  return floating(trace, trace.makerOf(tensor)?.place ?? null);
}

const words = {
  why: "a derivative is a limit of small steps, and integers have none: only float tensors can require grad",
  fix: "use a float dtype, dtype: torch.float32, or convert first: x.float().requires_grad_()",
};

export const integerRequiresGrad: Rule = {
  id: "integer-requires-grad",
  title: "A gradient is asked of integers",
  severity: "error",
  certainty: 1,
  why: `A derivative is a limit of small steps, and integers and booleans have none.`,
  fix: `Make the tensor of floats; plain numbers in torch.tensor are floats already. An integer tensor becomes one with float().`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3], { dtype: torch.int64, requires_grad: true });
x.pow(2).sum().backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([1, 2, 3], { dtype: torch.float32, requires_grad: true });
x.pow(2).sum().backward();
`,
  detect(trace) {
    const factories = [...trace.ops.values()].filter((op) => op.within === null && refusal.test(op.error?.message ?? "")).map((op): Found => ({
      message: "a tensor of integers is made to require grad", culprit: culpritOf(trace, op), why: words.why, fix: { text: words.fix, edits: floating(trace, op.place) },
    }));
    const asked = trace.reads.filter(({ how, tensor }) => how === "requires_grad" && !trace.tensors.get(tensor)!.dtype.startsWith("float")).map((read): Found => {
      const name = trace.nameOf(read.tensor);
      return { message: `${name} is ${trace.tensors.get(read.tensor)!.dtype} and is made to require grad`, culprit: culpritAt(trace, read.place), tensor: name, why: words.why, fix: { text: words.fix, edits: converted(trace, read) } };
    });
    return [...factories, ...asked];
  },
};
