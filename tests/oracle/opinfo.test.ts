/**
 * leafgrad against PyTorch's own table of ops and samples (OpInfo): every op that leafgrad has is called on every
 * sample of `fixtures/opinfo.jsonl.gz`, and values, dtypes, shapes, strides, gradients and second gradients are
 * compared with PyTorch's. `opinfo/left-out.json` lists the exceptions with their reasons; `opinfo/delivered.json`
 * the ops whose absence is a failure.
 *
 * Other samples: with PyTorch 2.13 at hand,
 *
 *     python fixtures/opinfo_dump.py /tmp/other.jsonl all --max-samples 5 --second --seed 99
 *     OPINFO_FIXTURE=/tmp/other.jsonl npx vitest run tests/oracle/opinfo.test.ts
 *
 * One op: `npx vitest run tests/oracle/opinfo.test.ts -t '^div'`.
 */
import { readFileSync } from "node:fs";
import * as torch from "leafgrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolve } from "./opinfo/call.ts";
import { checksOf } from "./opinfo/checks.ts";
import { compareTensor } from "./opinfo/compare.ts";
import { bind, checkSupported, decodeTensor, Unsupported } from "./opinfo/decode.ts";
import type { Case } from "./opinfo/fixture.ts";
import { byEntry, readLines } from "./opinfo/fixture.ts";
import { matches, readLeftOut, Tally } from "./opinfo/left-out.ts";

const other = process.env["OPINFO_FIXTURE"];
const entries = byEntry(readLines<Case>(other ?? new URL("./fixtures/opinfo.jsonl.gz", import.meta.url)));
const mustExist = new Set(JSON.parse(readFileSync(new URL("./opinfo/delivered.json", import.meta.url), "utf8")) as string[]);
const leftOut = readLeftOut("./left-out.json");
const tally = new Tally();

beforeAll(() => void torch.setWarningHandler(() => {}));
afterAll(() => void torch.setWarningHandler(null));

/** Why the case cannot be put to leafgrad at all; null where it can. */
function unsupported(one: Case): string | null {
  if (one.nondeterministic) return "PyTorch's own result differs from run to run";
  try {
    bind(one);
    checkSupported(one.out);
    return null;
  } catch (error) {
    if (error instanceof Unsupported) return `leafgrad does not have ${error.message}`;
    return null;
  }
}

function differenceOf(run: () => string | null): string | null {
  try {
    return run();
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack?.split("\n").slice(0, 4).join("\n") : String(error)}`;
  }
}

/** The complaints about one case: unexcused differences, and excuses that nothing needs. */
function judge(one: Case, call: NonNullable<ReturnType<typeof resolve>>): string[] {
  const reason = unsupported(one);
  if (reason) {
    tally.leave(reason);
    return [];
  }
  const where = `${one.op}${one.variant && ` (${one.variant})`} ${one.dtype} sample ${one.i}`;
  const excuses = leftOut.filter((entry) => matches(entry, one));
  const used = new Set<object>();
  const complaints: string[] = [];
  tally.cases += 1;
  for (const { what, run } of checksOf(one, call)) {
    const difference = differenceOf(run);
    if (difference === null) continue;
    const excuse = excuses.find((entry) => entry.what === undefined || entry.what === what);
    if (excuse) used.add(excuse);
    else complaints.push(`${where}, ${what} ${difference}`);
  }
  for (const excuse of excuses) {
    if (used.has(excuse)) tally.leave(excuse.reason);
    else if (!other) complaints.push(`${where} is left out and passes; take it out of left-out.json`);
  }
  if (complaints.length === 0 && used.size === 0) tally.passed += 1;
  return complaints.slice(0, 1); // the later ones are mostly its consequences
}

describe("OpInfo", () => {
  const missing: string[] = [];
  for (const [name, cases] of entries) {
    const call = resolve(cases[0]!);
    if (!call && !mustExist.has(cases[0]!.op)) {
      missing.push(name);
      continue;
    }
    test(name, () => {
      if (!call) throw new Error(`leafgrad has no ${name}`);
      const complaints = cases.flatMap((one) => judge(one, call));
      if (complaints.length > 0) throw new Error(complaints.join("\n"));
    });
  }

  test.skipIf(other)("every entry of left-out.json is about a case of an op that exists", () => {
    const run = [...entries.values()].filter((cases) => resolve(cases[0]!)).flat();
    expect(leftOut.filter((entry) => !run.some((one) => matches(entry, one)))).toEqual([]);
  });

  test.skipIf(other)("every op of delivered.json is in the table", () => {
    const ops = new Set([...entries.values()].map(([one]) => one!.op));
    expect([...mustExist].filter((op) => !ops.has(op))).toEqual([]);
  });

  afterAll(() => console.log(`OpInfo: ${tally}\n${missing.length} of ${entries.size} entries are not in leafgrad: ${missing.join(", ")}`));
});

describe("the comparison", () => {
  const want = { t: ["float32", [2, 2], [1, "nan", "-inf", -0.5]] as [string, number[], (number | string)[]] };
  const differs = (dtype: string, shape: number[], data: (number | string)[]): string | null =>
    compareTensor(decodeTensor({ t: [dtype, shape, data] }), want);

  test("accepts what PyTorch's assert_close accepts", () => {
    expect(compareTensor(decodeTensor(want), want)).toBeNull();
    expect(compareTensor(decodeTensor({ ...want, s: [1, 2] }), want)).toBeNull();
    expect(differs("float32", [2, 2], [1.00001, "nan", "-inf", -0.50001])).toBeNull();
  });
  test("names the first difference", () => {
    expect(differs("float32", [2, 2], [1, "nan", "-inf", -0.5001])).toMatch(/^at \[1,1\]: want -0.5, got -0.5001/);
    expect(differs("float32", [2, 2], [1, 0, "-inf", -0.5])).toBe("at [0,1]: want NaN, got 0");
    expect(differs("float32", [2, 2], [1, "nan", "inf", -0.5])).toBe("at [1,0]: want -Infinity, got Infinity");
    expect(differs("float64", [2, 2], [1, "nan", "-inf", -0.5])).toBe("want dtype torch.float32, got torch.float64");
    expect(differs("float32", [4], [1, "nan", "-inf", -0.5])).toBe("want shape [2,2], got [4]");
  });
});
