/** Matches the arguments of a call with schemas, as PyTorch's python_arg_parser does. */
import { Generator } from "../random/generator.ts";
import { Device } from "../tensor/device.ts";
import { DType, INT } from "../tensor/dtype.ts";
import { onlyElement } from "../tensor/read.ts";
import { Tensor } from "../tensor/tensor.ts";
import { complain, unpackError } from "./mismatch.ts";
import type { Parameter, Schema } from "./schema.ts";

export { typeText } from "./mismatch.ts";

type Check = (value: unknown) => boolean;

const isNumber: Check = (v) => typeof v === "number";
const isDetachedScalar = (v: unknown): v is Tensor => v instanceof Tensor && v._sizes.length === 0 && !v._requiresGrad && v._gradFn === null;
const isInt: Check = (v) => (typeof v === "number" ? Number.isInteger(v) : typeof v === "bigint" || (isDetachedScalar(v) && v.dtype.kind === INT));
const isScalar: Check = (v) => typeof v === "number" || typeof v === "boolean" || typeof v === "bigint" || isDetachedScalar(v);
const isTensor: Check = (v) => v instanceof Tensor;
const isTensorOrNumber: Check = (v) => v instanceof Tensor || typeof v === "number" || typeof v === "boolean" || typeof v === "bigint";

const checks: Record<string, Check> = {
  Tensor: isTensor,
  /** A tensor parameter of an op that also takes numbers, as arithmetic does. */
  Number: isTensorOrNumber,
  /** One of an op that has another overload for numbers, also for those that stand as tensors in a formula. */
  NoNumber: (v) => v instanceof Tensor && !v._wrapped,
  Scalar: isScalar,
  int: isInt,
  float: isNumber,
  bool: (v) => typeof v === "boolean",
  str: (v) => typeof v === "string",
  ScalarType: (v) => v instanceof DType,
  Device: (v) => typeof v === "string" || v instanceof Device,
  Generator: (v) => v instanceof Generator,
  Any: () => true,
};

function checkOf(p: Parameter): Check {
  const element = checks[p.type] ?? checks.Any;
  let check = element;
  if (p.isList) {
    const acceptsLone = p.listSize !== null;
    // Of a list of ints PyTorch looks at the first only; the others are refused when they are read.
    const fits: (list: unknown[]) => boolean =
      p.type === "int" ? (list) => list.length === 0 || element(list[0]) : (list) => list.every((e) => element(e) || (e === null && p.elementOptional));
    check = (v) => (Array.isArray(v) ? fits(v) : acceptsLone && element(v));
  }
  return p.optional ? (v) => v === null || check(v) : check;
}

export interface SignatureOptions {
  /** A Tensor parameter also takes a number, as arithmetic does; `"apart"`: another overload does. */
  numbersAsTensors?: boolean | "apart";
  /** The function takes `out`; true unless said otherwise. */
  takesOut?: boolean;
  /** The op has the calls of `deprecated.ts` too. */
  hasDeprecated?: boolean;
}

/** A schema made ready for matching calls. */
export class Signature {
  readonly schema: Schema;
  readonly options: SignatureOptions;
  readonly takesOut: boolean;
  /** Position of the parameter that takes its elements one by one, as a lone int list does (`x.view(2, 3)`); -1: none. */
  readonly varargs: number;
  private readonly checks: readonly Check[];
  /** Does the parameter take any one tensor? */
  private readonly takesTensor: readonly boolean[];
  /** Positions of numbers, which may be given as 0-dim tensors, and of lists. */
  private readonly adapted: readonly number[];
  private readonly isElement: Check;
  /** Can arguments that are all given by position be taken as they are? */
  private readonly isPlain: boolean;

  constructor(schema: Schema, options: SignatureOptions = {}) {
    const { numbersAsTensors = false, takesOut = true } = options;
    this.schema = schema;
    this.options = options;
    this.takesOut = takesOut;
    const tensorType = numbersAsTensors === "apart" ? "NoNumber" : numbersAsTensors ? "Number" : "Tensor";
    this.checks = schema.parameters.map((p) => checkOf(p.type === "Tensor" ? { ...p, type: tensorType } : p));
    this.takesTensor = schema.parameters.map((p) => p.type === "Tensor" && !p.isList && numbersAsTensors !== "apart");
    this.adapted = schema.parameters.flatMap((p, i) => (p.isList || p.type === "Scalar" || p.type === "int" ? [i] : []));
    this.isPlain = schema.positional === schema.parameters.length && this.adapted.length === 0;
    const own = schema.parameters.filter((p) => !p.keywordOnly && p.name !== "self");
    const spread = own.find((p) => p.variadic) ?? (own.length === 1 && own[0].isList && own[0].type === "int" ? own[0] : null);
    this.varargs = spread === null ? -1 : schema.positions.get(spread.name)!;
    this.isElement = spread === null ? () => false : checks[spread.type];
  }

  /** Does `value` fit the parameter at `position`? */
  accepts(position: number, value: unknown): boolean {
    return (this.takesTensor[position] && value instanceof Tensor) || this.checks[position](value);
  }

  /** The arguments with those that were given one by one gathered into their list. */
  gathered(args: readonly unknown[]): readonly unknown[] {
    const { varargs } = this;
    if (varargs < 0 || args.length <= varargs || !this.isElement(args[varargs])) return args;
    return [...args.slice(0, varargs), args.slice(varargs)];
  }

  /** The values in schema order (which may be `args`), or null where the call does not match. `named` is the trailing plain object. */
  match(args: readonly unknown[], named: Record<string, unknown> | null): unknown[] | null {
    if (this.isPlain && named === null && args.length === this.checks.length && this.acceptsAll(args)) return args as unknown[];
    return this.matchAny(args, named);
  }

  private acceptsAll(args: readonly unknown[]): boolean {
    for (let i = 0; i < args.length; i++) if (!this.accepts(i, args[i])) return false;
    return true;
  }

  private matchAny(args: readonly unknown[], named: Record<string, unknown> | null): unknown[] | null {
    const { parameters, positional } = this.schema;
    const total = parameters.length;
    const given = this.gathered(args);
    if (given.length > positional) return null;
    const values = new Array<unknown>(total);
    for (let i = 0; i < total; i++) {
      const p = parameters[i];
      let value = i < given.length ? given[i] : undefined;
      if (value === undefined && named !== null) value = named[p.name] ?? (p.name === "self" ? named.input : named[p.name]);
      if (value === undefined) {
        if (!p.hasDefault) return null;
        values[i] = p.defaultValue;
      } else {
        if (!this.accepts(i, value)) return null;
        values[i] = value;
      }
    }
    if (named !== null) {
      for (const key in named) {
        const position = this.positionOf(key);
        if (named[key] !== undefined && (position === undefined || position < given.length)) return null;
      }
    }
    for (let k = 0; k < this.adapted.length; k++) this.adapt(values, this.adapted[k]);
    return values;
  }

  /** Position of a parameter by its Python name: the first tensor of a function is called `input`. */
  positionOf(key: string): number | undefined {
    return this.schema.positions.get(key === "input" && !this.schema.positions.has("input") ? "self" : key);
  }

  /** Brings a value to the form that ops expect: lists as arrays, numbers as JavaScript's. */
  private adapt(values: unknown[], position: number): void {
    const value = values[position];
    const p = this.schema.parameters[position];
    if (typeof value === "number" || value === null) {
      if (value !== null && p.isList) values[position] = new Array<number>(p.listSize ?? 1).fill(value);
      return;
    }
    if (p.type === "Tensor") {
      if (p.isList && !Array.isArray(value)) values[position] = [value];
    } else if (!p.isList) {
      const plain = value instanceof Tensor ? onlyElement(value) : value;
      values[position] = p.type === "int" && typeof plain === "bigint" && Number.isSafeInteger(Number(plain)) ? Number(plain) : plain;
    } else if (!Array.isArray(value)) {
      values[position] = new Array<unknown>(p.listSize ?? 1).fill(value instanceof Tensor ? Number(onlyElement(value)) : value);
    } else if (p.type === "int") {
      const wrong = value.findIndex((e) => !isInt(e));
      if (wrong >= 0) throw unpackError(this.schema, p, wrong, value[wrong]);
      if (value.some((e) => e instanceof Tensor)) values[position] = value.map((e: unknown) => (e instanceof Tensor ? Number(onlyElement(e)) : e));
    }
  }
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Splits a trailing plain object off the arguments, and drops trailing `undefined`s. */
export function splitNamed(args: readonly unknown[]): [readonly unknown[], Record<string, unknown> | null] {
  let end = args.length;
  let named: Record<string, unknown> | null = null;
  if (end > 0 && isPlainObject(args[end - 1])) named = args[--end] as Record<string, unknown>;
  while (end > 0 && args[end - 1] === undefined) end--;
  return [end === args.length ? args : args.slice(0, end), named];
}

/** The values of a call to a function with one schema, in schema order; throws where they do not match. */
export function bind(signature: Signature, args: readonly unknown[], isMethod = false): unknown[] {
  const [given, named] = splitNamed(args);
  return signature.match(given, named) ?? raise(complain(signature, signature.schema.name, given, named, isMethod));
}

function raise(error: Error): never {
  throw error;
}
