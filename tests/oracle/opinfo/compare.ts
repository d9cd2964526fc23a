/** Is what leafgrad answered what PyTorch answered? Each function returns the first difference in words, or null. */
import * as torch from "leafgrad";
import { decode, element } from "./decode.ts";
import type { Encoded, EncodedTensor } from "./fixture.ts";

/** torch.testing.assert_close's relative and absolute tolerances; integers and booleans are exact. */
const tolerances: Record<string, [rtol: number, atol: number]> = { float32: [1.3e-6, 1e-5], float64: [1e-7, 1e-7] };

/** PyTorch's own, where its OpInfo has others (the toleranceOverride of the entry). */
const overrides: Record<string, Record<string, [rtol: number, atol: number]>> = {
  "nn.functional.scaled_dot_product_attention": { float32: [5e-6, 5e-5] },
};

export const isTensor = (value: unknown): value is torch.Tensor => value instanceof torch.Tensor;

/** The tensors in a result, in order, however deep. */
export function tensorsOf(value: unknown): torch.Tensor[] {
  if (isTensor(value)) return [value];
  if (typeof value !== "object" || value === null || !(Symbol.iterator in value)) return [];
  return [...(value as Iterable<unknown>)].flatMap(tensorsOf);
}

export function compareResult(got: unknown, want: readonly Encoded[], op = ""): string | null {
  const encodesTensor = (one: Encoded): boolean => typeof one === "object" && one !== null && ("t" in one || "shape" in one);
  if (!want.every(encodesTensor)) return comparePlain(got, want[0]!);
  const tensors = tensorsOf(got);
  if (tensors.length !== want.length) return `want ${want.length} tensors, got ${tensors.length}`;
  return firstOf(want, (one, k) => {
    const difference = "t" in (one as object) ? compareTensor(tensors[k]!, one as EncodedTensor, op) : compareKind(tensors[k]!, one);
    return difference && `${k}: ${difference}`;
  });
}

/** Gradients: null where an input has none. */
export function compareGradients(got: readonly (torch.Tensor | null)[], want: readonly (EncodedTensor | null)[], op = ""): string | null {
  return firstOf(want, (one, k) => {
    const gradient = got[k] ?? null;
    if (one === null || gradient === null) {
      return one === gradient ? null : `${k}: want ${one ? "a gradient" : "null"}, got ${gradient ? `${gradient.tolist()}` : "null"}`;
    }
    const difference = compareTensor(gradient, one, op);
    return difference && `${k}: ${difference}`;
  });
}

export function compareTensor(got: torch.Tensor, want: EncodedTensor, op = ""): string | null {
  const [dtype, shape, data] = want.t;
  const difference = compareKind(got, { dtype, shape });
  if (difference) return difference;
  const values = [...(got.toTypedArray() as unknown as Iterable<number | bigint | boolean>)];
  const close = closeness(dtype, op);
  const at = data.findIndex((value, k) => !close(values[k]!, element(value)));
  return at < 0 ? null : `at [${unravel(at, shape)}]: want ${element(data[at]!)}, got ${values[at]}`;
}

/** Strides of an output: PyTorch's exactly, where its tensor was not contiguous. */
export function compareStrides(got: readonly torch.Tensor[], want: readonly Encoded[]): string | null {
  return firstOf(want as unknown as EncodedTensor[], (one, k) => {
    if (one.t === undefined || (one.s ? `${got[k]!.stride()}` === `${one.s}` : got[k]!.is_contiguous())) return null;
    return `${k}: want ${one.s ? `strides [${one.s}]` : "a contiguous tensor"}, got strides [${got[k]!.stride()}]`;
  });
}

function compareKind(got: torch.Tensor, want: Encoded): string | null {
  const { dtype, shape } = want as { dtype: string; shape: number[] };
  if (String(got.dtype) !== `torch.${dtype}`) return `want dtype torch.${dtype}, got ${got.dtype}`;
  return `${got.shape}` === `${shape}` ? null : `want shape [${shape}], got [${got.shape}]`;
}

function comparePlain(got: unknown, want: Encoded): string | null {
  const [a, b] = [decode(want), got].map((value) => JSON.stringify(value, (_, v) => (typeof v === "number" ? `${v}` : v)));
  return a === b ? null : `want ${a}, got ${b}`;
}

function closeness(dtype: string, op: string): (got: number | bigint | boolean, want: number | bigint) => boolean {
  if (dtype === "int64") return (got, want) => BigInt(got) === BigInt(want);
  const [rtol, atol] = overrides[op]?.[dtype] ?? tolerances[dtype] ?? [0, 0];
  const fits = (got: number, want: number): boolean =>
    Object.is(got, want) || got === want || (Number.isFinite(want) && Math.abs(got - want) <= atol + rtol * Math.abs(want));
  return (got, want) => fits(Number(got), Number(want));
}

function unravel(flat: number, shape: readonly number[]): number[] {
  const index = shape.map(() => 0);
  for (let d = shape.length - 1; d >= 0; d--) [index[d], flat] = [flat % shape[d]!, Math.floor(flat / shape[d]!)];
  return index;
}

function firstOf<T>(items: readonly T[], check: (item: T, k: number) => string | null): string | null {
  for (const [k, item] of items.entries()) {
    const difference = check(item, k);
    if (difference) return difference;
  }
  return null;
}
