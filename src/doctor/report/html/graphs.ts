/** The backward graphs of a trace, with what is known of each node. */
import type { BackwardEvent, NodeEvent, RunEvent, Values } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";
import { grouped } from "./group.ts";
import type { Memory, Save } from "./memory.ts";
import type { Names } from "./names.ts";
import type { Graph, GraphNode, LeafNorms, Stats } from "./page.ts";
import type { Spots } from "./spots.ts";

/** Leaves in the chart of norms over backwards. */
const mostLeaves = 12;

/** A call of backward; null for a graph that no backward went through. */
export type Source = BackwardEvent | null;

/** The calls of backward that went somewhere, or null where there was none. */
export function graphSources(trace: Trace): Source[] {
  const sources = [...trace.backwards.values()].filter(({ nodes }) => nodes.some((node) => node !== null));
  return sources.length > 0 ? sources : trace.nodes.size > 0 ? [null] : [];
}

/** The nodes below the roots. */
export function reached(trace: Trace, source: Source): { roots: number[]; ids: Set<number> } {
  const targets = new Set([...trace.nodes.values()].flatMap(({ next }) => next));
  const roots = source === null ? [...trace.nodes.keys()].filter((id) => !targets.has(id)) : source.nodes.filter((node) => node !== null);
  const ids = new Set(roots);
  for (const id of ids) for (const next of trace.nodes.get(id)?.next ?? []) if (next !== null) ids.add(next);
  return { roots, ids };
}

export class Graphs {
  private readonly trace: Trace;
  private readonly names: Names;
  private readonly spots: Spots;
  private readonly memory: Memory;
  private readonly savesOf: Map<NodeEvent, Save[]>;
  private readonly savers: Map<number, Save[]>;
  private readonly runs = new Map<string, { run: RunEvent; order: number }>();

  constructor(trace: Trace, names: Names, spots: Spots, memory: Memory) {
    this.trace = trace;
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
    // Nodes are told of after those that they lead to.
    const nodes = [...this.trace.nodes.values()].filter(({ node }) => ids.has(node)).map((node) => this.node(node, source));
    return { label: this.label(source), roots, nodes };
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
      isLeaf: event.accumulates !== null,
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

const isSick = (values: Values | null): boolean => values !== null && values.nan + values.inf > 0;

function statsOf(values: Values | null): Stats | null {
  if (values === null) return null;
  const { nonfinite: _, ...stats } = values;
  return stats;
}
