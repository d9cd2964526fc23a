import type { Node } from "./node.ts";

/**
 * A binary heap: the node made last comes first, accumulators before all others. Accumulators are equal among
 * themselves; which of several comes first is as in libstdc++'s std::priority_queue, which PyTorch uses.
 */
export class ReadyQueue {
  private readonly heap: Node[] = [];

  push(node: Node): void {
    this.heap.push(node);
    this.rise(this.heap.length - 1, node);
  }

  pop(): Node | null {
    const { heap } = this;
    if (heap.length === 0) return null;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return last;
    const first = heap[0];
    let hole = 0;
    // The hole sinks to the bottom, the right child first among equals; then the last node rises from there.
    for (let child = 2; child <= size; child = 2 * hole + 2) {
      if (child === size || heap[child].sequenceNr < heap[child - 1].sequenceNr) child--;
      heap[hole] = heap[child];
      hole = child;
    }
    this.rise(hole, last);
    return first;
  }

  private rise(hole: number, node: Node): void {
    const { heap } = this;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (heap[parent].sequenceNr >= node.sequenceNr) break;
      heap[hole] = heap[parent];
      hole = parent;
    }
    heap[hole] = node;
  }
}
