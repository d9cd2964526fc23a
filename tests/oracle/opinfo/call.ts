/** How an OpInfo entry is called, by its name alone; the few that PyTorch calls through a lambda of its own are in a table. */
import * as torch from "leafgrad";
import type { Bound } from "./decode.ts";
import type { Identity } from "./fixture.ts";
import { fullName } from "./fixture.ts";

export type Call = (bound: Bound) => unknown;
type Fn = (...args: unknown[]) => unknown;
/** A tensor, its methods looked up by name. */
type Methods = Record<string, Fn>;

const probe = torch.tensor([0]) as unknown as Methods;

function functionAt(path: string): Fn | null {
  let at: unknown = torch;
  for (const part of path.split(".")) at = (at as Record<string, unknown> | undefined)?.[part];
  return typeof at === "function" ? (at as Fn) : null;
}

/** Positional arguments, then the named ones as a trailing object. */
const spread = ({ args, kwargs }: Bound): unknown[] => (Object.keys(kwargs).length > 0 ? [...args, kwargs] : args);

const hasMethod = (name: string): boolean => typeof probe[name] === "function";
const methodCall = (name: string): Call => (bound) => (bound.input as Methods)[name]!(...spread(bound));
const method = (name: string): Call | null => (hasMethod(name) ? methodCall(name) : null);
const getter = (name: string): Call | null => (name in probe ? ({ input }) => (input as Methods)[name] : null);
/** A lambda over the function at `path`. */
const using = (path: string, call: (bound: Bound, fn: Fn) => unknown): Call | null => {
  const fn = functionAt(path);
  return fn && ((bound) => call(bound, fn));
};
const clone = (value: unknown): Methods => (value as Methods)["clone"]!() as Methods;

/** What OpInfo's lambdas and Python's operators do (torch/testing/_internal/common_methods_invocations.py). */
const special: Record<string, () => Call | null> = {
  T: () => getter("T"),
  mT: () => getter("mT"),
  H: () => getter("H"),
  mH: () => getter("mH"),
  __getitem__: () => (hasMethod("index") ? (bound) => (bound.input as Methods)["index"]!(...indices(bound)) : null),
  __radd__: () => method("add"),
  __rmul__: () => method("mul"),
  __rand__: () => method("bitwise_and"),
  __ror__: () => method("bitwise_or"),
  __rxor__: () => method("bitwise_xor"),
  __rsub__: () => using("rsub", ({ input, args }, rsub) => rsub(input, args[0])),
  __rdiv__: () => using("reciprocal", ({ input, args }, reciprocal) => (reciprocal(input) as Methods)["mul"]!(args[0])),
  __rmod__: () => using("remainder", ({ input, args }, remainder) => remainder(args[0], input)),
  __rpow__: () => using("pow", ({ input, args }, pow) => pow(args[0], input)),
  __rmatmul__: () => using("matmul", ({ input, args }, matmul) => matmul(args[0], input)),
  where: () => using("where", ({ input, args }, where) => where(args[0], input, args[1])),
  einsum: () => using("einsum", ({ input, args }, einsum) => einsum(args[0], input)),
  polygamma: () => using("polygamma", ({ input, args }, polygamma) => polygamma(args[0], input)),
  "special.polygamma": () => using("special.polygamma", ({ input, args }, polygamma) => polygamma(args[0], input)),
  "linalg.pinv.singular": () => using("linalg.pinv", ofProduct),
  svd_lowrank: () => using("svd_lowrank", ofProduct),
  pca_lowrank: () => using("pca_lowrank", ofProduct),
  rand_like: () => using("randn_like", (bound, fn) => fn(bound.input, ...spread(bound))), // a slip of OpInfo's own
  "nn.functional.embedding": () => using("nn.functional.embedding", swapped),
  "nn.functional.embedding_bag": () => using("nn.functional.embedding_bag", swapped),
  "normal.number_mean": () => using("normal", swapped),
  "normal.in_place": () => method("normal_"),
  uniform: () => method("uniform_"),
  exponential: () => method("exponential_"),
  geometric: () => method("geometric_"),
  cauchy: () => method("cauchy_"),
  log_normal: () => method("log_normal_"),
  zero_: () => using("zero_", ({ input }, zero) => zero(clone(input))),
  resize_: () => (hasMethod("resize_") ? ({ input, args }) => clone(input)["resize_"]!(args[0]) : null),
  resize_as_: () => using("resize_as_", ({ input, args }, resize) => resize(clone(input), args[0])),
};

/** Of a low-rank matrix, given as the factors of input @ other.mT. */
function ofProduct({ input, args: [other], kwargs }: Bound, fn: Fn): unknown {
  return fn((input as torch.Tensor).matmul((other as torch.Tensor).mT), kwargs);
}

function swapped(bound: Bound, fn: Fn): unknown {
  const [first, ...rest] = spread(bound);
  return fn(first, bound.input, ...rest);
}

/** The index of `x[…]`: a tuple holds one a dimension, and a list of integers stands for an index tensor. */
function indices({ args: [index], source }: Bound): unknown[] {
  const encoded = source.args[0];
  const isTuple = typeof encoded === "object" && encoded !== null && "tuple" in encoded;
  const items = isTuple ? (index as unknown[]) : [index];
  return items.map((item) => (Array.isArray(item) ? torch.tensor(item as number[], { dtype: torch.int64 }) : item));
}

/** The function of an entry, or null where leafgrad does not have it. */
export function resolve(entry: Identity & { call?: string }): Call | null {
  const lambda = special[fullName(entry)] ?? special[entry.op];
  if (lambda) return lambda();
  if (entry.call?.startsWith("torch._ops")) return null;
  const fn = functionAt(entry.op);
  return fn ? (bound) => fn(bound.input, ...spread(bound)) : method(entry.op);
}

/** `x.op(…)`; null where the entry is a Python operator. */
export function methodForm({ op }: Identity): Call | null {
  return op.startsWith("__") ? null : methodCall(op);
}

/** PyTorch has these in-place ops but no derivative for them. */
const noInplaceGradient = new Set(["acosh", "asinh", "atanh"]);

/** `x.clone().op_(…)`, or `inplace: true` for a function of torch.nn. */
export function inplaceForm({ op }: Identity): { call: Call; differentiable: boolean } {
  const name = op.endsWith("_") ? op : `${op}_`;
  const call: Call = op.startsWith("nn.functional.")
    ? (bound) => functionAt(op)!(clone(bound.input), ...spread({ ...bound, kwargs: { ...bound.kwargs, inplace: true } }))
    : (bound) => clone(bound.input)[name]!(...spread(bound));
  return { call, differentiable: !noInplaceGradient.has(op) };
}
