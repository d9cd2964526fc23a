/** Tensors put together into one. */
import { composite, kernel } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { type OutRule } from "../../dispatch/out.ts";
import { resultDtype } from "../../dispatch/promote.ts";
import { RuntimeError, ValueError } from "../../errors.ts";
import { get_default_dtype, can_cast } from "../../tensor/dtype.ts";
import { channelsLastStrides, contiguousStrides, isChannelsLast, listText, sameSizes, viewStrides, wrapDim, type Sizes } from "../../tensor/layout.ts";
import { emptyStrided, emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { atleast_1d, atleast_2d, atleast_3d } from "./broadcasting.ts";
import { writeInto } from "../creation/copy.ts";
import { filled } from "../creation/fill.ts";

type Tensors = readonly Tensor[];
type Join = FunctionOp<[tensors: Tensors]>;
type JoinAlong = FunctionOp<[tensors: Tensors, dim?: number], { dim?: number }>;

/** A vector without elements joins anything: PyTorch keeps this of old. */
const isSkipped = (sizes: Sizes): boolean => sizes.length === 1 && sizes[0] === 0;

/** Refuses shapes that differ elsewhere than along the joined dimension. */
function checkJoinable(tensors: Tensors, first: Tensor, dim: number): void {
  tensors.forEach(({ _sizes: sizes }, k) => {
    if (isSkipped(sizes)) return;
    const want = first._sizes;
    if (sizes.length !== want.length) throw new RuntimeError(`Tensors must have same number of dimensions: got ${want.length} and ${sizes.length}`);
    const differs = sizes.findIndex((s, d) => d !== dim && s !== want[d]);
    if (differs >= 0) {
      throw new RuntimeError(
        `Sizes of tensors must match except in dimension ${dim}. Expected size ${want[differs]} but got size ${sizes[differs]} for tensor number ${k} in the list.`,
      );
    }
  });
}

function joined(tensors: Tensors, dim: number): Tensor {
  if (tensors.length === 0) throw new ValueError("torch.cat(): expected a non-empty list of Tensors");
  const scalar = tensors.findIndex((t) => t._sizes.length === 0);
  if (scalar >= 0) throw new RuntimeError(`zero-dimensional tensor (at position ${scalar}) cannot be concatenated`);
  const dtype = resultDtype(tensors)!;
  const parts = tensors.filter((t) => !isSkipped(t._sizes));
  if (parts.length === 0) return emptyTensor([0], dtype);
  const [first] = parts;
  const d = wrapDim(dim, first._sizes.length);
  checkJoinable(tensors, first, d);
  const sizes = first._sizes.with(d, parts.reduce((sum, t) => sum + t._sizes[d], 0));
  const strides = tensors.every((t) => isChannelsLast(t._sizes, t._strides)) ? channelsLastStrides(sizes) : contiguousStrides(sizes);
  const out = emptyStrided(sizes, strides, dtype);
  let offset = 0;
  for (const part of parts) {
    writeInto(out._aliased(part._sizes, out._strides, offset), part);
    offset += part._sizes[d] * out._strides[d];
  }
  return out;
}

const outRule: OutRule = {
  apart: true,
  dtype(out, result) {
    if (!can_cast(result, out)) throw new TypeError(`torch.cat(): input types can't be cast to the desired output type ${out.title}`);
  },
};

/**
 * The tensors one after the other along `dim`; elsewhere their sizes are equal. Vectors without elements are skipped.
 *
 * @throws ValueError for no tensors; RuntimeError where other sizes differ, or for a 0-dim tensor; IndexError where `dim` is out of range.
 * @example
 * torch.cat([torch.tensor([1, 2]), torch.tensor([3])]).tolist(); // [1, 2, 3]
 */
export const cat: JoinAlong = kernel("cat(Tensor[] tensors, int dim=0) -> Tensor", {
  forward: joined,
  backward: { tensors: splitGrad },
  outRule,
});

/** The part of `grad` that each joined tensor made. */
function splitGrad({ grad, tensors_sizes, dim }: { grad: Tensor; tensors_sizes: readonly Sizes[]; dim: number }): Tensor[] {
  let start = 0;
  return tensors_sizes.map((size) => {
    if (isSkipped(size)) return filled(size, 0, grad.dtype);
    const d = wrapDim(dim, size.length);
    start += size[d];
    return grad.narrow(d, start - size[d], size[d]);
  });
}

/**
 * The same as `cat`.
 *
 * @example
 * torch.concat([torch.ones(1, 2), torch.zeros(1, 2)], 1).tolist(); // [[1, 1, 0, 0]]
 */
export const concat: JoinAlong = composite("concat(Tensor[] tensors, int dim=0) -> Tensor", (tensors: Tensors, dim: number) => cat(tensors, dim), { outRule });
/**
 * The same as `cat`.
 *
 * @example
 * torch.concatenate([torch.ones(1), torch.zeros(2)]).tolist(); // [1, 0, 0]
 */
export const concatenate: JoinAlong = composite("concatenate(Tensor[] tensors, int dim=0) -> Tensor", (tensors: Tensors, dim: number) => cat(tensors, dim), { outRule });

function refuseNone(tensors: Tensors, what: string): void {
  if (tensors.length === 0) throw new RuntimeError(`${what} expects a non-empty TensorList`);
}

/**
 * Tensors of one shape side by side along a new dimension `dim`.
 *
 * @throws RuntimeError for no tensors, or where the shapes differ; IndexError where `dim` is out of range.
 * @example
 * torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], 1).tolist(); // [[1, 3], [2, 4]]
 */
export const stack: JoinAlong = kernel("stack(Tensor[] tensors, int dim=0) -> Tensor", {
  forward: (tensors: Tensors, dim: number) => {
    refuseNone(tensors, "stack");
    const [{ _sizes: sizes }] = tensors;
    const d = wrapDim(dim, sizes.length + 1);
    tensors.forEach((t, k) => {
      if (!sameSizes(t._sizes, sizes)) {
        throw new RuntimeError(`stack expects each tensor to be equal size, but got ${listText(sizes)} at entry 0 and ${listText(t._sizes)} at entry ${k}`);
      }
    });
    // As PyTorch lays it out: joined along a dimension that there is, which is then split.
    if (d === sizes.length) return joined(tensors.map((t) => t._aliased([...sizes, 1], [...t._strides, 1], t._offset)), d);
    const row = joined(tensors, d);
    const split = sizes.toSpliced(d, 0, tensors.length);
    return row._aliased(split, viewStrides(row._sizes, row._strides, split)!, 0);
  },
  backward: { tensors: ({ grad, dim }) => Array.from({ length: grad.size(dim) }, (_, k) => grad.select(dim, k)) },
  outRule,
});

const joining = (name: string, join: (tensors: Tensors) => Tensor): Join =>
  composite(
    `${name}(Tensor[] tensors) -> Tensor`,
    (tensors: Tensors) => {
      refuseNone(tensors, name);
      return join(tensors);
    },
    { outRule },
  );

const besides = (tensors: Tensors): Tensor => {
  const raised = atleast_1d(tensors);
  return cat(raised, raised[0]._sizes.length === 1 ? 0 : 1);
};
const below = (tensors: Tensors): Tensor => cat(atleast_2d(tensors), 0);

/**
 * The tensors side by side: along the second dimension, vectors along their only one.
 *
 * @throws RuntimeError for no tensors, or where other sizes differ.
 * @example
 * torch.hstack([torch.ones(2, 1), torch.zeros(2, 1)]).tolist(); // [[1, 0], [1, 0]]
 */
export const hstack: Join = joining("hstack", besides);
/**
 * The tensors one below the other, vectors as rows.
 *
 * @throws RuntimeError for no tensors, or where other sizes differ.
 * @example
 * torch.vstack([torch.ones(2), torch.zeros(2)]).tolist(); // [[1, 1], [0, 0]]
 */
export const vstack: Join = joining("vstack", below);
/**
 * The same as `vstack`.
 *
 * @example
 * torch.row_stack([torch.ones(2), torch.zeros(2)]).tolist(); // [[1, 1], [0, 0]]
 */
export const row_stack: Join = joining("vstack", below);
/**
 * The tensors behind one another along the third dimension.
 *
 * @throws RuntimeError for no tensors, or where other sizes differ.
 * @example
 * torch.dstack([torch.ones(2), torch.zeros(2)]).tolist(); // [[[1, 0], [1, 0]]]
 */
export const dstack: Join = joining("dstack", (tensors) => cat(atleast_3d(tensors), 2));
/**
 * The tensors side by side, vectors as columns.
 *
 * @throws RuntimeError for no tensors, or where other sizes differ.
 * @example
 * torch.column_stack([torch.ones(2), torch.zeros(2)]).tolist(); // [[1, 0], [1, 0]]
 */
export const column_stack: Join = joining("column_stack", (tensors) => besides(tensors.map((t) => (t._sizes.length <= 1 ? t.reshape([t._numel, 1]) : t))));

/**
 * Matrices along the diagonal of a larger one of zeros; a vector counts as a row.
 *
 * @throws RuntimeError for more than two dimensions.
 * @example
 * torch.block_diag(torch.ones(1, 2), torch.full([1], 5)).tolist(); // [[1, 1, 0], [0, 0, 5]]
 */
export const block_diag: FunctionOp<[tensors: Tensors]> & ((...tensors: Tensor[]) => Tensor) = kernel("block_diag(Tensor[] *tensors=[]) -> Tensor", {
  forward: (tensors: Tensors) => {
    tensors.forEach(({ _sizes: { length } }, k) => {
      if (length > 2) throw new RuntimeError(`torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ${k} has ${length} dimensions`);
    });
    const blocks = tensors.map((t) => matrixSizes(t._sizes));
    const total = (d: number): number => blocks.reduce((sum, block) => sum + block[d], 0);
    if (tensors.length === 0) return filled([1, 0], 0, get_default_dtype());
    const out = filled([total(0), total(1)], 0, resultDtype(tensors)!);
    let [row, column] = [0, 0];
    tensors.forEach((t, k) => {
      const [rows, columns] = blocks[k];
      const padded = new Array<number>(2 - t._sizes.length).fill(0);
      writeInto(out._aliased([rows, columns], out._strides, row * out._strides[0] + column), t._aliased([rows, columns], [...padded, ...t._strides], t._offset));
      row += rows;
      column += columns;
    });
    return out;
  },
  backward: {
    tensors: ({ grad, tensors_sizes }: { grad: Tensor; tensors_sizes: readonly Sizes[] }) => {
      let [row, column] = [0, 0];
      return tensors_sizes.map((sizes) => {
        const [rows, columns] = matrixSizes(sizes);
        const block = grad.narrow(0, row, rows).narrow(1, column, columns);
        row += rows;
        column += columns;
        return block.reshape(sizes);
      });
    },
  },
});

const matrixSizes = (sizes: Sizes): [number, number] => [sizes.length < 2 ? 1 : sizes[0], sizes.length < 1 ? 1 : sizes[sizes.length - 1]];
