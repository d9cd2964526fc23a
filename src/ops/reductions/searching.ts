/** Places in sorted sequences, and who is among others. */
import { countBefore } from "../../backends/reference/search.ts";
import { CompositeOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { exactDtype, sameDtype } from "../../dispatch/out.ts";
import { NotImplementedError, RuntimeError, warn } from "../../errors.ts";
import { BOOL, bool, int32, int64, promote_types, type DType } from "../../tensor/dtype.ts";
import { listText, sameSizes } from "../../tensor/layout.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { fromData, scalarTensorOf } from "../creation/fill.ts";

type Value = Tensor | number | bigint | boolean;

interface SearchOptions {
  out_int32?: boolean;
  right?: boolean;
  side?: "left" | "right" | null;
  sorter?: Tensor | null;
}

const searching = (text: string): RuntimeError => new RuntimeError(`torch.searchsorted(): ${text}`);

function checkSorter(sequence: Tensor, sorter: Tensor): void {
  if (!sameSizes(sequence._sizes, sorter._sizes)) {
    throw searching(`boundary and sorter must have the same size, but got boundary tensor ${listText(sequence._sizes)}and got sorter tensor ${listText(sorter._sizes)}`);
  }
  if (sorter.dtype !== int64) throw searching(`sorter must be a tensor of long dtype but got dtype ${sorter.dtype.title}`);
  const outside = sorter._numel > 0 && sorter.lt(0).logical_or(sorter.ge(sequence._sizes.at(-1)!)).any().item() === true;
  if (outside) throw searching("sorter index out of range");
}

function checkSearch(sequence: Tensor, values: Tensor): void {
  const [s, v] = [sequence._sizes, values._sizes];
  if (v.length === 0 && s.length !== 1) {
    throw searching(`input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(${s.length}) and input value's dim(0) numel(1)`);
  }
  if (s.length === 0) throw searching("boundaries tensor should have positive dimension, but got 0 dimension");
  if (s.length !== 1 && !(s.length === v.length && sameSizes(s.slice(0, -1), v.slice(0, -1)))) {
    throw searching(
      `boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor ${listText(s)} and input value tensor ${listText(v)}`,
    );
  }
}

/** PyTorch copies what is not contiguous, and says so. */
function warnOfCopies(sequence: Tensor, values: Tensor, sorter: Tensor | null): void {
  for (const [what, t] of [["input value", values], ["boundary", sequence], ["sorter", sorter]] as const) {
    if (t === null || t._contiguous) continue;
    warn(
      `torch.searchsorted(): ${what} tensor is non-contiguous, this will lower the performance due to extra data copy when converting non-contiguous tensor to contiguous, please use contiguous ${what} tensor if possible. This message will only appear once per program.`,
    );
  }
}

function isRight(right: boolean, side: string | null): boolean {
  if (side === null) return right;
  if (side !== "left" && side !== "right") throw searching(`side can only be 'left' or 'right' but got ${side}`);
  if (right && side === "left") throw searching("side and right can't be set to opposites, got side of left while right was True");
  return side === "right";
}

/** For each value how many elements of the sequence, or of the sequence in its lane, come before it. */
function places(sequence: Tensor, values: Tensor, dtype: DType, right: boolean, sorter: Tensor | null): Tensor {
  const [sorted, wanted] = [rowMajor(sequence), rowMajor(values)];
  const order = sorter && rowMajor(sorter);
  const out = emptyTensor(values._sizes, dtype);
  const [elements, targets, found] = [viewTyped(sorted), viewTyped(wanted), viewTyped(out)];
  const positions = order && (viewTyped(order) as BigInt64Array);
  const n = sequence._sizes.at(-1)!;
  const perLane = sequence._sizes.length === 1 ? Infinity : values._sizes.at(-1)!;
  for (let i = 0; i < targets.length; i++) {
    const start = perLane === Infinity ? 0 : Math.floor(i / perLane) * n;
    const place = countBefore(elements, start, n, targets[i], right, positions);
    found[i] = dtype === int64 ? BigInt(place) : place;
  }
  return out;
}

function search(sequence: Tensor, given: Value, outInt32: boolean, right: boolean, side: string | null, sorter: Tensor | null): Tensor {
  const values = given instanceof Tensor ? given : scalarTensorOf(given);
  const fromRight = isRight(right, side);
  checkSearch(sequence, values);
  if (sorter !== null) checkSorter(sequence, sorter);
  warnOfCopies(sequence, values, sorter);
  if (sequence.dtype === bool) throw new NotImplementedError(`"searchsorted_out_cpu" not implemented for 'Bool'`);
  return places(sequence, values, outInt32 ? int32 : int64, fromRight, sorter);
}

const searchParameters = "bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None";

const searchedDtype = sameDtype(
  (out, result) =>
    `torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether out_int32 flag is True, but we got output tensor's dtype ${out.title} and out_int32 flag is ${result === int32 ? "True" : "False"}`,
);

/**
 * For each element of `self` its place in `sorted_sequence`, whose last dimension is sorted: the number of elements before it, or with
 * `right` (or `side: "right"`) those equal to it too. `sorter` says how an unsorted sequence is to be read.
 *
 * @throws RuntimeError where the shapes do not fit.
 * @example
 * torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 4])).tolist(); // [1, 2]
 */
export const searchsorted: FunctionOp<[sorted_sequence: Tensor, self: Value], SearchOptions> = makeOp(
  "searchsorted",
  [
    new CompositeOverload(`searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, ${searchParameters}) -> Tensor`, search, { outRule: searchedDtype }),
    new CompositeOverload(`searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, ${searchParameters}) -> Tensor`, search, { outRule: searchedDtype }),
  ],
  false,
) as typeof searchsorted;

function bucket(self: Value, boundaries: Tensor, outInt32: boolean, right: boolean): Tensor {
  if (boundaries._sizes.length !== 1) throw new RuntimeError(`boundaries tensor must be 1 dimension, but got dim(${boundaries._sizes.length})`);
  return search(boundaries, self, outInt32, right, null, null);
}

/** For each element of `self` the number of `boundaries`, a sorted vector, before it; with `right`, those equal to it too. */
export const bucketize: FunctionOp<[self: Value, boundaries: Tensor], { out_int32?: boolean; right?: boolean }> = makeOp(
  "bucketize",
  [
    new CompositeOverload("bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor", bucket, { outRule: searchedDtype }),
    new CompositeOverload("bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor", bucket, { outRule: searchedDtype }),
  ],
  false,
) as typeof bucketize;

/** The elements of `t` as numbers or bigints of a dtype that two tensors have in common. */
const elementsAs = (t: Tensor, dtype: DType): Iterable<number | bigint> => viewTyped(rowMajor(t.to(dtype))) as Iterable<number | bigint>;

function among(elements: Tensor, tests: Tensor, _unique: boolean, invert: boolean): Tensor {
  for (const { dtype } of [elements, tests]) if (dtype.kind === BOOL) throw new RuntimeError(`Unsupported input type encountered for isin(): ${dtype.title}`);
  const dtype = promote_types(elements.dtype, tests.dtype);
  const known = new Set(elementsAs(tests, dtype));
  // A set holds NaN to be equal to itself.
  known.delete(NaN);
  const found = Uint8Array.from(elementsAs(elements, dtype), (element) => (known.has(element) === invert ? 0 : 1));
  return fromData(found, bool).view(elements._sizes);
}

const isinParameters = "*, bool assume_unique=False, bool invert=False";

/** Is each of `elements` among `test_elements`? With `invert`, is it not? One of the two may be a number. */
export const isin: FunctionOp<[elements: Value, test_elements: Value], { assume_unique?: boolean; invert?: boolean }> = makeOp(
  "isin",
  [
    new CompositeOverload(`isin.Tensor_Tensor(Tensor elements, Tensor test_elements, ${isinParameters}) -> Tensor`, among, { outRule: exactDtype }),
    new CompositeOverload(`isin.Tensor_Scalar(Tensor elements, Scalar test_element, ${isinParameters}) -> Tensor`, (elements: Tensor, test: number, unique: boolean, invert: boolean) =>
      among(elements, scalarTensorOf(test), unique, invert),
    ),
    new CompositeOverload(`isin.Scalar_Tensor(Scalar element, Tensor test_elements, ${isinParameters}) -> Tensor`, (element: number, tests: Tensor, unique: boolean, invert: boolean) =>
      among(scalarTensorOf(element), tests, unique, invert),
    ),
  ],
  false,
) as typeof isin;
