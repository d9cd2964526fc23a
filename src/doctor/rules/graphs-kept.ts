/** Results of all rounds that a program keeps although their graphs have served. */
import { numeric } from "./cuts.ts";
import { culpritAt, culpritOf, editOf, lineOf } from "./describe.ts";
import type { Event, OpEvent, ReadEvent } from "../trace/events.ts";
import { grouped } from "../trace/group.ts";
import { assignedName } from "../trace/names.ts";
import { placeAt, placeKey, type Span } from "../trace/source.ts";
import type { Trace } from "../trace/trace.ts";
import type { Found } from "./rule.ts";

/** So many rounds whose results are all there at once are no chance. */
const rounds = 3;

/** What one line made in each round, was run backward, and was used again after the last round. */
interface Kept {
  readonly maker: OpEvent;
  readonly tensors: readonly number[];
  /** The first use of the first. */
  readonly use: OpEvent | ReadEvent;
}

/** The uses of tensors that still had a graph. */
function usesOf(trace: Trace): Map<number, (OpEvent | ReadEvent)[]> {
  const ops = [...trace.ops.values()].filter(({ within, run }) => within === null && run === null).flatMap((use) => use.inputs.map((tensor) => ({ tensor, use })));
  const reads = trace.reads.filter(({ how, requires_grad }) => requires_grad && (how === "print" || numeric.has(how))).map((use) => ({ tensor: use.tensor, use }));
  return new Map([...grouped<{ tensor: number; use: OpEvent | ReadEvent }, number>([...ops, ...reads], ({ tensor }) => tensor)].map(([tensor, list]) => [tensor, list.map(({ use }) => use)]));
}

function keptGraphs(trace: Trace): Kept[] {
  const uses = usesOf(trace);
  const ends = new Map<number, Event>();
  for (const { node, backward } of trace.runs.values()) if (!ends.has(node) && trace.ends.has(backward)) ends.set(node, trace.ends.get(backward)!);
  const made = [...trace.ops.values()].flatMap((op) => {
    const end = op.run !== null || op.node === null ? undefined : ends.get(op.node);
    return end === undefined || op.inplace ? [] : op.outputs.map((tensor) => ({ tensor, end, maker: trace.userOp(op) }));
  });
  return [...grouped(made, ({ maker }) => placeKey(maker.place)).values()].flatMap((series): Kept[] => {
    const isLoop = series.length >= rounds && series.every(({ maker }, i) => i === 0 || trace.isBefore(series[i - 1].end, maker));
    if (!isLoop) return [];
    const last = series[series.length - 1];
    const late = series.map(({ tensor }) => uses.get(tensor)?.find((use) => trace.isBefore(last.end, use)));
    const isKept = late.every((use) => use !== undefined);
    return isKept ? [{ maker: last.maker, tensors: series.map(({ tensor }) => tensor), use: late[0]! }] : [];
  });
}

/** Where what a call made is put away: `losses.push(step(x))`, or after `const loss = step(x)`, `losses.push(loss)`, `log.push({ epoch, loss })`, `losses[i] = loss`. */
function storing(trace: Trace, { place, callers }: OpEvent): { file: string; call: number; span: Span; text: string } | null {
  for (const at of [place, ...callers]) {
    const expression = trace.expression(at);
    if (at === null || expression === null) continue;
    const source = trace.sources.get(at.file)!;
    const text = source.slice(expression.start, expression.end);
    const around = /(push|unshift|add)\(\s*$/.exec(source.slice(0, expression.start));
    if (around !== null) return { file: at.file, call: around.index, span: expression, text: `${text}.detach()` };
    const name = assignedName(source, expression);
    const stored = name === null || !/^[\w$]+$/.test(name) ? null : new RegExp(`(?:(?<=\\.)(?:push|unshift|add|set)\\((?:[^();]*[,{:]\\s*)?|\\]\\s*=\\s*)(?=${name}\\s*[,}\\]);])`).exec(source.slice(expression.end));
    if (stored === null) continue;
    const call = expression.end + stored.index;
    const start = call + stored[0].length;
    const isShort = /\{[^}:]*$|\{.*,\s*$/s.test(stored[0]);
    return { file: at.file, call, span: { start, end: start + name!.length }, text: isShort ? `${name}: ${name}.detach()` : `${name}.detach()` };
  }
  return null;
}

/** A finding for each line whose results are kept with their graphs. */
export function keptFindings(trace: Trace): Found[] {
  return keptGraphs(trace).map(({ maker, tensors, use }) => {
    const name = trace.nameOf(tensors[0]);
    const stored = storing(trace, maker);
    const culprit = stored === null ? culpritOf(trace, maker) : culpritAt(trace, { file: stored.file, ...placeAt(trace.sources.get(stored.file)!, stored.call) });
    return {
      message: `the graphs of ${tensors.length} rounds are kept with ${name}`, culprit, tensor: name,
      why: `${lineOf(use.place, culprit?.file)} uses what ${lineOf(maker.place, culprit?.file)}, ${trace.callText(maker)}, made in ${tensors.length} rounds; each still holds its graph, though backward has been through it`,
      fix: { text: `keep a number, ${name}.item(), or what has no graph: ${stored?.text ?? `${name}.detach()`}`, edits: stored === null ? [] : [editOf(trace, stored.file, stored.span, stored.text)] },
    };
  });
}
