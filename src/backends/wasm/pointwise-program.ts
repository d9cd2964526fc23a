/** Pointwise expressions as vector programs. */
import type { DType } from "../../tensor/dtype.ts";
import type { Expr } from "../../ir/expr.ts";
import { castVector } from "./casts.ts";
import { laneTypeOf, pack, rawTypeOf, unpack } from "./elements.ts";
import { leavesOf, type Leaf } from "./parameters.ts";
import { lanesOf, translate } from "./translate.ts";
import { Graph, type Vector } from "./vector.ts";

/** An expression as a vector program. */
export interface Program {
  readonly out: DType;
  readonly inputs: readonly Leaf[];
  readonly scalars: readonly Leaf[];
  /** The elements of the result as they lie in memory. */
  readonly result: Vector;
}

/** Throws Unsupported where vectors lack an operation. */
export function programOf(expr: Expr, out: DType): Program {
  const graph = new Graph(lanesOf(expr, out));
  const leaf = ({ kind, dtype }: Expr): Vector => {
    if (kind.tag === "input") return unpack(inputVector(graph, kind.index, dtype), dtype);
    return scalarVector(graph, (kind as { index: number }).index, dtype);
  };
  const moves = expr.kind.tag === "input" && expr.dtype === out;
  const result = moves ? inputVector(graph, expr.kind.index, out) : pack(castVector(translate(expr, graph, leaf), expr.dtype, out), out);
  return { out, inputs: leavesOf([expr], "input"), scalars: leavesOf([expr], "scalar"), result };
}

/** The elements of an input as they lie in memory. */
export const inputVector = (graph: Graph, index: number, dtype: DType): Vector => graph.node(rawTypeOf(dtype), { tag: "input", index });
export const scalarVector = (graph: Graph, index: number, dtype: DType): Vector => graph.node(laneTypeOf(dtype, graph.lanes), { tag: "scalar", index });
