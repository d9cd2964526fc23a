import { FLOAT, float64, type DType } from "../tensor/dtype.ts";
import type { Expr } from "./expr.ts";

export type ReductionName = "sum" | "prod" | "max" | "min" | "any" | "all";

/** Folds an expression over some dimensions: `out = finish(fold(name, map(inputs)))`. */
export interface Reduction {
  readonly name: ReductionName;
  readonly map: Expr;
  /** What becomes of the folded value: an expression over `Expr.folded(accumulatorOf(dtype))` and scalars. */
  readonly finish: Expr;
  /** The dtype of the result. */
  readonly dtype: DType;
}

/** Running folds: `out[k] = fold(name, map(inputs[0…k]))`. */
export interface Scan {
  readonly name: ReductionName;
  readonly map: Expr;
  readonly dtype: DType;
}

/** The dtype of the running value of a fold: floats are folded in float64 whatever their dtype. */
export function accumulatorOf(dtype: DType): DType {
  return dtype.kind === FLOAT ? float64 : dtype;
}
