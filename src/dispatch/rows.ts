/** Runs row programs: passes over the lanes of contiguous tensors. */
import { compileRows as compileReference } from "../backends/reference/rows.ts";
import type { Lanes } from "../backends/reference/lanes.ts";
import { Unsupported } from "../backends/wasm/elements.ts";
import { compileRows } from "../backends/wasm/rows.ts";
import type { RowKernel, RowProgram } from "../ir/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Programs over fewer elements than these are run before a vector kernel has been told of them. */
const SMALL = 128;

/** How an operand lies: an element for each element of a row, one for each row, or one for each place in a row. */
export type RowOperand = readonly [tensor: Tensor, per: "element" | "row" | "place"];

interface Kernels {
  readonly small: RowKernel;
  readonly large: RowKernel;
}

/** A row program with its kernels, one for each variant (a number: a dtype, an operand that is left out). */
export class RowFunction<Variant extends unknown[]> {
  private readonly trace: (...variant: Variant) => RowProgram;
  private readonly kernels = new Map<number, Kernels>();

  constructor(trace: (...variant: Variant) => RowProgram) {
    this.trace = trace;
  }

  /** Runs the program on contiguous operands that are seen as `lanes`, none of whose sizes is 0. */
  run(key: number, variant: Variant, { outer, n, inner }: Lanes, operands: readonly RowOperand[], scalars: readonly number[] = []): void {
    let kernels = this.kernels.get(key);
    if (kernels === undefined) this.kernels.set(key, (kernels = compiled(this.trace(...variant))));
    const sizes = inner === 1 ? [1, outer, 1, n] : [outer, inner, 1, n];
    const steps: number[] = [];
    for (const [{ dtype: { itemsize } }, per] of operands) {
      const place = per === "row" ? 0 : per === "place" ? 1 : inner;
      const [ofOuter, ofInner] = per === "place" ? [0, 0] : per === "row" ? [inner, 1] : [n * inner, 1];
      if (inner === 1) steps.push(0, ofOuter * itemsize, 0, place * itemsize);
      else steps.push(ofOuter * itemsize, ofInner * itemsize, 0, place * itemsize);
    }
    const kernel = outer * n * inner < SMALL ? kernels.small : kernels.large;
    kernel({ sizes, steps }, operands.map(([t]) => t._address), scalars);
  }
}

function compiled(program: RowProgram): Kernels {
  const small = compileReference(program);
  try {
    return { small, large: compileRows(program) };
  } catch (error) {
    if (error instanceof Unsupported) return { small, large: small };
    throw error;
  }
}
