/** Random tensors, bit for bit PyTorch's on the CPU. */
import { factory, factoryOverload, KernelOverload } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { resultDtype } from "../../dispatch/promote.ts";
import { NotImplementedError, RuntimeError, ValueError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { broadcastSizes, type Sizes } from "../../tensor/layout.ts";
import { defaultGenerator, Generator } from "../../random/generator.ts";
import { poisson as drawPoisson } from "../../random/distributions.ts";
import { randperm as permute } from "../../random/integers.ts";
import { BOOL, FLOAT, float32, get_default_dtype, int16, int32, int64, int8, uint8, type DType } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { typeText } from "../../schema/arguments.ts";
import { contiguousCopy } from "../creation/copy.ts";
import { zeros, type Size, type TensorOptions } from "../creation/creation.ts";
import { checkSizes, emptyLike } from "../creation/fill.ts";
import { checkStd, fillNormal, fillUniform, fillWithRange, type Int, type RandomSource, type Source } from "./random-fill.ts";

export { Generator };

/** What random functions draw from unless they are given a generator. */
export const default_generator: Generator = defaultGenerator;

/** Starts the stream that belongs to `seed`, an integer from -2^63 to 2^64 - 1, for every function that is given no generator. */
export function manual_seed(seed: number | bigint): Generator {
  return defaultGenerator.manual_seed(typeof seed === "number" && Number.isFinite(seed) ? Math.trunc(seed) : seed);
}

/** Seeds from the system's source of randomness, and returns the seed. */
export function seed(): bigint {
  return defaultGenerator.seed();
}

/** The seed in force. */
export function initial_seed(): bigint {
  return defaultGenerator.initial_seed();
}

/** The generator's state as a uint8 tensor, which PyTorch's `set_rng_state` takes too. */
export function get_rng_state(): Tensor {
  const state = defaultGenerator.get_state();
  const out = emptyTensor([state.length], uint8);
  (viewTyped(out) as Uint8Array).set(state);
  return out;
}

/** Goes back to a state that `get_rng_state`, or the `get_state` of a generator, gave. */
export function set_rng_state(state: Tensor | Uint8Array): void {
  if (state instanceof Uint8Array) return void defaultGenerator.set_state(state);
  if (!(state instanceof Tensor)) throw new TypeError(`expected a torch.ByteTensor, but got ${typeText(state)}`);
  if (state.dtype !== uint8) throw new TypeError("RNG state must be a torch.ByteTensor");
  defaultGenerator.set_state(viewTyped(contiguousCopy(state)).slice() as Uint8Array);
}

type SizeFactory = FunctionOp<[size: Size], TensorOptions & Source & { size?: Size }> & ((...sizes: number[]) => Tensor) & ((...args: [...number[], TensorOptions & Source]) => Tensor);

const sized = (name: string, fill: (out: Tensor, source: RandomSource) => void): SizeFactory =>
  factory(`${name}(int[] size, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor`, (size: Sizes, source: RandomSource, dtype: DType | null) => {
    const out = emptyTensor(checkSizes(size), dtype ?? get_default_dtype());
    fill(out, source);
    return out;
  }) as SizeFactory;

/**
 * Numbers evenly distributed over [0, 1).
 *
 * @throws NotImplementedError where the dtype is no float.
 * @example
 * torch.manual_seed(0);
 * torch.rand(3).tolist(); // [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]
 */
export const rand: SizeFactory = sized("rand", (out, source) => fillUniform(out, 0, 1, source));
/** Normal numbers of mean 0 and standard deviation 1. */
export const randn: SizeFactory = sized("randn", (out, source) => fillNormal(out, 0, 1, source));

type Like = FunctionOp<[self: Tensor], TensorOptions & Source & { memory_format?: unknown }>;

const like = (name: string, fill: (out: Tensor, source: RandomSource) => void): Like =>
  factory(`${name}(Tensor self, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor`, (self: Tensor, source: RandomSource, dtype: DType | null) => {
    const out = emptyLike(self, dtype);
    fill(out, source);
    return out;
  }) as Like;

/** `rand` in the sizes and dtype of `self`. */
export const rand_like: Like = like("rand_like", (out, source) => fillUniform(out, 0, 1, source));
/** `randn` in the sizes and dtype of `self`. */
export const randn_like: Like = like("randn_like", (out, source) => fillNormal(out, 0, 1, source));

function wholeNumbers(low: Int, high: Int, out: Tensor, source: RandomSource): Tensor {
  for (const bound of [low, high]) {
    if (BigInt(bound) >= 2n ** 63n || BigInt(bound) < -(2n ** 63n)) throw new ValueError("Overflow when unpacking long long");
  }
  fillWithRange(out, low, high, source);
  return out;
}

interface RangeOptions extends TensorOptions, Source {
  low?: Int;
  high?: Int;
  size?: Size;
}

/**
 * Whole numbers of [low, high), int64 unless another dtype is asked for.
 *
 * @throws RuntimeError where low >= high, or where the dtype does not hold them.
 * @example
 * torch.randint(0, 10, [2, 3]); // or torch.randint(10, [2, 3])
 */
export const randint: FunctionOp<[high: Int, size: Size], RangeOptions> & ((low: Int, high: Int, size: Size, options?: RangeOptions) => Tensor) = makeOp(
  "randint",
  [
    factoryOverload("randint(int high, int[] size, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor", (high: Int, size: Sizes, source: RandomSource, dtype: DType | null) =>
      wholeNumbers(0, high, emptyTensor(checkSizes(size), dtype ?? int64), source),
    ),
    factoryOverload(
      "randint.low(int low, int high, int[] size, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor",
      (low: Int, high: Int, size: Sizes, source: RandomSource, dtype: DType | null) => wholeNumbers(low, high, emptyTensor(checkSizes(size), dtype ?? int64), source),
    ),
  ],
  false,
) as unknown as typeof randint;

/** `randint` in the sizes and dtype of `self`. */
export const randint_like: FunctionOp<[self: Tensor, high: Int], RangeOptions> & ((self: Tensor, low: Int, high: Int, options?: RangeOptions) => Tensor) = makeOp(
  "randint_like",
  [
    factoryOverload("randint_like(Tensor self, int high, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor", (self: Tensor, high: Int, source: RandomSource, dtype: DType | null) =>
      wholeNumbers(0, high, emptyLike(self, dtype), source),
    ),
    factoryOverload(
      "randint_like.low_dtype(Tensor self, int low, int high, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor",
      (self: Tensor, low: Int, high: Int, source: RandomSource, dtype: DType | null) => wholeNumbers(low, high, emptyLike(self, dtype), source),
    ),
  ],
  false,
) as unknown as typeof randint_like;

const cTypes = new Map<DType, [string, number]>([[uint8, ["uint8_t", 255]], [int8, ["int8_t", 127]], [int16, ["int16_t", 32767]], [int32, ["int", 2 ** 31 - 1]]]);

/** The whole numbers from 0 to n - 1 in random order. */
export const randperm: FunctionOp<[n: number], TensorOptions & Source> = factory(
  "randperm(int n, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor",
  (n: number, source: RandomSource, asked: DType | null) => {
    const dtype = asked ?? int64;
    const out = emptyTensor(checkSizes([n]), dtype);
    const [name, greatest] = cTypes.get(dtype) ?? ["", Infinity];
    if (n > greatest) throw new RuntimeError(`value cannot be converted to type ${name} without overflow`);
    const digits = dtype === float32 ? 24 : 53;
    if (dtype.kind === FLOAT && n > 2 ** digits + 1) throw new RuntimeError(`n cannot be greater than 2^${digits}+1 for ${dtype.title} type.`);
    if (dtype.kind === BOOL) throw new NotImplementedError(`"randperm" not implemented for 'Bool'`);
    permute(viewTyped(out), source ?? defaultGenerator);
    return out;
  },
);

/**
 * For each element of `self`, a rate, a number of events (Poisson's distribution). No gradient flows: it is zero.
 *
 * @throws RuntimeError where a rate is negative; NotImplementedError where `self` holds no floats.
 */
export const poisson: FunctionOp<[self: Tensor], Source> = makeOp(
  "poisson",
  [
    new KernelOverload("poisson(Tensor self, Generator? generator=None) -> Tensor", {
      forward: (self: Tensor, source: RandomSource) => {
        if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"poisson_cpu" not implemented for '${self.dtype.title}'`);
        const [rates, out] = [contiguousCopy(self), emptyTensor(self._sizes, self.dtype)];
        drawPoisson(viewTyped(out) as Float64Array, viewTyped(rates) as Float64Array, source ?? defaultGenerator);
        return out;
      },
      backward: { self: ({ grad }) => zeros(grad._sizes, { dtype: grad.dtype }) },
    }),
  ],
  false,
) as unknown as typeof poisson;

function checkStds(std: Tensor): void {
  if (std._numel > 0 && std.lt(0).any().item()) throw new RuntimeError("normal expects all elements of std >= 0.0");
}

/** New normal numbers of mean 0, times `std`, plus `mean`; rounded after each step. */
function normals(sizes: Sizes, dtype: DType, mean: Tensor | number, std: Tensor | number, source: RandomSource): Tensor {
  const out = emptyTensor(sizes, dtype);
  fillNormal(out, 0, typeof std === "number" ? std : 1, source);
  if (typeof std !== "number") fused(product).run([out, std], resultDtype([out, std])!, dtype, out);
  return fused(sum).run([out, mean], resultDtype([out, mean])!, dtype, out);
}
const product: Formula = ({ self, other }) => self.mul(other);
const sum: Formula = ({ self, other }) => self.add(other);

interface NormalOptions extends TensorOptions, Source {
  mean?: Tensor | number;
  std?: Tensor | number;
  size?: Size;
}

/**
 * Normal numbers with a mean and a standard deviation for each element, tensors or numbers; two numbers come with a size.
 *
 * @throws RuntimeError where a standard deviation is negative.
 * @example
 * torch.normal(torch.zeros(3), 2);
 * torch.normal(0, 1, [2, 3]);
 */
export const normal: FunctionOp<[mean: Tensor | number, std?: Tensor | number], NormalOptions> & ((mean: number, std: number, size: Size, options?: NormalOptions) => Tensor) = makeOp(
  "normal",
  [
    new KernelOverload("normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor", {
      forward: (mean: Tensor, std: Tensor, source: RandomSource) => {
        checkStds(std);
        return normals(broadcastSizes(mean._sizes, std._sizes), mean.dtype, mean, std, source);
      },
      backward: { mean: ({ grad, mean_sizes }) => zeros(mean_sizes, { dtype: grad.dtype }), std: ({ grad, std_sizes }) => zeros(std_sizes, { dtype: grad.dtype }) },
      node: "NormalBackward3",
    }),
    new KernelOverload("normal.Tensor_float(Tensor mean, float std=1, *, Generator? generator=None) -> Tensor", {
      forward: (mean: Tensor, std: number, source: RandomSource) => {
        checkStd(std);
        return normals(mean._sizes, mean.dtype, mean, std, source);
      },
      backward: { mean: ({ grad, mean_sizes }) => zeros(mean_sizes, { dtype: grad.dtype }) },
      node: "NormalBackward1",
    }),
    new KernelOverload("normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor", {
      forward: (mean: number, std: Tensor, source: RandomSource) => {
        checkStds(std);
        return normals(std._sizes, std.dtype, mean, std, source);
      },
      backward: { std: ({ grad, std_sizes }) => zeros(std_sizes, { dtype: grad.dtype }) },
      node: "NormalBackward2",
    }),
    factoryOverload(
      "normal.float_float(float mean, float std, int[] size, *, Generator? generator=None, ScalarType? dtype=None) -> Tensor",
      (mean: number, std: number, size: Sizes, source: RandomSource, dtype: DType | null) => {
        const out = emptyTensor(checkSizes(size), dtype ?? get_default_dtype());
        fillNormal(out, mean, std, source);
        return out;
      },
    ),
  ],
  false,
) as unknown as typeof normal;
