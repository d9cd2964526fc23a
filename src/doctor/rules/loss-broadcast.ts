import { culpritOf, editOf } from "./describe.ts";
import { crossBroadcast } from "../trace/shapes.ts";
import { rootsOf } from "./leaves.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { operandsOf } from "./operands.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** Was the shape made on purpose, by a view that adds a dimension? */
function isDeliberate(trace: Trace, tensor: number): boolean {
  const maker = trace.makerOf(tensor);
  const [source] = maker?.inputs ?? [];
  const { shape, storage } = trace.tensors.get(tensor)!;
  const from = source === undefined ? undefined : trace.tensors.get(source);
  return from !== undefined && from.storage === storage && from.shape.length < shape.length;
}

/** As many elements in both, and yet each stretches the other: (N, 1) with (N). */
function isAccident(trace: Trace, op: OpEvent): boolean {
  if (op.within !== null || op.run !== null || op.inputs.length !== 2 || op.error !== null) return false;
  const [a, b] = op.inputs.map((input) => trace.tensors.get(input)!);
  // A product of matrices pairs no elements.
  const { shape, values } = trace.tensors.get(op.outputs[0])!;
  if (shape.length > 0 && values.numel !== a.values.numel ** 2) return false;
  if (a.values.numel !== b.values.numel || a.shape.length === b.shape.length || !crossBroadcast(a.shape, b.shape)) return false;
  return (a.requires_grad || b.requires_grad || op.node !== null) && !isDeliberate(trace, a.tensor) && !isDeliberate(trace, b.tensor);
}

/** The second operand in the shape of the first: `pred.sub(y)` becomes `pred.sub(y.reshape(pred.shape))`. */
function reshaped(trace: Trace, op: OpEvent): Edit[] {
  const [self, other] = operandsOf(trace, op);
  if (self === undefined || other === undefined) return [];
  const { file } = op.place!;
  return [editOf(trace, file, other, `${trace.textOf(other, file)}.reshape(${trace.textOf(self, file)}.shape)`)];
}

export const lossBroadcast: Rule = {
  id: "loss-broadcast",
  title: "A loss between (N, 1) and (N)",
  severity: "warning",
  certainty: 0.8,
  changesLoss: true,
  why: `Shapes (N, 1) and (N) broadcast to (N, N): each prediction is compared with every target, not with its own. The loss is a plain
number, training runs, and the model learns the mean of the targets.`,
  fix: `Bring both to one shape: target.reshape(prediction.shape), or prediction.squeeze(1).`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([[1], [2], [3]]);
const y = torch.tensor([2, 4, 6]);
const w = torch.tensor([[0.5]], { requires_grad: true });
const prediction = x.matmul(w);
const loss = prediction.sub(y).pow(2).mean();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([[1], [2], [3]]);
const y = torch.tensor([2, 4, 6]);
const w = torch.tensor([[0.5]], { requires_grad: true });
const prediction = x.matmul(w);
const loss = prediction.sub(y.reshape(prediction.shape)).pow(2).mean();
loss.backward();
`,
  detect(trace) {
    const told = new Set<string>();
    const roots = rootsOf(trace);
    return [...trace.ops.values()].filter((op) => isAccident(trace, op) && roots.some((root) => trace.computedFrom(op.outputs[0]).has(root))).flatMap((op): Found[] => {
      const culprit = culpritOf(trace, op);
      const key = `${culprit?.file}:${culprit?.line}:${culprit?.column}`;
      if (told.has(key)) return [];
      told.add(key);
      const [a, b] = op.inputs.map((input) => ({ name: trace.nameOf(input), shape: `[${trace.tensors.get(input)!.shape.join(", ")}]` }));
      const { numel } = trace.tensors.get(op.inputs[0])!.values;
      return [{
        message: `${a.name} of shape ${a.shape} meets ${b.name} of shape ${b.shape}`, culprit, tensor: a.name,
        why: `they broadcast to [${numel}, ${numel}]: each of ${numel} elements is paired with all ${numel} of the other, ${numel * numel} pairs instead of ${numel}`,
        fix: { text: `bring both to one shape: ${b.name}.reshape(${a.name}.shape)`, edits: reshaped(trace, op) },
      }];
    });
  },
};
