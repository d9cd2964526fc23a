import { culpritOf, editOf, lineOf, namesOf } from "./describe.ts";
import type { OpEvent, RunEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { rootsOf } from "./leaves.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** Leaves whose gradients were zero in every backward. */
function unmoved(trace: Trace): Set<number> {
  const leaves = new Set(trace.accumulations.map(({ tensor }) => tensor));
  for (const { tensor, values } of trace.accumulations) if (values.numel === 0 || values.zero < values.numel) leaves.delete(tensor);
  return leaves;
}

/** The runs at which a gradient that is not zero becomes one of zeros on its way to a leaf. */
function stoppers(trace: Trace, leaf: number): RunEvent[] {
  const above = nodesAbove(trace, leaf);
  return [...trace.runs.values()].filter(({ node, grads, results }) => {
    const arrives = grads.some((g) => g !== null && g.zero < g.numel && g.nan + g.inf === 0);
    return arrives && trace.nodes.get(node)!.next.some((next, i) => next !== null && above.has(next) && results[i]?.zero === results[i]?.numel);
  });
}

/** The nodes that lead to a leaf. What a node leads to has been told before it. */
function nodesAbove(trace: Trace, leaf: number): Set<number> {
  const above = new Set<number>();
  for (const { node, next, accumulates } of trace.nodes.values()) if (accumulates === leaf || next.some((n) => n !== null && above.has(n))) above.add(node);
  return above;
}

const steps = new Set(["round", "floor", "ceil", "trunc", "fix", "sign", "heaviside"]);
const products = new Set(["matmul", "mm", "bmm", "mv", "addmm", "linear"]);
const bounds = new Set(["clamp", "clamp_min", "clamp_max", "clip", "hardtanh", "relu6", "hardsigmoid"]);

/** Why an op passes nothing on, and what to do; null where its zeros may be a chance of the numbers. */
function words(trace: Trace, op: OpEvent): { why: string; fix: string; edits?: readonly Edit[] } | null {
  const call = trace.callText(op);
  if (steps.has(op.name)) return { why: `${call} is flat between its jumps, so its slope is 0 everywhere`, fix: "use a smooth stand-in, such as tanh for sign; or let the gradient pass straight through: x.add(x.round().sub(x).detach())" };
  if (bounds.has(op.name)) return !isBeyond(trace, op) ? null : { why: `every element of ${trace.nameOf(op.inputs[0])} lies beyond the bounds of ${call}, where its slope is 0`, fix: "use a function that has a slope there, such as sigmoid, or keep the bound out of what is trained" };
  if (products.has(op.name)) return ofZeros(trace, op);
  if (op.name !== "mul") return null;
  const zero = op.inputs.map((i) => trace.tensors.get(i)!).find((t) => !t.requires_grad && t.values.zero === t.values.numel);
  // A state that starts at zero is no mask.
  if (zero === undefined || !isMask(trace, zero.tensor)) return null;
  const name = trace.nameOf(zero.tensor);
  return { why: `every element of ${name} is 0, so ${call} multiplies every gradient by 0`, fix: `look at how ${name} is made: it leaves nothing` };
}

/** A product of zeros with a weight of zeros gives a gradient to neither: the one waits for the other to change. */
function ofZeros(trace: Trace, { inputs, place }: OpEvent): { why: string; fix: string; edits: Edit[] } | null {
  const still = unmoved(trace);
  const isZero = (tensor: number): boolean => trace.tensors.get(tensor)!.values.zero === trace.tensors.get(tensor)!.values.numel;
  const weight = inputs.find((input) => still.has(input) && isZero(input));
  const other = inputs.find((input) => input !== weight);
  // Of a layer's parameters the weight, and not the bias.
  const [first] = other === undefined ? [] : [...still].filter((leaf) => leaf !== weight && isZero(leaf) && trace.computedFrom(leaf).has(other)).toSorted((a, b) => dimsOf(trace, b) - dimsOf(trace, a));
  if (weight === undefined || other === undefined || first === undefined || !isZero(other)) return null;
  const [name, start] = [trace.nameOf(weight), trace.nameOf(first)];
  const edits = drawn(trace, first);
  return {
    why: `every element of ${name} is 0, so nothing goes on to ${start}; and every element of ${trace.nameOf(other)} is 0, because ${start} is, so ${name} gets nothing either`,
    fix: `start from random numbers: ${edits[0]?.text ?? `${start} = torch.randn(…)`}`, edits: place === null ? [] : edits,
  };
}

const dimsOf = (trace: Trace, tensor: number): number => trace.tensors.get(tensor)!.shape.length;

/** `torch.zeros(2, 3, { requires_grad: true })` becomes `torch.randn(2, 3).div(Math.sqrt(2)).requires_grad_()`. */
function drawn(trace: Trace, leaf: number): Edit[] {
  const { place } = trace.userOp(trace.makerOf(leaf)!);
  const expression = trace.expression(place);
  const call = expression === null ? null : /^torch\.zeros\(([^{}]*?)(,\s*\{\s*requires_grad:\s*true\s*\})?\)$/.exec(trace.textOf(expression, place!.file));
  if (call === null) return [];
  return [editOf(trace, place!.file, expression!, `torch.randn(${call[1]}).div(Math.sqrt(${trace.tensors.get(leaf)!.shape[0]}))${call[2] === undefined ? "" : ".requires_grad_()"}`)];
}

/** Does every element lie well beyond a bound, and was there something to learn? A bound that keeps a root from 0 is met by what is nearly there. */
function isBeyond(trace: Trace, { inputs, outputs }: OpEvent): boolean {
  const [before, after] = [inputs[0], outputs[0]].map((tensor) => trace.tensors.get(tensor)!.values.head.map(Number));
  return before.every((x, i) => Math.abs(x - after[i]) > 0.01) && rootsOf(trace).some((root) => trace.tensors.get(root)!.values.norm > 0);
}

/** Was a tensor made of truth values, or written down? */
function isMask(trace: Trace, tensor: number): boolean {
  if (trace.tensors.get(tensor)!.dtype === "bool" || trace.makerOf(tensor)?.name === "tensor") return true;
  return (trace.makerOf(tensor)?.inputs ?? []).some((input) => input !== tensor && isMask(trace, input));
}

export const flatFunction: Rule = {
  id: "flat-function",
  title: "An op that lets no gradient through",
  severity: "warning",
  certainty: 0.7,
  why: `The gradient of a leaf is zero in every element and every backward: an op on the way has slope zero wherever it was used. Rounding and
sign are flat everywhere, and a product with a mask of zeros leaves nothing; of two layers of zeros neither gets a gradient from the other. Nothing
is learned, and nothing is said.`,
  fix: `Use a function that has a slope there, let the gradient pass straight through, look at the mask, or start from random weights.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.round().sub(1).pow(2).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const loss = w.add(w.round().sub(w).detach()).sub(1).pow(2).sum();
loss.backward();
`,
  detect(trace) {
    const found = new Map<number, { op: OpEvent; leaves: number[] }>();
    for (const leaf of unmoved(trace)) {
      const ops = stoppers(trace, leaf).map(({ node }) => trace.opOf(node));
      // Where another op stops it too, the zeros may be a chance of the numbers.
      if (ops.length === 0 || ops.some((op) => op === null || words(trace, trace.userOp(op)) === null)) continue;
      const op = trace.userOp(ops[0]!);
      found.set(op.op, { op, leaves: [...(found.get(op.op)?.leaves ?? []), leaf] });
    }
    return [...found.values()].map(({ op, leaves }): Found => {
      const { why, fix, edits = [] } = words(trace, op)!;
      return { message: `the gradient of ${namesOf(trace, leaves)} is zero in every element`, culprit: culpritOf(trace, op), tensor: trace.nameOf(leaves[0]), why: `${lineOf(op.place)}: ${why}`, fix: { text: fix, edits } };
    });
  },
};
