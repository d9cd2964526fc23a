/** PyTorch's function schemas (native_functions.yaml): what an op takes and gives, in one string. */

export interface Parameter {
  readonly name: string;
  /** `Tensor`, `Scalar`, `int`, `float`, `bool`, `str`, `ScalarType`, `Generator`, `Index`, `Any`, … */
  readonly type: string;
  readonly isList: boolean;
  /** `int[2]` takes a lone int for a list of two. */
  readonly listSize: number | null;
  readonly optional: boolean;
  /** `Tensor?[]`: elements may be null. */
  readonly elementOptional: boolean;
  readonly keywordOnly: boolean;
  /** `Tensor[] *tensors` takes its elements one by one, as Python's `*tensors` does. */
  readonly variadic: boolean;
  readonly hasDefault: boolean;
  readonly defaultValue: unknown;
}

export interface Schema {
  readonly text: string;
  readonly name: string;
  readonly overload: string;
  readonly parameters: readonly Parameter[];
  /** How many parameters may be given by position. */
  readonly positional: number;
  /** Names of the returned tensors: `result` for a lone unnamed one. */
  readonly returns: readonly string[];
  /** Position of each parameter by name. */
  readonly positions: ReadonlyMap<string, number>;
}

/**
 * Parses a schema such as `sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor`.
 * The grammar is that of aten/src/ATen/native/README.md without alias annotations.
 */
export function parseSchema(text: string): Schema {
  const match = /^(\w+)(?:\.(\w+))?\((.*)\)\s*->\s*(.*)$/s.exec(text);
  if (match === null) throw new Error(`not a schema: ${text}`);
  const [, name, overload = "", inside, outside] = match;
  const parameters: Parameter[] = [];
  let keywordOnly = false;
  for (const part of splitTop(inside)) {
    if (part === "*") keywordOnly = true;
    else parameters.push(parameterOf(part, keywordOnly));
  }
  return {
    text,
    name,
    overload,
    parameters,
    positional: parameters.filter((p) => !p.keywordOnly).length,
    returns: parseReturns(outside.trim()),
    positions: new Map(parameters.map((p, i) => [p.name, i])),
  };
}

/** Parameters that were parsed; most ops begin with `Tensor self`. */
const known = new Map<string, Parameter>();

function parameterOf(part: string, keywordOnly: boolean): Parameter {
  const key = keywordOnly ? `*${part}` : part;
  let parameter = known.get(key);
  if (parameter === undefined) known.set(key, (parameter = parseParameter(part, keywordOnly)));
  return parameter;
}

function parseParameter(part: string, keywordOnly: boolean): Parameter {
  const match = /^(\w+)(\[(\d*)\])?(\?)?(\[\])?(\?)?\s+(\*?)(\w+)(?:\s*=\s*(.*))?$/.exec(part);
  if (match === null) throw new Error(`not a parameter: ${part}`);
  const [, type, list, size, elementOptional, outerList, outerOptional, star, name, defaultText] = match;
  return {
    name,
    type,
    isList: list !== undefined || outerList !== undefined,
    listSize: size ? Number(size) : null,
    elementOptional: outerList !== undefined && elementOptional !== undefined,
    optional: outerList === undefined ? elementOptional !== undefined : outerOptional !== undefined,
    keywordOnly,
    variadic: star === "*",
    hasDefault: defaultText !== undefined,
    defaultValue: defaultText === undefined ? undefined : parseDefault(defaultText),
  };
}

function parseDefault(text: string): unknown {
  if (text === "None") return null;
  if (text === "True") return true;
  if (text === "False") return false;
  if (text.startsWith("[")) return text.length === 2 ? [] : text.slice(1, -1).split(",").map((t) => parseDefault(t.trim()));
  if (/^['"]/.test(text)) return text.slice(1, -1);
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}

function parseReturns(text: string): string[] {
  const inside = text.startsWith("(") ? text.slice(1, -1) : text;
  if (inside === "") return [];
  const parts = splitTop(inside);
  return parts.map((part, i) => part.split(/\s+/)[1] ?? (parts.length === 1 ? "result" : `result${i}`));
}

/** The parts between the commas that stand in no brackets. */
function splitTop(text: string): string[] {
  return text.match(/(?:\[[^\]]*\]|\([^)]*\)|[^,[(])+/g)?.map((part) => part.trim()) ?? [];
}
