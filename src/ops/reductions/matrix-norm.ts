/** Norms of matrices: torch.linalg.matrix_norm, and torch.linalg.norm, which is that of vectors too. */
import { CompositeOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { sameDtype } from "../../dispatch/out.ts";
import { RuntimeError } from "../../errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { listText, wrapDim, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { zeros } from "../creation/creation.ts";
import { _linalg_svd } from "./singular-values.ts";
import { checkNormDtypes, vectorNorm } from "./vector-norm.ts";
import type { Dims } from "./reduction.ts";

const name = "linalg.matrix_norm";

/** The wrapped dimensions of rows and columns. */
function matrixDims(self: Tensor, dim: Sizes, dtype: DType | null): [rows: number, columns: number] {
  if (self._sizes.length < 2) throw new RuntimeError(`${name}: The input tensor A must have at least 2 dimensions.`);
  checkNormDtypes(name, self, null);
  if (dim.length !== 2) throw new RuntimeError(`${name}: dim must be a 2-tuple. Got ${dim.join(" ")}`);
  const [rows, columns] = dim.map((d) => wrapDim(d, self._sizes.length));
  if (rows === columns) throw new RuntimeError(`${name}: dims must be different. Got (${rows}, ${columns})`);
  checkNormDtypes(name, self, dtype);
  return [rows, columns];
}

/** The largest or the smallest element along a dimension; the largest of none is 0. */
function extreme(t: Tensor, largest: boolean, dim: number, keepdim: boolean): Tensor {
  if (!largest) return t.amin(dim, keepdim);
  if (t.size(dim) > 0) return t.amax(dim, keepdim);
  const sizes = keepdim ? t._sizes.with(dim, 1) : t._sizes.toSpliced(dim, 1);
  return zeros(sizes, { dtype: t.dtype });
}

/** What `fold` makes of the singular values, which lie along the last dimension. */
function ofSingularValues(self: Tensor, [rows, columns]: [number, number], keepdim: boolean, dtype: DType | null, fold: (values: Tensor, dim: number) => Tensor): Tensor {
  const batch = self._sizes.map((_, d) => d).filter((d) => d !== rows && d !== columns);
  const order = [...batch, rows, columns];
  const input = dtype === null ? self : self.to(dtype);
  const values = _linalg_svd(input.permute(order))[1];
  const norm = fold(values, values._sizes.length - 1);
  return keepdim ? norm.unsqueeze(-1).unsqueeze(-1).permute(order.map((_, d) => order.indexOf(d))) : norm;
}

function numberedNorm(self: Tensor, order: number | bigint | boolean, dim: Sizes, keepdim: boolean, dtype: DType | null): Tensor {
  const ord = Number(order);
  if (![1, 2, Infinity].includes(Math.abs(ord))) throw new RuntimeError(`${name}: Order ${ord} not supported.`);
  const dims = matrixDims(self, dim, dtype);
  if (Math.abs(ord) === 2) return ofSingularValues(self, dims, keepdim, dtype, (values, last) => extreme(values, ord > 0, last, false));
  const [summed, compared] = Math.abs(ord) === 1 ? dims : dims.toReversed();
  const sums = vectorNorm(self, 1, [summed], keepdim, dtype);
  return extreme(sums, ord > 0, !keepdim && summed < compared ? compared - 1 : compared, keepdim);
}

/** The norm that a word names: "fro", the root of the sum of squares, or "nuc", the sum of the singular values. */
export function namedMatrixNorm(self: Tensor, ord: string, dim: Sizes, keepdim: boolean, dtype: DType | null): Tensor {
  if (ord !== "fro" && ord !== "nuc") throw new RuntimeError(`${name}: Order ${ord} not supported.`);
  const dims = matrixDims(self, dim, dtype);
  if (ord === "fro") return vectorNorm(self, 2, dims, keepdim, dtype);
  return ofSingularValues(self, dims, keepdim, dtype, (values, last) => values.sum(last));
}

type Order = number | "fro" | "nuc";
interface Options {
  ord?: Order | null;
  dim?: Dims;
  keepdim?: boolean;
  dtype?: DType | null;
}

const outOf = (op: string): { outRule: ReturnType<typeof sameDtype> } => ({
  outRule: sameDtype((out, result) => `${op} expected out tensor dtype ${result.title} but got: ${out.title}`),
});

/**
 * A norm of each matrix along two dimensions, the last two by default: "fro" and "nuc"; 1 and ∞, the largest sum of |x| of a column or a row;
 * 2, the largest singular value; and -1, -∞ and -2, the smallest.
 *
 * @throws RuntimeError where there is no such norm, where the tensor has fewer than two dimensions, or holds no floats.
 * @example
 * torch.linalg.matrix_norm(torch.tensor([[1, 2], [3, 4]]), 1).item(); // 6
 */
export const matrix_norm: FunctionOp<[A: Tensor, ord?: Order, dim?: Dims, keepdim?: boolean], Options> = makeOp(
  "linalg_matrix_norm",
  [
    new CompositeOverload("linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2,-1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", numberedNorm, outOf(name)),
    new CompositeOverload("linalg_matrix_norm.str_ord(Tensor self, str ord='fro', int[] dim=[-2,-1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", namedMatrixNorm, outOf(name)),
  ],
  false,
) as typeof matrix_norm;

function checkOrder(self: Tensor, dim: Sizes | null, isGiven: boolean): void {
  const ndim = self._sizes.length;
  if (dim !== null && dim.length !== 1 && dim.length !== 2) {
    throw new RuntimeError(`linalg.norm: If dim is specified, it must be of length 1 or 2. Got ${listText(dim)}`);
  }
  if (dim === null && isGiven && ndim !== 1 && ndim !== 2) {
    throw new RuntimeError(`linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ${ndim}D.`);
  }
}

function numbered(self: Tensor, ord: number | bigint | boolean | null, dim: Sizes | null, keepdim: boolean, dtype: DType | null): Tensor {
  checkOrder(self, dim, ord !== null);
  const isMatrix = (dim ?? self._sizes).length === 2;
  if (ord !== null && isMatrix) return numberedNorm(self, ord, dim ?? [0, 1], keepdim, dtype);
  return vectorNorm(self, Number(ord ?? 2), dim, keepdim, dtype);
}

function named(self: Tensor, ord: string, dim: Sizes | null, keepdim: boolean, dtype: DType | null): Tensor {
  checkOrder(self, dim, true);
  return namedMatrixNorm(self, ord, dim ?? [0, 1], keepdim, dtype);
}

/**
 * The norm of a vector or a matrix: without `ord` the root of the sum of squares of all elements, or of those along `dim`. With `ord` it is that of
 * `vector_norm` along one dimension, and that of `matrix_norm` along two.
 *
 * @throws RuntimeError where `ord` is given, and neither a vector nor a matrix; and as those do.
 * @example
 * torch.linalg.norm(torch.tensor([3, 4])).item(); // 5
 */
export const norm: FunctionOp<[A: Tensor, ord?: Order | null, dim?: Dims | null, keepdim?: boolean], Options> = makeOp(
  "linalg_norm",
  [
    new CompositeOverload("linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", numbered, outOf("linalg.norm")),
    new CompositeOverload("linalg_norm.ord_str(Tensor self, str ord, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor", named, outOf("linalg.norm")),
  ],
  false,
) as typeof norm;
