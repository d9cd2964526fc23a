/** In-place forms that fill a tensor with random numbers. What they overwrite gets no gradient: zeros. */
import { KernelOverload, type Backward } from "../../dispatch/define.ts";
import { makeOp, type InplaceOnlyOp } from "../../dispatch/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { zeros_like } from "../creation/creation.ts";
import { emptyLike } from "../creation/fill.ts";
import {
  fillCauchy, fillExponential, fillGeometric, fillLogNormal, fillNormal, fillUniform, fillWithRange, fillWithWhole, type Int, type RandomSource, type Source,
} from "./random-fill.ts";

/** Gradients of what random numbers have replaced. */
const overwritten: Backward = { self: ({ grad }) => zeros_like(grad) };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments have the types of the schema
type Fill = (self: Tensor, ...args: any[]) => void;

function fillingOverload(schema: string, node: string, fill: Fill): KernelOverload {
  return new KernelOverload(schema, {
    forward: (self: Tensor, ...args: unknown[]) => {
      const out = emptyLike(self, null);
      fill(out, ...args);
      return out;
    },
    inplace: fill,
    backward: overwritten,
    node,
  });
}

const filling = <T>(schema: string, node: string, fill: Fill): T => {
  const overload = fillingOverload(schema, node, fill);
  return makeOp(overload.schema.name, [overload], false) as T;
};

/**
 * `uniform_`: numbers evenly distributed over [from, to).
 *
 * @throws RuntimeError where from > to, or where the dtype cannot hold them.
 * @example
 * torch.empty(2, 3).uniform_(-1, 1);
 */
export const uniform: InplaceOnlyOp<[self: Tensor, from?: number, to?: number], Source & { from?: number; to?: number }> = filling(
  "uniform(Tensor self, float from=0, float to=1, *, Generator? generator=None) -> Tensor",
  "UniformBackward0",
  fillUniform,
);

/** `normal_`: normal numbers of a mean and a standard deviation. */
export const normal: InplaceOnlyOp<[self: Tensor, mean?: number, std?: number], Source & { mean?: number; std?: number }> = filling(
  "normal(Tensor self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor",
  "NormalBackward0",
  fillNormal,
);

/** `log_normal_`: e to the power of normal numbers. */
export const log_normal: InplaceOnlyOp<[self: Tensor, mean?: number, std?: number], Source & { mean?: number; std?: number }> = filling(
  "log_normal(Tensor self, float mean=1, float std=2, *, Generator? generator=None) -> Tensor",
  "LogNormalBackward0",
  fillLogNormal,
);

/** `exponential_`: times between events of a rate. */
export const exponential: InplaceOnlyOp<[self: Tensor, lambd?: number], Source & { lambd?: number }> = filling(
  "exponential(Tensor self, float lambd=1, *, Generator? generator=None) -> Tensor",
  "ExponentialBackward0",
  fillExponential,
);

/** `cauchy_`: numbers of a Cauchy distribution. */
export const cauchy: InplaceOnlyOp<[self: Tensor, median?: number, sigma?: number], Source & { median?: number; sigma?: number }> = filling(
  "cauchy(Tensor self, float median=0, float sigma=1, *, Generator? generator=None) -> Tensor",
  "CauchyBackward0",
  fillCauchy,
);

/** `geometric_`: how many trials it takes to succeed once, each with probability `p`. */
export const geometric: InplaceOnlyOp<[self: Tensor, p: number], Source & { p?: number }> = filling(
  "geometric(Tensor self, float p, *, Generator? generator=None) -> Tensor",
  "GeometricBackward0",
  fillGeometric,
);

/** `random_`: whole numbers, of [from, to), of [0, to), or all that the dtype holds. */
export const random: InplaceOnlyOp<[self: Tensor, from?: Int, to?: Int | null], Source & { from?: Int; to?: Int | null }> = makeOp(
  "random",
  [
    fillingOverload("random(Tensor self, *, Generator? generator=None) -> Tensor", "RandomBackward2", fillWithWhole),
    fillingOverload("random.from(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor", "RandomBackward0", fillWithRange),
    fillingOverload("random.to(Tensor self, int to, *, Generator? generator=None) -> Tensor", "RandomBackward1", (self: Tensor, to: Int, source: RandomSource) =>
      fillWithRange(self, 0, to, source),
    ),
  ],
  false,
) as unknown as typeof random;
