import type { Node } from "./node.ts";

/** Leads to one output of a node, as a pair of PyTorch's names. */
export class GradientEdge {
  readonly node: Node;
  readonly output_nr: number;
  constructor(node: Node, output_nr: number) {
    this.node = node;
    this.output_nr = output_nr;
  }
  toString(): string {
    return `GradientEdge(node=${String(this.node)}, output_nr=${this.output_nr}, ownership_token=None)`;
  }
}
