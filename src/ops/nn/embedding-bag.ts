/** Sums, means and maxima of rows of a table: torch.nn.functional.embedding_bag. */
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../../errors.ts";
import { int64, tensorTypeName } from "../../tensor/dtype.ts";
import { listText, sameSizes } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { filled, fromData } from "../creation/fill.ts";
import { isIndexDtype } from "../indexing/index-table.ts";
import { rarity, shorten } from "./embedding.ts";

type Mode = "sum" | "mean" | "max";

/** The number of the bag of each index. */
function bagsOf(offsets: readonly number[], count: number): Tensor {
  const bags = new BigInt64Array(count);
  for (let bag = -1, i = 0; i < count; i++) {
    while (offsets[bag + 1] <= i) bag++;
    bags[i] = BigInt(bag);
  }
  return fromData(bags, int64);
}

/** For each bag and column the row that holds the largest element, the first of several. */
function chosenRows(weight: Tensor, indices: Tensor, bags: Tensor, kept: Tensor | null, count: number): Tensor {
  const width = weight._sizes[1];
  const chosen = filled([count, width], -1, int64);
  const rows = weight.detach().index_select(0, indices).contiguous();
  const [values, at, bag, out] = [viewTyped(rows) as Float64Array, viewTyped(indices) as BigInt64Array, viewTyped(bags) as BigInt64Array, viewTyped(chosen) as BigInt64Array];
  const counts = kept === null ? null : (viewTyped(kept) as Uint8Array);
  const best = new Float64Array(count * width);
  for (let i = 0; i < bag.length; i++) {
    if (counts !== null && counts[i] === 0) continue;
    for (let c = 0; c < width; c++) {
      const place = Number(bag[i]) * width + c;
      if (out[place] >= 0n && !(values[i * width + c] > best[place])) continue;
      [best[place], out[place]] = [values[i * width + c], at[i]];
    }
  }
  return chosen;
}

const weighted = (t: Tensor, weights: Tensor | null): Tensor => (weights === null ? t : t.mul(weights.unsqueeze(1)));
const without = (t: Tensor, indices: Tensor, padding: number): Tensor => (padding < 0 ? t : t.masked_fill(indices.eq(padding).unsqueeze(1), 0));

const kernel = new KernelOverload(
  "_embedding_bag(Tensor weight, Tensor indices, Any offsets, str mode, int padding_idx, bool scale, Tensor? per_sample_weights) -> (Tensor output, Tensor bags, Tensor sizes, Tensor chosen)",
  {
    forward: (weight: Tensor, indices: Tensor, offsets: number[], mode: Mode, padding: number, _scale: boolean, weights: Tensor | null) => {
      const bags = bagsOf(offsets, indices._numel);
      const kept = padding < 0 ? null : indices.ne(padding);
      const ones = kept === null ? filled([indices._numel], 1, weight.dtype) : kept.to(weight.dtype);
      const sizes = filled([offsets.length], 0, weight.dtype).index_add_(0, bags, ones).clamp_min(1).unsqueeze(1);
      const chosen = mode === "max" ? chosenRows(weight, indices, bags, kept, offsets.length) : emptyTensor([0], int64);
      if (mode === "max") return [weight.gather(0, chosen.clamp_min(0)).masked_fill(chosen.lt(0), 0), bags, sizes, chosen];
      const rows = weighted(without(weight.index_select(0, indices), indices, padding), weights);
      const total = filled([offsets.length, weight._sizes[1]], 0, weight.dtype).index_add_(0, bags, rows);
      return [mode === "mean" ? total.div(sizes) : total, bags, sizes, chosen];
    },
    backward: {
      "weight, per_sample_weights": ({ grad, weight, indices, mode, padding_idx, scale, per_sample_weights, bags, sizes, chosen, needed }) => {
        const table = filled(weight._sizes, 0, grad.dtype);
        if (mode === "max") return [table.scatter_add(0, chosen.clamp_min(0), grad.masked_fill(chosen.lt(0), 0)), null];
        const each = without((mode === "mean" ? grad.div(sizes) : grad).index_select(0, bags), indices, padding_idx);
        const rows = weighted(each, per_sample_weights);
        return [
          needed[0] === true ? table.index_add(0, indices, scale === true ? rows.mul(rarity(indices, weight._sizes[0], grad).unsqueeze(1)) : rows) : null,
          needed[1] === true ? each.mul(weight.index_select(0, indices)).sum(1) : null,
        ];
      },
    },
    constants: ["bags", "sizes", "chosen"],
    node: "EmbeddingBagBackward0",
  },
);

/** Where each bag begins. */
function beginnings(input: Tensor, offsets: Tensor | null, includesLast: boolean): number[] {
  if (input._sizes.length === 2) {
    if (offsets !== null) {
      throw new ValueError("if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>");
    }
    return Array.from({ length: input._sizes[0] }, (_, i) => i * input._sizes[1]);
  }
  if (input._sizes.length !== 1) throw new ValueError(`input has to be 1D or 2D Tensor, but got Tensor of dimension ${input._sizes.length}`);
  if (offsets === null) throw new ValueError("offsets has to be a 1D Tensor but got None");
  if (offsets._sizes.length !== 1) throw new ValueError("offsets has to be a 1D Tensor");
  const list = (offsets.tolist() as (number | bigint)[]).map(Number);
  if (list.length > 0 && list[0] !== 0) throw new RuntimeError(`offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ${list[0]}\n[ ${tensorTypeName(offsets.dtype)}{} ]`);
  if (list.length > 0 && list.at(-1)! > input._numel) throw new RuntimeError(`offsets[-1] can not be greater than input's length ${input._numel} but got offsets[-1] of ${list.at(-1)}`);
  return includesLast ? list.slice(0, -1) : list;
}

function checkIndices(indices: Tensor, rows: number): void {
  if (!isIndexDtype(indices.dtype)) {
    throw new RuntimeError(
      `Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got ${tensorTypeName(indices.dtype)} instead (while checking arguments for embedding_bag)`,
    );
  }
  const list = (indices.tolist() as (number | bigint)[]).map(Number);
  const wrong = list.findIndex((i) => i < 0 || i >= rows);
  if (wrong >= 0) throw new RuntimeError(`Index ${wrong} of input takes value ${list[wrong]} which is not in the valid range [0, ${rows})`);
}

interface Options {
  offsets?: Tensor | null;
  max_norm?: number | null;
  norm_type?: number;
  scale_grad_by_freq?: boolean;
  mode?: Mode;
  sparse?: boolean;
  per_sample_weights?: Tensor | null;
  include_last_offset?: boolean;
  padding_idx?: number | null;
}

/**
 * Bags of rows of `weight` (rows, width), each put together by `mode`: "mean", "sum", weighted by `per_sample_weights` if given, or "max". `input` names the rows:
 * (bags, length), or one list of which `offsets` says where each bag begins. Rows `padding_idx` are left out.
 *
 * @throws ValueError, RuntimeError or NotImplementedError where arguments do not fit.
 * @example
 * torch.nn.functional.embedding_bag(torch.tensor([[0n, 1n]]), torch.tensor([[1, 2], [3, 4]])).tolist(); // [[2, 3]]
 */
export const embedding_bag: FunctionOp<[input: Tensor, weight: Tensor, offsets?: Tensor | null], Options> = composite(
  "embedding_bag(Tensor input, Tensor weight, Tensor? offsets=None, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int? padding_idx=None) -> Tensor",
  (
    given: Tensor, table: Tensor, offsets: Tensor | null, most: number | null, p: number, scale: boolean, mode: Mode, _sparse: boolean,
    weights: Tensor | null, includesLast: boolean, padding: number | null,
  ) => {
    // The arguments were once the other way round.
    const [input, weight] = !isIndexDtype(given.dtype) && isIndexDtype(table.dtype) ? [table, given] : [given, table];
    if (weights !== null && !sameSizes(weights._sizes, input._sizes)) {
      throw new ValueError(`embedding_bag: If per_sample_weights (torch.Size(${listText(weights._sizes)})) is not None, then it must have the same shape as the input (torch.Size(${listText(input._sizes)}))`);
    }
    if (!["sum", "mean", "max"].includes(mode)) throw new ValueError("mode has to be one of sum, mean or max");
    const starts = beginnings(input, offsets, includesLast);
    if (weights !== null && mode !== "sum") {
      throw new NotImplementedError(
        `embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='${mode}'). Please open a feature request on GitHub.`,
      );
    }
    const rows = weight._sizes[0];
    if (padding !== null && (padding >= rows || padding < -rows)) {
      throw new RuntimeError(`padding_idx must be within the number of embeddings, -${rows} through ${rows - 1}, but got ${padding}`);
    }
    const all = input.reshape([-1]).contiguous();
    checkIndices(all, rows);
    const indices = starts.length === 0 ? all.narrow(0, 0, 0) : all;
    if (most !== null) shorten(weight, indices, most, p);
    const skipped = padding === null ? -1 : padding < 0 ? padding + rows : padding;
    return (kernel.call([weight, indices.to(int64), starts, mode, skipped, scale, weights && weights.reshape([-1])]) as readonly Tensor[])[0];
  },
  { takesOut: false },
);
