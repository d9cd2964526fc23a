/** Where the extreme elements of lanes are. */
import { forEachLane, type Lanes } from "../../backends/reference/lanes.ts";
import { RowFunction } from "../../dispatch/rows.ts";
import { Expr } from "../../ir/expr.ts";
import { accumulatorOf } from "../../ir/reduction.ts";
import type { RowProgram } from "../../ir/rows.ts";
import { FLOAT, int32, int64, type DType } from "../../tensor/dtype.ts";
import { viewTyped, wordsOf } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";

/** The extremum of a row, then the first place that has it or a NaN. Operands: x, the numbers of the places, and the result. */
const firstPlaces = new RowFunction((dtype: DType, name: "max" | "min"): RowProgram => {
  const x = Expr.input(0, dtype);
  const accumulator = accumulatorOf(dtype);
  const equal = x.eq(Expr.row(0, dtype));
  const place = Expr.input(1, int32).where(dtype.kind === FLOAT ? equal.logical_or(x.isnan()) : equal, 2 ** 31 - 1);
  return {
    passes: [
      { folds: [{ name, map: x, accumulator, finish: Expr.folded(accumulator).to(dtype) }], stores: [] },
      { folds: [{ name: "min", map: place, accumulator: int32, finish: Expr.folded(int32) }], stores: [] },
    ],
    results: [{ operand: 2, fold: 1, dtype: int64 }],
  };
});

/** Longer lists of numbers are made anew at each call. */
const KEPT = 1 << 16;
let kept = emptyTensor([0], int32);

/** The numbers from 0 on, `n` or more of them. */
function placeNumbers(n: number): Tensor {
  if (kept._numel >= n) return kept;
  const numbers = emptyTensor([n], int32);
  const view = viewTyped(numbers);
  for (let i = 0; i < n; i++) view[i] = i;
  if (n <= KEPT) kept = numbers;
  return numbers;
}

/** Sets `indices` (int64) to the place of each lane's largest or smallest element: the first of equals; NaN wins. */
export function findExtrema(name: "max" | "min", contiguous: Tensor, lanes: Lanes, indices: Tensor): void {
  if (indices._numel === 0) return;
  const { dtype } = contiguous;
  const key = 2 * dtype.code + Number(name === "max");
  firstPlaces.run(key, [dtype, name], lanes, [[contiguous, "element"], [placeNumbers(lanes.n), "place"], [indices, "row"]]);
}

/** Sets `values` to the elements of the lanes at `indices`. */
export function elementsAt(contiguous: Tensor, lanes: Lanes, indices: Tensor, values: Tensor): void {
  const [from, to, words] = [viewTyped(contiguous), viewTyped(values), wordsOf(indices)];
  forEachLane(lanes, (first, lane) => {
    to[lane] = from[first + words[2 * lane] * lanes.inner];
  });
}
