import { culpritOf, lineOf } from "./describe.ts";
import { leaking } from "./magnitude-repairs.ts";
import type { OpEvent } from "../trace/events.ts";
import { placeKey } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found, Rule } from "./rule.ts";
import { slower } from "./slower.ts";

/** Rounds of training that tell, and how many rows must have come to a unit since it last gave something. */
const least = { rounds: 4, rows: 8 };
/** The share of the units that were alive which is no longer a matter of chance. */
const share = 0.5;

interface Death {
  readonly op: OpEvent;
  readonly died: readonly number[];
  readonly units: number;
  /** The last round, from 0, in which one of them gave something. */
  readonly lastAlive: number;
  readonly after: OpEvent;
}

/** The calls of each line, one for each backward. */
function callsByLine(trace: Trace): OpEvent[][] {
  const lines = new Map<string, OpEvent[]>();
  const backwards = [...trace.backwards.values()];
  for (const op of trace.ops.values()) {
    if (!/^relu6?$/.test(op.name) || op.within !== null || op.node === null) continue;
    const key = placeKey(op.place);
    const calls = lines.get(key);
    if (calls === undefined) lines.set(key, [op]);
    else if (backwards.some((b) => trace.isBefore(calls[calls.length - 1], b) && trace.isBefore(b, op))) calls.push(op);
  }
  return [...lines.values()];
}

const convolutions = /^(conv\w*|batch_norm|instance_norm|group_norm|max_pool\w*|avg_pool\w*)$/;

/** Is a unit a channel, in the second dimension? Where a convolution made the input, whatever was added to it on the way. */
function ofChannels(trace: Trace, { outputs, inputs }: OpEvent): boolean {
  const { shape } = trace.tensors.get(outputs[0])!;
  if (shape.length < 3) return false;
  const seen = new Set(inputs);
  for (const tensor of seen) {
    const maker = trace.makerOf(tensor);
    if (maker === null || String(trace.tensors.get(tensor)!.shape) !== String(shape)) continue;
    if (convolutions.test(maker.name)) return true;
    maker.inputs.forEach((input) => seen.add(input));
  }
  return false;
}

function deathIn(trace: Trace, calls: readonly OpEvent[]): Death | null {
  if (calls.length < least.rounds) return null;
  const { shape } = trace.tensors.get(calls[0].outputs[0])!;
  const isOfChannels = ofChannels(trace, calls[0]);
  const units = shape[isOfChannels ? 1 : shape.length - 1] ?? 1;
  const rows = shape.reduce((product, size) => product * size, 1) / units;
  const idle = calls.map((op) => new Set(isOfChannels ? op.idle_channels : op.idle));
  const [first, last] = [idle[0], idle[idle.length - 1]];
  const lastAlive = (unit: number): number => idle.findLastIndex((places) => !places.has(unit));
  const died = [...last].filter((unit) => !first.has(unit) && (calls.length - 1 - lastAlive(unit)) * rows >= least.rows && lastAlive(unit) < calls.length / 2);
  if (died.length === 0 || died.length < share * (units - first.size)) return null;
  const end = Math.max(...died.map(lastAlive));
  if (!isMissed(trace, calls.slice(end + 1))) return null;
  return { op: calls[0], died, units, lastAlive: end, after: calls[end + 1] };
}

/** Does a loss ask for more of what a unit gives? A hinge of which nothing is left is where its loss wants it. */
function isMissed(trace: Trace, calls: readonly OpEvent[]): boolean {
  const nodes = new Set(calls.map(({ node }) => node));
  return [...trace.runs.values()].some(({ node, grads: [grad] }) => nodes.has(node) && grad != null && grad.min < 0);
}

/** The first write to a leaf between two calls. */
function updateBefore(trace: Trace, after: OpEvent, before: OpEvent): OpEvent | null {
  const write = trace.writes.find((w) => trace.isBefore(before, w) && trace.isBefore(w, after) && trace.accumulatorOf(w.tensor) !== null);
  return write === undefined ? null : trace.userOp(trace.ops.get(write.op)!);
}

export const reluDies: Rule = {
  id: "relu-dies",
  title: "Units of a relu that die while training",
  severity: "warning",
  certainty: 0.75,
  changesLoss: true,
  why: `An update that is too large can push a unit so far that what goes into its relu is negative for every sample. From then on it gives 0, its
slope is 0, its weights get no gradient, and nothing brings it back.`,
  fix: `Take a smaller learning rate, or an activation with a slope on both sides: leaky_relu, elu, gelu.`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([[1, 2], [2, 1], [1, 1]]);
const w = torch.tensor([[0.5, 0.2], [0.3, 0.4]], { requires_grad: true });
for (let step = 0; step < 8; step++) {
  const hidden = x.matmul(w).relu();
  const loss = hidden.sum(1).sub(0.5).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.3)));
  w.grad = null;
}
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([[1, 2], [2, 1], [1, 1]]);
const w = torch.tensor([[0.5, 0.2], [0.3, 0.4]], { requires_grad: true });
for (let step = 0; step < 8; step++) {
  const hidden = x.matmul(w).relu();
  const loss = hidden.sum(1).sub(0.5).pow(2).mean();
  loss.backward();
  torch.no_grad(() => w.sub_(w.grad!.mul(0.03)));
  w.grad = null;
}
`,
  detect: (trace) =>
    callsByLine(trace).flatMap((calls): Found[] => {
      const death = deathIn(trace, calls);
      if (death === null) return [];
      const { op, died, units, lastAlive, after } = death;
      const update = updateBefore(trace, after, calls[lastAlive]);
      const which = died.length === units ? `all ${units} units` : `${died.length} of ${units} units`;
      const slow = update === null ? null : slower(trace, update, 10);
      const because = update === null ? "" : `, after the update of ${lineOf(update.place, op.place?.file)}, ${trace.callText(update)}`;
      return [{
        message: `${which} of ${trace.callText(op)} die while training`, culprit: culpritOf(trace, op), tensor: trace.nameOf(op.outputs[0]),
        why: `they give 0 for every sample from round ${lastAlive + 2} of ${calls.length} on${because}: their slope is 0, and no update brings them back`,
        fix: {
          text: "a smaller learning rate, or a slope on both sides: leaky_relu", edits: leaking(trace, op)?.edits ?? [],
          others: slow === null ? [] : [{ text: `a smaller learning rate, ${slow.text}, or a slope on both sides: leaky_relu`, edits: slow.edits }],
        },
      }];
    }),
};
