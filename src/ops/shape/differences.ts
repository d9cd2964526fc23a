/** Differences of neighbours, and sums of the areas between them. */
import { composite, CompositeOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp, type Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { BOOL } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { cat } from "./joining.ts";
import { slice } from "./slicing.ts";

type MaybeTensor = Tensor | null;

/** All but the last, and all but the first. */
const neighbours = (t: Tensor, dim: number): [Tensor, Tensor] => [slice(t, dim, 0, -1), slice(t, dim, 1)];

function checkJoined(self: Tensor, other: MaybeTensor, dim: number): void {
  if (other === null) return;
  if (other._sizes.length !== self._sizes.length) throw new RuntimeError("diff expects prepend or append to be the same dimension as input");
  const wrong = self._sizes.findIndex((size, d) => d !== dim && size !== other._sizes[d]);
  if (wrong < 0) return;
  throw new RuntimeError(
    `diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size(${wrong}) = ${self._sizes[wrong]}, but got tensor.size(${wrong}) = ${other._sizes[wrong]}`,
  );
}

interface DiffOptions {
  n?: number;
  dim?: number;
  prepend?: MaybeTensor;
  append?: MaybeTensor;
}

/**
 * Each element less the one before it along `dim`, `n` times over; `prepend` and `append` are joined first. Of bools: do they differ?
 *
 * @throws RuntimeError where shapes do not fit.
 * @example
 * torch.tensor([1, 4, 9]).diff().tolist(); // [3, 5]
 */
export const diff: Op<[self: Tensor, n?: number, dim?: number, prepend?: MaybeTensor, append?: MaybeTensor], DiffOptions> = composite(
  "diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor",
  (self: Tensor, n: number, dim: number, prepend: MaybeTensor, append: MaybeTensor) => {
    if (self._sizes.length === 0) throw new RuntimeError("diff expects input to be at least one-dimensional");
    const d = wrapDim(dim, self._sizes.length);
    if (n < 0) throw new RuntimeError(`order must be non-negative but got ${n}`);
    for (const other of [prepend, append]) checkJoined(self, other, d);
    if (n === 0) return self.clone();
    const parts = [prepend, self, append].filter((t) => t !== null);
    let result = parts.length === 1 ? self : cat(parts, d);
    for (let k = Math.min(n, result._sizes[d]); k > 0; k--) {
      const [before, after] = neighbours(result, d);
      result = result.dtype.kind === BOOL ? after.logical_xor(before) : after.sub(before);
    }
    return result;
  },
);

function refuseBools(name: string, y: Tensor, x: MaybeTensor): void {
  if (x === null && y.dtype.kind === BOOL) throw new RuntimeError(`${name}: received a bool input for \`y\`, but bool is not supported`);
  if (x !== null && (x.dtype.kind === BOOL || y.dtype.kind === BOOL)) throw new RuntimeError(`${name}: received a bool input for \`x\` or \`y\`, but bool is not supported`);
}

/** The distances between neighbouring sample points, in a shape that broadcasts to those of `y`. */
function steps(name: string, y: Tensor, x: Tensor, dim: number): Tensor {
  const d = wrapDim(dim, y._sizes.length);
  if (x._sizes.length === 0) return x;
  if (x._sizes.length === 1) {
    if (x._sizes[0] !== y._sizes[d]) throw new RuntimeError(`${name}: There must be one \`x\` value for each sample point`);
    return x.view(y._sizes.map((_, i) => (i === d ? -1 : 1))).diff(1, d);
  }
  const padded = x._sizes.length < y._sizes.length ? x.view([...new Array<number>(y._sizes.length - x._sizes.length).fill(1), ...x._sizes]) : x;
  return padded.diff(1, d);
}

/** Twice the areas between neighbouring samples at the points `x`. */
function areas(name: string, y: Tensor, x: Tensor, dim: number): Tensor {
  const [before, after] = neighbours(y, dim);
  return before.add(after).mul(steps(name, y, x, dim));
}

/** Points are `dx` apart: the sum, less half of both ends. */
function evenSum(y: Tensor, dx: number, dim: number): Tensor {
  const total = y.sum(dim);
  if (y.size(dim) === 0) return total;
  return total.sub(y.select(dim, 0).add(y.select(dim, -1)).mul(0.5)).mul(dx);
}

function evenRunningSum(y: Tensor, dx: number, dim: number): Tensor {
  const [before, after] = neighbours(y, dim);
  return after.add(before).mul(dx / 2).cumsum(dim);
}

/** `name(y, x, dim)` and `name(y, *, dx=1, dim=-1)`; `total` sums areas, `even` is the whole where points are evenly apart. */
function rule(name: string, text: string, total: (areas: Tensor, dim: number) => Tensor, even: (y: Tensor, dx: number, dim: number) => Tensor): Integral {
  const apart = (y: Tensor, x: Tensor, dim: number): Tensor => {
    refuseBools(text, y, x);
    y.size(dim);
    return total(areas(text, y, x, dim), dim).div(2);
  };
  const evenly = (y: Tensor, dx: number, dim: number): Tensor => {
    refuseBools(text, y, null);
    y.size(dim);
    return even(y, dx, dim);
  };
  return makeOp(
    name,
    [
      new CompositeOverload(`${name}.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor`, apart, { takesOut: false }),
      new CompositeOverload(`${name}.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor`, evenly, { takesOut: false }),
    ],
    false,
  ) as Integral;
}
type Integral = FunctionOp<[y: Tensor, x?: Tensor], { x?: Tensor; dx?: number; dim?: number }>;

const sum = (t: Tensor, dim: number): Tensor => t.sum(dim);

/** The integral of the lines through the samples `y` along `dim`, at the points `x` or `dx` apart. */
export const trapezoid: Integral = rule("trapezoid", "trapezoid", sum, evenSum);
/** The same as `trapezoid`. */
export const trapz: Integral = rule("trapz", "trapezoid", sum, evenSum);
/** The integral up to each sample but the first, as `trapezoid`. */
export const cumulative_trapezoid: Integral = rule("cumulative_trapezoid", "cumulative_trapezoid", (t, dim) => t.cumsum(dim), evenRunningSum);
