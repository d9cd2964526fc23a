/** The kinds of index that `x.index(…)` and `x.index_put_([…], v)` take, read into the few that indexing works with. */
import { IndexError, ValueError, warn } from "../../errors.ts";
import { typeText } from "../../schema/arguments.ts";
import { bool, int64 } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { fromData, type NumericArray, type TensorData } from "../creation/fill.ts";

export type Bound = number | bigint | null;

/** Python's `start:stop:step`; null stands for a bound left out. Made by `torch.slice`. */
export class Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
  constructor(start: Bound = null, stop: Bound = null, step: Bound = null) {
    this.start = whole(start);
    this.stop = whole(stop);
    this.step = whole(step);
    Object.freeze(this);
  }
  toString(): string {
    return `slice(${[this.start, this.stop, this.step].map((b) => b ?? "None").join(", ")})`;
  }
}

function whole(bound: Bound): number | null {
  if (bound === null) return null;
  if (typeof bound !== "bigint" && !Number.isInteger(bound)) throw new TypeError("slice indices must be integers or None or have an __index__ method");
  return Number(bound);
}

/** Arrays of whole numbers or booleans become index tensors. */
export type IndexArray = readonly (number | bigint | boolean | Tensor | IndexArray)[];
/** Anything that may stand between the brackets of Python's `x[…]`; a string holds one or more in Python's syntax. */
export type Index = number | bigint | boolean | null | string | Slice | Tensor | IndexArray | NumericArray;

export const ellipsis: unique symbol = Symbol("...");
/** One entry of an index, of a kind that PyTorch's indexing knows. */
export type Entry = number | boolean | null | Slice | Tensor | typeof ellipsis;

/** The entries of an index given as separate arguments, or as one array for all. */
export function readIndex(given: readonly unknown[]): Entry[] {
  const lone = given.length === 1 ? given[0] : null;
  const entries: Entry[] = [];
  for (const item of Array.isArray(lone) && standsForTuple(lone) ? lone : given) {
    if (typeof item === "string") entries.push(...fromText(item));
    else entries.push(entryOf(item));
  }
  return entries;
}

/** NumPy's old rule, which PyTorch 2.13 still follows, for a list that is no list of numbers. */
function standsForTuple(list: readonly unknown[]): boolean {
  const holdsOther = (item: unknown): boolean =>
    item === null || item instanceof Tensor || item instanceof Slice || Array.isArray(item) || typeof item === "string" || ArrayBuffer.isView(item);
  if (list.length >= 32 || !list.some(holdsOther)) return false;
  warn(
    "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], which will result either in an error or a different result",
  );
  return true;
}

function entryOf(given: unknown): Entry {
  if (typeof given === "number") return Number.isInteger(given) ? given : refuse(given);
  if (typeof given === "bigint") return fromBigInt(given);
  if (given === null || typeof given === "boolean" || given instanceof Tensor || given instanceof Slice) return given;
  if (Array.isArray(given)) return fromData(given as TensorData, holdsOnlyBooleans(given) ? bool : int64);
  if (ArrayBuffer.isView(given)) return fromData(given as NumericArray, null);
  return refuse(given);
}

function refuse(given: unknown, got: string = typeText(given)): never {
  throw new IndexError(`only integers, slices (\`:\`), ellipsis (\`...\`), None and long or byte Variables are valid indices (got ${got})`);
}

function fromBigInt(given: bigint): number {
  if (BigInt.asIntN(64, given) !== given) throw new ValueError("Overflow when unpacking long long");
  return Number(given);
}

function holdsOnlyBooleans(list: readonly unknown[]): boolean {
  const leaves = list.flat(Infinity);
  return leaves.length > 0 && leaves.every((item) => typeof item === "boolean" || (item instanceof Tensor && item.dtype === bool));
}

const words: Record<string, Entry> = { "...": ellipsis, Ellipsis: ellipsis, None: null, True: true, False: false };
const integer = /^[+-]?\d+$/;

/** Reads Python's syntax: "1", ":2", "..., ::2, None". A comma at the end is allowed, as in Python's tuples. */
function fromText(text: string): Entry[] {
  const parts = text.replace(/,\s*$/, "").split(",").map((part) => part.trim());
  return parts.map((part) => {
    if (part in words) return words[part];
    if (integer.test(part)) return fromBigInt(BigInt(part));
    const bounds = part.split(":").map((b) => b.trim());
    if (bounds.length < 2 || bounds.length > 3 || !bounds.every((b) => b === "" || integer.test(b))) return refuse(part, JSON.stringify(text));
    return new Slice(...bounds.map((b) => (b === "" ? null : Number(b))));
  });
}
