/** Distinct elements. */
import { rowOrder, runsOf, sameRows, type Runs } from "../../backends/reference/search.ts";
import { sortedOrder } from "../../backends/reference/sort.ts";
import { CompositeOverload, KernelOverload } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import { IndexError, NotImplementedError, RuntimeError } from "../../errors.ts";
import { int64 } from "../../tensor/dtype.ts";
import { wrapDim, type Sizes } from "../../tensor/layout.ts";
import { viewTyped, wordsOf } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";

type Triple = readonly [output: Tensor, inverse: Tensor, counts: Tensor];

function integers(values: ArrayLike<number>, sizes: Sizes): Tensor {
  const out = emptyTensor(sizes, int64);
  const words = wordsOf(out);
  for (let i = 0; i < values.length; i++) {
    words[2 * i] = values[i];
    words[2 * i + 1] = 0;
  }
  return out;
}

const inPlace = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i);

/** The first of each run as rows of `flat` (n, …), with the runs as tensors. */
const tripleOf = (flat: Tensor, { firsts, runOf, lengths }: Runs, inverseSizes: Sizes): Triple => [
  flat.index_select(0, integers(firsts, [firsts.length])), integers(runOf, inverseSizes), integers(lengths, [lengths.length]),
];

/** Distinct elements of all of `self`: sorted, or only where neighbours are equal. */
function amongAll(self: Tensor, consecutive: boolean): Triple {
  const flat = rowMajor(self)._reshaped([self._numel]);
  const elements = viewTyped(flat).slice();
  const order = consecutive ? inPlace(self._numel) : sortedOrder(viewTyped(flat));
  return tripleOf(flat, runsOf(order, (i, j) => elements[i] === elements[j]), self._sizes);
}

/** Distinct slices along `dim`. */
function alongDim(self: Tensor, dim: number, consecutive: boolean): Triple {
  if (self._sizes.length === 0) throw new IndexError("Dimension specified as 0 but tensor has no dimensions");
  const d = wrapDim(dim, self._sizes.length);
  const n = self._sizes[d];
  const empty = self._sizes.filter((size) => size === 0).length;
  if (n === 0 && empty > 1) throw new RuntimeError("Number of zero sized dimensions is more than one, so unique cannot be applied ");
  if (self._sizes.some((size, i) => size === 0 && i !== d)) throw new RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  const slices = rowMajor(self.movedim(d, 0));
  const width = n === 0 ? 0 : slices._numel / n;
  const rows = viewTyped(slices).slice();
  const order = consecutive ? inPlace(n) : rowOrder(rows, n, width);
  const [output, inverse, counts] = tripleOf(slices, runsOf(order, sameRows(rows, width)), [n]);
  return [output.movedim(0, d), inverse, counts];
}

const noDerivative = (name: string) => (): never => {
  throw new NotImplementedError(`the derivative for '${name}' is not implemented.`);
};

/** A kernel that gives all three; PyTorch has no derivative for it. */
const uniqueKernel = (name: string, node: string, consecutive: boolean): KernelOverload =>
  new KernelOverload(`${name}(Tensor self, int? dim=None) -> (Tensor output, Tensor inverse, Tensor counts)`, {
    forward: (self: Tensor, dim: number | null) => (dim === null ? amongAll(self, consecutive) : alongDim(self, dim, consecutive)),
    backward: { self: noDerivative(name) },
    node,
  });
const amongKernel = uniqueKernel("_unique2", "Unique2Backward0", false);
const slicesKernel = uniqueKernel("unique_dim", "UniqueDimBackward0", false);
const consecutiveKernel = uniqueKernel("unique_consecutive", "UniqueConsecutiveBackward0", true);

/** The output, with the inverse and the counts where they are asked for. */
function asked([output, inverse, counts]: Triple, wantsInverse: boolean, wantsCounts: boolean): Tensor | readonly Tensor[] {
  if (!wantsInverse && !wantsCounts) return output;
  return [output, ...(wantsInverse ? [inverse] : []), ...(wantsCounts ? [counts] : [])];
}

interface Flags {
  return_inverse?: boolean;
  return_counts?: boolean;
  dim?: number | null;
}
/** A tensor alone, or a list with what else is asked for. */
type Unique = Tensor & readonly Tensor[];

/**
 * The distinct elements, sorted; with `dim`, the distinct slices along it, sorted by their first elements. `return_inverse` gives for
 * each element its place in the output, `return_counts` how often each occurs; the result is then a list. Every NaN is distinct.
 *
 * @throws RuntimeError where another dimension than `dim` has no elements.
 * @example
 * torch.tensor([3, 1, 3]).unique().tolist(); // [1, 3]
 */
export const unique: Op<[self: Tensor, sorted?: boolean, return_inverse?: boolean, return_counts?: boolean, dim?: number | null], Flags & { sorted?: boolean }, Unique> = overloaded(
  {},
  new CompositeOverload(
    "unique(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, int? dim=None) -> Tensor",
    (self: Tensor, _sorted: boolean, inverse: boolean, counts: boolean, dim: number | null) =>
      asked((dim === null ? amongKernel : slicesKernel).call([self, dim]) as unknown as Triple, inverse, counts),
    { takesOut: false },
  ),
);

/** The elements, or the slices along `dim`, without those equal to the one before; the flags are those of `unique`. */
export const unique_consecutive: Op<[self: Tensor, return_inverse?: boolean, return_counts?: boolean, dim?: number | null], Flags, Unique> = overloaded(
  {},
  new CompositeOverload(
    "unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> Tensor",
    (self: Tensor, inverse: boolean, counts: boolean, dim: number | null) => asked(consecutiveKernel.call([self, dim]) as unknown as Triple, inverse, counts),
    { takesOut: false },
  ),
);
