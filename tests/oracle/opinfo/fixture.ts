/** The cases that `fixtures/opinfo_dump.py` wrote, and those of `errors.jsonl`. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** A value as the exporter's `enc()` writes it. */
export type Encoded = null | boolean | number | string | Encoded[] | { [key: string]: Encoded };
/** dtype, shape and row-major values; strides where the tensor was not contiguous. */
export type EncodedTensor = { t: [dtype: string, shape: number[], data: Encoded[]]; s?: number[] };

export type Arguments = { input: Encoded; args: Encoded[]; kwargs: { [name: string]: Encoded } };
export type Identity = { op: string; variant: string; dtype?: string; i: number };

/** One line of opinfo.jsonl; the head of opinfo_dump.py says what each field holds. */
export type Case = Identity &
  Arguments & {
    dtype: string;
    call: string;
    method: boolean;
    inplace: boolean;
    out: Encoded[];
    out_struct: "tensor" | "tuple" | "list" | "other";
    nodata?: true;
    random?: true;
    seed_call?: number;
    nondeterministic?: true;
    diff_inputs?: string[];
    grads_sum?: (EncodedTensor | null)[];
    grads_w?: (EncodedTensor | null)[];
    grad2?: (EncodedTensor | null)[] | null;
  };

/** One line of errors.jsonl: a call, and the type and text that PyTorch raised (null: it did not). */
export type ErrorCase = Identity & Arguments & { raised: [type: string, message: string] | null };

/** Integers that a double cannot hold become `{ n: "digits" }`. */
const keepBigIntegers = (line: string): string => line.replace(/(?<=[[,: ])(-?\d{16,})(?=[,\]}])/g, '{"n":"$1"}');

export function readLines<T>(file: string | URL): T[] {
  const bytes = readFileSync(file);
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("utf8");
  return text.trimEnd().split("\n").map((line) => JSON.parse(keepBigIntegers(line)) as T);
}

/** OpInfo's full name: `add`, `div.floor_rounding`. */
export const fullName = (id: Identity): string => (id.variant ? `${id.op}.${id.variant}` : id.op);

export function byEntry<T extends Identity>(cases: T[]): Map<string, T[]> {
  const entries = new Map<string, T[]>();
  for (const one of cases) {
    const name = fullName(one);
    const list = entries.get(name);
    if (list) list.push(one);
    else entries.set(name, [one]);
  }
  return entries;
}
