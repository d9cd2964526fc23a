/** Prints a value as Python's `repr` does, from the nearest JavaScript value that a program returns. */

/** A value that prints as the given text. */
class Verbatim {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

class Tuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** Arrays print as lists; this prints as a tuple. */
export const tuple = (...items: readonly unknown[]): unknown => new Tuple(items);

/** `torch.Size([2, 3])`. */
export const size = (sizes: readonly number[]): unknown => new Verbatim(`torch.Size([${sizes.join(", ")}])`);

/** A number that is a float in Python: `2.0`. */
export function float(value: number): unknown {
  if (Number.isNaN(value)) return new Verbatim("nan");
  if (!Number.isFinite(value)) return new Verbatim(value > 0 ? "inf" : "-inf");
  const sign = Object.is(value, -0) ? "-" : "";
  return new Verbatim(sign + (Number.isInteger(value) ? value.toFixed(1) : String(value)));
}

const HOLE = "⋯";

/** Stands for the part of a probe's value that needs `what`, which leafgrad does not have yet; matches any one value. */
export const later = (_what: string): unknown => new Verbatim(HOLE);

export function pyrepr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value}'`;
  if (value instanceof Verbatim) return value.text;
  if (value instanceof Tuple) {
    const items = value.items.map(pyrepr);
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
  }
  if (Array.isArray(value)) return `[${value.map(pyrepr).join(", ")}]`;
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return `{${Object.entries(value).map(([key, item]) => `${pyrepr(key)}: ${pyrepr(item)}`).join(", ")}}`;
  }
  return String(value); // numbers, tensors, dtypes, nodes
}

const ONE_VALUE = "(?:tensor\\(\\[[^\\]]*\\]\\)|'[^']*'|[\\w.+-]+)";

/** `text` with its holes filled from `expected` where all the rest agrees; otherwise `text` itself. */
export function fillHoles(text: string, expected: string): string {
  if (!text.includes(HOLE)) return text;
  const pattern = text.split(HOLE).map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(ONE_VALUE);
  return new RegExp(`^${pattern}$`).test(expected) ? expected : text;
}
