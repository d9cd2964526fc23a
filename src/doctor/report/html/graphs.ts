/** The backward graphs of a trace, with what is known of each node. */
import type { BackwardEvent, NodeEvent, RunEvent, Values } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";
import type { Cut, Cuts } from "./cuts.ts";
import { grouped } from "../../trace/group.ts";
import type { Memory, Save } from "./memory.ts";
import type { Names } from "./names.ts";
import type { Graph, GraphNode, LeafNorms, Stats } from "./page.ts";
import type { Spots } from "./spots.ts";

/** Leaves in the chart of norms over backwards. */
const mostLeaves = 12;

/** A call of backward; null for a graph that no backward went through. */
export type Source = BackwardEvent | null;

/** The calls of backward that went somewhere, or null where there was none. */
export function graphSources(trace: Trace, cuts: Cuts | null = null): Source[] {
  const sources = [...trace.backwards.values()].filter(({ nodes }) => nodes.some((node) => node !== null));
  return sources.length > 0 ? sources : trace.nodes.size > 0 || cuts?.isEmpty === false ? [null] : [];
}

interface Reached {
  readonly roots: readonly number[];
  readonly ids: ReadonlySet<number>;
}
const known = new WeakMap<Trace, Map<Source, Reached>>();

/** The nodes below the roots; found once, for each finding asks. */
export function reached(trace: Trace, source: Source): Reached {
  const all = known.get(trace) ?? new Map<Source, Reached>();
  known.set(trace, all);
  let found = all.get(source);
  if (found === undefined) all.set(source, (found = search(trace, source)));
  return found;
}

/** The nodes to which no other leads. */
function unreached(trace: Trace): number[] {
  const targets = new Set([...trace.nodes.values()].flatMap(({ next }) => next));
  return [...trace.nodes.keys()].filter((id) => !targets.has(id));
}

function search(trace: Trace, source: Source): Reached {
  const roots = source === null ? unreached(trace) : source.nodes.filter((node) => node !== null);
  return { roots, ids: trace.nodesBelow(roots) };
}

export class Graphs {
  private readonly trace: Trace;
  private readonly names: Names;
  private readonly spots: Spots;
  private readonly memory: Memory;
  private readonly savesOf: Map<NodeEvent, Save[]>;
  private readonly savers: Map<number, Save[]>;
  private readonly runs = new Map<string, { run: RunEvent; order: number }>();
  private readonly cuts: Cuts;

  constructor(trace: Trace, names: Names, spots: Spots, memory: Memory, cuts: Cuts) {
    this.trace = trace;
    this.cuts = cuts;
    this.names = names;
    this.spots = spots;
    this.memory = memory;
    this.savesOf = grouped(memory.saves, ({ node }) => node);
    this.savers = grouped(memory.saves, ({ storage }) => storage);
    const counts = new Map<number, number>();
    for (const run of trace.runs.values()) {
      const order = counts.get(run.backward) ?? 0;
      counts.set(run.backward, order + 1);
      this.runs.set(`${run.backward}:${run.node}`, { run, order });
    }
  }

  graph(source: Source): Graph {
    const { roots, ids } = reached(this.trace, source);
    const cuts = this.cuts.among(ids);
    const behind = this.trace.nodesBelow(cuts.flatMap((cut) => cut.behind));
    const lost = source === null ? [...new Set(cuts.flatMap(({ losses }) => losses))] : [];
    // Nodes are told of after those that they lead to: what no recorded op knows comes first and last, and a cut before its first user.
    const nodes = [...new Set(cuts.flatMap(({ leaves }) => leaves))].map((leaf) => this.unrecorded(leaf, true, []));
    const waiting = new Set(cuts);
    for (const event of this.trace.nodes.values()) {
      const own = cuts.filter(({ users }) => users.includes(event.node));
      for (const cut of own) if (waiting.delete(cut)) nodes.push(this.cut(cut));
      if (!ids.has(event.node) && !behind.has(event.node)) continue;
      const node = this.node(event, source);
      const isCutOff = !ids.has(event.node) || (source === null && behind.has(event.node));
      nodes.push({ ...node, isCutOff, next: [...node.next, ...own.map(({ id }) => id)], sick: [...node.sick, ...own.map(() => false)] });
    }
    for (const cut of waiting) nodes.push(this.cut(cut));
    for (const loss of lost) nodes.push(this.unrecorded(loss, false, cuts.filter(({ losses }) => losses.includes(loss)).map(({ id }) => id)));
    return { label: this.label(source), roots: lost.length > 0 ? lost.map(unrecordedId) : roots, nodes };
  }

  private cut({ id, flow, place, behind, leaves }: Cut): GraphNode {
    const { trace, names } = this;
    const { op, read, to } = flow;
    const call = read === null ? (op === null ? "" : names.call(op)) : (trace.expression(read.place)?.text ?? `.${read.how}`);
    const told = trace.tensors.get(to)!;
    return {
      ...unconnected, id, label: read?.how ?? op?.name ?? "", type: "no gradient goes back here", call, spot: this.spots.of(place), isCut: true,
      next: [...behind, ...leaves.map(unrecordedId)], sick: [...behind, ...leaves].map(() => false),
      tensor: names.tensor(to), shape: told.shape, dtype: told.dtype, version: this.memory.versionOf(to), value: statsOf(told.values),
    };
  }

  /** A leaf that no recorded op used, or a loss that none made. */
  private unrecorded(tensor: number, isLeaf: boolean, next: readonly number[]): GraphNode {
    const { names } = this;
    const told = this.trace.tensors.get(tensor)!;
    return {
      ...unconnected, id: unrecordedId(tensor), label: names.tensor(tensor), type: isLeaf ? "no recorded op used it" : "no recorded op made it", call: names.tensor(tensor), spot: this.spots.of(names.placeOfTensor(tensor)),
      isLeaf, isCutOff: isLeaf, next, sick: next.map(() => false),
      tensor: names.tensor(tensor), shape: told.shape, dtype: told.dtype, version: this.memory.versionOf(tensor), value: statsOf(told.values),
    };
  }

  private label(source: Source): string {
    if (source === null) return "all that was recorded";
    const line = source.place === null ? "" : `, line ${source.place.line}`;
    return `${source.call} ${source.backward + 1}${line}`;
  }

  private node(event: NodeEvent, source: Source): GraphNode {
    const { trace, names } = this;
    const op = trace.opOf(event.node);
    const tensor = event.accumulates ?? op?.outputs[0] ?? null;
    const told = tensor === null ? null : trace.tensors.get(tensor)!;
    const { run, order } = this.runs.get(`${source?.backward}:${event.node}`) ?? { run: null, order: null };
    // The values of an op in place are told with the op, those of others with their tensor.
    const value = (event.accumulates === null ? op?.values[0] : undefined) ?? told?.values ?? null;
    const grad = run?.grads[0] ?? null;
    const savers = told === null ? [] : (this.savers.get(told.storage) ?? []);
    return {
      id: event.node,
      label: event.accumulates === null ? (op?.name ?? event.name.replace(/Backward\d*$/, "")) : names.tensor(event.accumulates),
      type: event.name,
      call: op === null ? (tensor === null ? event.name : names.tensor(tensor)) : names.call(op),
      spot: this.spots.of(names.placeOfNode(event)),
      isLeaf: event.accumulates !== null, isCut: false, isCutOff: false,
      next: event.next,
      sick: event.next.map((_, edge) => isSick(run?.results[edge] ?? null)),
      tensor: tensor === null ? "" : names.tensor(tensor),
      shape: told?.shape ?? null,
      dtype: told?.dtype ?? "",
      version: tensor === null ? 0 : this.memory.versionOf(tensor),
      value: statsOf(value), grad: statsOf(grad), order,
      saves: (this.savesOf.get(event) ?? []).map((save) => ({ tensor: names.tensor(save.tensor), version: save.version, overwritten: save.overwrittenBy !== null })),
      isSaved: savers.length > 0,
      isOverwritten: savers.some(({ overwrittenBy }) => overwrittenBy !== null),
      isPoisoned: [value, ...(run?.grads ?? []), ...(run?.results ?? [])].some(isSick),
    };
  }

  /** The norms of gradients that arrived at leaves. */
  leafNorms(): LeafNorms {
    const backwards = graphSources(this.trace).filter((source) => source !== null);
    // The node that accumulates may be another in each backward; the leaf stays.
    const norms = new Map<string, number | null>();
    for (const { run } of this.runs.values()) {
      const leaf = this.trace.nodes.get(run.node)!.accumulates;
      const [grad] = run.grads;
      if (leaf !== null && grad) norms.set(`${run.backward}:${leaf}`, isSick(grad) ? null : grad.norm);
    }
    const leaves = [...new Set([...this.trace.nodes.values()].flatMap(({ accumulates }) => accumulates ?? []))].slice(0, mostLeaves);
    return {
      backwards: backwards.map(({ backward }) => backward + 1),
      series: leaves.map((leaf) => ({ name: this.names.tensor(leaf), norms: backwards.map(({ backward }) => norms.get(`${backward}:${leaf}`) ?? null) })),
    };
  }
}

/** The ids of tensors that are shown without a node; those of cuts lie above. */
const unrecordedId = (tensor: number): number => -1_000_000 - tensor;

const unconnected = { isLeaf: false, isCut: false, isCutOff: false, grad: null, order: null, saves: [], isSaved: false, isOverwritten: false, isPoisoned: false };

const isSick = (values: Values | null): boolean => values !== null && values.nan + values.inf > 0;

function statsOf(values: Values | null): Stats | null {
  if (values === null) return null;
  const { nonfinite: _, ...stats } = values;
  return stats;
}
