/** A tensor's text, as PyTorch's `repr` writes it (torch/_tensor_str.py). */
import { nearest, RuntimeError, ValueError } from "../errors.ts";
import { formatExponent, formatFixed } from "./format-number.ts";
import { numelOf } from "./layout.ts";

export interface PrintOptions {
  /** Digits after the point of a float; 4. */
  precision: number;
  /** A tensor of more elements than this is summarised; 1000. */
  threshold: number;
  /** How many elements a summary shows at each end of a dimension; 3. */
  edgeitems: number;
  /** Characters on a line; 80. */
  linewidth: number;
  /** Forces floats into (true) or out of (false) scientific notation; null lets their magnitudes decide. */
  sci_mode: boolean | null;
}

export type PrintProfile = "default" | "short" | "full";

/** The named parameters of `set_printoptions`; null and undefined stand for Python's None. */
export type PrintArguments = { [K in keyof PrintOptions]?: PrintOptions[K] | null | undefined } & {
  profile?: PrintProfile | null | undefined;
};

/** What can be printed: the shape, the dtype's name and a way to read one element. */
export interface Printable {
  readonly sizes: readonly number[];
  /** `float32`, `int64`, `bool`, … */
  readonly dtype: string;
  /** The element at a multi-index, which is valid only during the call: a bigint for int64, a boolean for bool. */
  at(index: readonly number[]): number | bigint | boolean;
}

const defaults: PrintOptions = { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sci_mode: null };
const profiles = {
  default: defaults,
  short: { ...defaults, precision: 2, edgeitems: 2 },
  full: { ...defaults, threshold: Infinity },
};
const parameters = ["precision", "threshold", "edgeitems", "linewidth", "profile", "sci_mode"] as const;

let options: PrintOptions = { ...defaults };

/**
 * Sets how tensors are printed. A profile sets everything; the other parameters then change one thing each, and what
 * is not named stays as it was, except `sci_mode`, which every call sets: without it, to null.
 *
 * Throws TypeError on a parameter that does not exist, and on one that is not a number where a number is due.
 *
 * @example
 * torch.set_printoptions({ precision: 2 });
 * String(torch.tensor([1.12345])); // tensor([1.12])
 * torch.set_printoptions({ profile: "default" });
 */
export function set_printoptions(options?: PrintArguments): void;
export function set_printoptions(
  precision: number | null,
  threshold?: number | null,
  edgeitems?: number | null,
  linewidth?: number | null,
  profile?: PrintProfile | null,
  sci_mode?: boolean | null,
): void;
export function set_printoptions(...args: unknown[]): void {
  const { profile, sci_mode, ...numbers } = bindArguments(args);
  const next = { ...((profile && profiles[profile]) ?? options), sci_mode: sci_mode ?? null };
  for (const name of ["precision", "threshold", "edgeitems", "linewidth"] as const) {
    const value = numbers[name] ?? next[name];
    if (typeof value !== "number") {
      throw new TypeError(`set_printoptions(): argument '${name}' must be a number, not ${typeof value}`);
    }
    next[name] = value;
  }
  options = next;
}

/** Positional arguments and a trailing object of named ones, with Python's refusals. */
function bindArguments(args: unknown[]): PrintArguments {
  const last = args.at(-1);
  const named = typeof last === "object" && last !== null ? (last as Record<string, unknown>) : {};
  const positional = named === last ? args.slice(0, -1) : args;
  if (positional.length > parameters.length) {
    throw new TypeError(
      `set_printoptions() takes from 0 to ${parameters.length} positional arguments but ${positional.length} were given`,
    );
  }
  const given = parameters.slice(0, positional.length);
  for (const name of Object.keys(named)) {
    if (!(parameters as readonly string[]).includes(name)) {
      const near = nearest(name, parameters);
      const hint = near === null ? "" : `. Did you mean '${near}'?`;
      throw new TypeError(`set_printoptions() got an unexpected keyword argument '${name}'${hint}`);
    }
    if ((given as string[]).includes(name)) {
      throw new TypeError(`set_printoptions() got multiple values for argument '${name}'`);
    }
  }
  return { ...named, ...Object.fromEntries(given.map((name, i) => [name, positional[i]])) };
}

/** A copy of the options in force; `set_printoptions` takes it back. */
export function getPrintOptions(): Readonly<PrintOptions> {
  return { ...options };
}

/** Where the rows after the first begin: below the bracket that follows `tensor(`. */
const INDENT = "tensor(".length;

/**
 * PyTorch's `repr` of a tensor. Reads only the elements that it shows.
 *
 * @param suffix `requires_grad=True`, `grad_fn=<MulBackward0>` or null.
 * @param defaultDtype the dtype that goes without saying, beside int64 and bool: `float32`.
 */
export function formatTensor(tensor: Printable, suffix: string | null, defaultDtype: string): string {
  const { sizes, dtype } = tensor;
  const empty = numelOf(sizes) === 0;
  const suffixes: string[] = [];
  if (empty ? sizes.length !== 1 : options.edgeitems === 0) suffixes.push(`size=${tuple(sizes)}`);
  // The elements of int64 and bool tell their dtype, if there are any.
  const impliedDtypes = empty ? [defaultDtype] : [defaultDtype, "int64", "bool"];
  if (!impliedDtypes.includes(dtype)) suffixes.push(`dtype=torch.${dtype}`);
  if (suffix !== null) suffixes.push(suffix);
  return `${addSuffixes(`tensor(${empty ? "[]" : body(tensor)}`, suffixes)})`;
}

/** Appends what fits to the last line and begins a line for what does not; PyTorch counts the line one or two too long. */
function addSuffixes(text: string, suffixes: readonly string[]): string {
  let length = text.length - text.lastIndexOf("\n") + 1;
  for (const suffix of suffixes) {
    const fits = length + suffix.length + 2 <= options.linewidth;
    text += fits ? `, ${suffix}` : `,\n${" ".repeat(INDENT)}${suffix}`;
    length = (fits ? length + 2 : INDENT) + suffix.length;
  }
  return text;
}

/** Stands for the elements that a summary does not show. */
const GAP = -1;

function body(tensor: Printable): string {
  const summarize = numelOf(tensor.sizes) > options.threshold;
  const shown = tensor.sizes.map((size) => positions(size, summarize));
  const { texts, width } = formatElements(readElements(tensor, shown), tensor.dtype);
  let next = 0;
  const nest = (dim: number): string => {
    if (dim === shown.length) return texts[next++]!.padStart(width);
    const inner = dim === shown.length - 1;
    const gap = inner && options.edgeitems > 0 ? " ..." : "...";
    const items = shown[dim]!.map((position) => (position === GAP ? gap : nest(dim + 1)));
    const indent = INDENT + dim;
    const between = `,${"\n".repeat(shown.length - 1 - dim)}${" ".repeat(indent + 1)}`;
    return `[${inner ? wrap(items, width, indent) : items.join(between)}]`;
  };
  return nest(0);
}

/** Which positions of a dimension are shown, with at most one GAP. */
function positions(size: number, summarize: boolean): number[] {
  const { edgeitems } = options;
  if (!summarize || size <= 2 * edgeitems) return range(0, size);
  if (!Number.isInteger(edgeitems)) throw new TypeError("'float' object cannot be interpreted as an integer");
  if (edgeitems < 0) throw new RuntimeError("stack expects a non-empty TensorList");
  return [...range(0, edgeitems), GAP, ...range(size - edgeitems, size)];
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/** The shown elements, row by row. */
function readElements(tensor: Printable, shown: readonly (readonly number[])[]): (number | bigint | boolean)[] {
  const elements: (number | bigint | boolean)[] = [];
  const index = new Array<number>(shown.length);
  const visit = (dim: number): void => {
    if (dim === shown.length) return void elements.push(tensor.at(index));
    for (const position of shown[dim]!) {
      if (position === GAP) continue;
      index[dim] = position;
      visit(dim + 1);
    }
  };
  visit(0);
  return elements;
}

/** The texts of the elements, and the width that all of them are padded to. */
function formatElements(
  elements: readonly (number | bigint | boolean)[],
  dtype: string,
): { texts: string[]; width: number } {
  if (dtype.includes("float")) return formatFloats(elements as number[]);
  const texts = elements.map((element) =>
    typeof element === "boolean" ? (element ? "True" : "False") : String(element),
  );
  return { texts, width: longest(texts) };
}

/** One notation for all; zeros and non-finite values have no say in it, nor in the width. */
function formatFloats(values: readonly number[]): { texts: string[]; width: number } {
  const { precision } = options;
  const counts = (value: number): boolean => Number.isFinite(value) && value !== 0;
  const counted = values.filter(counts);
  const whole = counted.every(Number.isInteger);
  const text = isScientific(counted)
    ? (value: number) => formatExponent(value, precision)
    : whole
      ? (value: number) => formatFixed(value, 0) + (Number.isFinite(value) ? "." : "")
      : (value: number) => formatFixed(value, precision);
  const texts = values.map(text);
  return { texts, width: longest(texts.filter((_, i) => counts(values[i]!))) };
}

/** Are the nonzero finite `values` so large, so small or so unlike that they are written with exponents? */
function isScientific(values: readonly number[]): boolean {
  if (values.length === 0) return false;
  if (options.sci_mode !== null) return options.sci_mode;
  let [min, max] = [Infinity, 0];
  for (const value of values) {
    min = Math.min(min, Math.abs(value));
    max = Math.max(max, Math.abs(value));
  }
  return max / min > 1000 || max > 1e8 || min < 1e-4;
}

function longest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 1);
}

/** The elements of a row, on as many lines as they need. */
function wrap(items: readonly string[], width: number, indent: number): string {
  if (Number.isNaN(options.linewidth)) throw new ValueError("cannot convert float NaN to integer");
  const perLine = Math.max(1, Math.floor((options.linewidth - indent) / (width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(", "));
  return lines.join(`,\n${" ".repeat(indent + 1)}`);
}

/** `(2, 3)`, `(2,)`, `()`: a shape as Python prints a tuple. */
function tuple(sizes: readonly number[]): string {
  return `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
}
