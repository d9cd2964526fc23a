/** Replays a recorded program and finds the first thing in which leafgrad and PyTorch disagree. */
import * as torch from "leafgrad";
import { type Env, execute, type Program, type State, type Statement, toPython, unprintable, type Want } from "./program.ts";

export interface Disagreement {
  program: Program;
  /** The statement after which it was seen. */
  at: number;
  /** The tensor, where it is about one. */
  tensor?: string;
  field: string;
  want: unknown;
  got: unknown;
}

const defaults: Partial<State> = {
  offset: 0,
  leaf: true,
  requires_grad: false,
  grad_fn: null,
  version: 0,
  view: false,
  base: null,
  retains_grad: false,
  grad: null,
  tol: 0,
};

/** Fields that are not compared, from a comma-separated list: `stride,grad.stride`. */
export const ignored = new Set((process.env["FUZZ_IGNORE"] ?? "").split(",").filter((field) => field !== ""));

class Mismatch extends Error {
  readonly found: Pick<Disagreement, "field" | "want" | "got" | "tensor">;

  constructor(field: string, want: unknown, got: unknown, tensor?: string) {
    super(field);
    this.found = { field, want, got, ...(tensor === undefined ? {} : { tensor }) };
  }
}

/** The first disagreement, or null. */
export function replay(program: Program): Disagreement | null {
  const env: Env = new Map();
  const known = new Map<string, State>();
  let at = 0;
  torch.set_grad_enabled(true);
  try {
    for (const stmt of program.stmts) {
      if (stmt.want?.missing === undefined) step(stmt, program.observe, env, known);
      at++;
    }
    at--;
    if (program.observe !== "all") look(env.keys(), program.end, env, known);
    return null;
  } catch (error) {
    const found = error instanceof Mismatch ? error.found : { field: "looking", want: "no error", got: thrown(error) };
    return { program, at, ...found };
  } finally {
    torch.set_grad_enabled(true);
  }
}

function step(stmt: Statement, observe: Program["observe"], env: Env, known: Map<string, State>): void {
  const want: Want = stmt.want ?? {};
  const outcome = attempt(() => execute(stmt, env));
  if (want.error !== undefined) expectError(want.error, outcome);
  else if ("error" in outcome) throw new Mismatch("threw", "no error", thrown(outcome.error));
  else if (want.value !== undefined) expectValue(want.value, outcome.value);
  else bind(stmt, outcome.value, env);
  const results = (stmt.out ?? []).filter((name) => name !== null);
  if (observe === "all") look(env.keys(), want.see, env, known);
  else if (observe === "result") look(new Set([...results, stmt.self ?? ""]), want.see, env, known);
}

type Outcome = { value: unknown } | { error: unknown };

function attempt(run: () => unknown): Outcome {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}

const firstLine = (text: string): string => text.split("\n")[0]!.trimEnd();

const crashes = new Set(["TypeError", "ReferenceError", "RangeError"]);

/** A refusal that leafgrad words itself is shown by its text, a crash also by where it happened. */
function thrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = crashes.has(error.name) ? ["", ...(error.stack ?? "").split("\n").slice(1, 4)].join("\n") : "";
  return `${error.name}: ${firstLine(error.message)}${place}`;
}

function expectError([kind, text]: [string, string], outcome: Outcome): void {
  const want = `${kind === "AttributeError" ? "TypeError" : kind}: ${text}`;
  if (!("error" in outcome)) throw new Mismatch("error", want, "no error");
  const error = outcome.error as Error;
  if (`${error.name}: ${firstLine(error.message)}` !== want && !ignored.has("error")) throw new Mismatch("error", want, thrown(error));
}

function expectValue(want: number | boolean | string, got: unknown): void {
  const number = typeof want === "string" && want.startsWith("#") ? unprintable(want) : want;
  const same = typeof number === "number" && typeof got === "number" ? close(number, got, 1.3e-6, 1e-5) : number === got;
  if (!same) throw new Mismatch("value", want, got);
}

/** Binds the results to their names; a result that PyTorch returns as a live tensor must be that tensor here. */
function bind(stmt: Statement, value: unknown, env: Env): void {
  const names = stmt.out ?? [];
  if (stmt.op === "setitem") return;
  const results = flatten(value);
  if (results.length !== names.length) throw new Mismatch("outputs", names.length, results.length);
  results.forEach((result, i) => {
    const name = names[i]!;
    const isTensor = result instanceof torch.Tensor;
    if (name === null ? isTensor : !isTensor) throw new Mismatch("outputs", name, result);
    if (!isTensor) return;
    const alias = [...env].find(([, other]) => other === result)?.[0];
    if (env.has(name) ? alias !== name : alias !== undefined) {
      throw new Mismatch("identity", env.has(name) ? `the same tensor as ${name}` : "a new tensor", alias ?? "a new tensor");
    }
    env.set(name, result);
  });
}

function flatten(value: unknown): unknown[] {
  if (value instanceof torch.Tensor) return [value];
  const many = typeof value === "object" && value !== null && typeof (value as ArrayLike<unknown>).length === "number";
  return many ? Array.from(value as ArrayLike<unknown>) : [];
}

/** Compares tensors with what PyTorch is known to have, after taking in what changed there. */
function look(names: Iterable<string>, changed: Want["see"], env: Env, known: Map<string, State>): void {
  for (const [name, fields] of Object.entries(changed ?? {})) {
    const start = known.get(name) ?? ({ ...defaults, stride: contiguous(fields.shape!) } as State);
    known.set(name, { ...start, ...fields });
  }
  for (const name of names) if (env.has(name)) compare(name, known.get(name)!, env);
}

function contiguous(shape: number[]): number[] {
  let step = 1;
  return shape.toReversed().map((size) => [step, (step *= Math.max(size, 1))][0]!).toReversed();
}

/** The fields in the order in which the recorder reads them, for reading may change a tensor. */
function compare(name: string, want: State, env: Env): void {
  const tensor = env.get(name)!;
  const expect = (field: keyof State, read: () => unknown) => {
    const got = guarded(read);
    if (want[field] !== "*" && !same(want[field], got) && !ignored.has(field)) throw new Mismatch(field, want[field], got, name);
  };
  const found = guarded(() => flat(tensor));
  expect("dtype", () => String(tensor.dtype).replace("torch.", ""));
  expect("shape", () => [...tensor.shape]);
  compareValues("values", want, found, name);
  expect("leaf", () => tensor.is_leaf);
  expect("requires_grad", () => tensor.requires_grad);
  const node = guarded(() => tensor.grad_fn?.name() ?? null);
  const named = want.grad_fn === "*" ? node !== null : node === want.grad_fn;
  if (!named && !ignored.has("grad_fn")) throw new Mismatch("grad_fn", want.grad_fn, node, name);
  expect("version", () => tensor._version);
  expect("view", () => tensor._is_view());
  const base = tensor._base;
  expect("base", () => (base === null ? null : ([...env].find(([, other]) => other === base)?.[0] ?? "*")));
  expect("retains_grad", () => tensor.retains_grad);
  const byAutograd = want.view === ("*" as unknown);
  if (!byAutograd || !same(steps(want.stride, want.shape), steps(tensor.stride(), want.shape))) expect("stride", () => [...tensor.stride()]);
  expect("offset", () => tensor.storage_offset());
  compareGradient(name, want.grad, tensor.grad);
}

function compareGradient(name: string, want: State["grad"], grad: torch.Tensor | null): void {
  if (ignored.has("grad")) return;
  if (want === null || grad === null) {
    if (want !== grad) throw new Mismatch("grad", want?.values ?? null, grad === null ? null : flat(grad), name);
    return;
  }
  const fields: [string, unknown, unknown][] = [
    ["grad.dtype", want.dtype, String(grad.dtype).replace("torch.", "")],
    ["grad.shape", want.shape, [...grad.shape]],
    ["grad.requires_grad", want.requires_grad, grad.requires_grad],
    ["grad.stride", steps(want.stride, want.shape), steps(grad.stride(), want.shape)],
  ];
  for (const [field, wanted, got] of fields) {
    if (!same(wanted, got) && !ignored.has(field)) throw new Mismatch(field, wanted, got, name);
  }
  compareValues("grad.values", want, flat(grad), name);
}

/** Strides that count: a gradient's along dimensions of size 1, or without elements, are whatever the formula left there. */
const steps = (stride: readonly number[], shape: readonly number[]): (number | null)[] => stride.map((step, dim) => (shape[dim] === 1 || shape.includes(0) ? null : step));

const flat = (tensor: torch.Tensor): (number | boolean)[] => {
  const cells = Array.from(tensor.toTypedArray() as ArrayLike<number | bigint>, Number);
  return tensor.dtype === torch.bool ? cells.map(Boolean) : cells;
};

function guarded(read: () => unknown): unknown {
  const outcome = attempt(read);
  return "error" in outcome ? "!" + firstLine((outcome.error as Error).message) : outcome.value;
}

/** PyTorch's own tolerances: relative, absolute. */
const tolerances: Record<string, [number, number]> = { float32: [1.3e-6, 1e-5], float64: [1e-7, 1e-7] };

function compareValues(field: string, want: Pick<State, "dtype" | "values" | "tol">, got: unknown, name: string): void {
  const [relative, absolute] = tolerances[want.dtype] ?? [0, 0];
  const agree =
    Array.isArray(got) &&
    got.length === want.values.length &&
    want.values.every((value, i) => {
      const number = typeof value === "string" ? unprintable(value) : value;
      return typeof number === "number" ? close(number, got[i], relative, absolute + want.tol) : number === got[i];
    });
  if (!agree && !ignored.has(field)) throw new Mismatch(field, want.values, got, name);
}

const close = (want: number, got: number, relative: number, absolute: number): boolean =>
  Object.is(want, got) || want === got || Math.abs(want - got) <= absolute + relative * Math.abs(want);

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** What kind of disagreement it is: those with the same signature most likely have one cause. */
export function signature({ program, at, field, want, got }: Disagreement): string {
  const op = program.stmts[at]?.op ?? "end";
  const plain = (value: unknown) => firstLine(String(value)).replace(/\b\d+/g, "N").replace(/\[[N, ]*\]/g, "[N]").slice(0, 140);
  const told = ["error", "threw", "looking", "grad_fn", "identity", "outputs"].includes(field);
  return told ? `${op}: ${field}: want ${plain(want)}; got ${plain(got)}` : `${op}: ${field}`;
}

const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, printable) ?? String(value));
const printable = (_: string, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? `#${value}` : value);

/** For a person: the program up to the statement as PyTorch code, and what differs. */
export function explain({ program, at, tensor, field, want, got }: Disagreement): string {
  const until = { ...program, stmts: program.stmts.slice(0, at + 1) };
  const where = tensor === undefined ? field : `${tensor}: ${field}`;
  return `program ${program.id}, statement ${at} (observing ${program.observe})\n${toPython(until)}\n# ${where}\n#   PyTorch:  ${show(want)}\n#   leafgrad: ${show(got)}`;
}
