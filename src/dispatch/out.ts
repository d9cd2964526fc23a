/** `out=`: results written into tensors that the caller brings. */
import { ops } from "../autograd/engine-ops.ts";
import { gradMode, withGradMode } from "../autograd/grad-mode.ts";
import { requiresGrad } from "../autograd/variable.ts";
import { RuntimeError, warn } from "../errors.ts";
import { typeText } from "../schema/arguments.ts";
import { can_cast } from "../tensor/dtype.ts";
import { listText, sameSizes } from "../tensor/layout.ts";
import { Tensor } from "../tensor/tensor.ts";
import { refuseInternalOverlap, refusePartialOverlap } from "./iterate.ts";

/** The tensors of `out`, refused where the call would have to be recorded. */
export function checkOut(name: string, out: unknown, args: readonly unknown[]): Tensor[] {
  const outs = (Array.isArray(out) ? out : [out]) as Tensor[];
  const wrong = outs.find((o) => !(o instanceof Tensor));
  if (wrong !== undefined) throw new TypeError(`${name}(): argument 'out' must be Tensor, not ${typeText(wrong)}`);
  if (gradMode.enabled && [...outs, ...args.flat()].some((a) => a instanceof Tensor && requiresGrad(a))) {
    throw new RuntimeError(`${name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.`);
  }
  return outs;
}

/** Casts `result` into `out`, which is resized to fit: `quietly` without a warning, `strictly` only if no cast is needed. */
export function writeOut(out: Tensor, result: Tensor, inputs: readonly unknown[], { quietly, strictly }: { quietly: boolean; strictly: boolean }): void {
  if (strictly && out.dtype !== result.dtype) throw new RuntimeError(`Found dtype ${out.dtype.title} but expected ${result.dtype.title}`);
  if (!can_cast(result.dtype, out.dtype)) throw new RuntimeError(`result type ${result.dtype.title} can't be cast to the desired output type ${out.dtype.title}`);
  refuseInternalOverlap(out);
  for (const input of inputs) if (input instanceof Tensor) refusePartialOverlap(out, input);
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
