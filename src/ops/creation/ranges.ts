/** Evenly spaced numbers. */
import { factory, factoryOverload } from "../../dispatch/define.ts";
import { makeOp, type FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError, ValueError, warn } from "../../errors.ts";
import { bool, checkFits, FLOAT, float32, get_default_dtype, int64, scalarKind, uint8, type DType } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import type { TensorOptions } from "./creation.ts";

type Scalar = number | bigint;
type Bound = Scalar | Tensor;

const finiteText = (x: Scalar): string => String(x).replace("Infinity", "inf").replace("NaN", "nan");

/** As `dtype` counts: integers without their fraction. */
function within(value: Scalar, dtype: DType): Scalar {
  return dtype.kind === FLOAT || typeof value === "bigint" ? value : Math.trunc(value);
}

function arangeOf(start: Scalar, end: Scalar, step: Scalar, dtype: DType | null): Tensor {
  const given = [start, end, step].map((v) => (typeof v === "boolean" ? Number(v) : v));
  const type = dtype ?? (given.every((v) => scalarKind(v) !== FLOAT) ? int64 : get_default_dtype());
  if (Number(step) === 0) throw new RuntimeError("step must be nonzero");
  const lost = !Number.isFinite(Number(given[0])) || !Number.isFinite(Number(given[1]));
  if (lost) throw new RuntimeError(`unsupported range: ${finiteText(given[0])} -> ${finiteText(given[1])}`);
  const [first, last, by] = given.map((v) => within(v, type));
  if (type === int64 && Number(by) === 0) throw new ValueError("step must be nonzero");
  if (type === bool) throw new NotImplementedError(`"arange_cpu" not implemented for 'Bool'`);
  if (Number(step) > 0 ? last < first : last > first) throw new RuntimeError("upper bound and lower bound inconsistent with step sign");
  const size = type === int64 ? wholeSteps(BigInt(first), BigInt(last), BigInt(by)) : Math.ceil((Number(given[1]) - Number(given[0])) / Number(given[2]));
  if (!(size <= 2 ** 63)) throw new RuntimeError("invalid size, possible overflow?");
  return stepped(first, by, size, type);
}

function stepped(first: Scalar, by: Scalar, size: number, dtype: DType): Tensor {
  const out = emptyTensor([size], dtype);
  const data = viewTyped(out);
  if (data instanceof BigInt64Array) for (let i = 0; i < size; i++) data[i] = BigInt(first) + BigInt(by) * BigInt(i);
  else for (let i = 0; i < size; i++) data[i] = Number(first) + Number(by) * i;
  return out;
}

function wholeSteps(first: bigint, last: bigint, by: bigint): number {
  return Number((last - first + by - (by > 0n ? 1n : -1n)) / by);
}

/** Numbers from `start` up to, but without, `end`; int64 if all arguments are whole, else the default dtype. */
export const arange: FunctionOp<[start: Bound, end?: Bound, step?: Bound], TensorOptions & { start?: Bound; end?: Bound; step?: Bound }> = makeOp(
  "arange",
  [
    factoryOverload("arange(Scalar end, *, ScalarType? dtype=None) -> Tensor", (end: Scalar, dtype: DType | null) => arangeOf(0, end, 1, dtype)),
    factoryOverload("arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None) -> Tensor", (start: Scalar, end: Scalar, dtype: DType | null) => arangeOf(start, end, 1, dtype), false),
    factoryOverload("arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None) -> Tensor", arangeOf),
  ],
  false,
) as typeof arange;

/**
 * Numbers from `start` to `end`, which is one of them where the steps reach it; of the default dtype. PyTorch will remove it: use `arange`.
 *
 * @throws RuntimeError where the step is 0, or leads away from `end`.
 */
export const range: FunctionOp<[start: Bound, end: Bound, step?: Bound], TensorOptions & { step?: Bound }> = factory(
  "range(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None) -> Tensor",
  (start: Scalar, end: Scalar, step: Scalar, dtype: DType | null) => {
    warn(
      "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
    );
    const type = dtype ?? get_default_dtype();
    const [first, last, by] = [start, end, step].map(Number);
    if (by === 0) throw new RuntimeError("step must be nonzero");
    if (!Number.isFinite(first) || !Number.isFinite(last)) throw new RuntimeError(`unsupported range: ${finiteText(start)} -> ${finiteText(end)}`);
    if (by > 0 ? last < first : last > first) throw new RuntimeError("upper bound and lower bound inconsistent with step sign");
    if (type === bool) throw new NotImplementedError(`"range_cpu" not implemented for 'Bool'`);
    return stepped(within(start, type), within(step, type), Math.floor((last - first) / by) + 1, type);
  },
);

/** Both halves are counted from their own end, as PyTorch does, so that the ends are exact; `map` is applied before storing. */
function spaced(name: string, start: Scalar, end: Scalar, steps: number, dtype: DType | null, map: (x: number) => number): Tensor {
  if (steps < 0) throw new RuntimeError("number of steps must be non-negative");
  const type = dtype ?? get_default_dtype();
  if (type === bool && steps > 1) throw new NotImplementedError(`"${name}_cpu" not implemented for 'Bool'`);
  for (const bound of [start, end]) checkFits(bound, type);
  const round = type === float32 ? Math.fround : (x: number): number => x;
  const [a, b] = [start, end].map((v) => round(type === uint8 ? Number(v) & 255 : Number(within(v, type))));
  const step = round((b - a) / (steps - 1));
  const half = Math.floor(steps / 2);
  const value = (i: number): number => map(steps === 1 ? a : i < half ? round(a + round(step * i)) : round(b - round(step * (steps - 1 - i))));
  const out = emptyTensor([steps], type);
  const data = viewTyped(out);
  if (data instanceof BigInt64Array) for (let i = 0; i < steps; i++) data[i] = BigInt(Math.trunc(value(i)));
  else for (let i = 0; i < steps; i++) data[i] = value(i);
  return out;
}

/** `steps` numbers, evenly spaced, from `start` to `end` with both. */
export const linspace: FunctionOp<[start: Bound, end: Bound, steps: number], TensorOptions> = factory(
  "linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None) -> Tensor",
  (start: Scalar, end: Scalar, steps: number, dtype: DType | null) => spaced("linspace", start, end, steps, dtype, (x) => x),
);

/** `steps` powers of `base`, their exponents evenly spaced from `start` to `end` with both. */
export const logspace: FunctionOp<[start: Bound, end: Bound, steps: number, base?: number], TensorOptions & { base?: number }> = factory(
  "logspace(Scalar start, Scalar end, int steps, float base=10.0, *, ScalarType? dtype=None) -> Tensor",
  (start: Scalar, end: Scalar, steps: number, base: number, dtype: DType | null) => spaced("logspace", start, end, steps, dtype, (x) => Math.pow(base, x)),
);
