/** What an op is to its users and to dispatch: one function, one method, one in-place method over its overloads. */
import { gradMode } from "../autograd/grad-mode.ts";
import { requiresGrad } from "../autograd/variable.ts";
import { RuntimeError } from "../errors.ts";
import { isPlainObject, Signature, typeText } from "../schema/arguments.ts";
import { Tensor } from "../tensor/tensor.ts";
import { observed } from "./observer.ts";

/** A Number or Tensor, where arithmetic takes either. */
export type TensorLike = Tensor | number | bigint | boolean;

/** One signature of an op with what it does. */
export interface Overload {
  readonly signature: Signature;
  call(values: unknown[]): unknown;
  /** Writes to `self`; absent where the op has no in-place form. */
  readonly inplace?: (values: unknown[]) => Tensor;
}

/** Each way to break off the positional arguments `P` and to give the rest by name. */
type Arguments<P extends readonly unknown[], N> = P | Prefixes<P, N & CommonOptions>;
type Prefixes<P extends readonly unknown[], N> =
  | [...P, options: N]
  | (P extends readonly [...infer Init, unknown?] ? (Init["length"] extends P["length"] ? never : Prefixes<Init, N>) : never);

/** Named parameters that any op takes. */
export interface CommonOptions {
  out?: Tensor;
}

declare const shape: unique symbol;
declare const methodMark: unique symbol;
declare const inplaceMark: unique symbol;

interface Shaped<P, N, R> {
  readonly [shape]: { positional: P; named: N; result: R };
}

/**
 * An op that is a function only: callable with PyTorch's positional arguments `P` and a trailing object of named
 * parameters `N`. (Interfaces, because their call signatures are resolved late: Tensor's own type depends on them.)
 */
export interface FunctionOp<P extends readonly unknown[], N = unknown, R = Tensor> extends AnyOp, Shaped<P, N, R> {
  (...args: Arguments<P, N>): R;
}

/** An op that is also a method of Tensor; `P` begins with `self`. */
export interface Op<P extends readonly unknown[], N = unknown, R = Tensor> extends FunctionOp<P, N, R> {
  readonly [methodMark]: true;
}

/** An op that also has an in-place form, `add_` for `add`. */
export interface InplaceOp<P extends readonly unknown[], N = unknown, R = Tensor> extends Op<P, N, R> {
  readonly [inplaceMark]: true;
}

export interface AnyOp {
  readonly opName: string;
  readonly overloads: readonly Overload[];
  /** Is it a method of Tensor? */
  readonly isMethod: boolean;
}

type Tail<P> = P extends readonly [unknown?, ...infer Rest] ? Rest : [];
interface Method<P extends readonly unknown[], N, R> {
  (...args: Arguments<P, N>): R;
}
type MethodOf<O> = O extends Shaped<infer P, infer N, infer R> ? Method<Tail<P>, N, R> : never;
type InplaceMethodOf<O> = O extends Shaped<infer P, infer N, unknown> ? Method<Tail<P>, N, Tensor> : never;

/** The methods that a module of ops adds to Tensor. The marks decide, for looking at Tensor itself here would be circular. */
export type Methods<M> = {
  [K in keyof M as M[K] extends { readonly [methodMark]: true } ? K : never]: MethodOf<M[K]>;
} & {
  [K in keyof M & string as M[K] extends { readonly [inplaceMark]: true } ? `${K}_` : never]: InplaceMethodOf<M[K]>;
};

/** Makes the callable op of some overloads; the first that matches a call is taken. */
export function makeOp(opName: string, overloads: readonly Overload[], isMethod: boolean): AnyOp {
  const op = Object.assign((...args: unknown[]) => invoke(op, args, false), { opName, overloads, isMethod }) as AnyOp;
  Object.defineProperty(op, "name", { value: opName });
  return op;
}

/** Calls an op with the arguments as given; a method's begin with `self`. */
export function invoke(op: AnyOp, args: unknown[], isMethod: boolean): unknown {
  if (observed.by !== null) return underObservation(op, args, false, () => dispatch(op, args, isMethod));
  return dispatch(op, args, isMethod);
}

/** Calls the in-place form. */
export function invokeInplace(op: AnyOp, args: unknown[]): Tensor {
  if (observed.by !== null) return underObservation(op, args, true, () => dispatchInplace(op, args));
  return dispatchInplace(op, args);
}

function dispatch(op: AnyOp, args: unknown[], isMethod: boolean): unknown {
  const named = takeNamed(args);
  if (named !== null && named.out instanceof Tensor) return callWithOut(op, args, named, isMethod);
  for (const overload of op.overloads) {
    const values = overload.signature.match(args, named);
    if (values !== null) return overload.call(values);
  }
  throw mismatch(op, op.overloads, args, named, isMethod);
}

function dispatchInplace(op: AnyOp, args: unknown[]): Tensor {
  const named = takeNamed(args);
  const overloads = op.overloads.filter((o) => o.inplace !== undefined);
  for (const overload of overloads) {
    const values = overload.signature.match(args, named);
    if (values !== null) return overload.inplace!(values);
  }
  throw mismatch(op, overloads, args, named, true);
}

/** Removes a trailing plain object and trailing `undefined`s from `args`. */
function takeNamed(args: unknown[]): Record<string, unknown> | null {
  let named: Record<string, unknown> | null = null;
  const last = args.length > 0 ? args[args.length - 1] : undefined;
  if (typeof last === "object" && !(last instanceof Tensor) && isPlainObject(last)) named = args.pop() as Record<string, unknown>;
  while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
  return named;
}

function underObservation<T>(op: AnyOp, args: unknown[], inplace: boolean, call: () => T): T {
  const observer = observed.by!;
  const given = args.slice();
  observer.enter(op, given, inplace);
  let result: T;
  try {
    result = call();
  } catch (error) {
    observer.fail(op, given, inplace, error);
    throw error;
  }
  observer.leave(op, given, inplace, result);
  return result;
}

/** `out=`: computes, then writes into the given tensor, which is resized to fit. */
function callWithOut(op: AnyOp, args: unknown[], named: Record<string, unknown>, isMethod: boolean): Tensor {
  const { out, ...rest } = named as { out: Tensor };
  if (gradMode.enabled && [out, ...args].some((a) => a instanceof Tensor && requiresGrad(a))) {
    throw new RuntimeError(`${op.opName}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.`);
  }
  const result = invoke(op, [...args, rest], isMethod) as Tensor;
  return writeOut.into(out, result);
}

/** Set by the ops that can resize and copy. */
export const writeOut: { into: (out: Tensor, result: Tensor) => Tensor } = { into: (out) => out };

function mismatch(op: AnyOp, overloads: readonly Overload[], args: readonly unknown[], named: Record<string, unknown> | null, isMethod: boolean): Error {
  if (overloads.length === 1) return overloads[0].signature.complain(args, named, isMethod);
  const got = [...args.slice(isMethod ? 1 : 0).map(typeText), ...Object.entries(named ?? {}).map(([k, v]) => `${k}=${typeText(v)}`)];
  for (const key of Object.keys(named ?? {})) {
    if (overloads.every((o) => !o.signature.schema.positions.has(key))) return overloads[0].signature.complain(args, named, isMethod);
  }
  const forms = overloads.map((o) => ` * ${o.signature.pythonForm(isMethod)}`).join("\n");
  return new TypeError(`${op.opName}() received an invalid combination of arguments - got (${got.join(", ")}), but expected one of:\n${forms}\n`);
}

/** Puts the ops of a module on Tensor's prototype, with their in-place forms. */
export function installMethods(...modules: readonly Record<string, unknown>[]): void {
  for (const module of modules) {
    for (const [name, value] of Object.entries(module)) {
      if (typeof value !== "function" || !("overloads" in value)) continue;
      const op = value as unknown as AnyOp;
      if (op.isMethod) define(name, methodOf(op));
      if (op.overloads.some((o) => o.inplace !== undefined)) define(`${name}_`, inplaceMethodOf(op));
    }
  }
}

function define(name: string, value: unknown): void {
  Object.defineProperty(value, "name", { value: name });
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
}

function methodOf(op: AnyOp): (this: Tensor, ...args: unknown[]) => unknown {
  return function (this: Tensor, ...args: unknown[]) {
    args.unshift(this);
    return invoke(op, args, true);
  };
}

function inplaceMethodOf(op: AnyOp): (this: Tensor, ...args: unknown[]) => Tensor {
  return function (this: Tensor, ...args: unknown[]) {
    args.unshift(this);
    return invokeInplace(op, args);
  };
}
