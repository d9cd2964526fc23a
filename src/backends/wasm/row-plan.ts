/** Row programs as vector programs: what is computed at each element, and what becomes of the folds. */
import { BOOL, FLOAT, float32, float64, type DType } from "../../tensor/dtype.ts";
import type { Expr } from "../../ir/expr.ts";
import type { ReductionName } from "../../ir/reduction.ts";
import type { RowFold, RowProgram } from "../../ir/rows.ts";
import { castVector } from "./casts.ts";
import { laneTypeOf, pack, rawTypeOf, Unsupported, unpack, widenMask, wrapNarrow } from "./elements.ts";
import { leavesOf, type Leaf } from "./parameters.ts";
import { lanesOf, translate } from "./translate.ts";
import { Graph, type Vector } from "./vector.ts";

/** A fold in vectors. Sums of floats go in blocks: within one in the dtype of the terms, their totals in float64. */
export interface FoldPlan {
  readonly name: ReductionName;
  readonly term: Vector;
  readonly identity: Vector;
  readonly blocked: boolean;
  /** What the elements came to, in the low lanes: an input of `value`. */
  readonly raw: Vector;
  /** The value of the fold. */
  readonly value: Vector;
  /** The value again, as the elements of later passes read it. */
  readonly row: Vector;
}

export interface StorePlan {
  readonly operand: number;
  readonly dtype: DType;
  /** The elements as they lie in memory. */
  readonly packed: Vector;
}

export interface PassPlan {
  readonly folds: readonly FoldPlan[];
  readonly stores: readonly StorePlan[];
  readonly reads: readonly Leaf[];
}

export interface RowPlan {
  /** The graph of the elements, and the one of the values of folds, which has two lanes. */
  readonly elements: Graph;
  readonly values: Graph;
  readonly passes: readonly PassPlan[];
  readonly results: readonly { readonly operand: number; readonly fold: number; readonly dtype: DType; readonly packed: Vector }[];
  readonly elementScalars: readonly Leaf[];
  readonly valueScalars: readonly Leaf[];
}

// Inputs of the graphs, by where their numbers start: elements of operands, values of folds.
const rowsFrom = 1000;
let fresh = 2000;
/** An input whose local the code itself sets. */
export const freshInput = (graph: Graph, type: Vector["type"]): Vector => graph.node(type, { tag: "input", index: fresh++ });

/** The elements of an operand as they lie in memory. */
export const elementVector = (graph: Graph, { index, dtype }: Leaf): Vector => graph.node(rawTypeOf(dtype), { tag: "input", index });
export const scalarVector = (graph: Graph, { index, dtype }: Leaf): Vector => graph.node(laneTypeOf(dtype, graph.lanes), { tag: "scalar", index });

/** One step of a fold. */
export function combine(name: ReductionName, x: Vector, y: Vector): Vector {
  switch (name) {
    case "sum":
      return x.add(y);
    case "prod":
      return x.mul(y);
    case "any":
      return x.or(y);
    case "all":
      return x.and(y);
    default:
      return x[name](y);
  }
}

/** Among bools, whose true is -1 in a mask, the largest is any and the least all. */
function nameFor(name: ReductionName, dtype: DType): ReductionName {
  if (dtype.kind !== BOOL) return name;
  return name === "max" ? "any" : name === "min" ? "all" : name;
}

/** The dtype in which terms are folded. */
function termDtype({ name, map, accumulator }: RowFold): DType {
  if (name === "max" || name === "min" || name === "any" || name === "all") return map.dtype;
  return name === "sum" && map.dtype.kind === FLOAT ? map.dtype : accumulator;
}

function identityOf(name: ReductionName, dtype: DType, like: Vector): Vector {
  if (name === "sum" || name === "any") return like.constant(0);
  if (name === "prod") return like.constant(1);
  if (name === "all") return like.constant(-1);
  if (dtype.kind === FLOAT) return like.constant(name === "max" ? -Infinity : Infinity);
  const greatest = like.constant(-1).shiftRightUnsigned(1);
  return name === "min" ? greatest : greatest.not();
}

function foldPlan(fold: RowFold, index: number, elements: Graph, values: Graph): FoldPlan {
  const { map, accumulator, finish } = fold;
  const dtype = termDtype(fold);
  const name = nameFor(fold.name, dtype);
  if ((name === "any" || name === "all") && dtype.kind !== BOOL) throw new Unsupported(`${name} of ${dtype.name}`);
  if (dtype.kind === BOOL && (name === "sum" || name === "prod")) throw new Unsupported(`${name} of bool`);
  const term = castVector(translate(map, elements, elementLeaf(elements)), map.dtype, dtype);
  const blocked = name === "sum" && dtype.kind === FLOAT;
  const raw = freshInput(values, blocked ? "f64" : term.type);
  const folded = castVector(dtype.kind === BOOL ? widenMask(raw) : raw, blocked ? float64 : dtype, accumulator);
  const leaf = (e: Expr): Vector => {
    if (e.kind.tag === "folded") return wrapNarrow(folded, accumulator);
    if (e.kind.tag === "scalar") return scalarVector(values, { index: e.kind.index, dtype: e.dtype });
    throw new Unsupported(`${e.kind.tag} in the end of a fold`);
  };
  return {
    name, term, blocked, raw,
    identity: identityOf(name, dtype, term),
    value: translate(finish, values, leaf),
    row: elements.node(laneTypeOf(finish.dtype, elements.lanes), { tag: "input", index: rowsFrom + index }),
  };
}

function elementLeaf(graph: Graph) {
  return ({ kind, dtype }: Expr): Vector => {
    if (kind.tag === "input") return unpack(elementVector(graph, { index: kind.index, dtype }), dtype);
    if (kind.tag === "scalar") return scalarVector(graph, { index: kind.index, dtype });
    if (kind.tag !== "row" || dtype.kind === BOOL) throw new Unsupported(`${kind.tag} of ${dtype.name} at an element`);
    return graph.node(laneTypeOf(dtype, graph.lanes), { tag: "input", index: rowsFrom + kind.index });
  };
}

/** Plans a program; throws Unsupported where vectors lack an operation. */
export function planRows(program: RowProgram): RowPlan {
  const folds = program.passes.flatMap((p) => p.folds);
  const stores = program.passes.flatMap((p) => p.stores);
  const wide = folds.some((f) => lanesOf(f.map, termDtype(f)) === 2) || stores.some((s) => lanesOf(s.value, s.dtype) === 2);
  const elements = new Graph(wide ? 2 : 4);
  const values = new Graph(2);
  const plans = folds.map((fold, k) => foldPlan(fold, k, elements, values));
  let first = 0;
  const passes = program.passes.map((pass): PassPlan => {
    const exprs = [...pass.folds.map((f) => f.map), ...pass.stores.map((s) => s.value)];
    return {
      folds: plans.slice(first, (first += pass.folds.length)),
      stores: pass.stores.map(({ operand, value, dtype }) => {
        const lanes = castVector(translate(value, elements, elementLeaf(elements)), value.dtype, dtype);
        return { operand, dtype, packed: pack(lanes, dtype) };
      }),
      reads: leavesOf(exprs, "input"),
    };
  });
  return {
    elements, values, passes,
    results: program.results.map(({ operand, fold, dtype }) => {
      return { operand, fold, dtype, packed: pack(castVector(plans[fold].value, folds[fold].finish.dtype, dtype), dtype) };
    }),
    elementScalars: leavesOf([...folds.map((f) => f.map), ...stores.map((s) => s.value)], "scalar"),
    valueScalars: leavesOf(folds.map((f) => f.finish), "scalar"),
  };
}

const highHalf = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const secondLane = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];
/** The high half of the lanes where the low one was. */
export const high = (x: Vector): Vector => x.shuffle(highHalf);

/** All lanes folded into the lowest. */
export function foldLanes(name: ReductionName, x: Vector): Vector {
  if (x.type === "f64" || x.type === "i64") return combine(name, x, high(x));
  const half = x.graph.lanes === 4 ? combine(name, x, high(x)) : x;
  return combine(name, half, half.shuffle(secondLane));
}

/** The two halves of a vector of floats in float64. */
export function halvesAsDoubles(x: Vector): Vector[] {
  if (x.type === "f64") return [x];
  const low = castVector(x, float32, float64);
  return x.graph.lanes === 4 ? [low, castVector(high(x), float32, float64)] : [low];
}
