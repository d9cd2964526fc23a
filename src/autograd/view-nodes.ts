/** Nodes that in-place writes through views leave behind (torch/csrc/autograd/functions/tensor.cpp). */
import { RuntimeError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { geometryOf, ops, type Geometry } from "./engine-ops.ts";
import { gradMode } from "./grad-mode.ts";
import { Node, skipped, type Grads } from "./node.ts";
import { backwardTwice } from "./saved-tensor.ts";
import { gradientNode } from "./variable.ts";

/** Makes a view anew out of its base, after the base was written. */
export class AsStridedNode extends Node {
  private readonly base: Geometry;
  private readonly view: Geometry;
  constructor(base: Tensor, view: Tensor) {
    super([gradientNode(base)], base._outputNr === 0 ? [] : [base._outputNr]);
    this.base = geometryOf(base);
    this.view = geometryOf(view);
    this.addOutput(view);
  }
  name(): string {
    return "AsStridedBackward0";
  }
  apply([grad]: Grads): Grads {
    return [grad === null ? null : ops.asStridedBackward(grad, this.base, this.view)];
  }
}

/**
 * The write of `fn` to a view, as seen by the view's base: gradients of the written part go through `fn`,
 * those of the rest pass by.
 */
export class CopySlices extends Node {
  private readonly base: Geometry;
  private readonly view: Geometry;
  private fn: Node | null;
  /** Where the edges of `fn` led. */
  private readonly written: readonly (Node | null)[];
  constructor(base: Tensor, view: Tensor, fn: Node, baseNode: Node | null) {
    const indices = fn.next_functions.map(([, index], i) => (i === 0 ? base._outputNr : index));
    super([baseNode, ...fn.nextNodes.slice(1)], indices.every((i) => i === 0) ? [] : indices);
    this.base = geometryOf(base);
    this.view = geometryOf(view);
    this.fn = fn;
    this.written = fn.nextNodes;
    // What `fn` gives for the view goes to the base: it is asked for where the base's gradient is.
    fn.nextNodes = this.nextNodes;
    fn.nextIndices = this.nextIndices;
  }
  name(): string {
    return "torch::autograd::CopySlices";
  }
  apply([grad]: Grads): Grads {
    if (this.fn === null) throw new RuntimeError(backwardTwice);
    if (grad === null) return this.nextNodes.map(() => null);
    const { sizes, strides, offset } = this.view;
    const whole = ops.copyInto(ops.emptyStrided(this.base.sizes, this.base.strides, grad.dtype), grad);
    const slice = ops.asStrided(whole, sizes, strides, offset - this.base.offset);
    const results = this.fn.apply([ops.contiguousClone(slice)]);
    if (this.nextNodes[0] !== null && this.nextNodes[0].role !== skipped) {
      const first = results[0] ?? null;
      ops.copyInto(slice, first === null ? ops.full(sizes, 0, grad.dtype) : first);
      whole._owned = !gradMode.enabled;
      results[0] = whole;
    }
    return results;
  }
  override releaseVariables(): void {
    if (this.fn === null) return;
    this.fn.releaseVariables();
    if (this.uses > 0) for (const node of this.written) node?.letGo();
    this.fn = null;
  }
  override hold(): void {
    if (this.uses === 0 && this.fn !== null) for (const node of this.written) node?.hold();
    super.hold();
  }
  protected override holds(): readonly (Node | null)[] {
    return this.fn === null ? this.nextNodes : [...this.nextNodes, ...this.written];
  }
}
