/** `out=`: results written into tensors that the caller brings. */
import { ops } from "../autograd/engine-ops.ts";
import { gradMode, withGradMode } from "../autograd/grad-mode.ts";
import { requiresGrad } from "../autograd/variable.ts";
import { RuntimeError, warn } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";
import { can_cast, typeMetaName, type DType } from "../tensor/dtype.ts";
import { listText, sameSizes } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { refuseBroadcastOutput, refuseInternalOverlap, refuseOverlap, refusePartialOverlap } from "./iterate.ts";

/** How an op takes an `out`. */
export interface OutRule {
  /** Refuses the dtype of the `index`-th out, where it is not that of the result. By default those to which the result may not be cast. */
  readonly dtype?: (out: DType, result: DType, index: number) => void;
  /** Refuses an out before anything is computed; gets it and the arguments of the call. */
  readonly refuses?: (out: Tensor, ...values: never[]) => void;
  /** Must `out` share no memory with an input? By default it may be an input, but not overlap one. */
  readonly apart?: boolean;
  /** Must an `out` that is an input have the size of the result, as in TensorIterator? By default it is resized. */
  readonly keepsInputs?: boolean;
  /** Is the op's parameter `dtype` that of `out` unless it is given? */
  readonly setsDtype?: boolean;
}

/** Refuses a dtype to which the result may not be cast. */
export function castable(out: DType, result: DType): void {
  if (!can_cast(result, out)) throw new RuntimeError(`result type ${result.title} can't be cast to the desired output type ${out.title}`);
}

/** A rule by which `out` has the dtype of the result; `text` says that it has not. */
export const sameDtype = (text: (out: DType, result: DType, index: number) => string): OutRule => ({
  dtype(out, result, index) {
    throw new RuntimeError(text(out, result, index));
  },
});

/** What PyTorch's generated code says for ops that resize `out` themselves. */
export const exactDtype: OutRule = sameDtype((out, result) => `Expected out tensor to have dtype ${typeMetaName(result)}, but got ${typeMetaName(out)} instead`);
/** What its TensorIterator says where nothing is promoted. */
export const foundDtype: OutRule = sameDtype((out, result) => `Found dtype ${out.title} but expected ${result.title}`);
/** What its factories say. */
export const factoryDtype: OutRule = { ...sameDtype((out, result) => `dtype ${result.title} does not match dtype of out parameter (${out.title})`), setsDtype: true };

/** The tensors of `out`, refused where the call would have to be recorded; `args` is null where it never is. */
export function checkOut(name: string, out: unknown, args: readonly unknown[] | null): Tensor[] {
  const outs = (Array.isArray(out) ? out : [out]) as Tensor[];
  const wrong = outs.find((o) => !(o instanceof Tensor));
  if (wrong !== undefined) throw new TypeError(`${name}(): argument 'out' must be Tensor, not ${typeText(wrong)}`);
  if (args !== null && gradMode.enabled && [...outs, ...args.flat()].some((a) => a instanceof Tensor && requiresGrad(a))) {
    throw new RuntimeError(`${name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.`);
  }
  return outs;
}

/** Casts `result` into `out`, which is resized to fit: `quietly` without a warning. */
export function writeOut(out: Tensor, result: Tensor, index: number, inputs: readonly unknown[], rule: OutRule, quietly: boolean): void {
  const refuseDtype = out.dtype === result.dtype ? null : (rule.dtype ?? castable);
  // What an op says itself comes before TensorIterator looks at memory, and what that says of dtypes after.
  const isOwn = refuseDtype !== castable && refuseDtype !== foundDtype.dtype;
  if (isOwn) refuseDtype?.(out.dtype, result.dtype, index);
  refuseInternalOverlap(out);
  for (const input of inputs.flat()) {
    if (!(input instanceof Tensor)) continue;
    if (rule.apart === true) refuseOverlap(out, input);
    else refusePartialOverlap(out, input);
    if (rule.keepsInputs === true && input === out) refuseBroadcastOutput(out, result._sizes);
  }
  if (!isOwn) refuseDtype?.(out.dtype, result.dtype, index);
  if (!sameSizes(out._sizes, result._sizes)) {
    if (out._numel > 0 && !quietly) warnOfResize(out, result);
    resize(out, result);
  }
  withGradMode(false, () => ops.copyInto(out, result));
}

function warnOfResize(out: Tensor, result: Tensor): void {
  warn(
    `An output with one or more elements was resized since it had shape ${listText(out._sizes)}, which does not match the required output shape ${listText(result._sizes)}. This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with t.resize_(0).`,
  );
}

/** Gives `out` the sizes and strides of `like`, in its own storage, which grows where it must. */
function resize(out: Tensor, like: Tensor): void {
  const end = (out._offset + like._numel) * out.dtype.itemsize;
  if (end > out._storage.nbytes) out._storage.grow(end);
  out._setGeometry(like._sizes, like._strides, out._offset);
}
