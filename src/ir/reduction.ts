import type { DType } from "../tensor/dtype.ts";
import type { Expr } from "./expr.ts";

export type ReductionName = "sum" | "prod" | "max" | "min" | "any" | "all";

/** Folds an expression over some dimensions: `out = fold(name, map(inputs))`, accumulated in `accumulator`. */
export interface Reduction {
  readonly name: ReductionName;
  readonly map: Expr;
  /** The dtype of the result; also of the running value, floats excepted: those are kept in float64. */
  readonly dtype: DType;
}
