/** Repairs of gradients that explode or vanish, where the line to blame can be written in a way that keeps the norm. */
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { clipped } from "./clipping.ts";
import { editOf } from "./describe.ts";
import type { Way } from "./magnitude.ts";
import { isMethod, operandsOf } from "./operands.ts";
import type { Edit, Fix } from "./rule.ts";

const products = new Set(["matmul", "mm", "bmm", "addmm", "linear"]);
const saturating = new Set(["sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign", "erf"]);
/** Factories of which weights are drawn or set, none of which knows how many inputs there will be. */
const factories = /^(rand|randn|normal|eye|full|ones|tensor|mul|div)$/;

/** The fix of a line that changes the norm too much for some leaves: the first that can be written, else what to think of. */
export function magnitudeFix(trace: Trace, way: Way, direction: "grow" | "shrink", leaves: readonly number[]): Fix {
  const { worst: { op, count, ratio }, backward } = way;
  const fix = direction === "grow" ? scaledWeights(trace, op, ratio ** (1 / count)) : count > 2 ? (rectified(trace, op) ?? residual(trace, op, count)) : (leaking(trace, op) ?? scaledInput(trace, op));
  const text = direction === "grow"
    ? "keep the norm at each run: smaller weights to start with, a normalisation between, fewer runs; or bound the norm of the gradient before the update"
    : "keep what goes into the op where it is not flat: smaller weights or inputs, a normalisation before it, another activation, or fewer runs";
  return { ...(fix ?? { text, edits: [] }), others: direction === "grow" ? [clipped(trace, leaves, backward)] : [] };
}

const rootMeanSquare = (trace: Trace, tensor: number): number => {
  const { norm, numel } = trace.tensors.get(tensor)!.values;
  return norm / Math.sqrt(numel);
};

/**
 * Weights of the size 1/√(number of inputs), which keep the norm: `torch.randn(n, m).div(Math.sqrt(n))`. `each` is by how much a run
 * multiplied it: by more than that where the same weights come again and again.
 */
export function scaledWeights(trace: Trace, op: OpEvent, each: number): Fix | null {
  if (op.name === "add") {
    // A state to which a product of it is added grows by the product.
    const product = op.inputs.map((input) => trace.makerOf(input)).find((made) => made !== null && products.has(trace.userOp(made).name));
    return product == null ? null : scaledWeights(trace, trace.userOp(product), each);
  }
  const weight = op.inputs[1];
  const maker = weight === undefined || !products.has(op.name) ? null : trace.makerOf(weight);
  const expression = maker === null ? null : trace.expression(trace.userOp(maker).place);
  if (maker === null || expression === null || !factories.test(maker.name)) return null;
  const { shape } = trace.tensors.get(weight)!;
  const inputs = shape[shape.length - (op.name === "linear" ? 1 : 2)];
  const size = rootMeanSquare(trace, weight);
  if (inputs === undefined || size * Math.sqrt(inputs) < 1.2) return null;
  const isRepeated = [...trace.ops.values()].filter(({ name, within, inputs: [, second] }) => name === op.name && within === null && second === weight).length > 1;
  const growth = Math.max(size * Math.sqrt(inputs), isRepeated ? each : 0);
  const by = Math.abs(growth / Math.sqrt(inputs) - 1) < 0.2 ? `Math.sqrt(${inputs})` : String(Number(growth.toPrecision(3)));
  const { file } = trace.userOp(maker).place!;
  const source = trace.textOf(expression, file);
  const bare = source.replace(/,\s*\{\s*requires_grad:\s*true\s*\}/, "");
  // Options other than that would be lost, and the quotient of a leaf is none.
  if (/requires_grad/.test(bare)) return null;
  const text = `${bare}.div(${by})${bare === source ? "" : ".requires_grad_()"}`;
  return { text: `start with weights that keep the norm, of a size of 1/√(number of inputs) or less: ${text}; or normalise between the runs`, edits: [editOf(trace, file, expression, text)] };
}

/** `x.sigmoid()` becomes `x.relu()`, whose slope is 1. */
function rectified(trace: Trace, op: OpEvent): Fix | null {
  const expression = trace.expression(op.place);
  if (!saturating.has(op.name) || expression === null || operandsOf(trace, op).length !== 1) return null;
  const { file } = op.place!;
  const name = { start: expression.name, end: expression.name + op.name.length };
  return { text: `use an activation with a slope of 1 between many layers: ${op.name === "tanh" ? "relu, or add the input to the output" : "relu"}`, edits: [editOf(trace, file, name, "relu")] };
}

/** `h.matmul(w)` becomes `h.add(h.matmul(w).div(runs))`: a state that is carried along by addition. */
function residual(trace: Trace, op: OpEvent, count: number): Fix | null {
  const expression = trace.expression(op.place);
  const [state] = op.inputs;
  const isKept = products.has(op.name) && String(trace.tensors.get(state)?.shape) === String(trace.tensors.get(op.outputs[0])?.shape);
  if (!isKept || expression?.receiver == null || !isMethod(trace, op, expression)) return null;
  const { file } = op.place!;
  const [h, call] = [trace.textOf(expression.receiver, file), trace.textOf(expression, file)];
  if (!/^[\w$.]+$/.test(h)) return null;
  const text = `${h}.add(${call}.div(${count}))`;
  return { text: `carry the state along by addition: ${text}`, edits: [editOf(trace, file, expression, text)] };
}

/** `x.relu()` becomes `leaky_relu`, which has a slope on both sides. */
export function leaking(trace: Trace, op: OpEvent): Fix | null {
  const expression = trace.expression(op.place);
  const [operand] = operandsOf(trace, op);
  if (!/^relu6?$/.test(op.name) || expression === null || operand === undefined) return null;
  const { file } = op.place!;
  const edits: Edit[] = /import \* as torch\b/.test(trace.sources.get(file)!) ? [editOf(trace, file, expression, `torch.nn.functional.leaky_relu(${trace.textOf(operand, file)}, 0.1)`)] : [];
  return { text: "give it numbers above 0, or a slope on both sides: leaky_relu", edits };
}

/** What goes into a function that is flat far from zero, brought to a size of about 1. */
function scaledInput(trace: Trace, op: OpEvent): Fix | null {
  const [span] = operandsOf(trace, op);
  const size = Number(rootMeanSquare(trace, op.inputs[0]).toPrecision(2));
  if (span === undefined || op.place === null || !(size > 1)) return null;
  return { text: `bring what goes into ${op.name} to a size of about 1, here by .div(${size}): smaller weights, smaller inputs or a normalisation before it`, edits: [editOf(trace, op.place.file, { start: span.end, end: span.end }, `.div(${size})`)] };
}
