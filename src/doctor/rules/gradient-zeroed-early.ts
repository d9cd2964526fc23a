import { apart, culpritOfCall } from "./callers.ts";
import { lineOf, namesOf } from "./describe.ts";
import type { AccumulateEvent, OpEvent, Place, ReadEvent, WriteEvent } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import { fatalReading } from "./gradient-not-there.ts";
import { beside, moved, removed, statementOf } from "./statements.ts";
import { gradientsOf, takersOf, updatesOf } from "./updates.ts";
import type { Edit, Found, Rule } from "./rule.ts";

/** An update of a leaf by a gradient that was reset after backward had filled it: by a write of zeros, or to null. */
interface Idle {
  readonly leaf: number;
  readonly filled: AccumulateEvent;
  readonly zeroed: OpEvent | ReadEvent;
  /** The calls that led to the write and to the update. */
  readonly zeroing: Place | null;
  readonly updating: Place | null;
}

function isZeroing(trace: Trace, { op }: WriteEvent): boolean {
  const values = trace.ops.get(op)!.values[0];
  return values !== undefined && values.numel > 0 && values.zero === values.numel;
}

/** The writes of zeros to gradients. */
function zeroingsOf(trace: Trace, grads: ReadonlySet<number>): WriteEvent[] {
  const storages = new Set([...grads].map((grad) => trace.tensors.get(grad)!.storage));
  return trace.writes.filter((write) => storages.has(write.storage) && isZeroing(trace, write));
}

/** A round: the time from one gradient's arrival at a leaf until the next. */
interface Round {
  readonly filled: AccumulateEvent;
  has(event: ReadEvent | OpEvent): boolean;
}

function roundsOf(trace: Trace, leaf: number): Round[] {
  const events = trace.accumulations.filter(({ tensor }) => tensor === leaf);
  return events.map((filled, i) => ({
    filled, has: (event) => trace.isBefore(filled, event) && (events[i + 1] === undefined || trace.isBefore(event, events[i + 1])),
  }));
}

function idleUpdate(trace: Trace, leaf: number): Idle | null {
  const grads = gradientsOf(trace, leaf);
  const zeroings = zeroingsOf(trace, grads);
  if (zeroings.length === 0) return null;
  for (const update of updatesOf(trace, leaf)) {
    const filled = trace.accumulations.findLast((event) => event.tensor === leaf && trace.isBefore(event, update));
    const write = filled === undefined ? undefined : zeroings.find((w) => trace.isBefore(filled, w) && trace.isBefore(w, update));
    if (filled === undefined || write === undefined || filled.values.zero === filled.values.numel) continue;
    // A copy that was taken before is no zero.
    const takers = takersOf(trace, update, grads);
    if (takers.length === 0 || takers.some((op) => trace.isBefore(op, write))) continue;
    const zeroed = trace.userOp(trace.ops.get(write.op)!);
    const [zeroing, updating] = apart(zeroed, update);
    return { leaf, filled, zeroed, zeroing, updating };
  }
  return null;
}

/** An update that looks for the gradient and passes over the leaf, for it was set to null before anybody had read it. */
function skippedUpdate(trace: Trace, leaf: number): Idle | null {
  const reads = trace.reads.filter(({ tensor, how }) => tensor === leaf && (how === "grad" || how === "reset"));
  if (reads.some(({ result }) => result !== null) || fatalReading(trace) !== null) return null;
  for (const { filled, has } of roundsOf(trace, leaf)) {
    const within = reads.filter(has);
    const [zeroed, update] = [within[0], within.find(({ how }) => how === "grad")];
    if (zeroed?.how !== "reset" || update === undefined) continue;
    const [zeroing, updating] = apart(zeroed, update);
    return { leaf, filled, zeroed, zeroing, updating };
  }
  return null;
}

/** Updates that come every few rounds, of which a reset in each round leaves the last gradient alone. */
interface Dropped {
  readonly leaf: number;
  readonly filled: AccumulateEvent;
  readonly every: number;
  readonly reset: ReadEvent | OpEvent;
  readonly zeroing: Place | null;
  readonly updating: Place | null;
}

function droppedBetween(trace: Trace, leaf: number): Dropped | null {
  const given = roundsOf(trace, leaf);
  const places = new Set(given.map(({ filled }) => placeKey(trace.backwards.get(filled.backward)!.place)));
  const updates = updatesOf(trace, leaf);
  if (places.size !== 1 || updates.length < 2) return null;
  const resets = resetsOf(trace, leaf);
  const rounds = given.map(({ has }) => ({ update: updates.find(has), reset: resets.find(has) }));
  const every = rounds.findIndex(({ update }) => update !== undefined) + 1;
  // A sum over rounds is meant where updates come at regular intervals.
  const isRegular = every > 1 && rounds.length >= 2 * every && rounds.every(({ update, reset }, i) => (update !== undefined) === ((i + 1) % every === 0) && (reset !== undefined || i === rounds.length - 1));
  const [{ reset }, { update }] = [rounds[0], rounds[every - 1] ?? rounds[0]];
  if (!isRegular || reset === undefined || update === undefined) return null;
  const [zeroing, updating] = apart(reset, update);
  return { leaf, filled: given[0].filled, every, reset, zeroing, updating };
}

/** The resets of a leaf's gradient, to null or by a write of zeros. */
function resetsOf(trace: Trace, leaf: number): (ReadEvent | OpEvent)[] {
  const writes = zeroingsOf(trace, gradientsOf(trace, leaf)).map(({ op }) => trace.userOp(trace.ops.get(op)!));
  return [...trace.reads.filter(({ tensor, how }) => tensor === leaf && how === "reset"), ...writes];
}

/** Several leaves that one line resets are one finding. */
function foundDropped(trace: Trace, leaves: readonly number[]): Found[] {
  const all = leaves.flatMap((leaf) => droppedBetween(trace, leaf) ?? []);
  return [...grouped(all, ({ zeroing }) => placeKey(zeroing)).values()].map((each): Found => {
    const [{ filled, every, reset, zeroing, updating }] = each;
    const names = namesOf(trace, each.map(({ leaf }) => leaf));
    const culprit = culpritOfCall(trace, zeroing, reset);
    const statement = statementOf(trace, zeroing);
    return {
      message: `of the gradients of ${names}, the update uses one in ${every}`, culprit, tensor: trace.nameOf(each[0].leaf),
      why: `${lineOf(trace.backwards.get(filled.backward)!.place, zeroing?.file)} fills them in each round, and ${lineOf(updating, zeroing?.file)} updates in each ${every === 2 ? "second" : every === 3 ? "third" : `${every}th`}; ${lineOf(zeroing)}, ${culprit?.op ?? "a reset"}, drops what the rounds between had added up`,
      fix: { text: `reset only after an update: move ${lineOf(zeroing)} behind ${lineOf(updating, zeroing?.file)}`, edits: statement === null || statement.file !== updating?.file ? [] : [removed(trace, statement), ...beside(trace, updating, statement.text)] },
    };
  });
}

/** The lines that zero come after those that update, each once. */
function later(trace: Trace, found: readonly Idle[]): Edit[] {
  const lines = new Map(found.map((idle) => [placeKey(idle.zeroing), idle]));
  return [...lines.values()].flatMap(({ zeroing, updating }) => moved(trace, statementOf(trace, zeroing), statementOf(trace, updating)));
}

export const gradientZeroedEarly: Rule = {
  id: "gradient-zeroed-early",
  title: "A gradient that is set to zero before the update uses it",
  severity: "error",
  certainty: 0.95,
  changesLoss: true,
  why: `backward fills .grad, the update reads it, and only then it may be reset. Where it is set to zero in between, each update subtracts
zeros, and one that leaves out what has no gradient leaves out all: nothing is learned, and nothing is said. Where several rounds are to be added
up before an update, a reset in each of them leaves the last alone.`,
  fix: `The order of a step is: backward, update, reset; or reset, backward, update.`,
  bad: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  w.grad!.zero_();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
}
`,
  good: `import * as torch from "leafgrad";

const w = torch.tensor([1, 2], { requires_grad: true });
for (let step = 0; step < 3; step++) {
  const loss = w.pow(2).sum();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.1)));
  w.grad!.zero_();
}
`,
  detect(trace) {
    const leaves = [...new Set(trace.accumulations.map(({ tensor }) => tensor))].toSorted((a, b) => a - b);
    const found = leaves.flatMap((leaf) => idleUpdate(trace, leaf) ?? skippedUpdate(trace, leaf) ?? []);
    if (found.length === 0) return foundDropped(trace, leaves);
    const [{ zeroed, zeroing, updating, filled }] = found;
    const names = found.map(({ leaf }) => trace.nameOf(leaf));
    const culprit = culpritOfCall(trace, zeroing, zeroed);
    const updates = lineOf(updating, zeroing?.file);
    const isSkipped = zeroed.event === "read";
    const finding: Found = {
      message: `the update of ${names.join(", ")} ${isSkipped ? "finds no gradient" : "subtracts a gradient of zeros"}`, culprit, tensor: names[0],
      why: `${lineOf(trace.backwards.get(filled.backward)!.place, zeroing?.file)} fills ${names[0]}.grad, ${lineOf(zeroing)}, ${culprit?.op ?? "a reset"}, sets it to ${isSkipped ? "null" : "zero"}, and only then ${updates} ${isSkipped ? `looks for it, and passes over ${names[0]}` : `updates ${names[0]} by it`}`,
      fix: { text: `reset the gradient after the update: move ${lineOf(zeroing)} behind ${updates}`, edits: later(trace, found) },
    };
    return [finding];
  },
};
