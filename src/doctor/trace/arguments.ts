/** Looks into the arguments and results of calls. */
import { Tensor } from "../../tensor/tensor.ts";

/** Of longer lists the first entries are looked at. */
const longest = 1 << 16;

/** The tensors among some values, also those in lists and in plain objects. */
export function tensorsIn(values: readonly unknown[]): Tensor[] {
  return values.flatMap((v) => {
    if (v instanceof Tensor) return [v];
    if (Array.isArray(v)) return tensorsIn(v.slice(0, longest));
    return typeof v === "object" && v !== null && Object.getPrototypeOf(v) === Object.prototype ? tensorsIn(Object.values(v)) : [];
  });
}

/** Is one of some numbers, also in lists, NaN or infinite? */
export function hasNonFiniteNumber(values: readonly unknown[]): boolean {
  return values.some((v) => (typeof v === "number" ? !Number.isFinite(v) : Array.isArray(v) && hasNonFiniteNumber(v.slice(0, longest))));
}
