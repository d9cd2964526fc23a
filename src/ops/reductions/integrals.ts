/** Sums of the areas between samples, which PyTorch has by the rule of trapezoids. */
import { CompositeOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import { BOOL } from "../../tensor/dtype.ts";
import { wrapDim } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { divNumber, mulNumber } from "../pointwise/number-forms.ts";
import { neighbours } from "../shape/differences.ts";

type MaybeTensor = Tensor | null;

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

/** Half of what the first and the last sample come to is left out of the sum. */
function evenlySpaced(y: Tensor, dx: number, dim: number): Tensor {
  if (y.size(dim) === 0) return y.sum(dim);
  return mulNumber(y.sum(dim).sub(mulNumber(y.select(dim, 0).add(y.select(dim, -1)), 0.5)), dx);
}

function evenlySpacedSums(y: Tensor, dx: number, dim: number): Tensor {
  const [before, after] = neighbours(y, dim);
  return mulNumber(before.add(after), dx / 2).cumsum(dim);
}

/** `name(y, x, dim)` and `name(y, *, dx=1, dim=-1)`; `total` adds areas up. */
function rule(name: string, text: string, total: (areas: Tensor, dim: number) => Tensor, even: (y: Tensor, dx: number, dim: number) => Tensor): Integral {
  const checked = (y: Tensor, x: MaybeTensor, dim: number): Tensor => {
    refuseBools(text, y, x);
    y.size(dim);
    return y;
  };
  return makeOp(
    name,
    [
      new CompositeOverload(
        `${name}.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor`,
        (y: Tensor, x: Tensor, dim: number) => divNumber(total(areas(text, checked(y, x, dim), x, dim), dim), 2),
        { takesOut: false },
      ),
      new CompositeOverload(`${name}.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor`, (y: Tensor, dx: number, dim: number) => even(checked(y, null, dim), Number(dx), dim), { takesOut: false }),
    ],
    false,
  ) as Integral;
}
type Integral = FunctionOp<[y: Tensor, x?: Tensor], { x?: Tensor; dx?: number; dim?: number }>;

const sum = (t: Tensor, dim: number): Tensor => t.sum(dim);

/** The integral of the lines through the samples `y` along `dim`, at the points `x` or `dx` apart. */
export const trapezoid: Integral = rule("trapezoid", "trapezoid", sum, evenlySpaced);
/** The same as `trapezoid`. */
export const trapz: Integral = rule("trapz", "trapezoid", sum, evenlySpaced);
/** The integral up to each sample but the first, as `trapezoid`. */
export const cumulative_trapezoid: Integral = rule("cumulative_trapezoid", "cumulative_trapezoid", (t, dim) => t.cumsum(dim), evenlySpacedSums);
