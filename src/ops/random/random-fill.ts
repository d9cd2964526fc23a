/** What fills tensors with random numbers: checks in PyTorch's words (aten/src/ATen/native/DistributionTemplates.h), then its streams. */
import { NotImplementedError, RuntimeError, warn } from "../../errors.ts";
import * as distributions from "../../random/distributions.ts";
import type { Floats } from "../../random/elements.ts";
import { defaultGenerator, type Generator } from "../../random/generator.ts";
import { randint, randomFull } from "../../random/integers.ts";
import * as normals from "../../random/normal.ts";
import { BOOL, bool, FLOAT, float32, int16, int32, int64, int8, uint8, typeMetaName, type DType } from "../../tensor/dtype.ts";
import { isExpandable } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expandError } from "../creation/copy.ts";
import { numberText } from "../../schema/cpp-text.ts";
import { fillInMemoryOrder, readInMemoryOrder } from "../creation/memory-order.ts";

export type Int = number | bigint;
export type RandomSource = Generator | null;
export interface Source {
  generator?: Generator | null;
}

function refuseNonFloat(dtype: DType, kernelName: string): void {
  if (dtype.kind !== FLOAT) throw new NotImplementedError(`"${kernelName}" not implemented for '${dtype.title}'`);
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

export function fillUniform(self: Tensor, from: number, to: number, source: RandomSource): void {
  const { dtype } = self;
  refuseNonFloat(dtype, "check_uniform_bounds");
  const largest = dtype === float32 ? LARGEST_FLOAT32 : Number.MAX_VALUE;
  for (const [name, bound] of Object.entries({ from, to })) {
    if (!(Math.abs(bound) <= largest)) throw new RuntimeError(`${name} is out of bounds for ${typeMetaName(dtype)}`);
  }
  if (from > to) throw new RuntimeError(`uniform_ expects to return a [from, to) range, but found from=${numberText(from)} > to=${numberText(to)}`);
  if (to - from > largest) {
    throw new RuntimeError(
      `uniform_ expects to-from <= std::numeric_limits<${dtype.title}>::max(), but found to=${numberText(to)} and from=${numberText(from)} which result in to-from to exceed the limit`,
    );
  }
  fillInMemoryOrder(self, (out) => distributions.uniform(out as Floats, from, to, source ?? defaultGenerator));
}

export function checkStd(std: number): void {
  if (!(std >= 0)) throw new RuntimeError(`normal expects std >= 0.0, but found std ${numberText(std)}`);
}

export function fillNormal(self: Tensor, mean: number, std: number, source: RandomSource): void {
  checkStd(std);
  if (self._numel > 0) refuseNonFloat(self.dtype, "normal_kernel_cpu");
  fillInMemoryOrder(self, (out) => normals.normal(out as Floats, mean, std, source ?? defaultGenerator, self._contiguous));
}

export function fillLogNormal(self: Tensor, mean: number, std: number, source: RandomSource): void {
  if (!(std > 0)) throw new RuntimeError(`log_normal_ expects std > 0.0, but found std=${numberText(std)}`);
  if (self._numel > 0) refuseNonFloat(self.dtype, "log_normal_cpu");
  fillInMemoryOrder(self, (out) => normals.logNormal(out as Floats, mean, std, source ?? defaultGenerator));
}

function refuseDiscrete(self: Tensor, distribution: string, name: string): void {
  if (self.dtype.kind === FLOAT || self._numel === 0) return;
  throw new RuntimeError(`${distribution} distribution is a continuous probability distribution. dtype must be a floating point but you specified ${name}`);
}

export function fillExponential(self: Tensor, lambda: number, source: RandomSource): void {
  if (!(lambda > 0)) throw new RuntimeError(`exponential_ expects lambda > 0.0, but found lambda=${numberText(lambda)}`);
  refuseDiscrete(self, "Exponential", self.dtype.title);
  fillInMemoryOrder(self, (out) => distributions.exponential(out as Floats, lambda, source ?? defaultGenerator));
}

export function fillCauchy(self: Tensor, median: number, sigma: number, source: RandomSource): void {
  if (!(sigma > 0)) throw new RuntimeError(`cauchy_ expects sigma > 0.0, but found sigma=${numberText(sigma)}`);
  refuseDiscrete(self, "Cauchy", typeMetaName(self.dtype));
  fillInMemoryOrder(self, (out) => distributions.cauchy(out as Floats, median, sigma, source ?? defaultGenerator));
}

export function fillGeometric(self: Tensor, p: number, source: RandomSource): void {
  if (!(p > 0 && p < 1)) throw new RuntimeError(`geometric_ expects p to be in (0, 1), but got p=${numberText(p)}`);
  if (self.dtype.kind === BOOL && self._numel > 0) throw new NotImplementedError(`"geometric_cpu" not implemented for 'Bool'`);
  fillInMemoryOrder(self, (out) => distributions.geometric(out, p, source ?? defaultGenerator));
}

export function fillBernoulli(self: Tensor, p: number, source: RandomSource): void {
  if (!(p >= 0 && p <= 1)) throw new RuntimeError(`bernoulli_ expects p to be in [0, 1], but got p=${numberText(p)}`);
  fillInMemoryOrder(self, (out) => distributions.bernoulliScalar(out, p, source ?? defaultGenerator));
}

/** With a probability for each element. */
export function fillBernoulliBy(self: Tensor, p: Tensor, source: RandomSource): void {
  if (self._numel === 0) return;
  if (!isExpandable(p._sizes, self._sizes)) throw expandError(p._sizes, self._sizes, p.dtype);
  refuseNonFloat(p.dtype, "bernoulli_tensor_cpu_p_");
  const probabilities = readInMemoryOrder(p.expand(self._sizes), self) as Floats;
  fillInMemoryOrder(self, (out) => distributions.bernoulliTensor(out, probabilities, source ?? defaultGenerator));
}

/** `random_()`: all that the dtype holds, or all whole numbers that a float dtype holds exactly. */
export function fillWithWhole(self: Tensor, source: RandomSource): void {
  fillInMemoryOrder(self, (out) => randomFull(out, source ?? defaultGenerator, self.dtype === bool));
}

const GREATEST_INT64 = 2n ** 63n - 1n;
const bitsOf = new Map<DType, bigint>([[int64, 63n], [int32, 31n], [int16, 15n], [int8, 7n], [uint8, 8n], [bool, 1n]]);
const digitsOf = (dtype: DType): bigint => (dtype === float32 ? 24n : 53n);

/** The least and the greatest whole number that the dtype holds. */
function limits(dtype: DType): [bigint, bigint] {
  const greatest = 2n ** bitsOf.get(dtype)! - 1n;
  return [dtype === uint8 || dtype === bool ? 0n : -greatest - 1n, greatest];
}

/** `random_(from, to)`; without `to` up to the greatest whole number of the dtype. */
export function fillWithRange(self: Tensor, from: Int, to: Int | null, source: RandomSource): void {
  const [low, high] = [BigInt(from), to === null ? endOf(self.dtype, BigInt(from)) : BigInt(to)];
  for (const bound of [low, to === null ? high - 1n : high]) {
    if (bound < -GREATEST_INT64 - 1n || bound > GREATEST_INT64) throw new RuntimeError("Overflow when unpacking long long");
  }
  if (low >= high) throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`);
  checkBounds(self.dtype, low, high - 1n);
  fillInMemoryOrder(self, (out) => randint(out, low, high, source ?? defaultGenerator));
}

function endOf(dtype: DType, from: bigint): bigint {
  if (dtype.kind !== FLOAT) return limits(dtype)[1] + 1n;
  const last = 2n ** digitsOf(dtype);
  if (from >= last) {
    throw new RuntimeError(`random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got from=${from} > to_inc=${last}`);
  }
  return last + 1n;
}

function checkBounds(dtype: DType, from: bigint, last: bigint): void {
  for (const [name, bound] of [["from", from], ["to - 1", last]] as const) {
    if (dtype.kind === FLOAT) {
      const digits = digitsOf(dtype);
      if (bound >= -(2n ** digits) && bound <= 2n ** digits) continue;
      warn(
        `${name} is out of bounds [-(2^${digits}), 2^${digits}]. Due to precision limitations ${typeMetaName(dtype)} can support discrete uniform distribution only within this range. This warning will become an error in version 1.7 release, please fix the code in advance`,
      );
    } else if (bound < limits(dtype)[0] || bound > limits(dtype)[1]) {
      throw new RuntimeError(`${name} is out of bounds for ${typeMetaName(dtype)}`);
    }
  }
}
