/** What is chosen; the parts of the page follow it. */
import type { Spot } from "../src/doctor/report/html/page.ts";

export interface Selection {
  readonly finding: number | null;
  readonly graph: number;
  /** The id of a node of the graph. */
  readonly node: number | null;
  readonly storage: number | null;
  /** A line to show, beside those of the finding. */
  readonly spot: Spot | null;
}

type Listener = (now: Selection, before: Selection | null) => void;

export class Store {
  private readonly listeners: Listener[] = [];
  selection: Selection = { finding: null, graph: 0, node: null, storage: null, spot: null };

  /** Calls the listener now and at each change. */
  follow(listener: Listener): void {
    this.listeners.push(listener);
    listener(this.selection, null);
  }

  choose(change: Partial<Selection>): void {
    const before = this.selection;
    this.selection = { ...before, ...change };
    for (const listener of this.listeners) listener(this.selection, before);
  }
}
