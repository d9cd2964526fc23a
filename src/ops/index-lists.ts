/** Lists of indices: those of a triangle, and those that positions in a flattened tensor stand for. */
import { composite, factory } from "../dispatch/define.ts";
import type { FunctionOp } from "../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../errors.ts";
import { INT, int32, int64, type DType } from "../tensor/dtype.ts";
import { contiguousStrides, type Sizes } from "../tensor/layout.ts";
import { viewTyped } from "../tensor/read.ts";
import { emptyTensor, type Tensor } from "../tensor/tensor.ts";
import { tensor, type TensorOptions } from "./creation.ts";

type TriangleIndices = FunctionOp<[row: number, col: number, offset?: number], TensorOptions & { offset?: number }>;

const triangleIndices = (name: string, holds: (columnMinusRow: number, offset: number) => boolean): TriangleIndices =>
  factory(`${name}(int row, int col, int offset=0, *, ScalarType? dtype=None) -> Tensor`, (rows: number, columns: number, offset: number, dtype: DType | null) => {
    if (rows < 0) throw new RuntimeError(`row must be non-negative, got${rows}`);
    if (columns < 0) throw new RuntimeError(`col must be non-negative, got${columns}`);
    const type = dtype ?? int64;
    if (type !== int64 && type !== int32) throw new NotImplementedError(`"${name}" not implemented for '${type.title}'`);
    const found: [number, number][] = [];
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) if (holds(c - r, offset)) found.push([r, c]);
    const out = emptyTensor([2, found.length], type);
    const data = viewTyped(out) as unknown as Record<number, number | bigint>;
    const whole = type === int64 ? BigInt : Number;
    found.forEach(([r, c], i) => {
      data[i] = whole(r);
      data[found.length + i] = whole(c);
    });
    return out;
  });

/** The indices of the lower triangle of a matrix: rows above columns. */
export const tril_indices: TriangleIndices = triangleIndices("tril_indices", (difference, offset) => difference <= offset);
/** The indices of the upper triangle of a matrix: rows above columns. */
export const triu_indices: TriangleIndices = triangleIndices("triu_indices", (difference, offset) => difference >= offset);

type Shape = number | readonly number[];

/** The index along each dimension of a tensor of `shape` for each position in its row-major order; positions beyond the end wrap around. */
export const unravel_index: FunctionOp<[indices: Tensor, shape: Shape], { shape?: Shape }, readonly Tensor[]> = composite(
  "unravel_index(Tensor indices, int[1] shape) -> Tensor[]",
  (indices: Tensor, shape: Sizes) => {
    if (indices.dtype.kind !== INT) throw new TypeError(`expected 'indices' to be integer dtype, but got ${indices.dtype}`);
    if (shape.some((s) => s < 0)) throw new ValueError(`'shape' cannot have negative values, but got (${shape.join(", ")}${shape.length === 1 ? "," : ""})`);
    const whole = (list: Sizes): Tensor => tensor(list, { dtype: int64 });
    return indices.unsqueeze(-1).floor_divide(whole(contiguousStrides(shape))).remainder(whole(shape)).unbind(-1);
  },
  { method: false },
);
