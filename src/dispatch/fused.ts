/** Runs a formula as one kernel: traces it into IR for the dtypes at hand, compiles it once, launches it. */
import { compilePointwise } from "../backends/compile.ts";
import { runPointwise } from "../backends/loop.ts";
import type { Formula } from "../ir/arithmetic.ts";
import { Expr } from "../ir/expr.ts";
import type { PointwiseKernel } from "../ir/kernel.ts";
import { dtypes, type DType } from "../tensor/dtype.ts";
import { Storage } from "../tensor/heap.ts";
import { expandedStrides, sameSizes, type Sizes } from "../tensor/layout.ts";
import { emptyStrided, newCounter, Tensor } from "../tensor/tensor.ts";
import { broadcastTensors, canonicalStrides, layoutIn, resultStrides } from "./iterate.ts";
import type { TensorOrNumber } from "./promote.ts";

const radix = dtypes.length + 1;
const numberCode = dtypes.length;

// Kernels take addresses and steps in arrays; these serve every launch over contiguous operands.
const at: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
const step: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
const noStep: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];
const scalars: (number | bigint)[] = [0, 0, 0, 0, 0, 0, 0, 0];

/** The names that a function destructures from its one argument. */
export function destructuredNames(fn: (values: never) => unknown): string[] {
  const names: string[] = [];
  const recorder = new Proxy({}, {
    get(_, name) {
      if (typeof name === "string" && !names.includes(name)) names.push(name);
      return undefined;
    },
  });
  try {
    fn(recorder as never);
  } catch {
    // the body cannot run on nothing; its parameters have been read by then
  }
  return names;
}

/** What a formula gives for these values; null where it refuses them. */
function probed(formula: Formula, values: Record<string, Expr>): Expr | number | null {
  try {
    return formula(values);
  } catch {
    return null;
  }
}

/** A formula with its kernels, one for each combination of dtypes met. */
export class Fused {
  readonly formula: Formula;
  readonly names: readonly string[];
  /** The formula hands on its only value unchanged. */
  readonly isIdentity: boolean;
  /** The number that the formula gives whatever its values are; null for any other formula. */
  readonly constant: number | null;
  /** As a gradient it lies in row-major order, however its operands lie. */
  isRowMajor = false;
  private readonly kernels = new Map<number, PointwiseKernel>();
  private lastKey = -1;
  private lastKernel: PointwiseKernel = () => {};

  constructor(formula: Formula) {
    this.formula = formula;
    this.names = destructuredNames(formula);
    const probe = Expr.constant(1, dtypes[5]);
    const result = probed(formula, Object.fromEntries(this.names.map((name) => [name, probe])));
    this.isIdentity = this.names.length === 1 && result === probe;
    this.constant = typeof result === "number" ? result : null;
  }

  /**
   * Computes the formula over `inputs` (aligned with `names`; what comes after is ignored) in dtype `common`. The result is a new tensor of
   * dtype `outDtype`, or is written to `out`. `alike` is false where a number stands for an operand of other sizes.
   */
  run(inputs: readonly TensorOrNumber[], common: DType, outDtype: DType, out: Tensor | null, alike = true): Tensor {
    let key = common.code * radix + outDtype.code;
    let first: Tensor | null = null;
    let simple = true;
    for (let i = 0; i < this.names.length; i++) {
      const input = inputs[i];
      if (input instanceof Tensor) {
        key = key * radix + input.dtype.code;
        if (!input._contiguous) simple = false;
        if (first === null) first = input;
        else if (first._sizes !== input._sizes && !sameSizes(first._sizes, input._sizes)) {
          alike = false;
          if (input._sizes.length !== 0) {
            if (first._sizes.length === 0) first = input;
            else simple = false;
          }
        }
      } else {
        key = key * radix + numberCode;
      }
    }
    const kernel = key === this.lastKey ? this.lastKernel : this.kernelOf(key, inputs, common, outDtype);
    // Along dimensions of size 0 or 1 the layout of a mixed result follows the inputs' strides.
    if (!alike && out === null && first !== null && (first._numel === 0 || first._sizes.includes(1))) simple = false;
    if (!simple || first === null || (out !== null && (!out._contiguous || !sameSizes(out._sizes, first._sizes)))) {
      return this.runStrided(kernel, inputs, common, outDtype, out, alike);
    }
    const target = out ?? new Tensor(new Storage(first._numel * outDtype.itemsize), first._sizes, canonicalStrides(first), 0, outDtype, newCounter());
    at[0] = target._storage.address + target._offset * outDtype.itemsize;
    step[0] = outDtype.itemsize;
    for (let i = 0; i < this.names.length; i++) {
      const input = inputs[i];
      if (input instanceof Tensor) {
        const { itemsize } = input.dtype;
        at[i + 1] = input._storage.address + input._offset * itemsize;
        step[i + 1] = input._sizes.length === 0 ? 0 : itemsize;
      } else {
        scalars[i] = typeof input === "boolean" ? Number(input) : input;
      }
    }
    kernel(target._numel, 1, at, step, noStep, scalars);
    return target;
  }

  private runStrided(kernel: PointwiseKernel, inputs: readonly TensorOrNumber[], common: DType, outDtype: DType, out: Tensor | null, alike: boolean): Tensor {
    const used = inputs.slice(0, this.names.length);
    const tensors = used.filter((input) => input instanceof Tensor);
    const sizes: Sizes = out === null ? (tensors.length > 0 ? broadcastTensors(tensors) : []) : out._sizes;
    const target = out ?? emptyStrided(sizes, tensors.length > 0 ? resultStrides(sizes, tensors.map((t) => layoutIn(t, common)), alike) : [], outDtype);
    const operands = [target, ...used].map((t) => {
      if (!(t instanceof Tensor)) return { address: 0, strides: sizes.map(() => 0) };
      return { address: t._address, strides: byteStrides(t, sizes) };
    });
    runPointwise(kernel, sizes, operands, used.map((input) => (input instanceof Tensor ? 0 : typeof input === "boolean" ? Number(input) : input)));
    return target;
  }

  private kernelOf(key: number, inputs: readonly TensorOrNumber[], common: DType, outDtype: DType): PointwiseKernel {
    let kernel = this.kernels.get(key);
    if (kernel === undefined) this.kernels.set(key, (kernel = this.compile(inputs, common, outDtype)));
    this.lastKey = key;
    this.lastKernel = kernel;
    return kernel;
  }

  private compile(inputs: readonly TensorOrNumber[], common: DType, outDtype: DType): PointwiseKernel {
    const values: Record<string, Expr> = {};
    this.names.forEach((name, i) => {
      const input = inputs[i];
      values[name] = input instanceof Tensor ? Expr.input(i, input.dtype).to(common) : Expr.scalar(i, common);
    });
    const result = this.formula(values);
    return compilePointwise(typeof result === "number" ? Expr.constant(result, common) : result, outDtype);
  }
}

export function byteStrides(t: Tensor, sizes: Sizes): number[] {
  return expandedStrides(t._sizes, t._strides, sizes).map((s) => s * t.dtype.itemsize);
}

const fusedOf = new WeakMap<Formula, Fused>();

/** The kernels of a formula, shared by all who use it. */
export function fused(formula: Formula): Fused {
  let known = fusedOf.get(formula);
  if (known === undefined) fusedOf.set(formula, (known = new Fused(formula)));
  return known;
}

/** Marks the formula of a gradient that PyTorch gives in row-major order. */
export function rowMajorGradient(formula: Formula): Formula {
  fused(formula).isRowMajor = true;
  return formula;
}

/** Evaluates a formula on tensors, so that it is recorded like any other code: gradients of gradients. */
export function evaluateOnTensors(formula: Formula, values: Record<string, Tensor>): Tensor | number {
  return (formula as unknown as (values: Record<string, Tensor>) => Tensor | number)(values);
}
