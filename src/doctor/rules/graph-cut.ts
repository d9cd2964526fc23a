import { cutBetween, straightThrough, unrecordedGradient } from "./cuts.ts";
import { culpritAt, culpritOf, editOf, lineOf, namesOf } from "./describe.ts";
import { switchedOffBy, switchedOn } from "./grad-mode.ts";
import { forgottenLeaves, leavesOf, noGraph, rootsOf } from "./leaves.ts";
import { replacements } from "./parameter-replaced.ts";
import type { OpEvent } from "../trace/events.ts";
import { commaSeparated, placeKey } from "../trace/source.ts";
import type { Flow, Trace } from "../trace/trace.ts";
import type { Culprit, Edit, Found, Rule } from "./rule.ts";

/** Leaves that got no gradient from any loss, and all leaves behind a loss that has no graph. */
function severed(trace: Trace): { leaf: number; root: number }[] {
  const refused = [...trace.ends.values()].filter(({ error }) => noGraph.test(error?.message ?? "")).flatMap(({ backward }) => trace.backwards.get(backward)!.roots);
  const leaves = leavesOf(trace);
  return [
    ...refused.flatMap((root) => leaves.map((leaf) => ({ leaf, root }))),
    // The last loss first: of two players' losses the one that comes first may leave the other player out on purpose.
    ...forgottenLeaves(trace).flatMap((leaf) => rootsOf(trace).toReversed().map((root) => ({ leaf, root }))),
  ];
}

function culpritOfCut(trace: Trace, { op, read }: Flow): Culprit | null {
  if (read !== null) return culpritAt(trace, read.place);
  const mode = op === null ? null : switchedOffBy(trace, op);
  if (mode !== null) return culpritAt(trace, mode.place);
  return op === null ? null : culpritOf(trace, op);
}

/** Why no gradient comes back, and what to do. */
function words(trace: Trace, { op, read, to }: Flow): { why: string; fix: string } {
  const call = op === null ? "" : trace.callText(trace.userOp(op));
  if (read?.how === "data") return { why: ".data is the same memory outside the graph", fix: "use the tensor itself; under torch.no_grad where it is only looked at" };
  if (read !== null) return { why: `${read.how}() gives JavaScript numbers, and ${call} ${op!.inputs.length === 0 ? "makes a new leaf of them" : "is given them without their graph"}`, fix: `compute with the tensor itself; torch.stack or torch.cat make one tensor of several` };
  if (op !== null && !op.grad_mode) return unrecorded(trace, op, call);
  const dtype = trace.tensors.get(to)?.dtype ?? "";
  if (dtype === "bool") return { why: `${call} compares: its result is true or false, and has no slope`, fix: "use a smooth stand-in, such as sigmoid of the difference" };
  if (!dtype.startsWith("float")) return { why: `${call} gives ${dtype}, and integers have no gradient`, fix: "stay in floats, or use a smooth stand-in: softmax in place of argmax" };
  return { why: `${call} gives a tensor outside the graph`, fix: `leave ${op === null ? "it" : `.${op.name}()`} out where the gradient is wanted` };
}

function unrecorded(trace: Trace, op: OpEvent, call: string): { why: string; fix: string } {
  const mode = switchedOffBy(trace, op);
  if (mode?.isForGood === true) return {
    why: `${lineOf(mode.place)}, ${trace.expression(mode.place)?.text ?? "set_grad_enabled"}, had switched recording off when ${lineOf(trace.userOp(op).place, mode.place?.file)} ran ${call}`,
    fix: "leave it out, or give it the code that it is for: torch.set_grad_enabled(false, () => …)",
  };
  const by = mode === null ? "no_grad, inference_mode or set_grad_enabled" : lineOf(mode.place);
  return { why: `${call} ran while recording was off (${by})`, fix: "compute the loss outside of no_grad; only updates and evaluation belong inside" };
}

/** Cuts that belong to a straight-through estimator stay; what it leaves out needs a loss of its own. */
function wordsOnPurpose(trace: Trace, { op }: Flow, through: OpEvent): { why: string; fix: string; edits: Edit[] } {
  const [q, z] = trace.makerOf(through.inputs[0])!.inputs.map((tensor) => trace.nameOf(tensor));
  const other = placeKey(op!.place) === placeKey(through.place) ? "" : `, and ${trace.callText(op!)} cuts it off, too`;
  return {
    why: `${lineOf(through.place, op!.place?.file)}, ${trace.callText(through)}, passes the gradient of ${q} straight on to ${z} on purpose${other}; nothing else leads to ${q}`,
    fix: `give ${q} a loss of its own, in which ${z} is cut off: ${q}.sub(${z}.detach()).pow(2).mean()`, edits: [],
  };
}

/** A cut that can be left out: recording is switched on, `y.detach()` and `y.data` become `y`, and so do `y.item()` among operands and `torch.tensor(y.item())`; of several numbers torch.stack makes one tensor. */
function uncut(trace: Trace, { op, read }: Flow): Edit[] {
  const mode = op === null || read !== null ? null : switchedOffBy(trace, op);
  if (mode !== null) return switchedOn(trace, mode);
  const place = read?.place ?? (op?.within === null ? op.place : null);
  const expression = trace.expression(place);
  if (place === null || expression === null || expression.receiver === null) return [];
  const receiver = trace.textOf(expression.receiver, place.file);
  if (read === null) return expression.text.endsWith(".detach()") ? [editOf(trace, place.file, expression, receiver)] : [];
  if (read.how !== "data" && read.how !== "item") return [];
  if (read.how === "data" || (op !== null && op.inputs.length > 0)) return [editOf(trace, place.file, expression, receiver)];
  const factory = op === null ? null : trace.expression(op.place);
  const [number] = factory?.arguments ?? [];
  const stack = number === undefined ? null : stacked(trace.textOf(number, op!.place!.file));
  if (stack !== null) return [editOf(trace, op!.place!.file, factory!, stack)];
  const isAlone = number?.start === expression.start && /^\s*(as \w+)?$/.test(trace.textOf({ start: expression.end, end: number.end }, place.file));
  return isAlone ? [editOf(trace, place.file, factory!, receiver)] : [];
}

/** `[a.item(), b.item()]` as one tensor; null where the list holds anything else. */
function stacked(list: string): string | null {
  const parts = list.startsWith("[") ? commaSeparated(list, 1, list.length - 1).map(({ start, end }) => /^(.*)\.item\(\)(?: as number)?$/s.exec(list.slice(start, end))?.[1]) : [];
  return parts.length > 0 && parts.every((part) => part !== undefined) ? `torch.stack([${parts.join(", ")}])` : null;
}

/** A loss of gradients that were computed without a graph of their own. */
function ofGradients(trace: Trace): Found[] {
  return [...trace.ends.values()].filter(({ error }) => noGraph.test(error?.message ?? "")).flatMap(({ backward: failed }) => {
    const [root] = trace.backwards.get(failed)!.roots;
    const found = root === undefined ? null : unrecordedGradient(trace, root);
    if (found === null) return [];
    const { place } = found;
    const expression = trace.expression(place);
    const at = expression === null || !expression.text.endsWith(")") ? null : expression.end - 1;
    const edits = at === null || expression!.text.includes("{") ? [] : [editOf(trace, place!.file, { start: at, end: at }, `${expression!.arguments.length > 0 ? ", " : ""}{ create_graph: true }`)];
    const name = trace.nameOf(root);
    return [{
      message: `${name} is computed from a gradient that has no graph`, culprit: culpritAt(trace, place), tensor: name,
      why: `${expression?.text ?? "backward"} did not record how the gradient was computed, so nothing can be differentiated through it`,
      fix: { text: "record the backward itself: create_graph: true", edits },
    }];
  });
}

export const graphCut: Rule = {
  id: "graph-cut",
  title: "The graph is cut between a leaf and the loss",
  severity: "error",
  certainty: 0.9,
  changesLoss: false,
  why: `The value of the loss depends on the leaf, but the way back is cut: by detach or .data, by item(), tolist() or a typed array,
by making a new tensor out of an old one's numbers, by a comparison, argmax or a cast to integers, or because recording was off.
backward then fails, or leaves the leaf's .grad null and says nothing.`,
  fix: `Stay in recorded ops on float tensors all the way from the leaf to the loss.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3).detach();
const loss = hidden.add(b).pow(2).sum();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1.5, 2.5], { requires_grad: true });
const b = torch.tensor([0.5, 0.25], { requires_grad: true });
const hidden = w.mul(3);
const loss = hidden.add(b).pow(2).sum();
loss.backward();
`,
  detect(trace) {
    if (replacements(trace).length > 0) return [];
    const cuts = new Map<string, { cut: Flow; root: number; leaves: number[] }>();
    for (const { leaf, root } of severed(trace)) {
      const cut = cutBetween(trace, leaf, root);
      if (cut === null) continue;
      const culprit = culpritOfCut(trace, cut);
      const key = culprit === null ? String(leaf) : `${culprit.file}:${culprit.line}:${culprit.column}`;
      cuts.set(key, { ...(cuts.get(key) ?? { cut, root }), leaves: [...(cuts.get(key)?.leaves ?? []), leaf] });
    }
    const found = [...cuts.values()].map(({ cut, root, leaves }): Found => {
      const through = cut.read === null && cut.op?.name === "detach" ? straightThrough(trace, leaves[0]) : null;
      const { why, fix, edits } = through === null ? { ...words(trace, cut), edits: uncut(trace, cut) } : wordsOnPurpose(trace, cut, through);
      const names = namesOf(trace, leaves);
      return {
        message: `no gradient comes back to ${names}`, culprit: culpritOfCut(trace, cut), tensor: trace.nameOf(leaves[0]),
        why: `${trace.nameOf(root)} is computed from ${names}, but ${why}`,
        fix: { text: fix, edits },
      };
    });
    return found.length > 0 ? found : ofGradients(trace);
  },
};
