/** Rows of a table by their numbers. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { requiresGrad } from "../../autograd/variable.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { AssertionError, RuntimeError } from "../../errors.ts";
import { int64, tensorTypeName } from "../../tensor/dtype.ts";
import { isIndexDtype } from "../indexing/index-table.ts";
import { contiguousStrides } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { filled } from "../creation/fill.ts";

/** The rows for the flat `indices`. */
function rowsAt(weight: Tensor, indices: Tensor): Tensor {
  const sizes = [...indices._sizes, ...weight._sizes.slice(1)];
  return weight.index_select(0, indices.reshape([-1]))._aliased(sizes, contiguousStrides(sizes), 0);
}

/** 1 / how often each index occurs among all. */
export function rarity(flat: Tensor, rows: number, grad: Tensor): Tensor {
  const counts = filled([rows], 0, grad.dtype).index_add(0, flat, filled([flat._numel], 1, grad.dtype));
  return counts.index_select(0, flat).reciprocal();
}

/** What each index contributes: nothing where it is the padding. */
function counted(grad: Tensor, indices: Tensor, padding: number): Tensor {
  return grad.masked_fill(indices.eq(padding).unsqueeze(-1), 0);
}

/** The gradient of an embedding: each row of `grad` added to the row of the table that it came from. */
const tableGradient: KernelOverload = new KernelOverload(
  "embedding_dense_backward(Tensor grad_output, Tensor indices, int num_weights, int padding_idx, bool scale_grad_by_freq) -> Tensor",
  {
    forward: (grad: Tensor, indices: Tensor, rows: number, padding: number, scale: boolean) => {
      const flat = indices.reshape([-1]);
      const width = grad._sizes.at(-1)!;
      const kept = padding < 0 ? grad : counted(grad, indices, padding);
      const added = kept.reshape([flat._numel, width]);
      return filled([rows, width], 0, grad.dtype).index_add_(0, flat, scale ? added.mul(rarity(flat, rows, grad).unsqueeze(1)) : added);
    },
    backward: {
      grad_output: ({ grad, indices, padding_idx }) => (padding_idx < 0 ? rowsAt(grad, indices) : counted(rowsAt(grad, indices), indices, padding_idx)),
    },
    node: "EmbeddingDenseBackwardBackward0",
  },
);

const table = new KernelOverload("embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor", {
  forward: (weight: Tensor, indices: Tensor) => {
    if (weight._sizes.length !== 2) throw new RuntimeError("'weight' must be 2-D");
    if (!isIndexDtype(indices.dtype)) {
      throw new RuntimeError(
        `Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got ${tensorTypeName(indices.dtype)} instead (while checking arguments for embedding)`,
      );
    }
    return rowsAt(weight, indices);
  },
  backward: {
    weight: ({ grad, weight_sizes, indices, padding_idx, scale_grad_by_freq }) => tableGradient.call([grad, indices, weight_sizes[0], padding_idx, scale_grad_by_freq]) as Tensor,
  },
});

interface TableOptions {
  padding_idx?: number;
  scale_grad_by_freq?: boolean;
  sparse?: boolean;
}

/** The rows of `weight` (rows, width) that `indices` (int64 or int32, of any shape) name; see `torch.nn.functional.embedding`. */
export const embedding: FunctionOp<[weight: Tensor, indices: Tensor, padding_idx?: number, scale_grad_by_freq?: boolean, sparse?: boolean], TableOptions> = makeOp(
  "embedding",
  [table],
  false,
) as typeof embedding;

/** Writes a smaller multiple over those rows whose norm is above `most`. */
export function shorten(weight: Tensor, indices: Tensor, most: number, p: number): void {
  const rows = weight.detach();
  const norms = rows.norm(p, 1, true);
  const used = filled([rows._sizes[0]], 0, rows.dtype).index_fill_(0, indices.reshape([-1]).to(int64), 1).ne(0);
  const tooLong = norms.gt(most).logical_and(used.unsqueeze(1));
  rows.copy_(rows.mul(norms.add(1e-7).reciprocal().mul(most)).where(tooLong, rows));
}

interface EmbeddingOptions extends TableOptions {
  padding_idx?: number;
  max_norm?: number | null;
  norm_type?: number;
}

/**
 * The rows of `weight` (rows, width) that `input` (int64 or int32, of any shape) names. The row `padding_idx` gets no gradient;
 * rows longer than `max_norm` are shortened in place; `scale_grad_by_freq` divides gradients by how often a row is named.
 * `sparse` is accepted for PyTorch's sake: gradients are dense.
 *
 * @throws IndexError where a number names no row.
 * @example
 * torch.nn.functional.embedding(torch.tensor([1n]), torch.tensor([[1, 2], [3, 4]])).tolist(); // [[3, 4]]
 */
export const functionalEmbedding: FunctionOp<
  [input: Tensor, weight: Tensor, padding_idx?: number | null, max_norm?: number | null, norm_type?: number, scale_grad_by_freq?: boolean, sparse?: boolean],
  Omit<EmbeddingOptions, "padding_idx"> & { padding_idx?: number | null }
> = composite(
  "embedding(Tensor input, Tensor weight, int? padding_idx=None, float? max_norm=None, float norm_type=2.0, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor",
  (input: Tensor, weight: Tensor, padding: number | null, most: number | null, p: number, scale: boolean, sparse: boolean) => {
    // The record of a call asks for the number of rows before anything is checked.
    if (gradMode.enabled && requiresGrad(weight)) weight.size(0);
    const rows = weight._sizes[0] ?? 1;
    if (padding !== null && (padding >= rows || padding < -rows)) throw new AssertionError("Padding_idx must be within num_embeddings");
    if (most !== null) shorten(weight, input, most, p);
    return table.call([weight, input, padding === null ? -1 : padding < 0 ? padding + rows : padding, scale, sparse]);
  },
  { takesOut: false },
);

/**
 * A vector for each element of `self` (int64) with 1 at that position and 0 elsewhere; its length is one more than the
 * largest element unless `num_classes` is given.
 *
 * @throws RuntimeError where an element is negative or no position of the vector.
 * @example
 * torch.nn.functional.one_hot(torch.tensor([1n, 0n])).tolist(); // [[0, 1], [1, 0]]
 */
export const one_hot: FunctionOp<[self: Tensor, num_classes?: number], { num_classes?: number }> = composite(
  "one_hot(Tensor self, int num_classes=-1) -> Tensor",
  (self: Tensor, given: number) => {
    if (self.dtype !== int64) throw new RuntimeError("one_hot is only applicable to index tensor of type LongTensor.");
    if (self._numel === 0 && given <= 0) throw new RuntimeError("Can not infer total number of classes from empty tensor.");
    if (self._numel === 0) return filled([...self._sizes, given], 0, int64);
    if ((self.min().item() as number) < 0) throw new RuntimeError("Class values must be non-negative.");
    const largest = self.max().item() as number;
    if (given !== -1 && largest >= given) throw new RuntimeError("Class values must be smaller than num_classes.");
    const classes = given === -1 ? largest + 1 : given;
    return emptyTensor([...self._sizes, classes], int64).zero_().scatter_(-1, self.unsqueeze(-1), 1);
  },
  { method: false, takesOut: false },
);
