/**
 * Programs over rows: what is computed for each row of some operands in passes over its elements, such as the maximum,
 * the sum of exponentials and the quotients of a softmax. A reduction is the program of one pass with one fold.
 */
import type { DType } from "../tensor/dtype.ts";
import type { Expr } from "./expr.ts";
import type { ReductionName } from "./reduction.ts";

/** Folds `map` over the elements of a row; `finish`, over `Expr.folded(accumulator)` and scalars, makes the value of it. */
export interface RowFold {
  readonly name: ReductionName;
  readonly map: Expr;
  readonly accumulator: DType;
  readonly finish: Expr;
}

/** Writes `value` as `dtype` at each element of an operand. */
export interface RowStore {
  readonly operand: number;
  readonly value: Expr;
  readonly dtype: DType;
}

/** One walk over the elements. `Expr.row(k)` is the value of the k-th fold of the program, which an earlier pass has computed. */
export interface RowPass {
  readonly folds: readonly RowFold[];
  readonly stores: readonly RowStore[];
}

export interface RowProgram {
  readonly passes: readonly RowPass[];
  /** The values of folds that are kept, one a row. */
  readonly results: readonly { readonly operand: number; readonly fold: number; readonly dtype: DType }[];
}

/**
 * Where rows and their elements lie: there are sizes[0] × sizes[1] rows of sizes[2] × sizes[3] elements, none of them 0.
 * Operand q advances by steps[4q + d] bytes along d.
 */
export interface RowShape {
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
}

/** Runs a program on operands that start at the addresses `at`. */
export type RowKernel = (shape: RowShape, at: readonly number[], scalars: readonly (number | bigint)[]) => void;

/** The folds of a program in order. */
export const foldsOf = (program: RowProgram): RowFold[] => program.passes.flatMap((pass) => pass.folds);
