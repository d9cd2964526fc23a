/** A recorded program: its form, how to run a statement of it in leafgrad, and how it reads as PyTorch code. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import * as torch from "leafgrad";

export type Json = null | boolean | number | string | Json[] | { slice: (number | null)[] };

/** What a tensor looks like; a record holds only the fields that changed since the tensor was last seen. */
export interface State {
  dtype: string;
  shape: number[];
  values: (number | boolean | string)[];
  leaf: boolean | string;
  requires_grad: boolean | string;
  grad_fn: string | null;
  version: number | "*";
  view: boolean;
  base: string | null;
  retains_grad: boolean;
  stride: number[];
  offset: number | "*";
  grad: Pick<State, "dtype" | "shape" | "values" | "requires_grad" | "stride" | "tol"> | null;
  /** How far values may lie from PyTorch's beyond its usual tolerance. */
  tol: number;
}

export interface Want {
  error?: [kind: string, text: string];
  value?: number | boolean | string;
  missing?: true;
  see?: Record<string, Partial<State>>;
}

export interface Statement {
  op: string;
  self?: string;
  args?: Json[];
  kwargs?: Record<string, Json>;
  /** A name for each result; the name of a live tensor where the result is that very tensor, null where it is None. */
  out?: (string | null)[];
  /** The mode in which it runs. */
  under?: "no_grad" | "enable_grad" | "inference_mode";
  want?: Want;
}

export interface Program {
  id: string;
  /** What is looked at after a statement (looking can change a tensor): every live tensor, its result, or nothing until the end. */
  observe: "all" | "result" | "end";
  stmts: Statement[];
  end?: Record<string, Partial<State>>;
}

export type Env = Map<string, torch.Tensor>;

/** The programs of a JSON-lines file, gzipped or not. */
export async function* readPrograms(path: string): AsyncGenerator<Program> {
  const file = createReadStream(path);
  const lines = createInterface({ input: path.endsWith(".gz") ? file.pipe(createGunzip()) : file });
  for await (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as Program;
}

type Callable = (...args: unknown[]) => unknown;
type Fields = Record<string, unknown>;

const member = (owner: unknown, path: string): unknown => path.split(".").reduce((at, key) => (at as Fields)[key], owner);

/** What a tensor hook does with the gradient. */
const hooks: Record<string, (grad: torch.Tensor) => torch.Tensor | null> = {
  double: (grad) => grad.mul(2),
  ones: (grad) => torch.ones_like(grad),
  contiguous: (grad) => grad.contiguous(),
  look: () => null,
};

/** What a hook after the accumulation of a leaf's gradient does with the leaf. */
const leafHooks: Record<string, (leaf: torch.Tensor) => void> = {
  drop: (leaf) => {
    leaf.grad = null;
  },
  halve: (leaf) => {
    leaf.grad = leaf.grad!.mul(0.5);
  },
};

function decode(value: Json, env: Env): unknown {
  if (typeof value === "string") {
    if (value.startsWith("$")) return env.get(value.slice(1));
    if (value.startsWith("@")) return member(torch, value.slice(1));
    if (value.startsWith("%")) return hooks[value.slice(1)] ?? leafHooks[value.slice(1)];
    return value.startsWith("#") ? unprintable(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => decode(item, env));
  if (value !== null && typeof value === "object") return torch.slice(...value.slice.map((bound) => bound ?? undefined));
  return value;
}

/** "#nan", "#inf", "#-inf": the floats that JSON lacks. */
export const unprintable = (text: string): number => Number(text.slice(1).replace("inf", "Infinity"));

/** Runs one statement; its results are bound by the caller. */
export function execute(stmt: Statement, env: Env): unknown {
  const run = () => call(stmt, env);
  return stmt.under === undefined ? run() : torch[stmt.under](run);
}

function call({ op, self, args = [], kwargs = {} }: Statement, env: Env): unknown {
  const values = args.map((arg) => decode(arg, env));
  const named = Object.fromEntries(Object.entries(kwargs).map(([key, arg]) => [key, decode(arg, env)]));
  if (Object.keys(named).length > 0) values.push(named);
  if (self === undefined) {
    const dot = op.lastIndexOf(".");
    const owner = dot < 0 ? torch : member(torch, op.slice(0, dot));
    return invoke(owner, op.slice(dot + 1), values);
  }
  const tensor = env.get(self) as unknown as Fields;
  if (op === "getitem") return invoke(tensor, "index", values);
  if (op === "setitem") return void invoke(tensor, "index_put_", [assigned(values[0] as unknown[]), values[1]]);
  if (op === "repr") return String(env.get(self));
  if (op.startsWith("get:")) return tensor[op.slice(4)];
  if (op.startsWith("set:")) return void (tensor[op.slice(4)] = values[0]);
  return invoke(tensor, op, values);
}

/** An index that is assigned to, told from the argument of `index_put_`, which has tensors only. */
const assigned = (index: unknown[]): unknown[] => (index.every((entry) => entry instanceof torch.Tensor) ? [...index, "..."] : index);

function invoke(owner: unknown, name: string, args: unknown[]): unknown {
  const method = (owner as Fields)[name];
  if (typeof method !== "function") throw new TypeError(`leafgrad has no ${name}`);
  return (method as Callable).apply(owner, args);
}

/** The program as a person would type it. */
export function toPython(program: Program): string {
  return program.stmts.map(line).join("\n");
}

function line(stmt: Statement): string {
  const { op, self, args = [], kwargs = {}, out = [], under } = stmt;
  const all = [...args.map(literal), ...Object.entries(kwargs).map(([key, arg]) => `${key}=${literal(arg)}`)].join(", ");
  let text = self === undefined ? `torch.${op}(${all})` : `${self}.${op}(${all})`;
  if (op === "getitem") text = `${self}[${args.map(literal).join(", ")}]`;
  else if (op === "setitem") text = `${self}[${(args[0] as Json[]).map(literal).join(", ")}] = ${literal(args[1]!)}`;
  else if (op === "repr") text = `print(${self})`;
  else if (op.startsWith("get:")) text = `${self}.${op.slice(4)}`;
  else if (op.startsWith("set:")) text = `${self}.${op.slice(4)} = ${literal(args[0]!)}`;
  if (out.length > 0 && !(out.length === 1 && out[0] === self)) {
    const tuple = out.length === 1 && /grad$|unbind|split|chunk/.test(op);
    text = `${out.map((name) => name ?? "_").join(", ")}${tuple ? "," : ""} = ${text}`;
  }
  return under === undefined ? text : `with torch.${under}(): ${text}`;
}

function literal(value: Json): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") return value.slice.map((bound) => bound ?? "").join(":").replace(/^(.*:.*):$/, "$1");
  if (value.startsWith("$")) return value.slice(1);
  if (value.startsWith("@")) return `torch.${value.slice(1)}`;
  if (value.startsWith("#")) return `float("${value.slice(1)}")`;
  return value === "..." ? value : JSON.stringify(value);
}
