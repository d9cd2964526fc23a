/** Names and lines of a trace's tensors and nodes, each looked up once. */
import type { NodeEvent, OpEvent, Place } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";

export class Names {
  private readonly trace: Trace;
  private readonly tensors = new Map<number, string>();
  private readonly calls = new Map<string, string>();
  private readonly made = new Map<string, string>();
  private readonly leaves = new Map<string, number>();

  constructor(trace: Trace) {
    this.trace = trace;
  }

  tensor(id: number): string {
    let name = this.tensors.get(id);
    if (name === undefined) this.tensors.set(id, (name = this.distinct(id, this.plain(id))));
    return name;
  }

  /** What one call makes has one name, however often it is made; leaves are known by whom they are made for. */
  private plain(id: number): string {
    const maker = this.trace.makerOf(id);
    if (maker === null || this.trace.accumulatorOf(id) !== null) return this.trace.nameOf(id);
    const key = this.key(this.trace.userOp(maker));
    let name = this.made.get(key);
    if (name === undefined) this.made.set(key, (name = this.trace.nameOf(id)));
    return name;
  }

  private key({ op, name, place }: OpEvent): string {
    return place === null ? String(op) : `${place.file}:${place.line}:${place.column}:${name}`;
  }

  /** Leaves that one line made, the weights of layers say, are numbered. */
  private distinct(id: number, name: string): string {
    if (this.trace.accumulatorOf(id) === null) return name;
    const before = this.leaves.get(name) ?? 0;
    this.leaves.set(name, before + 1);
    return before === 0 ? name : `${name} #${before + 1}`;
  }

  /** The user's call that an op belongs to, as it is written. */
  call(op: OpEvent): string {
    const user = this.trace.userOp(op);
    const key = this.key(user);
    let text = this.calls.get(key);
    if (text === undefined) this.calls.set(key, (text = this.trace.callText(user)));
    return text;
  }

  placeOfOp(op: OpEvent | null | undefined): Place | null {
    return op ? this.trace.userOp(op).place : null;
  }

  placeOfTensor(id: number): Place | null {
    return this.placeOfOp(this.trace.makerOf(id));
  }

  placeOfNode({ node, accumulates }: NodeEvent): Place | null {
    return accumulates === null ? this.placeOfOp(this.trace.opOf(node)) : this.placeOfTensor(accumulates);
  }
}
