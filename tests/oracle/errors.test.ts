/**
 * Calls that PyTorch refuses (OpInfo's error inputs): for every op that leafgrad has, the class and the text of the
 * error are PyTorch's. `opinfo/errors-left-out.json` lists the exceptions with their reasons.
 */
import * as torch from "leafgrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Call } from "./opinfo/call.ts";
import { resolve } from "./opinfo/call.ts";
import { bind, Unsupported } from "./opinfo/decode.ts";
import type { ErrorCase } from "./opinfo/fixture.ts";
import { byEntry, readLines } from "./opinfo/fixture.ts";
import { matches, readLeftOut, Tally } from "./opinfo/left-out.ts";

const entries = byEntry(readLines<ErrorCase>(new URL("./fixtures/errors.jsonl", import.meta.url)));
const leftOut = readLeftOut("./errors-left-out.json");
const tally = new Tally();

beforeAll(() => void torch.setWarningHandler(() => {}));
afterAll(() => void torch.setWarningHandler(null));

/** JavaScript has TypeError, and it stands for Python's AttributeError too. */
const className = (python: string): string => (python === "AttributeError" ? "TypeError" : python);

function differenceOf(one: ErrorCase, call: Call, [type, message]: [string, string]): string | null {
  const want = `${className(type)}: ${message}`;
  let got = "no error";
  try {
    call(bind(one));
  } catch (error) {
    if (error instanceof Unsupported) throw error;
    got = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  return got === want ? null : `want ${want}\n  got ${got}`;
}

function judge(one: ErrorCase, call: Call): string[] {
  if (!one.raised) {
    tally.leave("PyTorch does not refuse it");
    return [];
  }
  const where = `${one.op}${one.variant && ` (${one.variant})`} ${one.i}`;
  let difference: string | null;
  try {
    difference = differenceOf(one, call, one.raised);
  } catch (error) {
    tally.leave(`leafgrad does not have ${(error as Error).message}`);
    return [];
  }
  tally.cases += 1;
  const excuse = leftOut.find((entry) => matches(entry, one));
  if (difference === null) tally.passed += 1;
  else if (excuse) tally.leave(excuse.reason);
  if (difference !== null && !excuse) return [`${where}: ${difference}`];
  return difference === null && excuse ? [`${where} is left out and passes; take it out of errors-left-out.json`] : [];
}

describe("errors", () => {
  const missing: string[] = [];
  for (const [name, cases] of entries) {
    const call = resolve(cases[0]!);
    if (!call) {
      missing.push(name);
      continue;
    }
    test(name, () => {
      const complaints = cases.flatMap((one) => judge(one, call));
      if (complaints.length > 0) throw new Error(complaints.join("\n"));
    });
  }

  test("every entry of errors-left-out.json is about a case of an op that exists", () => {
    const run = [...entries.values()].filter((cases) => resolve(cases[0]!)).flat();
    expect(leftOut.filter((entry) => !run.some((one) => matches(entry, one)))).toEqual([]);
  });

  afterAll(() => console.log(`Errors: ${tally}\n${missing.length} of ${entries.size} entries are not in leafgrad`));
});
