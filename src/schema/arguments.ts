/** Matches the arguments of a call with schemas, as PyTorch's python_arg_parser does, with its error texts. */
import { nearest } from "../errors.ts";
import { DType } from "../tensor/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Parameter, Schema } from "./schema.ts";

type Check = (value: unknown) => boolean;

const isNumber: Check = (v) => typeof v === "number";
const isInt: Check = (v) => (typeof v === "number" && Number.isInteger(v)) || typeof v === "bigint";
const isScalar: Check = (v) =>
  typeof v === "number" || typeof v === "boolean" || typeof v === "bigint" || (v instanceof Tensor && v._sizes.length === 0 && !v._requiresGrad && v._gradFn === null);
const isTensor: Check = (v) => v instanceof Tensor;
const isTensorOrNumber: Check = (v) => v instanceof Tensor || typeof v === "number" || typeof v === "boolean" || typeof v === "bigint";

const checks: Record<string, Check> = {
  Tensor: isTensor,
  /** A tensor parameter of an op that also takes numbers, as arithmetic does. */
  Number: isTensorOrNumber,
  Scalar: isScalar,
  int: isInt,
  float: isNumber,
  bool: (v) => typeof v === "boolean",
  str: (v) => typeof v === "string",
  ScalarType: (v) => v instanceof DType,
  Any: () => true,
};

/** What PyTorch's texts call the types. */
const pythonNames: Record<string, string> = {
  Tensor: "Tensor", Number: "Tensor", Scalar: "Number", int: "int", float: "float", bool: "bool", str: "str", ScalarType: "torch.dtype",
};

function checkOf(p: Parameter): Check {
  const element = checks[p.type] ?? checks.Any;
  let check = element;
  if (p.isList) {
    const acceptsLone = p.listSize !== null;
    check = (v) => (Array.isArray(v) ? v.every((e) => element(e) || (e === null && p.type === "Tensor" && p.optional)) : acceptsLone && element(v));
  }
  return p.optional ? (v) => v === null || check(v) : check;
}

/** A schema made ready for matching calls. */
export class Signature {
  readonly schema: Schema;
  private readonly checks: Check[];
  /** A lone int-list parameter takes its numbers one by one: `x.view(2, 3)`. */
  private readonly varargs: number;

  /** `numbersAsTensors`: a Tensor parameter also takes a number, as arithmetic does. */
  constructor(schema: Schema, options: { numbersAsTensors?: boolean } = {}) {
    this.schema = schema;
    this.checks = schema.parameters.map((p) => checkOf(options.numbersAsTensors && p.type === "Tensor" ? { ...p, type: "Number" } : p));
    const lists = schema.parameters.filter((p) => !p.keywordOnly && p.name !== "self");
    const lone = lists.length === 1 && lists[0].isList && lists[0].type === "int" ? lists[0] : null;
    this.varargs = lone === null ? -1 : schema.positions.get(lone.name)!;
  }

  /** The values in schema order, or null where the call does not match. `named` is the trailing plain object. */
  match(args: readonly unknown[], named: Record<string, unknown> | null): unknown[] | null {
    const { parameters, positional } = this.schema;
    const total = parameters.length;
    let given = args;
    if (this.varargs >= 0 && args.length > this.varargs && isInt(args[this.varargs])) {
      given = [...args.slice(0, this.varargs), args.slice(this.varargs)];
    }
    if (given.length > positional) return null;
    const values = new Array<unknown>(total);
    for (let i = 0; i < total; i++) {
      const p = parameters[i];
      let value = i < given.length ? given[i] : undefined;
      if (value === undefined && named !== null) value = named[p.name];
      if (value === undefined) {
        if (!p.hasDefault) return null;
        values[i] = p.defaultValue;
      } else {
        if (!this.checks[i](value)) return null;
        values[i] = p.isList && value !== null && !Array.isArray(value) ? [value] : value;
      }
    }
    if (named !== null) {
      for (const key in named) {
        const position = this.schema.positions.get(key);
        if (named[key] !== undefined && (position === undefined || position < given.length)) return null;
      }
    }
    return values;
  }

  /** The signature as PyTorch's texts list it: `(Tensor input, int dim, *, torch.dtype dtype = None)`. */
  pythonForm(isMethod: boolean): string {
    const parts: string[] = [];
    let starred = false;
    for (const p of this.schema.parameters) {
      if (isMethod && p.name === "self") continue;
      if (p.keywordOnly && !starred) parts.push("*");
      starred ||= p.keywordOnly;
      const value = p.defaultValue === null ? "None" : p.defaultValue === true ? "True" : p.defaultValue === false ? "False" : String(p.defaultValue);
      parts.push(`${expected(p)} ${pythonName(p)}${p.hasDefault ? ` = ${value}` : ""}`);
    }
    return `(${parts.join(", ")})`;
  }

  /** PyTorch's text for the first thing that keeps the call from matching. */
  complain(args: readonly unknown[], named: Record<string, unknown> | null, isMethod: boolean): TypeError {
    const { name, parameters, positional } = this.schema;
    const shift = isMethod ? 1 : 0;
    for (const key in named) {
      const position = this.schema.positions.get(key);
      if (position === undefined) {
        const near = nearest(key, parameters.map((p) => p.name));
        return new TypeError(`${name}() got an unexpected keyword argument '${key}'${near === null ? "" : `; did you mean '${near}'?`}`);
      }
      if (position < args.length) return new TypeError(`${name}() got multiple values for argument '${key}'`);
    }
    if (args.length > positional && this.varargs < 0) {
      return new TypeError(`${name}() takes ${positional - shift} positional argument${positional - shift === 1 ? "" : "s"} but ${args.length - shift} were given`);
    }
    const missing: string[] = [];
    for (let i = 0; i < parameters.length; i++) {
      const p = parameters[i];
      const value = i < args.length ? args[i] : named?.[p.name];
      if (value === undefined) {
        if (!p.hasDefault) missing.push(`"${pythonName(p)}"`);
      } else if (!this.checks[i](value)) {
        const position = i < args.length ? ` (position ${i + 1 - shift})` : "";
        return new TypeError(`${name}(): argument '${pythonName(p)}'${position} must be ${expected(p)}, not ${typeText(value)}`);
      }
    }
    return new TypeError(`${name}() missing ${missing.length} required positional arguments: ${missing.join(", ")}`);
  }
}

/** Python calls the first tensor of a function `input`. */
function pythonName(p: Parameter): string {
  return p.name === "self" ? "input" : p.name;
}

function expected(p: Parameter): string {
  const element = pythonNames[p.type] ?? p.type;
  return p.isList ? `tuple of ${element}s` : element;
}

/** The Python name of a value's type. */
export function typeText(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  if (Array.isArray(value)) return "list";
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "bigint":
      return "int";
    case "boolean":
      return "bool";
    case "string":
      return "str";
    case "function":
      return "function";
    default:
      return (value as object).constructor === Object ? "dict" : (value as object).constructor?.name ?? "object";
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
  return signature.match(given, named) ?? raise(signature.complain(given, named, isMethod));
}

function raise(error: Error): never {
  throw error;
}
