/** Cuts that findings speak of, as nodes between what uses the value and what it was computed from. */
import type { Finding } from "../../rules/rule.ts";
import type { Place } from "../../trace/events.ts";
import { placeAt, placeKey } from "../../trace/source.ts";
import type { Flow, Trace } from "../../trace/trace.ts";

export interface Cut {
  /** Ids of cuts are negative, for no node of the trace has them. */
  readonly id: number;
  readonly flow: Flow;
  readonly place: Place | null;
  /** The nodes that use what came over the cut, and those behind it, to which no gradient comes. */
  readonly users: readonly number[];
  readonly behind: readonly number[];
  /** A leaf behind it that no recorded op used, and a loss before it that no recorded op made: they have no nodes. */
  readonly leaves: readonly number[];
  readonly losses: readonly number[];
}

const noFlows: Trace["flows"] = { into: new Map(), outOf: new Map() };

export class Cuts {
  private readonly trace: Trace;
  private readonly flows: readonly Flow[];
  private readonly into: ReadonlyMap<number, Flow[]>;
  private readonly outOf: ReadonlyMap<number, Flow[]>;
  private readonly roots: ReadonlySet<number>;

  constructor(trace: Trace, findings: readonly Finding[]) {
    this.trace = trace;
    const blamed = new Set(findings.flatMap(({ culprit }) => (culprit === null ? [] : [placeKey(culprit)])));
    const { into, outOf } = blamed.size === 0 ? noFlows : trace.flows;
    this.into = into;
    this.outOf = outOf;
    this.flows = [...into.values()].flat().filter((flow) => flow.cut && blamed.has(this.culpritKey(flow)));
    this.roots = new Set([...trace.backwards.values()].flatMap(({ roots }) => roots));
  }

  get isEmpty(): boolean {
    return this.flows.length === 0;
  }

  /** The place of a cut as culprits tell it: where the called name stands. */
  private culpritKey(flow: Flow): string {
    const place = placeOf(this.trace, flow);
    const expression = this.trace.expression(place);
    if (place === null || expression === null) return "";
    return placeKey({ file: place.file, ...placeAt(this.trace.sources.get(place.file)!, expression.name) });
  }

  private readonly known = new WeakMap<ReadonlySet<number>, Cut[]>();

  /** The cuts below the nodes of a graph, one for each line; found once, for each finding asks. */
  among(ids: ReadonlySet<number>): Cut[] {
    let cuts = this.known.get(ids);
    if (cuts === undefined) this.known.set(ids, (cuts = this.search(ids)));
    return cuts;
  }

  private search(ids: ReadonlySet<number>): Cut[] {
    const users = new Map<number, number[]>();
    for (const node of ids) for (const input of this.trace.opOf(node)?.inputs ?? []) users.set(input, [...(users.get(input) ?? []), node]);
    const cuts = new Map<string, Cut>();
    for (const flow of this.flows) {
      const ahead = this.walk(flow.to, this.outOf, ({ to }) => to, (tensor) => users.has(tensor) || (this.roots.has(tensor) && !this.hasNode(tensor)));
      const own = flow.op?.node != null && ids.has(flow.op.node) ? [flow.op.node] : [];
      const using = [...new Set([...own, ...ahead.flatMap((tensor) => users.get(tensor) ?? [])])];
      const losses = ahead.filter((tensor) => !users.has(tensor));
      if (using.length + losses.length === 0) continue;
      const back = this.walk(flow.from, this.into, ({ from }) => from, (tensor) => this.hasNode(tensor) || this.trace.tensors.get(tensor)!.requires_grad);
      const behind = back.flatMap((tensor) => this.nodeOf(tensor) ?? []);
      const leaves = back.filter((tensor) => this.nodeOf(tensor) === null);
      if (behind.length + leaves.length > 0) cuts.set(this.culpritKey(flow), { id: -1 - cuts.size, flow, place: placeOf(this.trace, flow), users: using, behind: [...new Set(behind)], leaves, losses });
    }
    return [...cuts.values()];
  }

  private nodeOf(tensor: number): number | null {
    return this.trace.makerOf(tensor)?.node ?? this.trace.accumulatorOf(tensor)?.node ?? null;
  }

  private hasNode(tensor: number): boolean {
    return this.nodeOf(tensor) !== null;
  }

  /** The first tensors that are wanted on every way from one. */
  private walk(from: number, flows: ReadonlyMap<number, Flow[]>, next: (flow: Flow) => number, isWanted: (tensor: number) => boolean): number[] {
    const seen = new Set([from]);
    const found: number[] = [];
    for (const tensor of seen) {
      if (isWanted(tensor)) found.push(tensor);
      else for (const flow of flows.get(tensor) ?? []) seen.add(next(flow));
    }
    return found;
  }
}

const placeOf = (trace: Trace, { op, read }: Flow): Place | null => read?.place ?? (op === null ? null : trace.userOp(op).place);
