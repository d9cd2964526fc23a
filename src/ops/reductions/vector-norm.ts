/** The norm of a vector, or of all elements as one: torch.linalg.vector_norm. */
import { KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { overloaded } from "../../dispatch/pointwise.ts";
import { Reducer, reductionDims, unfolded } from "../../dispatch/reduce.ts";
import { RuntimeError } from "../../errors.ts";
import { FLOAT, promote_types, type DType } from "../../tensor/dtype.ts";
import type { Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Dims } from "./reduction.ts";

const zeroNorm = new Reducer("sum", ({ self }) => self.ne(0));
const oneNorm = new Reducer("sum", ({ self }) => self.abs());
const twoNorm = new Reducer("sum", ({ self }) => self.mul(self), ({ folded }) => folded.sqrt());
const largest = new Reducer("max", ({ self }) => self.abs());
const smallest = new Reducer("min", ({ self }) => self.abs());
const anyNorm = new Reducer("sum", ({ self, p }) => self.abs().pow(p), ({ folded, root }) => folded.pow(root));

function reducerOf(p: number): Reducer {
  switch (p) {
    case 0:
      return zeroNorm;
    case 1:
      return oneNorm;
    case 2:
      return twoNorm;
    case Infinity:
      return largest;
    case -Infinity:
      return smallest;
    default:
      return anyNorm;
  }
}

const name = "linalg.vector_norm";

/** Refuses, in the name of an op, what a norm cannot be computed of or in. */
export function checkNormDtypes(name: string, self: Tensor, dtype: DType | null): void {
  if (self.dtype.kind !== FLOAT) throw new RuntimeError(`${name}: Expected a floating point or complex tensor as input. Got ${self.dtype.title}`);
  if (dtype === null) return;
  if (dtype.kind !== FLOAT) throw new RuntimeError(`${name}: dtype should be floating point or complex, but got ${dtype.title}`);
  if (promote_types(self.dtype, dtype) !== dtype) {
    throw new RuntimeError(
      `${name}: the dtype of the input (${self.dtype.title}) should be convertible without narrowing to the specified dtype (${dtype.title})`,
    );
  }
}

/** A norm that is an extremum has none of nothing. */
function checkNotEmpty(self: Tensor, p: number, dim: Sizes | null): void {
  if (self._numel > 0 || (p >= 0 && p !== Infinity)) return;
  const order = String(p).replace("Infinity", "inf");
  const reason = "the operation does not have an identity";
  if (dim === null || dim.length === 0) throw new RuntimeError(`${name} cannot compute the ${order} norm on an empty tensor because ${reason}`);
  for (const d of dim) {
    if (self._sizes.at(d) === 0) throw new RuntimeError(`${name} cannot compute the ${order} norm on the dimension ${d}because this dimension is empty and ${reason}`);
  }
}

/** The slope at zero is taken as 0 (norm_backward in torch/csrc/autograd/FunctionsManual.cpp). */
export function normBackward(grad: Tensor, self: Tensor, p: number, norm: Tensor, dim: readonly number[] | null, keepdim: boolean): Tensor | null {
  const [g, r] = dim === null ? [grad, norm] : [grad, norm].map((t) => unfolded(t, self._sizes, dim, keepdim));
  if (p === 0) return null;
  if (p === 1) return self.sgn().mul(g);
  if (p === 2) return g.mul(self.div(r).masked_fill_(r.eq(0), 0));
  if (Math.abs(p) === Infinity) {
    const isExtreme = self.abs().eq(r).logical_or(self.isnan().logical_and(r.isnan()));
    const count = isExtreme.sum(dim ?? [], true);
    return g.div(count).mul(isExtreme).mul(self.sgn());
  }
  if (p < 1) return self.sgn().mul(self.abs().pow(p - 1).masked_fill_(self.eq(0), 0)).mul(g).mul(r.pow(1 - p));
  const scaled = p < 2 ? self.sgn().mul(self.abs().pow(p - 1)) : self.mul(self.abs().pow(p - 2));
  return scaled.mul(g.div(r.pow(p - 1)).masked_fill_(r.eq(0), 0));
}

interface Options {
  ord?: number;
  dim?: Dims;
  keepdim?: boolean;
  dtype?: DType | null;
}

/** The norm under a name of its own. */
export const normOverload = (opName: string, node?: string): KernelOverload =>
  new KernelOverload(`${opName}(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor`, {
    forward: (self: Tensor, ord: number | bigint | boolean, dim: Sizes | null, keepdim: boolean, dtype: DType | null) => {
      const p = Number(ord);
      checkNormDtypes(name, self, dtype);
      checkNotEmpty(self, p, dim);
      const dims = reductionDims(dim, self._sizes.length);
      const out = dtype ?? self.dtype;
      const reducer = reducerOf(p);
      return reducer.run(reducer === anyNorm ? [self, p, 1 / p] : [self], dims, keepdim, out, out);
    },
    backward: { self: ({ grad, self, ord, result, dim, keepdim }) => normBackward(grad, self.to(grad.dtype), Number(ord), result, dim, keepdim) },
    node,
  });

const overload = normOverload("linalg_vector_norm");

/** The norm, past the matching of arguments. */
export function vectorNorm(self: Tensor, p: number, dim: Sizes | null, keepdim: boolean, dtype: DType | null): Tensor {
  return overload.call([self, p, dim, keepdim, dtype]) as Tensor;
}

/**
 * (Σ |x|^ord)^(1/ord) over all elements or over `dim`; the largest or smallest |x| for ord ±∞, the count of non-zeros for 0.
 * Its gradient at zero is 0.
 *
 * @throws RuntimeError where the dtype is no float, or where ord < 0 or ord = ∞ meets no elements.
 * @example
 * torch.linalg.vector_norm(torch.tensor([3, 4])).item(); // 5
 */
export const vector_norm: FunctionOp<[self: Tensor, ord?: number, dim?: Dims, keepdim?: boolean], Options> = overloaded({ method: false }, overload);
