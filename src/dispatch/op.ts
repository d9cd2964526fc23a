/** What an op is to its users and to dispatch: one function, one method, one in-place method over its overloads. */
import { isPlainObject, Signature } from "../schema/arguments.ts";
import { modernCall } from "../schema/deprecated.ts";
import { mismatch } from "../schema/mismatch.ts";
import { Tensor } from "../tensor/tensor.ts";
import { observed } from "./observer.ts";
import { checkOut, writeOut, type OutRule } from "./out.ts";

/** A Number or Tensor, where arithmetic takes either. */
export type TensorLike = Tensor | number | bigint | boolean;

/** One signature of an op with what it does. */
export interface Overload {
  readonly signature: Signature;
  call(values: unknown[]): unknown;
  /** Writes to `self`; absent where the op has no in-place form. */
  readonly inplace?: (values: unknown[]) => Tensor;
  /** Writes the result straight to `out`, where that is plainly the same as to copy it there; else does nothing and gives false. */
  writeTo?(values: unknown[], out: Tensor): boolean;
  /** How it takes `out`. */
  readonly outRule?: OutRule | undefined;
  /** False where no gradient flows through the op, so that nothing speaks against `out`. */
  readonly differentiates?: boolean;
  /** Refuses arguments before anybody looks at `out`. */
  readonly refuse?: ((...values: never[]) => void) | undefined;
}

/** Each way to break off the positional arguments `P` and to give the rest by name. */
type Arguments<P extends readonly unknown[], N> = P | Prefixes<Required<P>, N & CommonOptions>;
type Prefixes<P extends readonly unknown[], N> = [...P, options: N] | (P extends readonly [...infer Init, unknown] ? Prefixes<Init, N> : never);

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

/** An op that tensors have in its in-place form alone, `normal_` for `normal`. */
export interface InplaceOnlyOp<P extends readonly unknown[], N = unknown, R = Tensor> extends FunctionOp<P, N, R> {
  readonly [inplaceMark]: true;
}

declare const splitMark: unique symbol;

/** A method whose overloads give results of different types, `x.max()` and `x.max(dim)`: called as `A` or as `B`, each the type of an op. */
export interface SplitOp<P, N, R, Q, M, S> extends AnyOp {
  (...args: Arguments<Extract<P, readonly unknown[]>, N>): R;
  (...args: Arguments<Extract<Q, readonly unknown[]>, M>): S;
  readonly [methodMark]: true;
  readonly [splitMark]: readonly [Shaped<P, N, R>, Shaped<Q, M, S>];
}

export interface AnyOp {
  readonly opName: string;
  readonly overloads: readonly Overload[];
  /** Those that have an in-place form. */
  readonly inplaceOverloads: readonly Overload[];
  /** Is it a method of Tensor? */
  readonly isMethod: boolean;
}

type Tail<P> = P extends readonly [unknown?, ...infer Rest] ? Rest : [];
/** A lone list of numbers may also be given one by one: `x.view(2, 3)`. */
type OneByOne<P extends readonly unknown[]> = Required<P> extends readonly [infer L] ? (L extends readonly number[] ? number[] : [never]) : [never];
interface Method<P extends readonly unknown[], N, R> {
  (...args: Arguments<P, N>): R;
  (...sizes: OneByOne<P>): R;
}
type MethodOf<O> = O extends { readonly [splitMark]: readonly [infer A, infer B] } ? MethodOf<A> & MethodOf<B> : O extends Shaped<infer P, infer N, infer R> ? Method<Tail<P>, N, R> : never;
type InplaceMethodOf<O> = O extends Shaped<infer P, infer N, unknown> ? Method<Tail<P>, N, Tensor> : never;

/** The methods that a module of ops adds to Tensor. The marks decide, for looking at Tensor itself here would be circular. */
export type Methods<M> = {
  [K in keyof M as M[K] extends { readonly [methodMark]: true } ? K : never]: MethodOf<M[K]>;
} & {
  [K in keyof M & string as M[K] extends { readonly [inplaceMark]: true } ? `${K}_` : never]: InplaceMethodOf<M[K]>;
};

/** Makes the callable op of some overloads; the first that matches a call is taken. */
export function makeOp(opName: string, overloads: readonly Overload[], isMethod: boolean): AnyOp {
  const inplaceOverloads = overloads.filter((o) => o.inplace !== undefined);
  const op = Object.assign((...args: unknown[]) => invoke(op, args, false), { opName, overloads, inplaceOverloads, isMethod }) as AnyOp;
  Object.defineProperty(op, "name", { value: opName });
  return op;
}

/** Calls an op with the arguments as given; a method's begin with `self`. */
export function invoke(op: AnyOp, args: unknown[], isMethod: boolean): unknown {
  if (observed.by !== null) return underObservation(op, args, false, dispatch, isMethod);
  return dispatch(op, args, isMethod);
}

/** Calls the in-place form. */
export function invokeInplace(op: AnyOp, args: unknown[]): Tensor {
  if (observed.by !== null) return underObservation(op, args, true, dispatchInplace, true);
  return dispatchInplace(op, args);
}

function dispatch(op: AnyOp, args: unknown[], isMethod: boolean): unknown {
  const named = takeNamed(args);
  if (named !== null && named.out != null && !isMethod && op.overloads.some((o) => o.signature.takesOut)) return callWithOut(op, args, named);
  for (const overload of op.overloads) {
    const values = overload.signature.match(args, named);
    if (values !== null) return overload.call(values);
  }
  const modern = modernCall(op.opName, op.overloads[0].signature, args, named, isMethod);
  if (modern !== null) return dispatch(op, modern, isMethod);
  throw mismatch(op.opName, op.overloads.map((o) => o.signature), args, named, isMethod);
}

function dispatchInplace(op: AnyOp, args: unknown[]): Tensor {
  const named = takeNamed(args);
  for (const overload of op.inplaceOverloads) {
    const values = overload.signature.match(args, named);
    if (values !== null) return overload.inplace!(values);
  }
  const modern = modernCall(`${op.opName}_`, op.overloads[0].signature, args, named, true);
  if (modern !== null) return dispatchInplace(op, modern);
  throw mismatch(`${op.opName}_`, op.inplaceOverloads.map((o) => o.signature), args, named, true);
}

/** Removes a trailing plain object and trailing `undefined`s from `args`. */
function takeNamed(args: unknown[]): Record<string, unknown> | null {
  let named: Record<string, unknown> | null = null;
  const last = args.length > 0 ? args[args.length - 1] : undefined;
  if (typeof last === "object" && !(last instanceof Tensor) && isPlainObject(last)) named = args.pop() as Record<string, unknown>;
  while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
  return named;
}

/** The call is no closure: one would be made at each call, observed or not. */
function underObservation<T>(op: AnyOp, args: unknown[], inplace: boolean, call: (op: AnyOp, args: unknown[], isMethod: boolean) => T, isMethod: boolean): T {
  const observer = observed.by!;
  const given = args.slice();
  observer.enter(op, given, inplace);
  let result: T;
  try {
    result = call(op, args, isMethod);
  } catch (error) {
    observer.fail(op, given, inplace, error);
    throw error;
  }
  observer.leave(op, given, inplace, result);
  return result;
}

/** The first overload that takes `out` and matches a call, and the values of its arguments. */
function overloadWithOut(op: AnyOp, args: unknown[], named: Record<string, unknown>, out: unknown): [Overload, never[]] {
  for (const overload of op.overloads) {
    const values = overload.signature.takesOut ? overload.signature.match(args, named) : null;
    if (values !== null) return [overload, values as never[]];
  }
  throw mismatch(op.opName, op.overloads.map((o) => o.signature), args, { ...named, out }, false);
}

/** `out=`: computes, then writes into the given tensors, or computes right into them. */
function callWithOut(op: AnyOp, args: unknown[], { out, ...rest }: Record<string, unknown>): unknown {
  const [overload, values] = overloadWithOut(op, args, rest, out);
  const { signature, outRule, differentiates, refuse } = overload;
  const rule = outRule ?? {};
  refuse?.(...values);
  const isFactory = signature.schema.positions.has("pin_memory");
  const outs = checkOut(op.opName, out, differentiates === false ? null : args);
  if (rule.refuses !== undefined) for (const one of outs) rule.refuses(one, ...values);
  if (observed.by === null && outs.length === 1 && overload.writeTo?.(values, outs[0]) === true) return out;
  const result = invoke(op, [...args, rule.setsDtype === true ? { dtype: outs[0].dtype, ...rest } : rest], false);
  const results = result instanceof Tensor ? [result] : (result as Tensor[]);
  for (const [i, r] of results.entries()) writeOut(outs[i], r, i, args, rule, isFactory);
  return out;
}

/** Puts the ops of a module on Tensor's prototype, with their in-place forms. */
export function installMethods(...modules: readonly Record<string, unknown>[]): void {
  for (const module of modules) {
    for (const [name, value] of Object.entries(module)) {
      if (typeof value !== "function" || !("overloads" in value)) continue;
      const op = value as unknown as AnyOp;
      if (op.isMethod) define(name, methodOf(op));
      if (op.inplaceOverloads.length > 0) define(`${name}_`, inplaceMethodOf(op));
    }
  }
}

function define(name: string, value: unknown): void {
  Object.defineProperty(value, "name", { value: name });
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
}

function methodOf(op: AnyOp): (this: Tensor, ...args: unknown[]) => unknown {
  return function (this: Tensor, ...args: unknown[]) {
    return invoke(op, withSelf(this, args), true);
  };
}

function inplaceMethodOf(op: AnyOp): (this: Tensor, ...args: unknown[]) => Tensor {
  return function (this: Tensor, ...args: unknown[]) {
    return invokeInplace(op, withSelf(this, args));
  };
}

/** `self` and the arguments of its method. (A spread goes by way of an iterator, which takes longer than small kernels do.) */
function withSelf(self: Tensor, args: readonly unknown[]): unknown[] {
  if (args.length === 0) return [self];
  return args.length === 1 ? [self, args[0]] : [self, ...args];
}
