/** Compiles row programs to WASM SIMD: one module for each layout that a program meets. */
import type { DType } from "../../tensor/dtype.ts";
import type { RowKernel, RowProgram, RowShape } from "../../ir/rows.ts";
import type { Kernel } from "./engine.ts";
import type { Advance } from "./parameters.ts";
import { ELEMENTS_INNER, ROWS_INNER, writeParameters } from "./row-code.ts";
import { planRows, type RowPlan } from "./row-plan.ts";
import { rowsAcross, stripOf } from "./rows-across.ts";
import { rowsAlong } from "./rows-along.ts";
import { parallelFor } from "./threads.ts";

/** Elements whose work is worth handing to another thread. */
const GRAIN = 1 << 15;
/** Rows of fewer elements lie across the vectors where they can. */
const SHORT = 8;

const advances: readonly Advance[] = ["contiguous", "splat", "strided"];
const codeOf = (step: number, itemsize: number): number => (step === itemsize ? 0 : step === 0 ? 1 : 2);

/** Compiles a program; throws Unsupported where vectors lack an operation. */
export function compileRows(program: RowProgram): RowKernel {
  const plan = planRows(program);
  const streams = streamsOf(plan);
  const keepers = plan.results.map(({ operand, dtype }) => [operand, dtype.itemsize] as const);
  const kernels = new Map<number, Kernel>();
  return (shape, at, scalars) => {
    const { sizes, steps } = shape;
    const across = liesAcross(shape, streams);
    const along = across ? ROWS_INNER : ELEMENTS_INNER;
    let key = across ? 1 : 0;
    for (const [operand, itemsize] of streams) key = 3 * key + codeOf(steps[4 * operand + along], itemsize);
    if (across) for (const [operand, itemsize] of keepers) key = 3 * key + codeOf(steps[4 * operand + along], itemsize);
    let kernel = kernels.get(key);
    if (kernel === undefined) {
      const advanceOf = (operand: number, dtype: DType): Advance => advances[codeOf(steps[4 * operand + along], dtype.itemsize)];
      kernels.set(key, (kernel = across ? rowsAcross(plan, advanceOf) : rowsAlong(plan, advanceOf)));
    }
    const strips = across ? Math.ceil(sizes[1] / stripOf(plan)) : sizes[1];
    const unit = sizes[2] * sizes[3] * (across ? stripOf(plan) : 1);
    parallelFor(kernel, writeParameters(plan, shape, strips, at, scalars), sizes[0] * strips, Math.ceil(GRAIN / unit));
  };
}

/** The operands that have an element for each element of a row, with the sizes of their elements. */
function streamsOf(plan: RowPlan): [number, number][] {
  const streams = new Map<number, number>();
  for (const { reads, stores } of plan.passes) {
    for (const { index, dtype } of reads) streams.set(index, dtype.itemsize);
    for (const { operand, dtype } of stores) streams.set(operand, dtype.itemsize);
  }
  return [...streams];
}

/** Do rows go side by side into the lanes? They do where that reads memory in order, or where rows are too short for lanes. */
function liesAcross({ sizes, steps }: RowShape, streams: readonly [number, number][]): boolean {
  const inOrder = (dimension: number): boolean => {
    for (const [operand, itemsize] of streams) if (codeOf(steps[4 * operand + dimension], itemsize) === 2) return false;
    return true;
  };
  if (sizes[1] < 4) return false;
  if (sizes[3] < SHORT) return true;
  return !inOrder(ELEMENTS_INNER) && inOrder(ROWS_INNER);
}
