/** A trace to ask questions of. Rules know nothing else of a program. */
import type {
  AccumulateEvent, BackwardEndEvent, BackwardEvent, BirthEvent, DifferenceEvent, ErrorEvent, Event, NodeEvent, Num, OpEvent, Place, PoisonEvent, ReadEvent, RunEvent,
  SwitchEvent, TensorEvent, WriteEvent,
} from "./events.ts";
import { grouped } from "./group.ts";
import { assignedName, constructed, isReturned } from "./names.ts";
import { expressionAt, isInClassBody, placeKey, positionOf, type Expression } from "./source.ts";

/** How the elements of one tensor came from another's. */
export interface Flow {
  readonly from: number;
  readonly to: number;
  /** What carried them: an op, or a reading whose numbers an op was given. */
  readonly op: OpEvent | null;
  readonly read: ReadEvent | null;
  /** No gradient comes back this way. */
  readonly cut: boolean;
}

/** Texts longer than this are named by their op alone. */
const longestName = 48;

export class Trace {
  readonly events: readonly Event[];
  readonly ops = new Map<number, OpEvent>();
  readonly tensors = new Map<number, TensorEvent>();
  readonly nodes = new Map<number, NodeEvent>();
  readonly runs = new Map<number, RunEvent>();
  readonly births = new Map<number, BirthEvent>();
  readonly backwards = new Map<number, BackwardEvent>();
  readonly ends = new Map<number, BackwardEndEvent>();
  readonly reads: ReadEvent[] = [];
  readonly writes: WriteEvent[] = [];
  readonly switches: SwitchEvent[] = [];
  readonly poisons: PoisonEvent[] = [];
  readonly accumulations: AccumulateEvent[] = [];
  readonly differences: DifferenceEvent[] = [];
  readonly error: ErrorEvent | null;
  readonly sources = new Map<string, string>();
  /** Position of each event, so that it can be told which came first. */
  private readonly order = new Map<Event, number>();
  private readonly backwardPlaces = new Set<string>();
  private readonly makers = new Map<number, OpEvent>();
  /** The nodes that each tensor had, with the ops that recorded them. */
  private readonly histories = new Map<number, { readonly op: OpEvent; readonly node: number }[]>();
  private readonly accumulators = new Map<number, NodeEvent>();

  constructor(events: readonly Event[]) {
    this.events = events;
    let error: ErrorEvent | null = null;
    events.forEach((event, i) => {
      this.order.set(event, i);
      switch (event.event) {
        case "op":
          this.ops.set(event.op, event);
          // The outermost call comes last, and it is the one that the user wrote.
          if (!event.inplace) for (const output of event.outputs) this.makers.set(output, this.makers.get(output)?.within === null ? this.makers.get(output)! : event);
          if (event.node !== null) for (const output of event.outputs) this.remember(output, event, event.node);
          break;
        case "tensor": this.tensors.set(event.tensor, event); break;
        case "node":
          this.nodes.set(event.node, event);
          if (event.accumulates !== null) this.accumulators.set(event.accumulates, event);
          break;
        case "run": this.runs.set(event.run, event); break;
        case "birth": this.births.set(event.birth, event); break;
        case "backward":
          this.backwards.set(event.backward, event);
          if (event.place !== null) this.backwardPlaces.add(placeKey(event.place));
          break;
        case "backward-end": this.ends.set(event.backward, event); break;
        case "read": this.reads.push(event); break;
        case "switch": this.switches.push(event); break;
        case "write": this.writes.push(event); break;
        case "poison": this.poisons.push(event); break;
        case "accumulate": this.accumulations.push(event); break;
        case "difference": this.differences.push(event); break;
        case "source": this.sources.set(event.file, event.text); break;
        case "error": error = event; break;
        default: break;
      }
    });
    this.error = error;
  }

  /** Reads NDJSON; throws where a line is no event or the format is another. */
  static parse(text: string): Trace {
    const events = text.split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Event);
    const [first] = events;
    if (first?.event !== "trace" || first.format !== 1) throw new Error("not a leafgrad trace of format 1");
    return new Trace(events);
  }

  toString(): string {
    return this.events.map((event) => `${JSON.stringify(event)}\n`).join("");
  }

  isBefore(a: Event, b: Event): boolean {
    return this.order.get(a)! < this.order.get(b)!;
  }

  /** The op that made a tensor; null for one that came from nowhere. */
  makerOf(tensor: number): OpEvent | null {
    return this.makers.get(tensor) ?? null;
  }

  private remember(tensor: number, op: OpEvent, node: number): void {
    if (!op.inplace && !this.tensors.get(tensor)!.requires_grad) return;
    const history = this.histories.get(tensor);
    if (history === undefined) this.histories.set(tensor, [{ op, node }]);
    else history.push({ op, node });
  }

  /** The node that a tensor had when an op was given it, and the op that had recorded it; null for a leaf, and for what was not recorded. */
  madeAt(tensor: number, use: OpEvent): { readonly op: OpEvent; readonly node: number } | null {
    return this.histories.get(tensor)?.findLast(({ op }) => this.isBefore(op, use)) ?? null;
  }

  /** The op that a node was recorded for. */
  opOf(node: number): OpEvent | null {
    const op = this.nodes.get(node)?.op ?? null;
    return op === null ? null : (this.ops.get(op) ?? null);
  }

  /** The op of whose gradient an op is a part; null in forward. */
  private differentiated({ run }: OpEvent): OpEvent | null {
    return run === null || !this.runs.has(run) ? null : this.opOf(this.runs.get(run)!.node);
  }

  /** The user's own call that led to an op, also by way of backward. */
  userOp(op: OpEvent): OpEvent {
    const outer = op.within === null ? this.differentiated(op) : (this.ops.get(op.within) ?? null);
    return outer === null ? op : this.userOp(outer);
  }

  accumulatorOf(leaf: number): NodeEvent | null {
    return this.accumulators.get(leaf) ?? null;
  }

  /** The expression at a call site. */
  expression(place: Place | null): Expression | null {
    const source = place === null ? undefined : this.sources.get(place.file);
    return source === undefined ? null : expressionAt(source, place!.line, place!.column);
  }

  textOf(span: { start: number; end: number }, file: string): string {
    return this.sources.get(file)!.slice(span.start, span.end);
  }

  /** An op as the user wrote it, `x.pow(0.5)`; the middle of a long text is left out: `x.sub(…)….pow(0.5)`. */
  callText(op: OpEvent): string {
    const expression = this.expression(op.place);
    if (expression === null) return `${op.name}${op.inplace ? "_" : ""}(…)`;
    const { text, receiver, name, end, start } = expression;
    if (text.length <= longestName) return text;
    const { file } = op.place!;
    const call = this.textOf({ start: name, end }, file);
    const shortCall = call.length <= longestName / 2 ? call : `${/^[\w$]+/.exec(call)![0]}(…)`;
    if (receiver === null) return shortCall;
    const self = this.textOf(receiver, file);
    return /^[\w$.]+$/.test(self) ? `${self}.${shortCall}` : `${/^[\w$.]*/.exec(this.textOf({ start, end }, file))![0]}(…)….${shortCall}`;
  }

  /** What the user calls a tensor: its variable, or the expression that made it. */
  nameOf(tensor: number): string {
    const maker = this.makerOf(tensor);
    if (maker === null) {
      const read = this.reads.find(({ result }) => result === tensor);
      return read === undefined ? `tensor ${tensor}` : `${this.nameOf(read.tensor)}.${read.how}`;
    }
    // The engine adds up gradients where backward was called.
    if (maker.run === null && maker.place !== null && this.backwardPlaces.has(placeKey(maker.place))) return "a gradient";
    // A view that an op takes of what it is given is known by what it views.
    const { base } = this.tensors.get(tensor)!;
    if (maker.within !== null && base !== null) return this.nameOf(base);
    const text = this.madeFor(tensor) ?? this.callText(this.userOp(maker));
    return maker.run === null ? text : `the gradient of ${text}`;
  }

  /** The variable that a tensor was assigned to where it was made. */
  variableOf(tensor: number): string | null {
    const maker = this.makerOf(tensor);
    const user = maker === null || maker.run !== null ? null : this.userOp(maker);
    const expression = user === null ? null : this.expression(user.place);
    return (expression === null ? null : assignedName(this.sources.get(user!.place!.file)!, expression, Math.max(0, user!.outputs.indexOf(tensor)))) ?? this.askedAs(tensor) ?? this.rootedAs(tensor);
  }

  /** What functions return and constructors make is named as whoever called them names it: `w`, `net.hidden.weight`. */
  private madeFor(tensor: number): string | null {
    const { place, callers } = this.userOp(this.makerOf(tensor)!);
    let name = this.variableOf(tensor);
    let at = place;
    let isMember = name !== null && this.isMember(name, place!);
    for (const caller of callers) {
      if (name !== null && !isMember) break;
      const source = this.sources.get(caller.file) ?? "";
      if (name === null) {
        const [inner, outer] = [this.expression(at), this.expression(caller)];
        if (inner === null || outer === null || !isReturned(this.sources.get(at!.file)!, inner)) break;
        name = assignedName(source, outer);
        // What a callback returns is one of several, and parameters are made in order.
        if (name !== null && caller.file === at!.file && inner.start > outer.start && inner.end < outer.end) name = this.tensors.get(tensor)!.leaf ? `${name}[${this.siblings(tensor).indexOf(tensor)}]` : null;
        isMember = name !== null && this.isMember(name, caller);
      } else {
        const made = constructed(source, caller);
        if (made === null || (made.owner === null && !made.isWithin)) break;
        if (made.owner !== null) name = `${made.owner}.${name.replace(/^this\./, "")}`;
        isMember = made.owner === null || this.isMember(made.owner, caller);
      }
      at = caller;
    }
    return name;
  }

  /** The leaves that the line of a leaf made. */
  siblings(leaf: number): number[] {
    const lineOf = (tensor: number): string => placeKey(this.userOp(this.makerOf(tensor)!).place);
    const line = lineOf(leaf);
    return [...this.tensors.values()].flatMap((t) => (t.leaf && this.makerOf(t.tensor) !== null && lineOf(t.tensor) === line ? [t.tensor] : []));
  }

  /** Is what has a name at a place a part of the object that is made there? */
  private isMember(name: string, { file, line, column }: Place): boolean {
    const source = this.sources.get(file) ?? "";
    return name.startsWith("this.") || isInClassBody(source, positionOf(source, line, column));
  }

  /** The variable of a leaf that a function made, where it was asked for a gradient: `const w = load().requires_grad_()`. */
  private askedAs(tensor: number): string | null {
    const place = this.reads.find((read) => read.tensor === tensor && read.how === "requires_grad")?.place ?? null;
    const expression = this.expression(place);
    return expression === null || !expression.text.endsWith(")") ? null : assignedName(this.sources.get(place!.file)!, expression);
  }

  /** The variable that backward was called on: `loss.backward()`. */
  private rootedAs(tensor: number): string | null {
    const backward = [...this.backwards.values()].find(({ call, roots }) => call === "backward" && roots[0] === tensor);
    const receiver = backward === undefined ? null : (this.expression(backward.place)?.receiver ?? null);
    const name = receiver === null ? "" : this.textOf(receiver, backward!.place!.file);
    return /^(?!torch\b)[\w$.]+$/.test(name) ? name : null;
  }

  /** The nodes that backward comes to from some, themselves included. */
  nodesBelow(roots: Iterable<number | null>): Set<number> {
    const found = new Set([...roots].filter((node) => node !== null));
    for (const node of found) for (const next of this.nodes.get(node)?.next ?? []) if (next !== null) found.add(next);
    return found;
  }

  /** The nodes from a root of a backward to `node`, and on to the leaf that `wanted` names, or to any. */
  path(root: number, through: number, wanted: number | null): number[] {
    const down = this.walk(root, (node) => node === through);
    const on = this.walk(through, (node) => (wanted === null ? this.nodes.get(node)!.accumulates !== null : this.nodes.get(node)!.accumulates === wanted));
    return down === null ? [] : [...down, ...(on ?? []).slice(1)];
  }

  private walk(from: number, isEnd: (node: number) => boolean): number[] | null {
    const cameFrom = new Map<number, number | null>([[from, null]]);
    const queue = [from];
    for (const node of queue) {
      if (isEnd(node)) {
        const path: number[] = [];
        for (let at: number | null = node; at !== null; at = cameFrom.get(at)!) path.push(at);
        return path.reverse();
      }
      for (const next of this.nodes.get(node)?.next ?? []) {
        if (next === null || cameFrom.has(next)) continue;
        cameFrom.set(next, node);
        queue.push(next);
      }
    }
    return null;
  }

  /** What the elements of each tensor were computed from. */
  private findFlows(): Flow[] {
    const numbers = new Map<Num, ReadEvent>();
    const flows: Flow[] = [];
    for (const event of this.events) {
      if (event.event === "read" && event.how === "data") flows.push({ from: event.tensor, to: event.result!, op: null, read: event, cut: true });
      if (event.event === "read") for (const n of event.numbers) if (isTelling(n)) numbers.set(n, event);
      if (event.event !== "op" || event.run !== null || event.error !== null) continue;
      for (const to of event.outputs) {
        // Of several outputs some may have no gradient: the indices of max, sort and topk.
        const isOutside = event.node !== null && !event.inplace && !this.tensors.get(to)!.requires_grad;
        const cut = event.severs || isOutside || (event.node === null && !event.grad_mode);
        for (const from of event.inputs) if (from !== to) flows.push({ from, to, op: event, read: null, cut });
        for (const n of numbersOf(event.arguments)) {
          const read = numbers.get(n);
          if (read !== undefined) flows.push({ from: read.tensor, to, op: event, read, cut: true });
        }
      }
    }
    return flows;
  }

  private known: { into: Map<number, Flow[]>; outOf: Map<number, Flow[]> } | null = null;

  /** The flows by where they lead, and by where they come from. */
  get flows(): NonNullable<Trace["known"]> {
    if (this.known === null) {
      const flows = this.findFlows();
      this.known = { into: grouped(flows, ({ to }) => to), outOf: grouped(flows, ({ from }) => from) };
    }
    return this.known;
  }

  private readonly below = new Map<number, ReadonlySet<number>>();

  /** The tensors that were computed from one, itself included. */
  computedFrom(tensor: number): ReadonlySet<number> {
    let found = this.below.get(tensor);
    if (found === undefined) {
      const all = new Set([tensor]);
      for (const from of all) for (const { to } of this.flows.outOf.get(from) ?? []) all.add(to);
      this.below.set(tensor, (found = all));
    }
    return found;
  }

  /** The steps from one tensor to another, fewest cuts first; null where nothing of the one is in the other. */
  flow(from: number, to: number): Flow[] | null {
    if (!this.computedFrom(from).has(to)) return null;
    const cameFrom = new Map<number, Flow | null>([[to, null]]);
    const queue = [to];
    for (const tensor of queue) {
      if (tensor === from) break;
      for (const f of this.flows.into.get(tensor) ?? []) {
        if (cameFrom.has(f.from)) continue;
        cameFrom.set(f.from, f);
        queue.push(f.from);
      }
    }
    const path: Flow[] = [];
    for (let f = cameFrom.get(from) ?? null; f !== null; f = cameFrom.get(f.to) ?? null) path.push(f);
    return path;
  }
}

/** A number that is unlikely to be equal by chance. */
function isTelling(n: Num): boolean {
  return typeof n === "number" && !(Number.isInteger(n) && Math.abs(n) <= 1024) && n !== 0.5;
}

function numbersOf(values: OpEvent["arguments"]): Num[] {
  return values.flatMap((v) => ("number" in v ? [v.number] : "list" in v ? numbersOf(v.list) : []));
}
