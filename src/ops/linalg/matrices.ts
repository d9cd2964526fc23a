/** What the decompositions share: how matrices lie for them, and what they refuse. */
import type { FloatArray } from "../../backends/reference/lanes.ts";
import { RuntimeError } from "../../errors.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { contiguousStrides, type Sizes } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyStrided, type Tensor } from "../../tensor/tensor.ts";
import { writeInto } from "../creation/copy.ts";

/** A batch of matrices that lie by columns, as LAPACK's do; unset, or a copy of `source`. */
export function byColumns(sizes: Sizes, like: Tensor, source: Tensor | null = null): Tensor {
  const [m, n] = sizes.slice(-2);
  const strides = contiguousStrides([...sizes.slice(0, -2), n, m]);
  const out = emptyStrided(sizes, [...strides.slice(0, -2), strides.at(-1)!, strides.at(-2)!], like.dtype);
  return source === null ? out : writeInto(out, source);
}

/** The elements of each matrix of a batch made by `byColumns`; valid until the next allocation. */
export function* eachMatrix(batch: Tensor): Generator<FloatArray> {
  const elements = viewTyped(batch) as FloatArray;
  const [m, n] = batch._sizes.slice(-2);
  if (m * n === 0) return;
  for (let at = 0; at < elements.length; at += m * n) yield elements.subarray(at, at + m * n);
}

export function checkMatrix(t: Tensor, name: string, argument = "A"): void {
  if (t._sizes.length < 2) throw new RuntimeError(`${name}: The input tensor ${argument} must have at least 2 dimensions.`);
}

export function checkSquare(A: Tensor, name: string): void {
  checkMatrix(A, name);
  const [m, n] = A._sizes.slice(-2);
  if (m !== n) throw new RuntimeError(`${name}: A must be batches of square matrices, but they are ${m} by ${n} matrices`);
}

export function checkFloating(t: Tensor, name: string): void {
  if (t.dtype.kind !== FLOAT) throw new RuntimeError(`${name}: Expected a floating point or complex tensor as input. Got ${t.dtype.title}`);
}

/** The sizes of a batch without its matrices. */
export const batchOf = (t: Tensor): Sizes => t._sizes.slice(0, -2);
