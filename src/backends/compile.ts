/** Chooses the backend of a kernel: WASM SIMD where the engine has it and vectors have the operations, else the reference. */
import type { Expr } from "../ir/expr.ts";
import type { PointwiseKernel, ScanKernel } from "../ir/kernel.ts";
import type { Scan } from "../ir/reduction.ts";
import type { DType } from "../tensor/dtype.ts";
import * as reference from "./reference/compile.ts";
import { Unsupported } from "./wasm/elements.ts";
import { features } from "./wasm/engine.ts";
import * as wasm from "./wasm/pointwise.ts";
import * as wasmScan from "./wasm/scan.ts";

/** A kernel that computes `expr` for each element and stores it as `out`. */
export function compilePointwise(expr: Expr, out: DType): PointwiseKernel {
  return inWasm(() => wasm.compilePointwise(expr, out)) ?? reference.compilePointwise(expr, out);
}

/** A kernel that keeps the running values of a fold. */
export function compileScan(scan: Scan): ScanKernel {
  return inWasm(() => wasmScan.compileScan(scan)) ?? reference.compileScan(scan);
}

/** What the WASM backend makes; null where it cannot. */
function inWasm<K>(compile: () => K): K | null {
  if (!features.simd) return null;
  try {
    return compile();
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
}
