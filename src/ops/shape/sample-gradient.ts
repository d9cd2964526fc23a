/** Slopes of a function of which samples are known. */
import { CompositeOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { reductionDims } from "../../dispatch/reduce.ts";
import { RuntimeError } from "../../errors.ts";
import { uint8 } from "../../tensor/dtype.ts";
import { wrapDim, type Sizes } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { cat } from "./joining.ts";
import { slice } from "./slicing.ts";

/** The distance of samples, or where they lie. */
type Spacing = number | Tensor;

function check(self: Tensor, spacing: readonly Spacing[] | null, dims: Sizes | null, order: number): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(`torch.gradient ${text}`);
  };
  const ndim = self._sizes.length;
  if (self.dtype === uint8) refuse("does not support uint8 input.");
  if (spacing !== null && dims === null && spacing.length !== ndim) {
    refuse(`expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = ${ndim}', since dim argument was not given, but got a list of length ${spacing.length}`);
  }
  if (spacing !== null && dims !== null && spacing.length !== dims.length) {
    refuse(
      `expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, but got a spacing argument of length ${spacing.length} and a dim argument of length ${dims.length}.`,
    );
  }
  if (order !== 1 && order !== 2) refuse("only supports edge_order=1 and edge_order=2.");
  const wanted = dims === null || dims.length === 0 ? (dims ?? self._sizes.map((_, d) => d)) : reductionDims(dims, ndim);
  if (wanted.some((d) => self._sizes[d] < order + 1)) refuse("expected each dimension size to be at least edge_order+1");
}

/** The samples from `start` on, one place of them: -1 is the last. */
const at = (t: Tensor, dim: number, start: number): Tensor => slice(t, dim, start, start === -1 ? null : start + 1);

/** Slopes at samples that are `step` apart. */
function evenSlopes(self: Tensor, dim: number, step: number, order: number): Tensor {
  const f = (start: number): Tensor => at(self, dim, start);
  const inner = slice(self, dim, 2).sub(slice(self, dim, 0, -2)).div(step).div(2);
  const first = order === 1 ? f(1).sub(f(0)) : f(0).mul(-1.5).add(f(1).mul(2)).sub(f(2).mul(0.5));
  const last = order === 1 ? f(-1).sub(f(-2)) : f(-1).mul(1.5).sub(f(-2).mul(2)).add(f(-3).mul(0.5));
  return cat([first.div(step), inner, last.div(step)], dim);
}

/** Slopes of the parabolas through three neighbours each, which lie at `places`. */
function unevenSlopes(self: Tensor, dim: number, places: Tensor, order: number): Tensor {
  if (places._sizes.length !== 1) {
    throw new RuntimeError(`torch.gradient expected each element of spacing to have one dimension, but got an element with ${places._sizes.length} dimensions!`);
  }
  const f = (start: number): Tensor => at(self, dim, start);
  const steps = places.diff(1, 0);
  const [p, q] = [slice(steps, 0, 0, -1), slice(steps, 0, 1)];
  const along = (t: Tensor): Tensor => t.reshape(self._sizes.map((_, d) => (d === dim ? -1 : 1)));
  const before = along(q.neg().div(p.mul(p.add(q))));
  const here = along(q.sub(p).div(p.mul(q)));
  const behind = along(p.div(q.mul(p.add(q))));
  const inner = before.mul(slice(self, dim, 0, -2)).add(here.mul(slice(self, dim, 1, -1))).add(behind.mul(slice(self, dim, 2)));
  if (order === 1) return cat([f(1).sub(f(0)).div(steps.select(0, 0)), inner, f(-1).sub(f(-2)).div(steps.select(0, -1))], dim);
  const edge = (a: Tensor, b: Tensor, [x, y, z]: readonly [Tensor, Tensor, Tensor]): Tensor => {
    const [near, middle, far] = [a.mul(2).add(b).div(a.mul(a.add(b))), a.add(b).div(a.mul(b)), a.div(b.mul(a.add(b)))];
    return near.neg().mul(x).add(middle.mul(y)).sub(far.mul(z));
  };
  const first = edge(steps.select(0, 0), steps.select(0, 1), [f(0), f(1), f(2)]);
  const last = edge(steps.select(0, -1), steps.select(0, -2), [f(-1), f(-2), f(-3)]).neg();
  return cat([first, inner, last], dim);
}

function slopes(self: Tensor, spacing: Spacing | readonly Spacing[] | null, dim: number | Sizes | null, order: number): Tensor[] {
  const dims = typeof dim === "number" ? [dim] : dim;
  const list = spacing === null || Array.isArray(spacing) ? (spacing as readonly Spacing[] | null) : null;
  check(self, list, dims, order);
  return (dims ?? self._sizes.map((_, d) => d)).map((d, i) => {
    const along = wrapDim(d, self._sizes.length);
    const step = list === null ? ((spacing as number | null) ?? 1) : list[i];
    return typeof step === "number" ? evenSlopes(self, along, step, order) : unevenSlopes(self, along, step, order);
  });
}

const form = (name: string, parameters: string, call: (...values: never[]) => Tensor[]): CompositeOverload =>
  new CompositeOverload(`gradient.${name}(Tensor self, *, ${parameters}, int edge_order=1) -> Tensor[]`, call, { takesOut: false });
const spaced = (self: Tensor, spacing: Spacing | readonly Spacing[] | null, dim: number | Sizes | null, order: number): Tensor[] => slopes(self, spacing, dim, order);

interface GradientOptions {
  spacing?: number | readonly number[] | readonly Tensor[] | null;
  dim?: number | readonly number[] | null;
  edge_order?: number;
}

/**
 * The slopes along each dimension, or along `dim`, of a function whose samples are `self`: central differences inside, one-sided ones of
 * `edge_order` at both ends. `spacing` is the distance of samples, one for each dimension, or where they lie.
 *
 * @throws RuntimeError where a dimension has `edge_order` samples or fewer, or `spacing` does not fit.
 * @example
 * torch.gradient(torch.tensor([0, 1, 4, 9]))[0].tolist(); // [1, 2, 4, 5]
 */
export const gradient: FunctionOp<[self: Tensor], GradientOptions, readonly Tensor[]> = makeOp(
  "gradient",
  [
    form("array", "int[] dim", (self: Tensor, dim: Sizes, order: number) => slopes(self, null, dim, order)),
    form("scalararray", "Scalar spacing, int[] dim", spaced),
    form("scalarint", "Scalar? spacing=None, int? dim=None", spaced),
    form("scalarrayint", "Scalar[] spacing, int? dim=None", spaced),
    form("scalarrayarray", "Scalar[] spacing, int[] dim", spaced),
    form("tensorarrayint", "Tensor[] spacing, int? dim=None", spaced),
    form("tensorarray", "Tensor[] spacing, int[] dim", spaced),
  ],
  false,
) as typeof gradient;
