/** Runs a fold along one dimension that keeps every running value. */
import { compileScan } from "../backends/compile.ts";
import { runScan } from "../backends/loop.ts";
import { Expr } from "../ir/expr.ts";
import type { ScanKernel } from "../ir/kernel.ts";
import type { ReductionName } from "../ir/reduction.ts";
import { dtypes, type DType } from "../tensor/dtype.ts";
import { emptyTensor, type Tensor } from "../tensor/tensor.ts";

/** A named running fold, with its kernels by dtypes. */
export class Scanner {
  private readonly name: ReductionName;
  private readonly kernels = new Map<number, ScanKernel>();

  constructor(name: ReductionName) {
    this.name = name;
  }

  /** The running folds of `self` along `dim` (wrapped), read as dtype `out`: into a new tensor, or into `target`. `backwards` starts at the end. */
  run(self: Tensor, dim: number, out: DType, { target = emptyTensor(self._sizes, out), backwards = false } = {}): Tensor {
    const kernel = this.kernel(self.dtype, out);
    const operands = [target, self];
    const n = self._sizes.length === 0 ? 1 : self._sizes[dim];
    const step = operands.map((t) => (t._strides[dim] ?? 0) * t.dtype.itemsize);
    const lanes = self._sizes.filter((_, d) => d !== dim);
    const strides = operands.map((t) => t._strides.filter((_, d) => d !== dim).map((s) => s * t.dtype.itemsize));
    const start = operands.map((t, i) => t._address + (backwards ? (n - 1) * step[i] : 0));
    runScan(kernel, n, backwards ? step.map((s) => -s) : step, lanes, strides, start);
    return target;
  }

  private kernel(input: DType, out: DType): ScanKernel {
    const key = input.code * dtypes.length + out.code;
    let kernel = this.kernels.get(key);
    if (kernel === undefined) this.kernels.set(key, (kernel = compileScan({ name: this.name, map: Expr.input(0, input).to(out), dtype: out })));
    return kernel;
  }
}
