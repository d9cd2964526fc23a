/** Products of matrices: chooses who computes them. */
import { FLOAT, type DType } from "../tensor/dtype.ts";
import { lengthOf, type Product } from "./product.ts";
import { multiply as multiplyByDefinition } from "./reference/gemm.ts";
import { features } from "./wasm/engine.ts";
import { multiply } from "./wasm/gemm.ts";
import { multiplyAlong } from "./wasm/gemm-along.ts";
import { multiplyRow } from "./wasm/gemm-row.ts";
import { multiplyVector } from "./wasm/gemv.ts";

/** Runs a product of matrices of one dtype, of which any size may be 0. */
export function gemm(dtype: DType, product: Product): void {
  if (dtype.kind !== FLOAT || !features.simd || lengthOf(product.a.columns) === 0) return multiplyByDefinition(dtype, product);
  const { a, b } = product;
  if (lengthOf(a.batch) === 0 || lengthOf(a.rows) === 0 || lengthOf(b.columns) === 0) return;
  if (!multiplyVector(dtype, product) && !multiplyAlong(dtype, product) && !multiplyRow(dtype, product)) multiply(dtype, product);
}
