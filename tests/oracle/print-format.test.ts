/**
 * Printing against PyTorch, on values alone: `fixtures/print.json` (print_golden.py) and 320 random tensors with
 * random options, `fixtures/print-random.json` (print_random.py). Other random ones, with PyTorch 2.13 at hand:
 *
 *     python fixtures/print_random.py /tmp/other.json 99 5000
 *     PRINT_FIXTURE=/tmp/other.json npx vitest run tests/oracle/print-format.test.ts
 */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { PrintArguments, Printable } from "../../src/tensor/format.ts";
import { formatTensor, getPrintOptions, set_printoptions } from "../../src/tensor/format.ts";
import { formatExponent, formatFixed } from "../../src/tensor/format-number.ts";
import { Tally } from "./opinfo/left-out.ts";

type Case = {
  id: string;
  dtype: string;
  shape: number[];
  /** Complex elements are pairs. */
  data: (string | [string, string])[];
  opts: Omit<PrintArguments, "threshold"> & { threshold?: number | "inf" };
  default_dtype: string;
  wrap: string;
  repr: string;
  /** What Python's `format` makes of a 0-dim tensor. */
  format?: Record<string, string>;
};

/** What print_golden.py did to the tensor before it printed it, if that kept the values. */
const suffixes: Record<string, string | null> = {
  plain: null,
  detach: null,
  requires_grad: "requires_grad=True",
  parameter: "requires_grad=True",
  mul1: "grad_fn=<MulBackward0>",
  view_as: "grad_fn=<ViewBackward0>",
};

const read = (file: string | URL): Case[] => (JSON.parse(readFileSync(file, "utf8")) as { cases: Case[] }).cases;
const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url);

function parse(text: string, dtype: string): number | bigint | boolean {
  if (dtype === "bool") return text === "1";
  if (dtype === "int64") return BigInt(text);
  return text.endsWith("inf") ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);
}

function printable({ shape, dtype, data }: Case): Printable {
  const flat = (index: readonly number[]): number => index.reduce((at, i, dim) => at * shape[dim]! + i, 0);
  return { sizes: shape, dtype, at: (index) => parse(data[flat(index)] as string, dtype) };
}

function reasonToLeaveOut({ dtype, wrap }: Case): string | null {
  if (dtype.startsWith("complex")) return "leafgrad does not have complex dtypes";
  return wrap in suffixes ? null : "what was done to the tensor changed its values: for tests of tensors";
}

function print(one: Case): string {
  const { threshold, ...opts } = one.opts;
  set_printoptions({ ...opts, threshold: threshold === "inf" ? Infinity : threshold });
  const text = formatTensor(printable(one), suffixes[one.wrap]!, one.default_dtype);
  return one.wrap === "parameter" ? `Parameter containing:\n${text}` : text;
}

afterEach(() => set_printoptions({ profile: "default" }));

describe("repr is PyTorch's", () => {
  const other = process.env["PRINT_FIXTURE"];
  const sources = { "print.json": fixture("print.json"), "print-random.json": other ?? fixture("print-random.json") };
  for (const [name, source] of Object.entries(sources)) {
    const tally = new Tally();
    test(name, () => {
      const complaints: string[] = [];
      for (const one of read(source)) {
        const reason = reasonToLeaveOut(one);
        if (reason !== null) {
          tally.leave(reason);
          continue;
        }
        tally.cases += 1;
        set_printoptions({ profile: "default" });
        const got = print(one);
        if (got === one.repr) tally.passed += 1;
        else complaints.push(`${one.id} ${JSON.stringify(one.opts)}\nwant ${one.repr}\ngot  ${got}`);
      }
      if (complaints.length > 0) throw new Error(`${complaints.length} differ\n${complaints.slice(0, 20).join("\n")}`);
      expect(tally.passed).toBeGreaterThan(250);
    });
    afterAll(() => console.log(`${name}: ${tally}`));
  }
});

test("numbers are formatted as Python formats them", () => {
  const floats = read(fixture("print.json")).filter(({ format }) => format?.[".2f"] !== undefined);
  const kept = floats.filter((one) => reasonToLeaveOut(one) === null);
  for (const { id, data, dtype, format } of kept) {
    const value = parse(data[0] as string, dtype) as number;
    expect(formatFixed(value, 2), id).toBe(format![".2f"]);
    expect(formatExponent(value, 3).padStart(8), id).toBe(format!["8.3e"]);
  }
  expect(kept.length).toBeGreaterThan(40);
});

test("halves go to the even digit, and zero keeps its sign", () => {
  expect([0.5, 1.5, 2.5, -0.5].map((x) => formatFixed(x, 0))).toEqual(["0", "2", "2", "-0"]);
  expect([0.03125, 0.09375].map((x) => formatFixed(x, 4))).toEqual(["0.0312", "0.0938"]);
  expect([2.5, 3.5, 12.5, 1.25e15].map((x) => formatExponent(x, 0))).toEqual(["2e+00", "4e+00", "1e+01", "1e+15"]);
  expect(formatExponent(1.25e15, 1)).toBe("1.2e+15");
  expect([formatFixed(-0, 2), formatExponent(-0, 2)]).toEqual(["-0.00", "-0.00e+00"]);
  expect(formatFixed(1e23, 1)).toBe("99999999999999991611392.0");
  expect(formatExponent(9.999999999999999e22, 16)).toBe("9.9999999999999992e+22");
});

test("a summary reads only what it shows", () => {
  let reads = 0;
  const huge: Printable = { sizes: [4096, 4096], dtype: "float32", at: ([i, j]) => (reads++, i! * 4096 + j!) };
  expect(formatTensor(huge, null, "float32").split("\n")).toContain("        ...,");
  expect(reads).toBe(36);
});

describe("set_printoptions", () => {
  const call = set_printoptions as (...args: unknown[]) => void;

  test("takes positional and named parameters, and resets sci_mode", () => {
    call(2, 10, { sci_mode: true });
    expect(getPrintOptions()).toEqual({ precision: 2, threshold: 10, edgeitems: 3, linewidth: 80, sci_mode: true });
    set_printoptions({ profile: "short", linewidth: 40, precision: null });
    expect(getPrintOptions()).toEqual({ precision: 2, threshold: 1000, edgeitems: 2, linewidth: 40, sci_mode: null });
    const kept = getPrintOptions();
    set_printoptions({ profile: "full" });
    expect(getPrintOptions().threshold).toBe(Infinity);
    set_printoptions(kept);
    expect(getPrintOptions()).toEqual(kept);
  });

  test("refuses what Python refuses", () => {
    expect(() => call({ precison: 2 })).toThrow(
      new TypeError("set_printoptions() got an unexpected keyword argument 'precison'. Did you mean 'precision'?"),
    );
    expect(() => call(2, { precision: 2 })).toThrow("set_printoptions() got multiple values for argument 'precision'");
    expect(() => call(1, 2, 3, 4, "full", true, 7)).toThrow("takes from 0 to 6 positional arguments but 7 were given");
    expect(() => call({ precision: "2" })).toThrow("argument 'precision' must be a number, not string");
    expect(getPrintOptions().precision).toBe(4);
  });

  test("values that PyTorch refuses when it prints", () => {
    const t: Printable = { sizes: [4, 4], dtype: "float32", at: ([i, j]) => i! + j! / 8 };
    const print = (opts: PrintArguments) => (set_printoptions(opts), formatTensor(t, null, "float32"));
    expect(() => print({ precision: -1 })).toThrow("Format specifier missing precision");
    expect(() => print({ precision: 2.5 })).toThrow("Invalid format specifier '.2.5f' for object of type 'float'");
    expect(() => print({ profile: "default", edgeitems: -1, threshold: 2 })).toThrow("stack expects a non-empty TensorList");
    expect(() => print({ profile: "default", linewidth: NaN })).toThrow("cannot convert float NaN to integer");
  });
});
