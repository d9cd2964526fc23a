/** What PyTorch says of a call that fits no schema (torch/csrc/utils/python_arg_parser.cpp, invalid_arguments.cpp). */
import { nearest } from "../errors.ts";
import type { Signature } from "./arguments.ts";
import type { Parameter, Schema } from "./schema.ts";

type Named = Record<string, unknown> | null;

/** The error for a call that none of `signatures` takes; a method's `args` begin with `self`. */
export function mismatch(name: string, signatures: readonly Signature[], args: readonly unknown[], named: Named, isMethod: boolean): TypeError {
  const candidates = isMethod ? signatures.filter((s) => s.schema.parameters[0].name === "self" && s.schema.parameters[0].type !== "Scalar") : signatures;
  if (candidates.length === 1 && candidates[0].options.hasDeprecated !== true) return complain(candidates[0], name, args, named, isMethod);
  const misspelt = Object.keys(named ?? {}).find((key) => candidates.every((s) => s.positionOf(key) === undefined));
  const hint = misspelt === undefined ? null : nearest(misspelt, candidates.flatMap(namesOf));
  if (hint !== null) return unexpected(name, misspelt!, hint);
  const given = isMethod ? args.slice(1) : args;
  const keywords = Object.entries(named ?? {}).filter(([, v]) => v !== undefined);
  const count = given.length + keywords.length;
  const plausible = candidates.filter((s) => {
    const own = parametersOf(s, isMethod);
    return count >= own.filter((p) => !p.hasDefault).length && count <= own.length + (s.takesOut && !isMethod ? 1 : 0);
  });
  if (plausible.length === 1) return complain(plausible[0], name, args, named, isMethod);
  const got = [...given.map(typeText), ...keywords.map(([k, v]) => `${k}=${typeText(v)}`)];
  // PyTorch leaves a comma after the last keyword where there are no positional arguments.
  const list = got.join(", ") + (given.length === 0 && keywords.length > 0 ? ", " : "");
  const refusal = `${name}() received an invalid combination of arguments - got`;
  if (candidates.length === 1) return new TypeError(`${refusal} (${list}), but expected ${signatureText(candidates[0], isMethod)}`);
  const options = candidates.map((s) => {
    const form = pythonForm(s, isMethod);
    return ` * (${form.join(", ")})\n${whyNot(form, given, keywords)}`;
  });
  return new TypeError(`${refusal} (${list}), but expected one of:\n${options.join("")}`);
}

const parametersOf = (s: Signature, isMethod: boolean): readonly Parameter[] => s.schema.parameters.slice(isMethod ? 1 : 0);
const namesOf = (s: Signature): string[] => s.schema.parameters.filter((p) => p.name !== "self").map((p) => p.name);

export const signatureText = (signature: Signature, isMethod: boolean): string => `(${pythonForm(signature, isMethod).join(", ")})`;

/** The parameters as PyTorch's texts list them: `Tensor input`, `int dim`, `*`, `torch.dtype dtype = None`. */
function pythonForm(signature: Signature, isMethod: boolean): string[] {
  const parameters = parametersOf(signature, isMethod).filter((p) => p.name !== "memory_format" || isMethod);
  const texts = (list: readonly Parameter[]): string[] => list.map((p) => `${typeName(p)} ${pythonName(p)}${p.hasDefault ? ` = ${defaultText(p.defaultValue)}` : ""}`);
  const keywords = texts(parameters.filter((p) => p.keywordOnly));
  if (signature.takesOut && !isMethod) {
    const out = `${signature.schema.returns.length > 1 ? "tuple of Tensors" : "Tensor"} out = None`;
    keywords.splice(signature.schema.positions.has("pin_memory") ? 0 : keywords.length, 0, out);
  }
  const positional = texts(parameters.filter((p) => !p.keywordOnly));
  return keywords.length > 0 ? [...positional, "*", ...keywords] : positional;
}

function defaultText(value: unknown): string {
  if (Array.isArray(value)) return `{${value.join(",")}}`;
  if (typeof value === "string") return `"${value}"`;
  return value === null ? "None" : value === true ? "True" : value === false ? "False" : String(value);
}

/** PyTorch explains an option only where it has as many parts, the star among them, as there are arguments, and compares mere names of types. */
function whyNot(form: readonly string[], given: readonly unknown[], keywords: readonly (readonly [string, unknown])[]): string {
  // To its parser an empty list of parameters is one empty parameter.
  const shown = form.length === 0 ? [""] : form;
  if (shown.length !== given.length + keywords.length) return "";
  const parts = shown.map((part) => ({ type: part.slice(0, Math.max(part.lastIndexOf(" "), 0)), name: part.slice(part.lastIndexOf(" ") + 1) }));
  const unknown = keywords.filter(([k]) => !parts.some((p) => p.name === k)).map(([k]) => k);
  if (unknown.length > 0) return `      didn't match because some of the keywords were incorrect: ${unknown.join(", ")}\n`;
  const described = parts.map(({ type, name }, i) => {
    const isKeyword = i >= given.length;
    const value = isKeyword ? keywords.find(([k]) => k === name)?.[1] : given[i];
    const text = `${isKeyword ? `${name}=` : ""}${describe(value)}`;
    return typeText(value) === type || (type === "float" && typeText(value) === "int") ? text : `!${text}!`;
  });
  const list = described.join(", ") + (given.length === 0 ? ", " : "");
  return `      didn't match because some of the arguments have invalid types: (${list})\n`;
}

function describe(value: unknown): string {
  return Array.isArray(value) ? `list of [${value.map(typeText).join(", ")}]` : typeText(value);
}

/** The first thing that keeps a call from matching one schema. */
export function complain(signature: Signature, name: string, args: readonly unknown[], named: Named, isMethod: boolean): TypeError {
  const { parameters, positional } = signature.schema;
  const shift = isMethod ? 1 : 0;
  const keywords = Object.keys(named ?? {}).filter((k) => named![k] !== undefined);
  if (isMethod && parameters.length === 1) {
    return new TypeError(`TensorBase.${name}() takes no ${args.length > 1 ? `arguments (${args.length - 1} given)` : "keyword arguments"}`);
  }
  const given = signature.gathered(args);
  if (given.length > positional) return tooMany(signature, name, args.length, shift);
  for (let i = shift; i < parameters.length; i++) {
    const p = parameters[i];
    const value = i < given.length ? given[i] : (named?.[p.name] ?? named?.[pythonName(p)]);
    if (value === undefined) {
      if (p.hasDefault) continue;
      const missing = parameters.filter((q, k) => k >= i && !q.hasDefault && named?.[q.name] === undefined).map((q) => `"${pythonName(q)}"`);
      return new TypeError(`${name}() missing ${missing.length} required positional argument${missing.length === 1 ? "s" : ""}: ${missing.join(", ")}`);
    }
    if (!signature.accepts(i, value)) return wrongType(p, name, value, i < given.length ? i + 1 - shift : null);
  }
  for (const key of keywords) {
    const position = signature.positionOf(key);
    if (position === undefined) return unexpected(name, key, nearest(key, namesOf(signature)));
    if (position < given.length) return new TypeError(`${name}() got multiple values for argument '${key}'`);
  }
  return new TypeError(`${name}(): invalid arguments`);
}

function unexpected(name: string, key: string, near: string | null): TypeError {
  return new TypeError(`${name}() got an unexpected keyword argument '${key}'${near === null ? "" : `; did you mean '${near}'?`}`);
}

function tooMany({ schema }: Signature, name: string, count: number, shift: number): TypeError {
  const most = schema.positional - shift;
  const least = schema.parameters.filter((p) => !p.hasDefault).length - shift;
  const given = count - shift;
  const taken = least === most ? `${most} positional argument${most === 1 ? "" : "s"} but ${given} ${given === 1 ? "was" : "were"}` : `from ${least} to ${most} positional arguments but ${given} were`;
  return new TypeError(`${name}() takes ${taken} given`);
}

function wrongType(p: Parameter, name: string, value: unknown, position: number | null): TypeError {
  if (p.isList && p.type === "Tensor" && (Array.isArray(value) || p.variadic)) {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const at = list.findIndex((v) => typeText(v) !== "Tensor");
    return new TypeError(`expected Tensor as element ${at} in argument 0, but got ${typeText(list[at])}`);
  }
  const where = `${name}(): argument '${pythonName(p)}'${position === null ? "" : ` (position ${position})`} must be ${typeName(p)}`;
  return new TypeError(p.isList && Array.isArray(value) ? `${where}, but found element of type ${typeText(value[0])} at pos 0` : `${where}, not ${typeText(value)}`);
}

/** For a list whose first element is an int and another is not. */
export function unpackError(schema: Schema, p: Parameter, index: number, value: unknown): TypeError {
  return new TypeError(`${schema.name}(): argument '${p.name}' failed to unpack the object at pos ${index + 1} with error "type must be tuple of ints,but got ${typeText(value)}"`);
}

/** Python calls the first tensor of a function `input`. */
function pythonName(p: Parameter): string {
  return p.name === "self" && p.type === "Tensor" ? "input" : p.name;
}

/** What PyTorch's texts call the types. */
const pythonTypes: Record<string, string> = {
  Scalar: "Number", ScalarType: "torch.dtype", Layout: "torch.layout", Device: "torch.device", MemoryFormat: "torch.memory_format", Generator: "torch.Generator",
};

function typeName(p: Parameter): string {
  return p.isList ? `tuple of ${p.type}s` : (pythonTypes[p.type] ?? p.type);
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
    default: {
      const { constructor } = value as object;
      return constructor === Object ? "dict" : constructor?.name === "DType" ? "torch.dtype" : (constructor?.name ?? "object");
    }
  }
}
