/** Who wrote, saved and used the memory of each storage, in the order in which it happened. */
import type { Event, NodeEvent, OpEvent, RunEvent, WriteEvent } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";
import { grouped } from "../../trace/group.ts";
import type { Moment, StorageTimeline } from "./page.ts";
import type { Names } from "./names.ts";
import type { Spots } from "./spots.ts";

/** Storages and moments that a page shows at most. */
const mostStorages = 40;
const mostMoments = 80;

export interface Save {
  readonly node: NodeEvent;
  readonly tensor: number;
  readonly storage: number;
  readonly version: number;
  /** The first write after the save and before its use; null where there is none. */
  readonly overwrittenBy: WriteEvent | null;
}

export class Memory {
  readonly saves: readonly Save[];
  private readonly trace: Trace;
  private readonly order: ReadonlyMap<Event, number>;
  private readonly writes: ReadonlyMap<number, readonly WriteEvent[]>;

  constructor(trace: Trace) {
    this.trace = trace;
    this.order = new Map(trace.events.map((event, i) => [event, i]));
    this.writes = grouped(trace.writes, ({ storage }) => storage);
    const lastUse = this.lastUses();
    this.saves = [...trace.nodes.values()].flatMap((node) => node.saved.map((saved) => ({ node, ...saved, overwrittenBy: this.writeBetween(saved.storage, node, lastUse.get(node.node)) })));
  }

  /** The number of writes that a tensor's memory has seen. */
  versionOf(tensor: number): number {
    return this.writes.get(this.trace.tensors.get(tensor)!.storage)?.at(-1)?.version ?? 0;
  }

  /** When each node last ran, or would have. */
  private lastUses(): Map<number, number> {
    const uses = new Map<number, number>();
    for (const run of this.trace.runs.values()) uses.set(run.node, this.order.get(run)!);
    for (const end of this.trace.ends.values()) if (end.node !== null) uses.set(end.node, this.order.get(end)!);
    return uses;
  }

  private writeBetween(storage: number, node: NodeEvent, use: number | undefined): WriteEvent | null {
    if (use === undefined) return null;
    const after = this.order.get(node)!;
    return (this.writes.get(storage) ?? []).find((w) => this.order.get(w)! > after && this.order.get(w)! < use) ?? null;
  }

  timelines(names: Names, spots: Spots): StorageTimeline[] {
    const conflicts = new Set(this.saves.flatMap(({ overwrittenBy, storage }) => (overwrittenBy === null ? [] : [storage])));
    const saved = new Set(this.saves.map(({ storage }) => storage));
    // Memory that was lost comes first, then what was written and saved, then what was written.
    const rank = (storage: number): number => (conflicts.has(storage) ? 0 : saved.has(storage) ? 1 : 2);
    const shown = [...new Set([...conflicts, ...this.userWrites().map(({ storage }) => storage)])].toSorted((a, b) => rank(a) - rank(b)).slice(0, mostStorages);
    const tellers = this.tellers(new Set(shown), names, spots);
    return shown.map((storage) => {
      const moments = tellers.get(storage) ?? [];
      const tensor = [...this.trace.tensors.values()].find((t) => t.storage === storage)!.tensor;
      return { storage, name: names.tensor(tensor), conflict: conflicts.has(storage), moments: moments.slice(0, mostMoments), left: Math.max(0, moments.length - mostMoments) };
    });
  }

  /** What backward itself writes, sums of gradients, is no news. */
  private userWrites(): WriteEvent[] {
    let depth = 0;
    return this.trace.events.filter((event) => {
      if (event.event === "backward") depth++;
      if (event.event === "backward-end") depth--;
      return event.event === "write" && depth === 0;
    }) as WriteEvent[];
  }

  /** One walk over the events that gives the moments of all these storages. */
  private tellers(storages: ReadonlySet<number>, names: Names, spots: Spots): Map<number, Moment[]> {
    const told = new Map<number, Moment[]>([...storages].map((storage) => [storage, []]));
    const add = (storage: number, moment: Omit<Moment, "spot">, op: OpEvent | null | undefined): void => {
      told.get(storage)?.push({ ...moment, spot: spots.of(names.placeOfOp(op)) });
    };
    const savesOf = grouped(this.saves, ({ node }) => node);
    const harmful = new Map<WriteEvent, Save>();
    for (const save of this.saves) if (save.overwrittenBy !== null && !harmful.has(save.overwrittenBy)) harmful.set(save.overwrittenBy, save);
    const seen = new Set<number>();
    const use = (node: NodeEvent, kind: "used" | "refused"): void => {
      const op = this.trace.opOf(node.node);
      for (const save of savesOf.get(node) ?? []) {
        const harm = save.overwrittenBy === null ? null : `needs version ${save.version}, which is gone`;
        const verb = kind === "used" ? "backward reads it" : "backward refuses it";
        add(save.storage, { kind: harm === null ? "used" : kind, text: `${verb} for ${op === null ? node.name : names.call(op)}`, version: save.version, harm }, op);
      }
    };
    for (const event of this.trace.events) {
      if (event.event === "op") {
        for (const output of event.outputs) {
          const { storage } = this.trace.tensors.get(output)!;
          if (seen.has(storage) || !storages.has(storage)) continue;
          seen.add(storage);
          add(storage, { kind: "made", text: `${names.call(event)} makes it`, version: 0, harm: null }, event);
        }
      } else if (event.event === "node") {
        const op = this.trace.opOf(event.node);
        for (const { storage, version, tensor } of event.saved) add(storage, { kind: "saved", text: `${op === null ? event.name : names.call(op)} saves ${names.tensor(tensor)}`, version, harm: null }, op);
      } else if (event.event === "write") {
        const op = this.trace.ops.get(event.op)!;
        const lost = harmful.get(event);
        add(event.storage, { kind: "written", text: `${names.call(op)} writes`, version: event.version, harm: lost === undefined ? null : `version ${lost.version} is lost, and ${lost.node.name} has saved it` }, op);
      } else if (event.event === "run") use(this.trace.nodes.get((event as RunEvent).node)!, "used");
      else if (event.event === "backward-end" && event.node !== null) use(this.trace.nodes.get(event.node)!, "refused");
    }
    return told;
  }
}
