/** How the norm of a gradient changes from a loss to a leaf, and the line of the program at which it changes most. */
import type { OpEvent } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { isBounded } from "./clipping.ts";
import { culpritOf, pathText } from "./describe.ts";
import { magnitudeFix } from "./magnitude-repairs.ts";
import type { Found, Norm } from "./rule.ts";

/** Changes smaller than this, from loss to leaf, are nobody's fault; the line to blame makes most of it. */
const total = 1e8;
const share = 1e6;

/** A line that a gradient passes: its last op, how often it ran, and by how much it multiplies. */
interface Line {
  readonly op: OpEvent;
  readonly count: number;
  readonly ratio: number;
  /** It is the derivative of the op that is passed: flat, where the op is made of straight pieces. */
  readonly isDerived: boolean;
}

/** The way of a gradient in the first backward that reached a leaf. */
export interface Way {
  readonly leaf: number;
  readonly backward: number;
  readonly norms: readonly Norm[];
  /** The norm at the leaf divided by that at the loss. */
  readonly ratio: number;
  /** The line that changes it most. */
  readonly worst: Line;
  readonly path: readonly string[];
}

/** The ways on which gradients grow, or shrink, beyond measure. */
export function extremeWays(trace: Trace, direction: "grow" | "shrink"): Way[] {
  const seen = new Set<number>();
  return trace.accumulations.flatMap(({ tensor, backward, values }) => {
    if (seen.has(tensor) || values.nan + values.inf > 0) return [];
    seen.add(tensor);
    const way = wayTo(trace, tensor, backward, direction);
    if (way === null || (direction === "shrink" && (isAtMinimum(trace, backward) || way.worst.isDerived))) return [];
    const isExtreme = direction === "grow" ? way.ratio > total && way.worst.ratio > share && !isBounded(trace, tensor, backward) : way.ratio < 1 / total && way.worst.ratio < 1 / share && flattens(trace, way);
    return isExtreme ? [way] : [];
  });
}

/** A loss that is 0 is at its minimum: a margin that is kept, a penalty that is not due. */
function isAtMinimum(trace: Trace, backward: number): boolean {
  const { roots } = trace.backwards.get(backward)!;
  return roots.every((root) => trace.tensors.get(root)!.values.norm === 0);
}

/** Functions that are flat far from zero. */
const saturating = /sigmoid|tanh|softmax|relu|relu6|elu|erf|softsign|hardswish|silu|gelu|mish/;

/** A gradient that is small because a loss is at its minimum is no fault. So one op alone is to blame only where it is known to saturate. */
function flattens(trace: Trace, { worst: { op, count } }: Way): boolean {
  if (count > 2) return true;
  const input = trace.tensors.get(op.inputs[0])?.values;
  // Numbers far below those that a softmax is given are a mask.
  return input !== undefined && (input.min > -1e4 || !/softmax/.test(op.name)) && saturating.test(op.name) && input.norm >= Math.sqrt(input.numel);
}

function wayTo(trace: Trace, leaf: number, backward: number, direction: "grow" | "shrink"): Way | null {
  const root = trace.backwards.get(backward)?.nodes[0] ?? null;
  const runs = new Map([...trace.runs.values()].filter((run) => run.backward === backward).map((run) => [run.node, run]));
  const nodes = root === null ? [] : longWay(trace, root, leaf);
  const grads = nodes.map((node) => runs.get(node)?.grads[0] ?? null);
  if (nodes.length < 2 || grads.some((g) => g === null || g.nan + g.inf > 0)) return null;
  const norms = nodes.map((node, i) => ({ name: nameOf(trace, node), norm: grads[i]!.norm }));
  const lines = new Map<string, Line>();
  nodes.slice(0, -1).forEach((node, i) => {
    const op = trace.opOf(node);
    if (op === null || norms[i].norm === 0) return;
    const user = trace.userOp(op);
    const key = placeKey(user.place);
    const ratio = norms[i + 1].norm / norms[i].norm;
    const before = lines.get(key) ?? { op: user, count: 0, ratio: 1, isDerived: false };
    // The inner ops of one call are one run of the line.
    lines.set(key, { op: user, count: before.count + (before.count === 0 || before.op !== user ? 1 : 0), ratio: before.ratio * ratio, isDerived: before.isDerived || op.run !== null });
  });
  // A large slope may come of large numbers; what explodes is a line that runs again and again.
  const [worst] = direction === "grow" ? [...lines.values()].filter(({ count }) => count > 2).toSorted((a, b) => b.ratio - a.ratio) : [...lines.values()].toSorted((a, b) => a.ratio - b.ratio);
  if (worst === undefined || norms[0].norm === 0) return null;
  return { leaf, backward, norms, ratio: norms[norms.length - 1].norm / norms[0].norm, worst, path: pathText(trace, backward, root, leaf) };
}

/** From a root to a leaf, going to the leaf itself as late as can be: a weight that is used at each step is reached by all of them. */
function longWay(trace: Trace, root: number, leaf: number): number[] {
  const target = trace.accumulatorOf(leaf)?.node ?? null;
  const leads = new Map<number, boolean>();
  const way = trace.path(root, root, leaf);
  for (let at = way[way.length - 2]; at !== undefined; ) {
    const next: number | undefined = (trace.nodes.get(at)!.next as number[]).find((node) => node !== null && node !== target && reaches(trace, node, target, leads));
    if (next === undefined) break;
    way.splice(way.length - 1, 0, next);
    at = next;
  }
  return way;
}

/** Does a node lead to another? Without recursion, for graphs are deep. */
function reaches(trace: Trace, from: number, target: number | null, known: Map<number, boolean>): boolean {
  const stack = [from];
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    const open = trace.nodes.get(node)!.next.filter((next): next is number => next !== null && next !== target && !known.has(next));
    if (open.length > 0) {
      stack.push(...open);
      continue;
    }
    known.set(node, trace.nodes.get(node)!.next.some((next) => next !== null && (next === target || known.get(next) === true)));
    stack.pop();
  }
  return known.get(from)!;
}

function nameOf(trace: Trace, node: number): string {
  const { accumulates, name } = trace.nodes.get(node)!;
  return accumulates === null ? (trace.opOf(node)?.name ?? name) : trace.nameOf(accumulates);
}

const times = (x: number): string => (x === 0 ? "0" : x >= 0.1 && x < 1000 ? String(Number(x.toPrecision(2))) : x.toExponential(1).replace("e+", "e"));

/** One finding for each line to blame, with all the leaves that suffer from it. */
export function magnitudeFindings(trace: Trace, direction: "grow" | "shrink"): Found[] {
  const byLine = grouped(extremeWays(trace, direction), ({ worst }) => placeKey(worst.op.place));
  return [...byLine.values()].map((ways): Found => {
    // The leaf that is farthest away tells most.
    const [way] = ways.toSorted((a, b) => b.worst.count - a.worst.count);
    const { worst, norms, ratio, path, leaf } = way;
    const names = [...new Set(ways.map((way) => trace.nameOf(way.leaf)))].join(", ");
    const often = worst.count === 1 ? "" : ` in ${worst.count} runs, ${times(worst.ratio ** (1 / worst.count))} each`;
    const verb = direction === "grow" ? "explodes" : ratio === 0 ? "is zero" : "vanishes";
    return {
      message: `the gradient of ${names} ${verb}: ${ratio === 0 ? "nothing is left" : times(ratio)} of what starts at the loss`, culprit: culpritOf(trace, worst.op), tensor: trace.nameOf(leaf), path: path.length > 24 ? [] : path, norms,
      where: `in the backward of ${worst.op.name}`,
      why: `this line multiplies the norm of the gradient by ${times(worst.ratio)}${often}; from ${times(norms[0].norm)} at the loss to ${times(norms[norms.length - 1].norm)} at ${trace.nameOf(leaf)}`,
      fix: magnitudeFix(trace, way, direction, ways.map(({ leaf: each }) => each)),
    };
  });
}
