/** Lists of indices: those of a triangle, and those that positions in a flattened tensor stand for. */
import { triangleIndices, writePairs, type WholeArray } from "../../backends/reference/index-patterns.ts";
import { composite, factory } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../../errors.ts";
import { typeText } from "../../schema/arguments.ts";
import { INT, int32, int64, type DType } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { tensor, type TensorOptions } from "../creation/creation.ts";

type TriangleIndices = FunctionOp<[row: number, col: number, offset?: number], TensorOptions & { offset?: number }>;

const indicesOf = (name: "tril_indices" | "triu_indices"): TriangleIndices =>
  factory(`${name}(int row, int col, int offset=0, *, ScalarType? dtype=None) -> Tensor`, (rows: number, columns: number, offset: number, dtype: DType | null) => {
    if (rows < 0) throw new RuntimeError(`row must be non-negative, got${rows}`);
    if (columns < 0) throw new RuntimeError(`col must be non-negative, got${columns}`);
    const type = dtype ?? int64;
    if (type !== int64 && type !== int32) throw new NotImplementedError(`"${name}" not implemented for '${type.title}'`);
    const pairs = triangleIndices(rows, columns, offset, name === "tril_indices");
    const out = emptyTensor([2, pairs.length], type);
    writePairs(viewTyped(out) as WholeArray, pairs);
    return out;
  });

/**
 * The indices of the lower triangle of a matrix: rows above columns.
 *
 * @throws RuntimeError where a size is negative; NotImplementedError for other dtypes than int32 and int64.
 * @example
 * torch.tril_indices(2, 2).tolist(); // [[0, 1, 1], [0, 0, 1]]
 */
export const tril_indices: TriangleIndices = indicesOf("tril_indices");
/**
 * The indices of the upper triangle of a matrix: rows above columns.
 *
 * @throws RuntimeError where a size is negative; NotImplementedError for other dtypes than int32 and int64.
 * @example
 * torch.triu_indices(2, 2).tolist(); // [[0, 0, 1], [0, 1, 1]]
 */
export const triu_indices: TriangleIndices = indicesOf("triu_indices");

type Shape = number | readonly number[];

function shapeOf(given: unknown): readonly number[] {
  const isWhole = (size: unknown): size is number => Number.isInteger(size);
  if (isWhole(given)) return [given];
  if (!Array.isArray(given)) throw new TypeError(`expected 'shape' to be int or sequence of ints, but got ${pythonType(given)}`);
  const wrong = given.findIndex((size) => !isWhole(size));
  if (wrong >= 0) throw new TypeError(`expected 'shape' sequence to only contain ints, but got ${pythonType(given[wrong])}`);
  return given as number[];
}

const pythonType = (value: unknown): string => `<class '${value instanceof Tensor ? "torch.Tensor" : typeText(value)}'>`;

/**
 * The index along each dimension of a tensor of `shape` for each position in its row-major order; positions beyond the end wrap around.
 *
 * @throws TypeError where `indices` are no integers; ValueError where a size is negative.
 * @example
 * torch.unravel_index(torch.arange(4, 6), [2, 3]).map((index) => index.tolist()); // [[1, 1], [1, 2]]
 */
export const unravel_index: FunctionOp<[indices: Tensor, shape: Shape], { shape?: Shape }, readonly Tensor[]> = composite(
  "unravel_index(Tensor indices, Any shape) -> Tensor[]",
  (indices: Tensor, given: unknown) => {
    if (indices.dtype.kind !== INT) throw new TypeError(`expected 'indices' to be integer dtype, but got ${indices.dtype}`);
    const shape = shapeOf(given);
    if (shape.some((s) => s < 0)) throw new ValueError(`'shape' cannot have negative values, but got (${shape.join(", ")}${shape.length === 1 ? "," : ""})`);
    const sizes = shape.map(BigInt);
    const steps = sizes.map((_, d) => sizes.slice(d + 1).reduce((product, s) => product * s, 1n));
    const [divisors, moduli] = [steps, sizes].map((list) => tensor(list, { dtype: int64 }));
    return indices.unsqueeze(-1).floor_divide(divisors).remainder(moduli).unbind(-1);
  },
  { method: false },
);
