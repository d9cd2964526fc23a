/** Writing where an index leads, and Python's slices. */
import { forget } from "../../autograd/variable.ts";
import { CompositeOverload } from "../../dispatch/define.ts";
import { invokeInplace, makeOp, type AnyOp, type InplaceOp } from "../../dispatch/op.ts";
import { typeText } from "../../schema/arguments.ts";
import { sameSizes, type Sizes } from "../../tensor/layout.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { index_put as putAt } from "./advanced-index.ts";
import { applyIndex } from "./apply-index.ts";
import { fillChecked } from "../creation/fill.ts";
import { readIndex, Slice, type Bound, type Entry, type Index } from "./index-spec.ts";

/**
 * Python's `slice`: `slice(stop)`, `slice(start, stop)`, `slice(start, stop, step)`; null leaves a bound out.
 *
 * @example
 * torch.arange(5).index(torch.slice(1, 4)) // tensor([1, 2, 3])
 */
export function slice(stop?: Bound): Slice;
export function slice(start: Bound | undefined, stop: Bound | undefined, step?: Bound): Slice;
export function slice(...bounds: (Bound | undefined)[]): Slice {
  const [start, stop, step] = bounds.length === 1 ? [null, bounds[0]] : bounds;
  return new Slice(start ?? null, stop ?? null, step ?? null);
}

type Value = Tensor | number | bigint | boolean;

function valueFor(self: Tensor, value: unknown): Tensor {
  if (value instanceof Tensor) return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return fillChecked(emptyTensor([], self.dtype), value);
  throw new TypeError(`can't assign a ${typeText(value)} to a torch.${self.dtype.title}Tensor`);
}

function withoutLeadingOnes(sizes: Sizes): Sizes {
  const first = sizes.findIndex((size) => size !== 1);
  return sizes.slice(first < 0 ? sizes.length : first);
}

/** Copies `value`, broadcast, into a view (at::indexing::copy_to). */
function copyTo(view: Tensor, value: Tensor): void {
  if (sameSizes(view._sizes, value._sizes)) view.copy_(value);
  else if (value._sizes.length === 0) view.fill_(value);
  else {
    const source = value.view(withoutLeadingOnes(value._sizes));
    view.copy_(sameSizes(view._sizes, source._sizes) ? source : source.expand(view._sizes));
  }
}

/** `self[indices] = value`, as Tensor.__setitem__ does it; `accumulate` adds instead. */
function assign(self: Tensor, entries: readonly Entry[], value: Tensor, accumulate: boolean): Tensor {
  if (entries.length === 1 && entries[0] === false) return self;
  if (onlyTensors(entries)) return invokeInplace(putAt as unknown as AnyOp, [self, entries, value, accumulate]);
  const { view, tensors } = applyIndex(self, entries.length === 1 && entries[0] === true ? [null] : entries, true);
  if (tensors.length > 0) putInto(view, tensors, value, accumulate);
  else if (accumulate) view.add_(value);
  else copyTo(view, value);
  if (view !== self) forget(view);
  return self;
}

function putInto(view: Tensor, tensors: readonly (Tensor | null)[], value: Tensor, accumulate: boolean): Tensor {
  const sizes = withoutLeadingOnes(value._sizes);
  const source = sizes.length === value._sizes.length ? value : value.view(sizes);
  return invokeInplace(putAt as unknown as AnyOp, [view, tensors, source, accumulate]);
}

const onlyTensors = (entries: readonly Entry[]): entries is Tensor[] => entries.length > 0 && entries.every((entry) => entry instanceof Tensor);

const asList = (indices: unknown): readonly unknown[] => (Array.isArray(indices) ? indices : [indices]);

/**
 * `self` with `values`, broadcast, where `indices` lead: a list with one entry a dimension, of the kinds that
 * `x.index` takes. With `accumulate` they are added, each place as often as it is named. The in-place form is Python's
 * `x[i, …] = v`, which lets `values` have dimensions of size 1 in front; with nothing but tensors in the list it is
 * PyTorch's `index_put_`, which does not.
 *
 * @example
 * const x = torch.zeros(2, 3);
 * x.index_put_([0, "1:"], 5); // x[0, 1:] = 5
 */
export const index_put: InplaceOp<[self: Tensor, indices: readonly Index[] | Index, values: Value, accumulate?: boolean], { accumulate?: boolean }> = makeOp(
  "index_put",
  [
    new CompositeOverload(
      "index_put(Tensor self, Any indices, Any values, bool accumulate=False) -> Tensor",
      (self: Tensor, indices: unknown, values: unknown, accumulate: boolean) => {
        const entries = readIndex(asList(indices));
        const value = valueFor(self, values);
        return onlyTensors(entries) ? putAt(self, entries, value, accumulate) : assign(self.clone(), entries, value, accumulate);
      },
      { inplace: (self: Tensor, indices: unknown, values: unknown, accumulate: boolean) => assign(self, readIndex(asList(indices)), valueFor(self, values), accumulate) },
    ),
  ],
  true,
) as unknown as typeof index_put;
