/** Tensors brought to one shape, or to a least number of dimensions. */
import { alternatives, composite } from "../../dispatch/define.ts";
import { broadcastTensors } from "../../dispatch/iterate.ts";
import type { FunctionOp, Op } from "../../dispatch/op.ts";
import { RuntimeError, warn } from "../../errors.ts";
import { sameSizes, type Sizes } from "../../tensor/layout.ts";
import { Tensor } from "../../tensor/tensor.ts";

type Size = readonly number[];
type Tensors = readonly Tensor[];

/**
 * A view with dimensions of size 1 repeated to fit `size`.
 *
 * @throws RuntimeError where the sizes do not fit.
 * @example
 * torch.tensor([[1], [2]]).broadcast_to([2, 2]).tolist(); // [[1, 1], [2, 2]]
 */
export const broadcast_to: Op<[self: Tensor, size: Size], { size?: Size }> = composite("broadcast_to(Tensor self, int[] size) -> Tensor", (self: Tensor, size: Sizes) => self.expand(size));

/** Takes tensors one by one or in a list. */
type OverTensors<N = unknown> = FunctionOp<[tensors: Tensors], N, Tensors> & ((...tensors: Tensor[]) => Tensors);

/**
 * The tensors expanded to their common shape; one that has it already is returned as it is.
 *
 * @throws RuntimeError where the shapes have none in common.
 * @example
 * torch.broadcast_tensors(torch.zeros(2, 1), torch.zeros(3)).map((t) => t.shape); // [[2, 3], [2, 3]]
 */
export const broadcast_tensors: OverTensors = composite("broadcast_tensors(Tensor[] *tensors) -> Tensor[]", (tensors: Tensors) => {
  if (tensors.length === 0) return [];
  const sizes = broadcastTensors(tensors);
  return tensors.map((t) => (sameSizes(t._sizes, sizes) ? t : t.expand(sizes)));
}) as OverTensors;

/**
 * The shape that tensors of these shapes have in common; a number stands for a vector's shape.
 *
 * @throws RuntimeError where there is none.
 * @example
 * torch.broadcast_shapes([2, 1], [3]); // [2, 3]
 */
export function broadcast_shapes(...shapes: (number | Size)[]): readonly number[] {
  const lists = shapes.map((shape) => (typeof shape === "number" ? [shape] : shape));
  const out = new Array<number>(lists.reduce((n, shape) => Math.max(n, shape.length), 0)).fill(1);
  lists.forEach((shape, k) => {
    for (let i = -1; i >= -shape.length; i--) {
      const size = shape.at(i)!;
      const at = out.length + i;
      if (size === 1 || size === out[at]) continue;
      if (out[at] !== 1 || size < 0) {
        const shown = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
        throw new RuntimeError(
          `Attempting to broadcast a dimension of length ${size} at ${i}! Mismatching argument at index ${k} had ${shown}; but expected shape should be broadcastable to [${out.join(", ")}]`,
        );
      }
      out[at] = size;
    }
  });
  return out;
}

type AtLeast = FunctionOp<[self: Tensor]> & FunctionOp<[tensors: Tensors], unknown, Tensors> & ((...tensors: Tensor[]) => Tensors);

const atLeast = (name: string, raise: (t: Tensor) => Tensor): AtLeast =>
  alternatives(
    {
      [`${name}(Tensor self) -> Tensor`]: raise,
      [`${name}.Sequence(Tensor[] *tensors=[]) -> Tensor[]`]: (tensors: Tensors) => tensors.map(raise),
    },
    { method: false },
  );

/**
 * A 0-dim tensor as a vector; others as they are. Several tensors give a list.
 *
 * @example
 * torch.atleast_1d(torch.zeros([])).shape; // [1]
 */
export const atleast_1d: AtLeast = atLeast("atleast_1d", (t) => (t._sizes.length === 0 ? t.reshape([1]) : t));

/**
 * With at least two dimensions: a vector becomes a row. Several tensors give a list.
 *
 * @example
 * torch.atleast_2d(torch.zeros(3)).shape; // [1, 3]
 */
export const atleast_2d: AtLeast = atLeast("atleast_2d", (t) => {
  const ndim = t._sizes.length;
  return ndim === 0 ? t.reshape([1, 1]) : ndim === 1 ? t.unsqueeze(0) : t;
});

/**
 * With at least three dimensions: a vector lies along the second, a matrix along the first two. Several tensors give a list.
 *
 * @example
 * torch.atleast_3d(torch.zeros(3)).shape; // [1, 3, 1]
 */
export const atleast_3d: AtLeast = atLeast("atleast_3d", (t) => {
  const ndim = t._sizes.length;
  if (ndim === 0) return t.reshape([1, 1, 1]);
  return ndim === 1 ? t.unsqueeze(0).unsqueeze(-1) : ndim === 2 ? t.unsqueeze(-1) : t;
});

type Indexing = "ij" | "xy";

/**
 * Vectors expanded over the grid that they span; with indexing "xy" the first two span columns and rows.
 *
 * @throws RuntimeError for no tensors, tensors of two or more dimensions, or of different dtypes.
 * @example
 * torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4]), { indexing: "ij" })[0].tolist(); // [[1, 1], [2, 2]]
 */
export const meshgrid: OverTensors<{ indexing?: Indexing | null }> & ((...args: [...Tensor[], { indexing: Indexing }]) => Tensors) = composite(
  "meshgrid(Tensor[] *tensors=[], *, str? indexing=None) -> Tensor[]",
  (tensors: Tensors, indexing: string | null) => {
    if (indexing === null) warn("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.");
    else if (indexing !== "ij" && indexing !== "xy") throw new RuntimeError(`torch.meshgrid: indexing must be one of "xy" or "ij", but received: ${indexing}`);
    if (tensors.length === 0) throw new RuntimeError("meshgrid expects a non-empty TensorList");
    const swap = indexing === "xy" && tensors.length >= 2;
    const exchanged = (list: Tensors): Tensors => (swap ? [list[1], list[0], ...list.slice(2)] : list);
    return exchanged(spanned(exchanged(tensors)));
  },
) as typeof meshgrid;

function spanned(vectors: Tensors): Tensor[] {
  if (vectors.some((t) => t.dtype !== vectors[0].dtype)) throw new RuntimeError("meshgrid expects all tensors to have the same dtype");
  const wide = vectors.find((t) => t._sizes.length > 1);
  if (wide !== undefined) throw new RuntimeError(`torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${String(wide)}`);
  const sizes = vectors.map((t) => t._numel);
  return vectors.map((t, k) => t.view(sizes.map((s, d) => (d === k ? s : 1))).expand(sizes));
}
