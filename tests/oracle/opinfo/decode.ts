/** From the exporter's encoding to leafgrad's values. */
import * as torch from "leafgrad";
import type { Arguments, Encoded, EncodedTensor } from "./fixture.ts";

/** The case needs something that leafgrad does not have; `message` says what. */
export class Unsupported extends Error {}

export type Bound = {
  source: Arguments;
  input: unknown;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Every tensor by its path: "input", "args.0", "kwargs.weight", "input.1". */
  tensors: Map<string, torch.Tensor>;
};

/** Fresh arguments of a call; the tensors at the paths in `differentiable` require gradients. */
export function bind(call: Arguments, differentiable: readonly string[] = []): Bound {
  const tensors = new Map<string, torch.Tensor>();
  const seen = (path: string, tensor: torch.Tensor): torch.Tensor => {
    if (differentiable.includes(path)) tensor.requires_grad_();
    tensors.set(path, tensor);
    return tensor;
  };
  return {
    source: call,
    input: decode(call.input, "input", seen),
    args: call.args.map((value, k) => decode(value, `args.${k}`, seen)),
    kwargs: decodeFields(call.kwargs, "kwargs", seen),
    tensors,
  };
}

type Seen = (path: string, tensor: torch.Tensor) => torch.Tensor;

/**
 * One value. Python's floats (`{ f: 2 }`) and ints (`2`) both become JavaScript numbers: a whole float beside an
 * integer tensor is an int here, and such a case has to be left out.
 */
export function decode(value: Encoded, path = "", seen: Seen = (_, tensor) => tensor): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item, k) => decode(item, `${path}.${k}`, seen));
  if ("t" in value) return seen(path, decodeTensor(value as unknown as EncodedTensor));
  if ("n" in value) return BigInt(value["n"] as string);
  if ("f" in value) return Number(named(value["f"]!));
  if ("dtype" in value) return dtypeOf(value["dtype"] as string);
  if ("size" in value) return value["size"];
  if ("tuple" in value) return decode(value["tuple"]!, path, seen);
  if ("slice" in value) return torch.slice(...(value["slice"] as [number | null, number | null, number | null]));
  if ("ellipsis" in value) return "...";
  if ("dict" in value) return decodeFields(value["dict"] as Record<string, Encoded>, path, seen);
  if ("c" in value) throw new Unsupported("complex numbers");
  return constant(value["repr"] as string);
}

function decodeFields(fields: Record<string, Encoded>, path: string, seen: Seen): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, decode(v, `${path}.${k}`, seen)]));
}

/** "torch.channels_last" and the like; anything else that the exporter could not encode is opaque. */
function constant(text: string): unknown {
  if (text === "PairwiseDistance()") return torch.nn.functional.pairwise_distance; // a module that does no more
  const value = text.startsWith("torch.") ? (torch as Record<string, unknown>)[text.slice(6)] : undefined;
  if (value === undefined) throw new Unsupported(`the argument ${text.replace(/[( ].*/s, "")}`);
  return value;
}

export type DType = torch.Tensor["dtype"];

export function dtypeOf(name: string): DType {
  const dtype = (torch as Record<string, unknown>)[name];
  if (String(dtype) !== `torch.${name}`) throw new Unsupported(`dtype ${name}`);
  return dtype as DType;
}

/** Refuses what no tensor of leafgrad can be equal to. */
export function checkSupported(outputs: readonly Encoded[]): void {
  for (const out of outputs) {
    if (out === null || typeof out !== "object" || Array.isArray(out)) continue;
    if ("t" in out) dtypeOf((out as unknown as EncodedTensor).t[0]);
    if ("c" in out) throw new Unsupported("complex numbers");
  }
}

const named = (value: Encoded): Encoded => (value === "nan" ? NaN : value === "inf" ? Infinity : value === "-inf" ? -Infinity : value);

/** One element as a number, or a BigInt where a double cannot hold it. */
export function element(value: Encoded): number | bigint {
  if (typeof value === "object" && value !== null && "n" in value) return BigInt(value["n"] as string);
  return Number(named(value));
}

const arrays = {
  float32: Float32Array, float64: Float64Array, int32: Int32Array, int16: Int16Array, int8: Int8Array, uint8: Uint8Array,
};

function typedArray(dtype: string, data: readonly (number | bigint)[]): ArrayBufferView {
  if (dtype === "int64") return BigInt64Array.from(data, BigInt);
  return (arrays[dtype as keyof typeof arrays] ?? Uint8Array).from(data as number[]);
}

export function decodeTensor({ t: [name, shape, data], s: strides }: EncodedTensor): torch.Tensor {
  const dtype = dtypeOf(name);
  const values = data.map(element);
  const flat = (list: (number | bigint)[]): torch.Tensor => torch.tensor(typedArray(name, list) as Float32Array, { dtype });
  if (strides === undefined) return flat(values).view(shape);
  return flat(scattered(values, shape, strides)).as_strided(shape, strides);
}

/** The memory of which `values` are the elements seen through `shape` and `strides`. */
function scattered(values: (number | bigint)[], shape: number[], strides: number[]): (number | bigint)[] {
  const length = shape.reduce((sum, size, d) => sum + (size - 1) * strides[d]!, 1);
  const memory = new Array<number | bigint>(length).fill(0);
  const index = shape.map(() => 0);
  for (const value of values) {
    memory[index.reduce((sum, at, d) => sum + at * strides[d]!, 0)] = value;
    for (let d = shape.length - 1; d >= 0 && ++index[d]! === shape[d]; d--) index[d] = 0;
  }
  return memory;
}
